package protocol

import (
	"slices"
	"strings"
)

// MaxConnections is how many ids {"connections":[…]} may have.
const MaxConnections = 1000

// Audience says who gets a broadcast: exactly one of its members is set.
//
//	{"channel":"orders"} {"user":"u1"} {"tenant":true} {"connections":["…"]}
type Audience struct {
	Channel     string   `json:"channel,omitempty"`
	User        string   `json:"user,omitempty"`
	Tenant      bool     `json:"tenant,omitempty"`
	Connections []string `json:"connections,omitempty"`
}

// Validate returns ErrInvalid with a sentence for the client unless exactly
// one member is set and within its limits.
func (a Audience) Validate() error {
	set := 0
	for _, is := range []bool{a.Channel != "", a.User != "", a.Tenant, len(a.Connections) > 0} {
		if is {
			set++
		}
	}
	if set != 1 {
		return errNotOneAudience
	}
	switch {
	case a.Channel != "":
		return ValidateName(`"to.channel"`, a.Channel, MaxName)
	case a.User != "":
		return ValidateName(`"to.user"`, a.User, MaxUser)
	case len(a.Connections) > MaxConnections:
		return invalidf(`"to.connections" has %d ids, at most %d are allowed`, len(a.Connections), MaxConnections)
	}
	seen := make(map[string]bool, len(a.Connections))
	for _, id := range a.Connections {
		if err := ValidateName(`an id in "to.connections"`, id, MaxName); err != nil {
			return err
		}
		if seen[id] {
			return invalidf(`"to.connections" names an id twice`)
		}
		seen[id] = true
	}
	return nil
}

var errNotOneAudience = invalidf(`"to" must have exactly one of "channel", "user", "tenant":true or "connections", and nothing else`)

// Equal reports whether both name the same, in the same order.
func (a Audience) Equal(b Audience) bool {
	return a.Channel == b.Channel && a.User == b.User && a.Tenant == b.Tenant && slices.Equal(a.Connections, b.Connections)
}

// Permission returns the permission that a broadcast to the audience needs:
// "broadcast:channel/orders", "broadcast:user/u1", "broadcast:tenant",
// "broadcast:connections".
func (a Audience) Permission() string {
	switch {
	case a.Channel != "":
		return "broadcast:channel/" + a.Channel
	case a.User != "":
		return "broadcast:user/" + a.User
	case a.Tenant:
		return "broadcast:tenant"
	default:
		return "broadcast:connections"
	}
}

// SubscribePermission returns the permission that subscribing to channel needs.
func SubscribePermission(channel string) string { return "subscribe:" + channel }

// Allowed reports whether one of the permissions grants the wanted one. A '*'
// in a permission stands for any run of characters, '/' and '.' included, so
// "broadcast:*" grants every broadcast and nothing else.
func Allowed(permissions []string, wanted string) bool {
	for _, p := range permissions {
		if glob(p, wanted) {
			return true
		}
	}
	return false
}

// glob matches s against a pattern of literals and '*'. Taking each literal
// where it first occurs is right when the next '*' can stand for anything, so
// nothing is ever tried again and a hostile pattern gains nothing.
func glob(p, s string) bool {
	parts := strings.Split(p, "*")
	if len(parts) == 1 {
		return p == s
	}
	first, last := parts[0], parts[len(parts)-1]
	if len(s) < len(first)+len(last) || !strings.HasPrefix(s, first) || !strings.HasSuffix(s, last) {
		return false
	}
	s = s[len(first) : len(s)-len(last)]
	for _, part := range parts[1 : len(parts)-1] {
		i := strings.Index(s, part)
		if i < 0 {
			return false
		}
		s = s[i+len(part):]
	}
	return true
}
