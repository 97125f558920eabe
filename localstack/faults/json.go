package faults

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"
)

// ruleJSON is a Rule as people write it:
//
//	{"service":"dynamodb","operation":"*Item","probability":0.1,"latency":"200ms","throttle":true}
type ruleJSON struct {
	ID          string   `json:"id,omitempty"`
	Service     string   `json:"service,omitempty"`
	Operation   string   `json:"operation,omitempty"`
	Resource    string   `json:"resource,omitempty"`
	Probability float64  `json:"probability,omitempty"`
	After       int      `json:"after,omitempty"`
	Count       int      `json:"count,omitempty"`
	Latency     duration `json:"latency,omitempty"`
	Status      int      `json:"status,omitempty"`
	Code        string   `json:"code,omitempty"`
	Message     string   `json:"message,omitempty"`
	Throttle    bool     `json:"throttle,omitempty"`
	Drop        bool     `json:"drop,omitempty"`
	Kill        bool     `json:"kill,omitempty"`
	Delay       duration `json:"delay,omitempty"`
}

// MarshalJSON writes a rule flat, with durations such as "200ms".
func (r Rule) MarshalJSON() ([]byte, error) { return json.Marshal(r.wire()) }

func (r Rule) wire() ruleJSON {
	f := r.Fault
	return ruleJSON{
		ID: r.ID, Service: r.Service, Operation: r.Operation, Resource: r.Resource,
		Probability: r.Probability, After: r.After, Count: r.Count,
		Latency: duration(f.Latency), Status: f.Status, Code: f.Code, Message: f.Message,
		Throttle: f.Throttle, Drop: f.Drop, Kill: f.Kill, Delay: duration(f.Delay),
	}
}

// UnmarshalJSON reads what MarshalJSON writes. It refuses a member that it does
// not know: a rule that strikes more than was meant is worse than none.
func (r *Rule) UnmarshalJSON(data []byte) error {
	if err := refuseTwins(data); err != nil {
		return fmt.Errorf("%w: %w", ErrRule, err)
	}
	var w ruleJSON
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&w); err != nil {
		return fmt.Errorf("%w: %w", ErrRule, err)
	}
	*r = Rule{
		ID: w.ID, Service: w.Service, Operation: w.Operation, Resource: w.Resource,
		Probability: w.Probability, After: w.After, Count: w.Count,
		Fault: Fault{
			Latency: time.Duration(w.Latency), Status: w.Status, Code: w.Code, Message: w.Message,
			Throttle: w.Throttle, Drop: w.Drop, Kill: w.Kill, Delay: time.Duration(w.Delay),
		},
	}
	return nil
}

// refuseTwins refuses an object with two members that encoding/json takes for
// one, such as "service" and "Service": it would silently choose the last.
func refuseTwins(object []byte) error {
	dec := json.NewDecoder(bytes.NewReader(object))
	if t, err := dec.Token(); err != nil || t != json.Delim('{') {
		return nil //nolint:nilerr // whoever decodes it says so
	}
	var seen []string
	for dec.More() {
		t, err := dec.Token()
		name, ok := t.(string)
		if err != nil || !ok {
			return nil //nolint:nilerr // as above
		}
		for _, other := range seen {
			if strings.EqualFold(name, other) {
				return fmt.Errorf("%q and %q are the same member", other, name)
			}
		}
		seen = append(seen, name)
		var value json.RawMessage
		if dec.Decode(&value) != nil {
			return nil //nolint:nilerr // as above
		}
	}
	return nil
}

// statusJSON is a Status: the rule's members and two counters.
type statusJSON struct {
	ruleJSON
	Matched int `json:"matched"`
	Faulted int `json:"faulted"`
}

// MarshalJSON writes the rule's own members and the two counters.
func (s Status) MarshalJSON() ([]byte, error) {
	return json.Marshal(statusJSON{s.wire(), s.Matched, s.Faulted})
}

// UnmarshalJSON reads what MarshalJSON writes.
func (s *Status) UnmarshalJSON(data []byte) error {
	var members map[string]json.RawMessage
	if err := json.Unmarshal(data, &members); err != nil {
		return err
	}
	for name, counter := range map[string]*int{"matched": &s.Matched, "faulted": &s.Faulted} {
		if raw, ok := members[name]; ok {
			if err := json.Unmarshal(raw, counter); err != nil {
				return err
			}
			delete(members, name)
		}
	}
	rule, err := json.Marshal(members)
	if err != nil {
		return err
	}
	return json.Unmarshal(rule, &s.Rule)
}

// duration is a time.Duration as Go writes it: "1.5s".
type duration time.Duration

func (d duration) MarshalJSON() ([]byte, error) { return json.Marshal(time.Duration(d).String()) }

func (d *duration) UnmarshalJSON(data []byte) error {
	var text string
	if err := json.Unmarshal(data, &text); err != nil {
		return errors.New(`a duration is a text such as "200ms"`)
	}
	parsed, err := time.ParseDuration(text)
	*d = duration(parsed)
	return err
}
