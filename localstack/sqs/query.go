package sqs

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"fanfare/localstack/awsproto"
)

// The Query protocol is what SDKs spoke to SQS until 2023, and version 1 of the
// aws command line still does: a form in, XML out. Each operation is done by its
// JSON twin: the form is written as JSON, and the answer as XML.
// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-making-api-requests-xml.html

const queryNamespace = "http://queue.amazonaws.com/doc/2012-11-05/"

// queryAPI serves the same operations in the Query protocol.
func queryAPI(operations map[string]awsproto.JSONOperation) awsproto.Query {
	api := awsproto.Query{Namespace: queryNamespace, Operations: map[string]awsproto.QueryOperation{}}
	for name, op := range operations {
		api.Operations[name] = func(ctx context.Context, form url.Values) (any, error) {
			body, err := formToJSON(form)
			if err != nil {
				return nil, queryError(err)
			}
			out, err := op(ctx, body)
			if err != nil {
				return nil, queryError(err)
			}
			if out == any(none{}) {
				return nil, nil
			}
			return newXMLResult(name, out)
		}
	}
	return api
}

// isQuery tells the two protocols apart.
func isQuery(r *http.Request) bool {
	return r.Header.Get("X-Amz-Target") == "" &&
		(strings.HasPrefix(r.Header.Get("Content-Type"), "application/x-www-form-urlencoded") || r.URL.Query().Has("Action"))
}

// withQueueURL gives a request that was sent to a queue's own URL that URL as its
// QueueUrl; one in the form comes before it.
func withQueueURL(r *http.Request) *http.Request {
	if r.URL.Path == "/" {
		return r
	}
	out := *r
	u := *r.URL
	u.RawQuery += "&QueueUrl=" + url.QueryEscape(r.URL.Path)
	out.URL = &u
	return &out
}

// queryError gives err the code and status that it has in the Query protocol.
func queryError(err error) error {
	e := *awsproto.AsError(err)
	if e.QueryCode != "" {
		e.Code = e.QueryCode
	}
	switch e.Code {
	case "OverLimit", "AWS.SimpleQueueService.PurgeQueueInProgress":
		e.Status = http.StatusForbidden
	}
	return &e
}

// plural is a list or map of the JSON protocol, whose items the Query protocol
// counts: AttributeName.1=All, or Attribute.1.Name=… with Attribute.1.Value=….
type plural struct {
	json       string
	key, value string // what a map's entries call theirs; "" for a list
}

var pluralsInForm = map[string]plural{
	"AttributeName":                            {json: "AttributeNames"},
	"MessageAttributeName":                     {json: "MessageAttributeNames"},
	"MessageSystemAttributeName":               {json: "MessageSystemAttributeNames"},
	"TagKey":                                   {json: "TagKeys"},
	"SendMessageBatchRequestEntry":             {json: "Entries"},
	"DeleteMessageBatchRequestEntry":           {json: "Entries"},
	"ChangeMessageVisibilityBatchRequestEntry": {json: "Entries"},
	"StringListValue":                          {json: "StringListValues"},
	"BinaryListValue":                          {json: "BinaryListValues"},
	"Attribute":                                {"Attributes", "Name", "Value"},
	"MessageAttribute":                         {"MessageAttributes", "Name", "Value"},
	"MessageSystemAttribute":                   {"MessageSystemAttributes", "Name", "Value"},
	"Tag":                                      {"Tags", "Key", "Value"},
}

var numbersInForm = []string{
	"DelaySeconds", "MaxNumberOfMessages", "MaxNumberOfMessagesPerSecond", "MaxResults", "VisibilityTimeout", "WaitTimeSeconds",
}

// param is one name between the dots of a form's parameters.
type param struct {
	value    string
	children map[string]*param
}

// maxParamDepth suffices for a list in an attribute of a message of a batch, and
// bounds what one long name of dots can cost.
const maxParamDepth = 8

// formToJSON writes a form as the JSON protocol would have it.
func formToJSON(form url.Values) ([]byte, error) {
	root := new(param)
	for name, values := range form {
		at := root
		for _, part := range strings.SplitN(name, ".", maxParamDepth) {
			next := at.children[part]
			if next == nil {
				next = new(param)
				if at.children == nil {
					at.children = map[string]*param{}
				}
				at.children[part] = next
			}
			at = next
		}
		at.value = values[0] // url.Values from a request are never empty
	}
	object, err := root.object()
	if err != nil {
		return nil, err
	}
	return json.Marshal(object)
}

func (p *param) object() (map[string]any, error) {
	out := map[string]any{}
	for name, child := range p.children {
		value, err := child.json(name)
		if err != nil {
			return nil, err
		}
		out[cmp.Or(pluralsInForm[name].json, name)] = value
	}
	return out, nil
}

func (p *param) json(name string) (any, error) {
	rule, isPlural := pluralsInForm[name]
	switch {
	case isPlural && len(p.children) > 0:
		return p.items(name, rule)
	case len(p.children) > 0:
		return p.object()
	case isPlural && rule.key == "": // a list of one may go without its number
		return []any{p.value}, nil
	case slices.Contains(numbersInForm, name):
		n, err := strconv.Atoi(p.value)
		if err != nil {
			return nil, invalidValue(p.value, name, "Must be an integer.")
		}
		return n, nil
	}
	return p.value, nil
}

// items reads name.1, name.2, … in the order of the numbers; gaps do not matter.
func (p *param) items(name string, rule plural) (any, error) {
	byNumber := map[int]any{}
	for number, child := range p.children {
		n, err := strconv.Atoi(number)
		if err != nil || n < 1 || strconv.Itoa(n) != number {
			return nil, newError("MalformedInput", "MalformedInput", "%s.%s is no item of a list: they are numbered from 1", name, number)
		}
		if byNumber[n], err = child.json(""); err != nil {
			return nil, err
		}
	}
	list, entries := []any{}, map[string]any{}
	for _, n := range slices.Sorted(maps.Keys(byNumber)) {
		list = append(list, byNumber[n])
		entry, _ := byNumber[n].(map[string]any)
		key, ok := entry[rule.key].(string)
		value, complete := entry[rule.value]
		if rule.key != "" && (!ok || !complete) {
			return nil, missingParameter(fmt.Sprintf("%[1]s.%[2]d.%[3]s and %[1]s.%[2]d.%[4]s", name, n, rule.key, rule.value))
		}
		entries[key] = value
	}
	if rule.key == "" {
		return list, nil
	}
	return entries, nil
}
