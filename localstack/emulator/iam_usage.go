package emulator

import (
	"cmp"
	"slices"
	"strings"
	"sync"
)

// Access is how often a role's sessions asked for an action on a resource, since
// the cloud started or ClearAccess.
type Access struct {
	Role     string `json:"role"`     // ARN
	Action   string `json:"action"`   // "dynamodb:PutItem"
	Resource string `json:"resource"` // ARN, ending in * for all connections of a method or all streams of a log group
	Allowed  int    `json:"allowed"`
	Denied   int    `json:"denied"`
	// Service is set where a service asked to assume the role itself, by the role's
	// trust policy: "lambda.amazonaws.com".
	Service string `json:"service,omitempty"`

	byResource int    // of Allowed, by the resource's own policy alone
	sample     string // a Resource without the *
	refused    bool   // the last time
}

// Access tells what every role has used: what its policies need to grant, and
// what they lacked. It has what functions did, and what Lambda did with their
// roles (logs, event sources).
func (e *Emulator) Access() []Access { return e.authority.usage.list() }

// ClearAccess forgets what roles have used, so that the next run is counted on
// its own.
func (e *Emulator) ClearAccess() { e.authority.usage.clear() }

// usage counts decisions.
type usage struct {
	mu     sync.Mutex
	counts map[use]*Access
	kinds  map[string]int // how many of them are of a role
}

// use is what is counted.
type use struct{ role, action, resource, service string }

// maxUses bounds what is counted apart of a role: one that asks for ever new
// resources has all further ones counted as "*", and no other role's with them. So
// are those with names longer than any ARN's.
const (
	maxUses     = 1_000
	maxResource = 2048
)

// note counts a decision. first is true for one that differs from the last of
// its kind: so a loop that is refused over and over says so once.
func (u *usage) note(k use, v verdict) (first bool) {
	sample := k.resource
	k.resource = shape(k.resource)
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.counts == nil {
		u.counts, u.kinds = map[use]*Access{}, map[string]int{}
	}
	c, ok := u.counts[k]
	if !ok && (u.kinds[k.role] >= maxUses || len(sample) > maxResource) {
		k.resource, sample = "*", sample[:min(len(sample), maxResource)]
		c, ok = u.counts[k]
	}
	if !ok {
		c = &Access{Role: k.role, Action: k.action, Resource: k.resource, Service: k.service, sample: sample}
		u.counts[k] = c
		u.kinds[k.role]++
	}
	if !v.allowed {
		c.Denied++
		first, c.refused = !c.refused, true
		return first
	}
	c.Allowed++
	if v.byResource {
		c.byResource++
	}
	c.refused = false
	return !ok
}

// shape is a resource without what is different each time, so that it can be
// counted, and stand in a policy: the id of a connection, the name of a log
// stream.
func shape(resource string) string {
	const connections, stream = "/@connections/", ":log-stream:"
	if i := strings.Index(resource, connections); i >= 0 {
		return resource[:i+len(connections)] + "*"
	}
	if i := strings.Index(resource, stream); i >= 0 {
		return resource[:i] + ":*"
	}
	return resource
}

func (u *usage) clear() {
	u.mu.Lock()
	defer u.mu.Unlock()
	clear(u.counts)
	clear(u.kinds)
}

func (u *usage) list() []Access {
	u.mu.Lock()
	defer u.mu.Unlock()
	all := make([]Access, 0, len(u.counts))
	for _, c := range u.counts {
		all = append(all, *c)
	}
	slices.SortFunc(all, func(a, b Access) int {
		return cmp.Or(cmp.Compare(a.Role, b.Role), cmp.Compare(a.Action, b.Action), cmp.Compare(a.Resource, b.Resource), cmp.Compare(a.Service, b.Service))
	})
	return all
}
