// Package policy parses IAM policy documents and decides by them. Identity
// policies, trust policies and resource policies have one language, so one
// evaluator serves whoever holds a document:
//
//	doc, err := policy.Parse(text)
//	d := policy.Evaluate(policy.Request{
//		Principal: "apigateway.amazonaws.com",
//		Action:    "lambda:InvokeFunction",
//		Resource:  functionARN,
//		Context:   map[string][]string{"aws:SourceArn": {sourceARN}},
//	}, doc)
//	if d.Outcome != policy.Allowed { ... }
//
// It holds no policies and knows no accounts: which documents count for a
// request (the role's, its boundary, the resource's) and how their outcomes
// combine is the caller's to say.
package policy

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// A Document is a parsed policy: what a role may do, or who may assume it.
// See https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_grammar.html.
type Document struct {
	// Name says where the document is from: an inline policy's name or a managed
	// policy's ARN. Whoever keeps the document sets it; Parse leaves it empty.
	Name string
	// Version is "2012-10-17", or "2008-10-17" where the text names none: policy
	// variables such as ${aws:username} work in the former only.
	Version    string
	ID         string
	Statements []Statement // at least one
}

// Effect says what a statement that applies does.
type Effect string

// A Deny wins over every Allow.
const (
	Allow Effect = "Allow"
	Deny  Effect = "Deny"
)

// A Statement is one rule. The pairs Action and NotAction, Resource and
// NotResource, Principal and NotPrincipal exclude each other; of each, what the
// text does not have is nil.
type Statement struct {
	Sid                     string
	Effect                  Effect
	Principal, NotPrincipal Principals
	Action, NotAction       []string // patterns with * and ?: "sqs:Send*"
	Resource, NotResource   []string // ARN patterns, or "*"
	// Condition maps an operator ("StringEquals") to keys ("aws:SourceArn") to
	// the values of which one must match. Numbers and booleans are as written.
	Condition map[string]map[string][]string
}

// Principals maps a kind ("AWS", "Service", "Federated", "CanonicalUser") to
// names. Everyone is {"*": {"*"}}.
type Principals map[string][]string

// The versions of the policy language.
const (
	Version2012 = "2012-10-17"
	Version2008 = "2008-10-17"
)

// ErrMalformed is what every error of Parse wraps: the text is no policy.
var ErrMalformed = errors.New("malformed policy document")

// Parse reads a policy's JSON. Wherever the grammar allows a value or a
// list of values it takes both, and gives a list. Elements that the grammar does
// not have are refused, as AWS does. Whether a policy of its kind may have a
// principal or needs a resource is not checked here, so that the same parser
// serves identity, trust and resource policies.
//
// Every error wraps ErrMalformed.
func Parse(text string) (*Document, error) {
	var wire struct {
		Version   *string
		ID        string `json:"Id"`
		Statement json.RawMessage
	}
	if err := decode([]byte(text), &wire, "Version", "Id", "Statement"); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrMalformed, err)
	}
	if err := checkNames(json.NewDecoder(strings.NewReader(text))); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrMalformed, err)
	}
	doc := &Document{Version: Version2008, ID: wire.ID}
	if wire.Version != nil {
		doc.Version = *wire.Version
	}
	if doc.Version != Version2012 && doc.Version != Version2008 {
		return nil, malformed("the policy must contain a valid version string, not %q", doc.Version)
	}
	statements, err := oneOrMany(wire.Statement)
	if err != nil {
		return nil, malformed("Statement is neither a statement nor a list of them")
	}
	if len(statements) == 0 {
		return nil, malformed("the policy has no Statement")
	}
	for i, raw := range statements {
		s, err := parseStatement(raw)
		if err != nil {
			return nil, fmt.Errorf("%w: statement %d: %w", ErrMalformed, i+1, err)
		}
		doc.Statements = append(doc.Statements, s)
	}
	return doc, nil
}

func parseStatement(raw json.RawMessage) (Statement, error) {
	var wire struct {
		Sid                     string
		Effect                  Effect
		Principal, NotPrincipal principalsJSON
		Action, NotAction       stringsJSON
		Resource, NotResource   stringsJSON
		Condition               map[string]map[string]stringsJSON
	}
	err := decode(raw, &wire, "Sid", "Effect", "Principal", "NotPrincipal", "Action", "NotAction", "Resource", "NotResource", "Condition")
	if err != nil {
		return Statement{}, err
	}
	if wire.Effect != Allow && wire.Effect != Deny {
		return Statement{}, fmt.Errorf("Effect is %q, it must be Allow or Deny", wire.Effect)
	}
	s := Statement{
		Sid: wire.Sid, Effect: wire.Effect,
		Principal: Principals(wire.Principal), NotPrincipal: Principals(wire.NotPrincipal),
		Action: wire.Action, NotAction: wire.NotAction,
		Resource: wire.Resource, NotResource: wire.NotResource,
	}
	for operator, keys := range wire.Condition {
		values := make(map[string][]string, len(keys))
		for key, v := range keys {
			values[key] = v
		}
		if s.Condition == nil {
			s.Condition = make(map[string]map[string][]string)
		}
		s.Condition[operator] = values
	}
	return s, s.check()
}

// check refuses what the grammar's types cannot.
func (s Statement) check() error {
	for operator := range s.Condition {
		if _, ok := parseOperator(operator); !ok {
			return fmt.Errorf("a Condition has the unknown operator %q", operator)
		}
	}
	switch {
	case s.Action != nil && s.NotAction != nil:
		return errors.New("a statement's Action and NotAction exclude each other")
	case s.Resource != nil && s.NotResource != nil:
		return errors.New("a statement's Resource and NotResource exclude each other")
	case s.Principal != nil && s.NotPrincipal != nil:
		return errors.New("a statement's Principal and NotPrincipal exclude each other")
	case s.NotPrincipal != nil && s.Effect == Allow:
		return errors.New("NotPrincipal needs the Effect Deny")
	}
	return nil
}

// stringsJSON is "a", ["a", "b"], or the same with numbers and booleans, which
// conditions may hold.
type stringsJSON []string

func (s *stringsJSON) UnmarshalJSON(raw []byte) error {
	values, err := oneOrMany(raw)
	if err != nil {
		return err
	}
	*s = stringsJSON{}
	for _, v := range values {
		text, err := scalar(v)
		if err != nil {
			return err
		}
		*s = append(*s, text)
	}
	return nil
}

// principalsJSON is "*" or {"Service": "lambda.amazonaws.com", "AWS": [...]}.
type principalsJSON Principals

func (p *principalsJSON) UnmarshalJSON(raw []byte) error {
	var everyone string
	if json.Unmarshal(raw, &everyone) == nil && everyone == "*" {
		*p = principalsJSON{"*": {"*"}}
		return nil
	}
	var kinds map[string]stringsJSON
	if err := json.Unmarshal(raw, &kinds); err != nil || kinds == nil {
		return fmt.Errorf("%.40s is no principal: want \"*\" or an object", raw)
	}
	*p = make(principalsJSON, len(kinds))
	for kind, names := range kinds {
		(*p)[kind] = names
	}
	return nil
}

// oneOrMany returns the items of a JSON list, or the one value that stands
// where a list might. Nothing at all is an empty list.
func oneOrMany(raw json.RawMessage) ([]json.RawMessage, error) {
	raw = bytes.TrimSpace(raw)
	switch {
	case len(raw) == 0:
		return nil, nil
	case raw[0] == '[':
		var items []json.RawMessage
		err := json.Unmarshal(raw, &items)
		return items, err
	default:
		return []json.RawMessage{raw}, nil
	}
}

func scalar(raw json.RawMessage) (string, error) {
	var v any
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber() // a condition's 1.50 stays 1.50
	if err := d.Decode(&v); err != nil {
		return "", err
	}
	switch v := v.(type) {
	case string:
		return v, nil
	case json.Number, bool:
		return fmt.Sprint(v), nil
	}
	return "", fmt.Errorf("%.40s is neither a string nor a list of strings", raw)
}

// checkNames refuses an object that has a name twice: of two conditions under one
// operator, say, only the last would count, and the statement allow more than it
// seems to.
func checkNames(d *json.Decoder) error {
	t, err := d.Token()
	if err != nil {
		return err
	}
	open, nested := t.(json.Delim)
	if !nested {
		return nil
	}
	names := map[string]bool{}
	for d.More() {
		if open == '{' {
			t, err := d.Token()
			if err != nil {
				return err
			}
			name, _ := t.(string)
			if names[name] {
				return fmt.Errorf("the element %q is there twice", name)
			}
			names[name] = true
		}
		if err := checkNames(d); err != nil {
			return err
		}
	}
	_, err = d.Token() // the end
	return err
}

// decode takes exactly one JSON object with no other members than these, in
// this spelling: AWS knows no "statement".
func decode(text []byte, v any, members ...string) error {
	var object map[string]json.RawMessage
	if err := json.Unmarshal(text, &object); err != nil {
		return err
	}
	if object == nil {
		return errors.New("null is no object")
	}
	for member := range object {
		if !slices.Contains(members, member) {
			return fmt.Errorf("unknown element %q", member)
		}
	}
	return json.Unmarshal(text, v)
}

func malformed(format string, args ...any) error {
	return fmt.Errorf("%w: %s", ErrMalformed, fmt.Sprintf(format, args...))
}

// Clone returns a copy that shares nothing with d.
func (d *Document) Clone() *Document {
	c := *d
	c.Statements = slices.Clone(d.Statements)
	for i, s := range c.Statements {
		s.Principal, s.NotPrincipal = cloneLists(s.Principal), cloneLists(s.NotPrincipal)
		s.Action, s.NotAction = slices.Clone(s.Action), slices.Clone(s.NotAction)
		s.Resource, s.NotResource = slices.Clone(s.Resource), slices.Clone(s.NotResource)
		s.Condition = maps.Clone(s.Condition)
		for operator, keys := range s.Condition {
			s.Condition[operator] = cloneLists(keys)
		}
		c.Statements[i] = s
	}
	return &c
}

func cloneLists[M ~map[string][]string](m M) M {
	m = maps.Clone(m)
	for k, v := range m {
		m[k] = slices.Clone(v)
	}
	return m
}
