package emulator

import (
	"slices"
	"strings"
)

// addresses are the hosts and ports under which a cloud can be called: as
// clients name it, and as this machine reaches it.
type addresses struct {
	Public string `json:"public"`
	Own    string `json:"own"`
}

func (e *Emulator) addresses() addresses {
	return addresses{Public: e.publicHost(), Own: strings.TrimPrefix(e.URL(), "http://")}
}

// allAddresses are those that the state was and is served under.
func (e *Emulator) allAddresses() []addresses {
	all, now := e.formerAddresses(), e.addresses()
	if slices.Contains(all, now) {
		return all
	}
	return append(all, now)
}

func (e *Emulator) formerAddresses() []addresses {
	e.mu.Lock()
	defer e.mu.Unlock()
	return slices.Clone(e.former)
}

// movedValue replaces this cloud's former addresses in a function's variable by
// those that it has now. A state that was deployed at port 4566 then works at
// every other, and many times at once. The function's configuration stays as it
// was deployed, so that Terraform finds nothing to change.
func (e *Emulator) movedValue(value string) string {
	if !strings.Contains(value, "://") {
		return value
	}
	now := e.addresses()
	for _, then := range e.formerAddresses() {
		value = replaceHost(value, then.Public, now.Public)
		if then.Own != then.Public {
			value = replaceHost(value, then.Own, now.Own)
		}
	}
	return value
}

// replaceHost replaces a host and port in all URLs within text.
func replaceHost(text, host, by string) string {
	var b strings.Builder
	for {
		before, after, found := strings.Cut(text, "://"+host)
		b.WriteString(before)
		if !found {
			return b.String()
		}
		name := by
		if after != "" && '0' <= after[0] && after[0] <= '9' { // of a longer port
			name = host
		}
		b.WriteString("://" + name)
		text = after
	}
}
