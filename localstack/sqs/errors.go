package sqs

import (
	"net/http"

	"fanfare/localstack/awsproto"
)

// Errors of the Go API; test for them with errors.Is. The HTTP API answers with
// the same values, so a client sees QueueDoesNotExist for ErrQueueNotFound.
var (
	// ErrQueueNotFound means that no queue has that URL, name or ARN. The header
	// x-amzn-query-error must carry the old name beside the new: Terraform's
	// provider knows a deleted queue by that one alone.
	ErrQueueNotFound error = newError("QueueDoesNotExist", "AWS.SimpleQueueService.NonExistentQueue",
		"The specified queue does not exist.")

	// ErrClosed means that the service has been closed.
	ErrClosed error = awsproto.Errorf(http.StatusServiceUnavailable, "ServiceUnavailable",
		"the local cloud's SQS has been closed")

	// ErrReceiptHandle means that a receipt handle is malformed or belongs to
	// another queue.
	ErrReceiptHandle error = newError("ReceiptHandleIsInvalid", "ReceiptHandleIsInvalid",
		"The input receipt handle is invalid.")

	// ErrNotInFlight means that a message's visibility timeout has already run out.
	ErrNotInFlight error = newError("MessageNotInflight", "AWS.SimpleQueueService.MessageNotInflight",
		"The specified message isn't in flight.")
)

// newError makes an error that carries both of its names: SQS moved from the
// Query protocol to JSON and kept the old ones for old clients.
func newError(code, queryCode, format string, args ...any) *awsproto.Error {
	e := awsproto.Errorf(http.StatusBadRequest, code, format, args...)
	e.QueryCode = queryCode
	return e
}

func simpleQueueError(code, format string, args ...any) *awsproto.Error {
	return newError(code, "AWS.SimpleQueueService."+code, format, args...)
}

func invalidParameter(format string, args ...any) *awsproto.Error {
	return newError("InvalidParameterValueException", "InvalidParameterValue", format, args...)
}

func invalidValue(value any, parameter, reason string) *awsproto.Error {
	return invalidParameter("Value %v for parameter %s is invalid. Reason: %s", value, parameter, reason)
}

func missingParameter(name string) *awsproto.Error {
	return newError("MissingRequiredParameterException", "MissingParameter",
		"The request must contain the parameter %s.", name)
}

func invalidAttributeName(name string) *awsproto.Error {
	return newError("InvalidAttributeName", "InvalidAttributeName", "Unknown Attribute %s.", name)
}

func invalidAttributeValue(name string) *awsproto.Error {
	return newError("InvalidAttributeValue", "InvalidAttributeValue", "Invalid value for the parameter %s.", name)
}

func unsupported(format string, args ...any) *awsproto.Error {
	return simpleQueueError("UnsupportedOperation", format, args...)
}
