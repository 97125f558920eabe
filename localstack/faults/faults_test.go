package faults

import (
	"errors"
	"fmt"
	"testing"
	"time"
)

var fails = Fault{Status: 500, Code: "InternalServerError"}

// fates is which of n calls a set strikes.
func fates(s *Set, n int, service, operation, resource string) string {
	fate := make([]byte, n)
	for i := range fate {
		fate[i] = '.'
		if s.Decide(service, operation, resource) != (Fault{}) {
			fate[i] = 'x'
		}
	}
	return string(fate)
}

func add(t *testing.T, s *Set, r Rule) string {
	t.Helper()
	id, err := s.Add(r)
	if err != nil {
		t.Fatal(err)
	}
	return id
}

func TestARuleStrikesTheCallsThatItNames(t *testing.T) {
	for _, c := range []struct {
		rule                         Rule
		service, operation, resource string
		want                         bool
	}{
		{Rule{}, "sqs", "SendMessage", "q", true},
		{Rule{Service: "sqs"}, "sqs", "SendMessage", "q", true},
		{Rule{Service: "sqs"}, "dynamodb", "PutItem", "t", false},
		{Rule{Service: "dynamodb", Operation: "*Item"}, "dynamodb", "PutItem", "t", true},
		{Rule{Service: "dynamodb", Operation: "*Item"}, "dynamodb", "PutItems", "t", false},
		{Rule{Operation: "Batch*Item"}, "dynamodb", "BatchWriteItem", "t", true},
		{Rule{Resource: "fan*-de*"}, "lambda", "Invoke", "fanfare-deliver", true},
		{Rule{Resource: "a*b*a"}, "lambda", "Invoke", "aba", true},
		{Rule{Resource: "ab*ba"}, "lambda", "Invoke", "aba", false},
		{Rule{Resource: "a*a"}, "lambda", "Invoke", "a", false},
	} {
		s := New(1)
		c.rule.Fault = fails
		add(t, s, c.rule)
		if got := s.Decide(c.service, c.operation, c.resource) == fails; got != c.want {
			t.Errorf("%+v strikes %s %s %s: %v", c.rule, c.service, c.operation, c.resource, got)
		}
	}
}

func TestAfterAndCountBoundWhatARuleStrikes(t *testing.T) {
	s := New(1)
	add(t, s, Rule{Service: "sqs", After: 2, Count: 3, Fault: fails})
	if got := fates(s, 8, "sqs", "SendMessage", "q"); got != "..xxx..." {
		t.Error(got)
	}
	if got := s.List()[0]; got.Matched != 8 || got.Faulted != 3 {
		t.Errorf("%+v", got)
	}
}

func TestARunRepeatsWhateverElseHappens(t *testing.T) {
	run := func(noise bool) string {
		s := New(42)
		add(t, s, Rule{Service: "lambda", Probability: 0.5, Fault: Fault{Kill: true}})
		add(t, s, Rule{Service: "sqs", Probability: 0.3, Fault: fails})
		if noise {
			fates(s, 100, "lambda", "Invoke", "f")
		}
		return fates(s, 200, "sqs", "SendMessage", "q")
	}
	if run(false) != run(true) {
		t.Error("the calls of another service change this one's fates")
	}
	other := New(43)
	add(t, other, Rule{Service: "x", Fault: fails})
	add(t, other, Rule{Service: "sqs", Probability: 0.3, Fault: fails})
	if fates(other, 200, "sqs", "SendMessage", "q") == run(false) {
		t.Error("the seed changes nothing")
	}
}

func TestTheFirstRuleThatStrikesDecides(t *testing.T) {
	s := New(1)
	add(t, s, Rule{Service: "sqs", Count: 1, Fault: Fault{Latency: time.Second}})
	add(t, s, Rule{Fault: fails})
	if got := s.Decide("sqs", "SendMessage", "q"); got.Latency != time.Second {
		t.Errorf("%+v", got)
	}
	if got := s.Decide("sqs", "SendMessage", "q"); got != fails {
		t.Errorf("%+v", got)
	}
}

func TestRulesAreReplacedRemovedAndReset(t *testing.T) {
	s := New(1)
	id := add(t, s, Rule{Fault: fails})
	add(t, s, Rule{ID: id, Fault: Fault{Drop: true}})
	if got := s.Decide("a", "b", "c"); !got.Drop || len(s.List()) != 1 {
		t.Errorf("not replaced: %+v", s.List())
	}
	if !s.Remove(id) || s.Remove(id) || s.Decide("a", "b", "c") != (Fault{}) {
		t.Error("not removed")
	}
	add(t, s, Rule{Fault: fails})
	s.Reset(2)
	if len(s.List()) != 0 {
		t.Error("not reset")
	}
	if (*Set)(nil).Decide("a", "b", "c") != (Fault{}) {
		t.Error("no set, and yet a fault")
	}
}

func TestWhatARuleCannotBe(t *testing.T) {
	for _, r := range []Rule{
		{},
		{Probability: 1.1, Fault: fails},
		{Probability: -1, Fault: fails},
		{Count: -1, Fault: fails},
		{After: -1, Fault: fails},
		{Fault: Fault{Latency: -1}},
		{Fault: Fault{Status: 200}},
		{Fault: Fault{Code: "Throttling"}},
	} {
		if _, err := New(1).Add(r); !errors.Is(err, ErrRule) {
			t.Errorf("%+v: %v", r, err)
		}
	}
}

func ExampleSet() {
	set := New(1)
	if _, err := set.Add(Rule{Service: "execute-api", Operation: "PostToConnection", Count: 1,
		Fault: Fault{Status: 410, Code: "GoneException"}}); err != nil {
		panic(err)
	}
	for range 2 {
		fmt.Println(set.Decide("execute-api", "PostToConnection", "R1kmxc2VNjMCFIA=").Status)
	}
	// Output:
	// 410
	// 0
}
