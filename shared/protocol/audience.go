package protocol

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Limits of names and lists in a frame. A name is counted in bytes of UTF-8.
const (
	MaxName        = 128  // channel names, ids of connections, request ids, idempotency keys
	MaxUser        = 256  // user names, as long as a token's subject may be
	MaxConnections = 1000 // ids in {"connections":[…]}
)

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
		return invalidf(`"to" must have exactly one of "channel", "user", "tenant":true or "connections"`)
	}
	switch {
	case a.Channel != "":
		return validateName(`"to.channel"`, a.Channel, MaxName)
	case a.User != "":
		return validateName(`"to.user"`, a.User, MaxUser)
	case len(a.Connections) > MaxConnections:
		return invalidf(`"to.connections" has %d ids, at most %d are allowed`, len(a.Connections), MaxConnections)
	}
	seen := make(map[string]bool, len(a.Connections))
	for _, id := range a.Connections {
		if err := validateName(`an id in "to.connections"`, id, MaxName); err != nil {
			return err
		}
		if seen[id] {
			return invalidf(`"to.connections" names %q twice`, id)
		}
		seen[id] = true
	}
	return nil
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

// glob matches s against a pattern of literals and '*'. It never backtracks
// further than the last '*', so a hostile pattern costs at most len(p)*len(s).
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

// validateName refuses an empty, overlong, not printable or not UTF-8 name.
func validateName(what, name string, limit int) error {
	switch {
	case name == "":
		return invalidf("%s is missing or empty", what)
	case len(name) > limit:
		return invalidf("%s has %d bytes, at most %d are allowed", what, len(name), limit)
	case !utf8.ValidString(name):
		return invalidf("%s is not valid UTF-8", what)
	case strings.ContainsFunc(name, unicode.IsControl):
		return invalidf("%s holds a control character", what)
	}
	return nil
}

func invalidf(format string, args ...any) error {
	return &Error{Code: CodeInvalidMessage, Message: fmt.Sprintf(format, args...)}
}
