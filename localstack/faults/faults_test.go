package faults

import (
	"encoding/json"
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
	add(t, s, Rule{ID: id, Fault: Fault{Latency: 1}})
	if got := s.Decide("a", "b", "c"); got.Latency != 1 || len(s.List()) != 1 {
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
		{Fault: Fault{Throttle: true, Status: 400}},
		{Fault: Fault{Drop: true, Status: 500}},
		{Fault: Fault{Kill: true, Throttle: true}},
		{Fault: Fault{Delay: 1, Latency: 1}},
		{Service: "sqs", Fault: Fault{Drop: true}},
		{Service: "*", Fault: Fault{Kill: true}},
		{Service: "dynamodb", Fault: Fault{Delay: 1}},
	} {
		if _, err := New(1).Add(r); !errors.Is(err, ErrRule) {
			t.Errorf("%+v: %v", r, err)
		}
	}
}

func TestACallThatNamesSeveralResourcesCountsOnce(t *testing.T) {
	s := New(1)
	add(t, s, Rule{Resource: "orders*", Count: 1, Fault: fails})
	for _, c := range []struct {
		resources []string
		want      bool
	}{
		{nil, false}, {[]string{"users"}, false}, {[]string{"orders-1", "users", "orders-2"}, true}, {[]string{"orders-1"}, false},
	} {
		if got := s.Decide("dynamodb", "BatchWriteItem", c.resources...) == fails; got != c.want {
			t.Errorf("%v: struck %v", c.resources, got)
		}
	}
	if got := s.List()[0]; got.Matched != 2 || got.Faulted != 1 {
		t.Errorf("%+v", got)
	}
}

func TestWhatOneServiceDoesIsNotAskedOfEveryCall(t *testing.T) {
	s := New(1)
	add(t, s, Rule{Fault: Fault{Delay: time.Second}, Count: 1})
	add(t, s, Rule{Service: "sqs", Fault: fails})
	if got := s.DecideCall("sqs", "SendMessage", "q"); got != fails {
		t.Errorf("the call: %+v", got)
	}
	if got := s.DecideDelay("sqs", "SendMessage", "q"); got != time.Second {
		t.Errorf("the delay: %v", got)
	}
	if list := s.List(); list[0].Matched != 1 || list[1].Matched != 1 {
		t.Errorf("a call was counted twice or not: %+v", list)
	}
}

func TestARuleLeavesTheCodeToTheService(t *testing.T) {
	for _, c := range []struct {
		service string
		fault   Fault
		status  int
		code    string
	}{
		{"dynamodb", Fault{Throttle: true}, 400, "ProvisionedThroughputExceededException"},
		{"sqs", Fault{Throttle: true}, 400, "RequestThrottled"},
		{"lambda", Fault{Throttle: true}, 429, "TooManyRequestsException"},
		{"lambda", Fault{Status: 429}, 429, "TooManyRequestsException"},
		{"execute-api", Fault{Throttle: true}, 429, "LimitExceededException"},
		{"iam", Fault{Throttle: true}, 400, "Throttling"},
		{"another", Fault{Throttle: true}, 429, "ThrottlingException"},
		{"execute-api", Fault{Status: 410}, 410, "GoneException"},
		{"dynamodb", Fault{Status: 500}, 500, "InternalServerError"},
		{"sqs", Fault{Status: 500}, 500, "InternalFailure"},
		{"sqs", Fault{Status: 503}, 503, "ServiceUnavailable"},
		{"sqs", Fault{Status: 500, Code: "Own"}, 500, "Own"},
	} {
		s := New(1)
		add(t, s, Rule{Fault: c.fault})
		if got := s.Decide(c.service, "Op", "r"); got.Status != c.status || got.Code != c.code {
			t.Errorf("%s %+v: %d %s, want %d %s", c.service, c.fault, got.Status, got.Code, c.status, c.code)
		}
	}
}

func TestARuleIsWrittenAsPeopleWriteIt(t *testing.T) {
	const text = `{"service":"dynamodb","operation":"*Item","probability":0.1,"latency":"200ms","throttle":true}`
	var r Rule
	if err := json.Unmarshal([]byte(text), &r); err != nil {
		t.Fatal(err)
	}
	want := Rule{Service: "dynamodb", Operation: "*Item", Probability: 0.1, Fault: Fault{Latency: 200 * time.Millisecond, Throttle: true}}
	if r != want {
		t.Errorf("%+v", r)
	}
	if back, err := json.Marshal(r); err != nil || string(back) != text {
		t.Errorf("%s, %v", back, err)
	}
	st := Status{Rule: r, Matched: 3, Faulted: 1}
	data, err := json.Marshal(st)
	if err != nil {
		t.Fatal(err)
	}
	var again Status
	if err := json.Unmarshal(data, &again); err != nil || again != st {
		t.Errorf("%+v, %v", again, err)
	}
	for _, bad := range []string{`{"servise":"sqs","drop":true}`, `{"service":"sqs","Service":"lambda","throttle":true}`, `{"drop":true,"drop":false,"kill":true}`, `{"latency":200}`, `{"latency":"soon"}`, `[]`, `{"status":"500"}`} {
		if err := json.Unmarshal([]byte(bad), &r); !errors.Is(err, ErrRule) {
			t.Errorf("%s: %v", bad, err)
		}
	}
}

func FuzzRuleJSON(f *testing.F) {
	f.Add(`{"service":"sqs","delay":"5s"}`)
	f.Add(`{"probability":1e400}`)
	f.Fuzz(func(t *testing.T, text string) {
		var r Rule
		if json.Unmarshal([]byte(text), &r) != nil {
			return
		}
		data, err := json.Marshal(r)
		if err != nil {
			t.Fatal(err)
		}
		var again Rule
		if err := json.Unmarshal(data, &again); err != nil || again != r {
			t.Errorf("%s: %+v, then %+v, %v", text, r, again, err)
		}
	})
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
