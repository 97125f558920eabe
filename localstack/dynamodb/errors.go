package dynamodb

import (
	"fmt"
	"strings"

	"fanfare/localstack/awsproto"
)

// errorNamespace prefixes every __type. AWS has a second one for validation
// errors (com.amazon.coral.validate#); SDKs only read what follows the '#'.
const errorNamespace = "com.amazonaws.dynamodb.v20120810#"

// validation is the answer to a request that can never succeed as it is.
func validation(format string, args ...any) *awsproto.Error {
	return awsproto.Errorf(400, "ValidationException", format, args...)
}

// constraint words a violated limit of the API model as AWS does.
func constraint(value any, member, rule string, args ...any) *awsproto.Error {
	return validation("1 validation error detected: Value '%v' at '%s' failed to satisfy constraint: %s",
		value, member, fmt.Sprintf(rule, args...))
}

// enumConstraint refuses a value that is not one of those allowed.
func enumConstraint(value, member string, allowed []string) *awsproto.Error {
	return constraint(value, member, "Member must satisfy enum value set: [%s]", strings.Join(allowed, ", "))
}

// unsupported refuses what AWS has and the local cloud has not, so that
// nobody believes that it took effect.
func unsupported(what string) *awsproto.Error {
	return validation("the local cloud does not support %s", what)
}

func serialization(format string, args ...any) *awsproto.Error {
	return awsproto.Errorf(400, "SerializationException", format, args...)
}

// noSuchTable is what the data plane says; the control plane names the table.
func noSuchTable() *awsproto.Error {
	return awsproto.Errorf(400, "ResourceNotFoundException", "Requested resource not found")
}

func noSuchTableNamed(name string) *awsproto.Error {
	return awsproto.Errorf(400, "ResourceNotFoundException", "Requested resource not found: Table: %s not found", name)
}

func inUse(format string, args ...any) *awsproto.Error {
	return awsproto.Errorf(400, "ResourceInUseException", format, args...)
}

const conditionFailedMessage = "The conditional request failed"

// conditionFailed carries the item that stood in the way where the caller
// asked for it.
func conditionFailed(old item) *awsproto.Error {
	e := awsproto.Errorf(400, "ConditionalCheckFailedException", conditionFailedMessage)
	if old != nil {
		e.Fields = map[string]any{"Item": old}
	}
	return e
}
