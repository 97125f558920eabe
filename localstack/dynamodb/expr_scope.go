package dynamodb

import (
	"maps"
	"slices"
	"strings"

	"fanfare/localstack/awsproto"
)

// Limits of one expression.
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html
const (
	maxExpressionSize = 4 << 10
	maxOperators      = 300
)

// expressionNames is ExpressionAttributeNames; nil where absent.
type expressionNames map[string]string

// expressionValues is ExpressionAttributeValues. Errors in a value name the
// key that it stands under.
type expressionValues map[string]value

// UnmarshalJSON words a malformed value as AWS does here.
func (vs *expressionValues) UnmarshalJSON(data []byte) error {
	s := scanner{data: data}
	if s.null() {
		return nil
	}
	m := make(map[string]value, 4)
	err := s.each('{', '}', func() error {
		name, err := s.name()
		if err != nil {
			return err
		}
		if m[name], err = s.value(0); err != nil {
			return invalidValue(name, err)
		}
		return nil
	})
	*vs = m
	return err
}

func invalidValue(name string, err error) error {
	e := awsproto.AsError(err)
	if e.Code != "ValidationException" {
		return e
	}
	return validation("ExpressionAttributeValues contains invalid value: %s for key %s", e.Message, name)
}

// scope resolves the #names and :values of one request's expressions and
// remembers which of them were used: AWS refuses the ones that were not.
type scope struct {
	names      expressionNames
	values     expressionValues
	used       map[string]bool // both, told apart by their first character
	expression bool            // at least one expression was given
	attributes map[string]bool // if not nil, gets the attribute that each path begins with
}

// newScope checks the maps' own form. expressions are all those that the request
// may have, nil where it has not: aliases without any expression are refused.
func newScope(names expressionNames, values expressionValues, expressions ...*string) (*scope, error) {
	s := &scope{names: names, values: values}
	for _, e := range expressions {
		s.expression = s.expression || e != nil
	}
	if names == nil && values == nil {
		return s, nil
	}
	s.used = make(map[string]bool, len(names)+len(values))
	return s, s.check()
}

func (s *scope) check() error {
	switch {
	case s.names != nil && !s.expression:
		return validation("ExpressionAttributeNames can only be specified when using expressions")
	case s.values != nil && !s.expression:
		return validation("ExpressionAttributeValues can only be specified when using expressions")
	case s.names != nil && len(s.names) == 0:
		return validation("ExpressionAttributeNames must not be empty")
	case s.values != nil && len(s.values) == 0:
		return validation("ExpressionAttributeValues must not be empty")
	}
	for alias, name := range s.names {
		if !isAlias(alias, '#') {
			return validation("ExpressionAttributeNames contains invalid key: Syntax error; key: %q", alias)
		}
		if name == "" || len(name) > 1<<16-1 {
			return validation("ExpressionAttributeNames contains invalid value: must have a length of 1 to 65535 for key %s", alias)
		}
	}
	for alias := range s.values {
		if !isAlias(alias, ':') {
			return validation("ExpressionAttributeValues contains invalid key: Syntax error; key: %q", alias)
		}
	}
	return nil
}

func isAlias(s string, sign byte) bool {
	return len(s) > 1 && s[0] == sign && wordEnd(s, 1) == len(s)
}

// done refuses aliases that no expression has used. Call it when all are read.
func (s *scope) done() error {
	if unused := s.unused(slices.Sorted(maps.Keys(s.names))); unused != "" {
		return validation("Value provided in ExpressionAttributeNames unused in expressions: keys: {%s}", unused)
	}
	if unused := s.unused(slices.Sorted(maps.Keys(s.values))); unused != "" {
		return validation("Value provided in ExpressionAttributeValues unused in expressions: keys: {%s}", unused)
	}
	return nil
}

func (s *scope) unused(aliases []string) string {
	return strings.Join(slices.DeleteFunc(aliases, func(a string) bool { return s.used[a] }), ", ")
}
