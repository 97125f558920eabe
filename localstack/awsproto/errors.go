package awsproto

import (
	"errors"
	"fmt"
	"net/http"
)

// Error is an answer that AWS would give. Each protocol renders it in its own
// way: __type and message, an <Error> element, or x-amzn-ErrorType.
type Error struct {
	Status  int    // HTTP status; 0 means 400
	Code    string // "ResourceNotFoundException"
	Message string
	// Namespace, in the JSON protocols, goes before Code in __type instead of
	// the service's own ("com.amazon.coral.service#").
	Namespace string
	// QueryCode is the old Query name that SQS still sends in
	// x-amzn-query-error ("AWS.SimpleQueueService.NonExistentQueue").
	QueryCode string
	// Fields are further members of the error body in the JSON protocols
	// (CancellationReasons, Item).
	Fields map[string]any
}

func (e *Error) Error() string { return e.Code + ": " + e.Message }

func (e *Error) status() int {
	if e.Status == 0 {
		return http.StatusBadRequest
	}
	return e.Status
}

// Errorf returns an Error with a formatted message.
func Errorf(status int, code, format string, args ...any) *Error {
	return &Error{Status: status, Code: code, Message: fmt.Sprintf(format, args...)}
}

// UnknownOperation is the answer to an operation that the service lacks.
func UnknownOperation(operation string) *Error {
	return Errorf(http.StatusNotFound, "UnknownOperationException",
		"the local cloud has no operation %q", operation)
}

// AsError returns err as an Error. Anything else is our own fault and becomes
// a 500 InternalFailure that carries the cause: nobody's secrets are behind it.
func AsError(err error) *Error {
	if e, ok := errors.AsType[*Error](err); ok {
		return e
	}
	return Errorf(http.StatusInternalServerError, "InternalFailure", "%v", err)
}
