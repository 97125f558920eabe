package sqs

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// A redrivePolicy moves a message that was received maxReceives times without
// being deleted to the queue dead, instead of delivering it once more.
type redrivePolicy struct {
	dead        queueKey
	maxReceives int
}

// redrivePolicyJSON is the attribute's text. AWS takes the count as a number or
// as a string, and shows a number.
type redrivePolicyJSON struct {
	DeadLetterTargetARN string   `json:"deadLetterTargetArn"`
	MaxReceiveCount     flexible `json:"maxReceiveCount"`
}

// flexible is an integer that may come in quotes.
type flexible int

func (f *flexible) UnmarshalJSON(b []byte) error {
	n, err := strconv.Atoi(strings.Trim(string(b), `"`))
	*f = flexible(n)
	return err
}

func normalizeRedrivePolicy(value string) (string, error) {
	if value == "" {
		return "", nil
	}
	var p redrivePolicyJSON
	if err := decodeStrict(value, &p); err != nil {
		return "", invalidValue(value, "RedrivePolicy", "Redrive policy is not a valid JSON map.")
	}
	if _, ok := parseARN(p.DeadLetterTargetARN); !ok {
		return "", invalidValue(value, "RedrivePolicy", "Dead letter target ARN is invalid.")
	}
	if p.MaxReceiveCount < 1 || p.MaxReceiveCount > 1000 {
		return "", invalidValue(value, "RedrivePolicy", fmt.Sprintf(
			"Invalid value for maxReceiveCount: %d, valid values are from 1 to 1000 both inclusive.", p.MaxReceiveCount))
	}
	out, err := json.Marshal(p)
	return string(out), err
}

// decodeRedrivePolicy reads a normalized policy; nil for none.
func decodeRedrivePolicy(value string) *redrivePolicy {
	var p redrivePolicyJSON
	if json.Unmarshal([]byte(value), &p) != nil {
		return nil
	}
	dead, ok := parseARN(p.DeadLetterTargetARN)
	if !ok {
		return nil
	}
	return &redrivePolicy{dead, int(p.MaxReceiveCount)}
}

// redriveAllowPolicy is the say of a dead-letter queue in who may use it.
type redriveAllowPolicy struct {
	RedrivePermission string   `json:"redrivePermission"`
	SourceQueueARNs   []string `json:"sourceQueueArns"`
}

func checkRedriveAllowPolicy(value string) error {
	if value == "" {
		return nil
	}
	var p redriveAllowPolicy
	if err := decodeStrict(value, &p); err != nil {
		return invalidValue(value, "RedriveAllowPolicy", "It is not a valid JSON map.")
	}
	switch p.RedrivePermission {
	case "allowAll", "denyAll":
		if len(p.SourceQueueARNs) > 0 {
			return invalidValue(value, "RedriveAllowPolicy", "sourceQueueArns is only valid with redrivePermission byQueue.")
		}
	case "byQueue":
		if n := len(p.SourceQueueARNs); n < 1 || n > 10 {
			return invalidValue(value, "RedriveAllowPolicy", "sourceQueueArns must name 1 to 10 queues.")
		}
	default:
		return invalidValue(value, "RedriveAllowPolicy", "redrivePermission must be allowAll, denyAll or byQueue.")
	}
	return nil
}

// allows reports whether the queue with the RedriveAllowPolicy value takes dead
// letters from source.
func allowsRedrive(value string, source queueKey) bool {
	var p redriveAllowPolicy
	if value == "" || json.Unmarshal([]byte(value), &p) != nil {
		return true
	}
	return p.RedrivePermission == "allowAll" ||
		p.RedrivePermission == "byQueue" && slices.Contains(p.SourceQueueARNs, source.arn())
}

// checkRedriveTarget refuses a redrive policy that could never work. s.mu is held.
func (s *Service) checkRedriveTarget(source queueKey, a attributes) error {
	policy := decodeRedrivePolicy(a["RedrivePolicy"])
	if policy == nil {
		return nil
	}
	if policy.dead == source {
		return invalidValue(a["RedrivePolicy"], "RedrivePolicy", "A queue can not be its own dead letter target.")
	}
	if policy.dead.region != source.region {
		return invalidValue(a["RedrivePolicy"], "RedrivePolicy", "Dead letter target must be in the same region as the source.")
	}
	dead, ok := s.queues[policy.dead]
	if !ok {
		return invalidValue(a["RedrivePolicy"], "RedrivePolicy", "Dead letter target does not exist.")
	}
	if !allowsRedrive(dead.attribute("RedriveAllowPolicy"), source) {
		return invalidValue(a["RedrivePolicy"], "RedrivePolicy",
			"The dead letter target's RedriveAllowPolicy does not allow this source queue.")
	}
	return nil
}

func decodeStrict(value string, into any) error {
	dec := json.NewDecoder(strings.NewReader(value))
	dec.DisallowUnknownFields()
	if err := dec.Decode(into); err != nil {
		return err
	}
	if dec.More() {
		return fmt.Errorf("more than one JSON value")
	}
	return nil
}
