package emulator

import (
	"cmp"
	"slices"
	"sync"
)

// Access is how often a role's sessions asked for an action, since the cloud
// started.
type Access struct {
	Role    string `json:"role"`   // ARN
	Action  string `json:"action"` // "dynamodb:PutItem"
	Allowed int    `json:"allowed"`
	Denied  int    `json:"denied"`

	refused bool // the last time
}

// Access tells what every role has used, by role and action: what its policies
// need to grant, and what they lacked. It has what functions did, and what
// Lambda did with their roles (logs, event sources).
func (e *Emulator) Access() []Access { return e.authority.usage.list() }

// usage counts decisions.
type usage struct {
	mu     sync.Mutex
	counts map[usageKey]*Access
}

type usageKey struct{ role, action string }

// note counts a decision. first is true for one that differs from the last of
// its kind: so a loop that is refused over and over says so once.
func (u *usage) note(role, action string, allowed bool) (first bool) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.counts == nil {
		u.counts = map[usageKey]*Access{}
	}
	k := usageKey{role, action}
	c, ok := u.counts[k]
	if !ok {
		c = &Access{Role: role, Action: action}
		u.counts[k] = c
	}
	if allowed {
		c.Allowed++
		c.refused = false
		return !ok
	}
	c.Denied++
	first, c.refused = !c.refused, true
	return first
}

func (u *usage) list() []Access {
	u.mu.Lock()
	defer u.mu.Unlock()
	all := make([]Access, 0, len(u.counts))
	for _, c := range u.counts {
		all = append(all, *c)
	}
	slices.SortFunc(all, func(a, b Access) int {
		return cmp.Or(cmp.Compare(a.Role, b.Role), cmp.Compare(a.Action, b.Action))
	})
	return all
}
