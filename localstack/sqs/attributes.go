package sqs

import (
	"encoding/json"
	"maps"
	"slices"
	"strconv"
	"time"

	"fanfare/localstack/policy"
)

// The bounds and defaults of
// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SetQueueAttributes.html
var integerAttributes = map[string]struct {
	min, max int
	initial  string // "" means absent until set
}{
	"DelaySeconds":                  {0, 900, "0"},
	"MaximumMessageSize":            {1024, maxMessageBytes, "1048576"},
	"MessageRetentionPeriod":        {60, 1209600, "345600"},
	"ReceiveMessageWaitTimeSeconds": {0, 20, "0"},
	"VisibilityTimeout":             {0, maxVisibilitySeconds, "30"},
	"KmsDataKeyReusePeriodSeconds":  {60, 86400, ""},
}

// fifoAttributes exist in AWS, for queues that the local cloud does not have.
var fifoAttributes = []string{"FifoQueue", "ContentBasedDeduplication", "DeduplicationScope", "FifoThroughputLimit"}

// computedAttributes can be read but not set.
var computedAttributes = []string{
	"ApproximateNumberOfMessages", "ApproximateNumberOfMessagesDelayed", "ApproximateNumberOfMessagesNotVisible",
	"CreatedTimestamp", "LastModifiedTimestamp", "QueueArn",
}

const maxVisibilitySeconds = 43200 // 12 hours

// attributes are a queue's settings as AWS shows them: strings, defaults included,
// what is unset left out.
type attributes map[string]string

func defaultAttributes() attributes {
	a := attributes{"SqsManagedSseEnabled": "true"}
	for name, rule := range integerAttributes {
		if rule.initial != "" {
			a[name] = rule.initial
		}
	}
	return a
}

// normalizeAttributes checks what a client wants to set, and returns it as AWS
// would show it. An empty value unsets a policy or key.
func normalizeAttributes(in map[string]string) (attributes, error) {
	out := attributes{}
	for _, name := range slices.Sorted(maps.Keys(in)) {
		value, err := normalizeAttribute(name, in[name])
		if err != nil {
			return nil, err
		}
		out[name] = value
	}
	if out["KmsMasterKeyId"] != "" && out["SqsManagedSseEnabled"] == "true" {
		return nil, newError("InvalidAttributeValue", "InvalidAttributeValue",
			"You can use one type of server-side encryption (SSE) at one time. You can either enable KMS SSE or SQS SSE.")
	}
	return out, nil
}

func normalizeAttribute(name, value string) (string, error) {
	if rule, ok := integerAttributes[name]; ok {
		n, err := strconv.Atoi(value)
		if err != nil || n < rule.min || n > rule.max {
			return "", invalidAttributeValue(name)
		}
		return strconv.Itoa(n), nil
	}
	switch name {
	case "SqsManagedSseEnabled":
		if value != "true" && value != "false" {
			return "", invalidAttributeValue(name)
		}
		return value, nil
	case "KmsMasterKeyId":
		return value, nil
	case "Policy":
		if value != "" && !isQueuePolicy(value) {
			return "", invalidAttributeValue(name)
		}
		return value, nil
	case "RedrivePolicy":
		return normalizeRedrivePolicy(value)
	case "RedriveAllowPolicy":
		return value, checkRedriveAllowPolicy(value)
	}
	if slices.Contains(fifoAttributes, name) {
		return "", unsupported("the local cloud has no FIFO queues: attribute %s is not supported", name)
	}
	return "", invalidAttributeName(name)
}

// isQueuePolicy: a policy of a queue says of each statement whom it is about. See
// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-creating-custom-policies.html.
func isQueuePolicy(text string) bool {
	doc, err := policy.Parse(text)
	return err == nil && !slices.ContainsFunc(doc.Statements, func(s policy.Statement) bool {
		return len(s.Principal)+len(s.NotPrincipal) == 0 || len(s.Action)+len(s.NotAction) == 0
	})
}

func isJSONObject(s string) bool {
	var object map[string]json.RawMessage
	return json.Unmarshal([]byte(s), &object) == nil && object != nil
}

// merge returns a with the changes of a normalized request.
func (a attributes) merge(changes attributes) attributes {
	out := maps.Clone(a)
	maps.Copy(out, changes)
	// The two kinds of encryption exclude each other; the one asked for last wins.
	if changes["KmsMasterKeyId"] != "" {
		out["SqsManagedSseEnabled"] = "false"
		if out["KmsDataKeyReusePeriodSeconds"] == "" {
			out["KmsDataKeyReusePeriodSeconds"] = "300"
		}
	} else if changes["SqsManagedSseEnabled"] == "true" {
		delete(out, "KmsMasterKeyId")
	}
	maps.DeleteFunc(out, func(_, value string) bool { return value == "" })
	return out
}

// differs returns the first attribute of want that a has otherwise, or "".
func (a attributes) differs(want attributes) string {
	for _, name := range slices.Sorted(maps.Keys(want)) {
		if a[name] != want[name] && !equalJSON(a[name], want[name]) {
			return name
		}
	}
	return ""
}

// equalJSON compares policies by what they say, not by how they are spaced.
func equalJSON(a, b string) bool {
	return isJSONObject(a) && isJSONObject(b) && canonicalJSON(a) == canonicalJSON(b)
}

func canonicalJSON(s string) string {
	var v any
	if json.Unmarshal([]byte(s), &v) != nil {
		return s
	}
	out, _ := json.Marshal(v) // came from JSON: goes back to JSON
	return string(out)
}

// settings are attributes in the types that the queue works with.
type settings struct {
	visibility, delay, retention, wait time.Duration
	maxBytes                           int
	redrive                            *redrivePolicy // nil: no dead-letter queue
}

// settings parses a, which must have been normalized.
func (a attributes) settings() settings {
	number := func(name string) int {
		n, _ := strconv.Atoi(a[name]) // normalized: always a number
		return n
	}
	seconds := func(name string) time.Duration { return time.Duration(number(name)) * time.Second }
	return settings{
		visibility: seconds("VisibilityTimeout"), delay: seconds("DelaySeconds"),
		retention: seconds("MessageRetentionPeriod"), wait: seconds("ReceiveMessageWaitTimeSeconds"),
		maxBytes: number("MaximumMessageSize"), redrive: decodeRedrivePolicy(a["RedrivePolicy"]),
	}
}
