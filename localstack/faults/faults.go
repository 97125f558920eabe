// Package faults decides which calls of the local cloud go wrong. Rules name
// calls by service, operation and resource, and say what happens to them:
//
//	set := faults.New(1)
//	set.Add(faults.Rule{Service: "execute-api", Operation: "PostToConnection",
//		Probability: 0.01, Fault: faults.Fault{Status: 500, Code: "InternalServerErrorException"}})
//
// Errors and latency of API calls are carried out by awsproto, which asks
// DecideCall for each; the gateway's data plane, lambda's Invoke and sqs's delays
// are asked by those services where they happen, and carried out there. The
// seed makes a run repeat: the n-th call that a rule matches has the same fate
// in every run, whatever else happens in between.
package faults

import (
	"cmp"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
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
	// instead of doing it. An empty Code becomes the one that the service's
	// errors of that status usually have.
	Status  int
	Code    string // as AWS names it: "ProvisionedThroughputExceededException"
	Message string
	// Throttle stands for the Status and Code with which the called service
	// throttles. Decide fills them in.
	Throttle bool
	// Drop ends a socket as a lost network does: no close frame, and no
	// $disconnect. Of the gateway's operations.
	Drop bool
	// Kill ends the function's process in the middle of the invoke. Of lambda
	// Invoke.
	Kill bool
	// Delay makes a message visible this much later, in the cloud's time. Of
	// sqs SendMessage. It cannot be combined with anything else.
	Delay time.Duration
}

// ofAnyCall reports whether every service's calls can suffer f, as opposed to
// what only one service can do to itself.
func (f Fault) ofAnyCall() bool { return !f.Drop && !f.Kill && f.Delay == 0 }

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
	r.Service = cmp.Or(r.Service, r.Fault.onlyService())
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
		return fmt.Errorf("%w: it changes nothing: set latency, status, throttle, drop, kill or delay", ErrRule)
	case f.onlyService() != "" && r.Service != f.onlyService():
		return fmt.Errorf("%w: drop is for execute-api, kill for lambda and delay for sqs, not for the service %q", ErrRule, r.Service)
	case f.Delay > 0 && f != Fault{Delay: f.Delay}:
		return fmt.Errorf("%w: a delay is a rule of its own: it cannot be combined with latency or an error", ErrRule)
	case f.Drop && f.Kill, !f.ofAnyCall() && (f.Status != 0 || f.Throttle):
		return fmt.Errorf("%w: one of status, throttle, drop, kill and delay, not several", ErrRule)
	case f.Throttle && (f.Status != 0 || f.Code != ""):
		return fmt.Errorf("%w: throttle stands for a status and a code: set either", ErrRule)
	case r.Probability < 0 || r.Probability > 1 || r.Probability != r.Probability:
		return fmt.Errorf("%w: probability must be between 0 and 1, not %v", ErrRule, r.Probability)
	case r.After < 0 || r.Count < 0:
		return fmt.Errorf("%w: after and count must not be negative", ErrRule)
	case f.Latency < 0 || f.Delay < 0:
		return fmt.Errorf("%w: latency and delay must not be negative", ErrRule)
	case f.Status != 0 && (f.Status < 400 || f.Status > 599):
		return fmt.Errorf("%w: status must be between 400 and 599, not %d", ErrRule, f.Status)
	case f.Status == 0 && !f.Throttle && (f.Code != "" || f.Message != ""):
		return fmt.Errorf("%w: code and message need a status", ErrRule)
	}
	return nil
}

// onlyService is the service that alone can carry f out, or "".
func (f Fault) onlyService() string {
	switch {
	case f.Drop:
		return "execute-api"
	case f.Kill:
		return "lambda"
	case f.Delay != 0:
		return "sqs"
	}
	return ""
}

// Seed is what the Set was made or last reset with.
func (s *Set) Seed() uint64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.seed
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

// Decide returns what happens to a call: the zero Fault for most. A call that
// names several resources matches a rule if one of them does, and counts once;
// one that names none matches only rules for any resource.
func (s *Set) Decide(service, operation string, resources ...string) Fault {
	return s.decide(service, operation, resources, func(Fault) bool { return true })
}

// DecideCall is Decide for what any service's call can suffer: latency and
// errors. Rules that drop, kill or delay are not asked, and do not count.
func (s *Set) DecideCall(service, operation string, resources ...string) Fault {
	return s.decide(service, operation, resources, Fault.ofAnyCall)
}

// DecideDelay is Decide for the rules with a Delay alone, for a call that
// DecideCall was asked about already.
func (s *Set) DecideDelay(service, operation string, resources ...string) time.Duration {
	return s.decide(service, operation, resources, func(f Fault) bool { return f.Delay > 0 }).Delay
}

func (s *Set) decide(service, operation string, resources []string, kind func(Fault) bool) Fault {
	if s == nil {
		return Fault{}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, r := range s.rules {
		if kind(r.Fault) && r.matches(service, operation, resources) && r.strikes() {
			return r.Fault.of(service)
		}
	}
	return Fault{}
}

func (r *armed) matches(service, operation string, resources []string) bool {
	if !match(r.Service, service) || !match(r.Operation, operation) {
		return false
	}
	if len(resources) == 0 {
		return match(r.Resource, "")
	}
	return slices.ContainsFunc(resources, func(name string) bool { return match(r.Resource, name) })
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
