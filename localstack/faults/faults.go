// Package faults decides which calls of the local cloud go wrong. Rules name
// calls by service, operation and resource, and say what happens to them:
//
//	set := faults.New(1)
//	set.Add(faults.Rule{Service: "execute-api", Operation: "PostToConnection",
//		Probability: 0.01, Fault: faults.Fault{Status: 500, Code: "InternalServerErrorException"}})
//
// Every service asks Decide at the points where something can go wrong, and
// carries the Fault out itself: what a throttle looks like is the service's own
// matter. The seed makes a run repeat: the n-th call that a rule matches has the
// same fate in every run, whatever else happens in between.
package faults

import (
	"cmp"
	"errors"
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Fault is what happens to one call. The zero value changes nothing. Latency
// comes first, then the call goes wrong, if anything else is set.
type Fault struct {
	Latency time.Duration // real time that passes before anything else
	// Status answers the call with an error of this HTTP status and Code
	// instead of doing it.
	Status  int
	Code    string // as AWS names it: "ProvisionedThroughputExceededException"
	Message string
	// Drop ends a socket as a lost network does: no close frame, and no
	// $disconnect. Of the gateway's operations.
	Drop bool
	// Kill ends the function's process in the middle of the invoke. Of lambda
	// Invoke.
	Kill bool
	// Delay makes a message visible this much later, in the cloud's time. Of
	// sqs SendMessage.
	Delay time.Duration
}

// Rule is a Fault with the calls that it is for. Service, Operation and Resource
// may hold '*' for any characters; an empty one matches everything.
type Rule struct {
	ID          string  // given by Add if empty
	Service     string  // as in a signature's scope: "dynamodb", "sqs", "lambda", "execute-api"
	Operation   string  // as AWS names it: "PutItem", "Invoke"; of sockets the route key: "$connect"
	Resource    string  // table, queue, function, connection id
	Probability float64 // of each matching call, above 0 up to 1; 0 means 1
	After       int     // so many matching calls are left alone first
	Count       int     // at most so many faults; 0 means no limit
	Fault       Fault
}

// ErrRule is what every error of Add unwraps to.
var ErrRule = errors.New("invalid fault rule")

// Set holds the rules. The methods that decide work on a nil Set, which has no
// rules. It is safe for concurrent use.
type Set struct {
	mu    sync.Mutex
	seed  uint64
	added uint64 // rules ever added
	rules []*armed
}

// armed is a rule with what it has done so far.
type armed struct {
	Rule
	rand    *rand.Rand
	matched int
	faulted int
}

// New returns a Set without rules.
func New(seed uint64) *Set { return &Set{seed: seed} }

// Add adds a rule, or replaces the one with its ID, and returns its ID. Of
// several rules that match a call, the first one added that strikes decides.
func (s *Set) Add(r Rule) (id string, err error) {
	if err := r.validate(); err != nil {
		return "", err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.added++
	r.ID = cmp.Or(r.ID, strconv.FormatUint(s.added, 10))
	a := &armed{Rule: r, rand: rand.New(rand.NewPCG(s.seed, s.added))}
	for i, old := range s.rules {
		if old.ID == r.ID {
			s.rules[i] = a
			return r.ID, nil
		}
	}
	s.rules = append(s.rules, a)
	return r.ID, nil
}

func (r Rule) validate() error {
	f := r.Fault
	switch {
	case f == Fault{}:
		return fmt.Errorf("%w: it changes nothing: set latency, status, drop, kill or delay", ErrRule)
	case r.Probability < 0 || r.Probability > 1 || r.Probability != r.Probability:
		return fmt.Errorf("%w: probability must be between 0 and 1, not %v", ErrRule, r.Probability)
	case r.After < 0 || r.Count < 0:
		return fmt.Errorf("%w: after and count must not be negative", ErrRule)
	case f.Latency < 0 || f.Delay < 0:
		return fmt.Errorf("%w: latency and delay must not be negative", ErrRule)
	case f.Status != 0 && (f.Status < 400 || f.Status > 599):
		return fmt.Errorf("%w: status must be between 400 and 599, not %d", ErrRule, f.Status)
	case f.Status == 0 && (f.Code != "" || f.Message != ""):
		return fmt.Errorf("%w: code and message need a status", ErrRule)
	}
	return nil
}

// Remove removes a rule and reports whether there was one.
func (s *Set) Remove(id string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i, r := range s.rules {
		if r.ID == id {
			s.rules = append(s.rules[:i:i], s.rules[i+1:]...)
			return true
		}
	}
	return false
}

// Reset removes all rules and starts over with a seed, as New does.
func (s *Set) Reset(seed uint64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.seed, s.added, s.rules = seed, 0, nil
}

// Status is a rule with what it has done.
type Status struct {
	Rule
	Matched int // calls, struck or not
	Faulted int
}

// List returns the rules in the order in which they were added.
func (s *Set) List() []Status {
	s.mu.Lock()
	defer s.mu.Unlock()
	list := make([]Status, len(s.rules))
	for i, r := range s.rules {
		list[i] = Status{Rule: r.Rule, Matched: r.matched, Faulted: r.faulted}
	}
	return list
}

// Decide returns what happens to a call: the zero Fault for most.
func (s *Set) Decide(service, operation, resource string) Fault {
	if s == nil {
		return Fault{}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, r := range s.rules {
		if r.matches(service, operation, resource) && r.strikes() {
			return r.Fault
		}
	}
	return Fault{}
}

func (r *armed) matches(service, operation, resource string) bool {
	return match(r.Service, service) && match(r.Operation, operation) && match(r.Resource, resource)
}

// strikes counts a matching call and tells its fate.
func (r *armed) strikes() bool {
	r.matched++
	if r.matched <= r.After || r.Count > 0 && r.faulted >= r.Count {
		return false
	}
	if r.Probability > 0 && r.rand.Float64() >= r.Probability {
		return false
	}
	r.faulted++
	return true
}

// match compares with '*' for any characters. An empty pattern matches
// everything.
func match(pattern, s string) bool {
	if pattern == "" {
		return true
	}
	first, rest, wild := strings.Cut(pattern, "*")
	if !wild {
		return pattern == s
	}
	s, ok := strings.CutPrefix(s, first)
	if !ok {
		return false
	}
	for {
		part, after, more := strings.Cut(rest, "*")
		if !more {
			return strings.HasSuffix(s, part)
		}
		i := strings.Index(s, part)
		if i < 0 {
			return false
		}
		s, rest = s[i+len(part):], after
	}
}
