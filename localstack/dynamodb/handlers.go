package dynamodb

import (
	"context"
	"encoding/json"
	"errors"
	"slices"

	"fanfare/localstack/awsproto"
)

// operations is the whole API. What is not here is answered as unknown.
func (s *Service) operations() map[string]awsproto.JSONOperation {
	return map[string]awsproto.JSONOperation{
		"GetItem":            operation(s.getItem),
		"PutItem":            operation(s.putItem),
		"UpdateItem":         operation(s.updateItem),
		"DeleteItem":         operation(s.deleteItem),
		"Query":              operation(s.query),
		"Scan":               operation(s.scan),
		"BatchGetItem":       operation(s.batchGetItem),
		"BatchWriteItem":     operation(s.batchWriteItem),
		"TransactGetItems":   operation(s.transactGetItems),
		"TransactWriteItems": operation(s.transactWriteItems),

		"CreateTable":               operation(s.createTable),
		"DescribeTable":             operation(s.describeTable),
		"UpdateTable":               operation(s.updateTable),
		"DeleteTable":               operation(s.deleteTable),
		"ListTables":                operation(s.listTables),
		"UpdateTimeToLive":          operation(s.updateTimeToLive),
		"DescribeTimeToLive":        operation(s.describeTimeToLive),
		"UpdateContinuousBackups":   operation(s.updateContinuousBackups),
		"DescribeContinuousBackups": operation(s.describeContinuousBackups),
		"TagResource":               operation(s.tagResource),
		"UntagResource":             operation(s.untagResource),
		"ListTagsOfResource":        operation(s.listTagsOfResource),
	}
}

// operation adapts a typed handler. Unlike awsproto.JSONOp it lets an AWS error
// from within an item through: a Number with 39 digits is a ValidationException,
// not malformed JSON.
func operation[In, Out any](f func(context.Context, *In) (Out, error)) awsproto.JSONOperation {
	return func(ctx context.Context, body []byte) (any, error) {
		in := new(In)
		if err := json.Unmarshal(body, in); err != nil {
			if _, ok := errors.AsType[*awsproto.Error](err); ok {
				return nil, err
			}
			return nil, serialization("the request body cannot be read: %v", err)
		}
		return f(ctx, in)
	}
}

// emptyOutput is the body of operations that answer nothing.
type emptyOutput struct{}

// table finds the table of a data-plane request.
func (s *Service) table(ctx context.Context, name string) (*table, error) {
	if name == "" {
		return nil, validation("The parameter 'TableName' is required but was not present in the request")
	}
	t, ok := s.tables.get(ctx, name)
	if !ok {
		return nil, noSuchTable()
	}
	return t, nil
}

// check refuses each legacy parameter by its name.
func (l *legacy) check() error {
	for _, p := range []struct {
		name string
		raw  json.RawMessage
	}{
		{"AttributesToGet", l.AttributesToGet},
		{"AttributeUpdates", l.AttributeUpdates},
		{"ConditionalOperator", l.ConditionalOperator},
		{"Expected", l.Expected},
		{"KeyConditions", l.KeyConditions},
		{"QueryFilter", l.QueryFilter},
		{"ScanFilter", l.ScanFilter},
	} {
		if present(p.raw) {
			return unsupported("the legacy parameter " + p.name + "; use expressions instead")
		}
	}
	return nil
}

func present(raw json.RawMessage) bool { return len(raw) > 0 && string(raw) != "null" }

// checkEnum refuses a value that is neither absent nor allowed.
func checkEnum(value, member string, allowed ...string) error {
	if value == "" || slices.Contains(allowed, value) {
		return nil
	}
	return enumConstraint(value, member, allowed)
}
