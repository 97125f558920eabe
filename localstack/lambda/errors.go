package lambda

import (
	"net/http"

	"fanfare/localstack/awsproto"
)

// Why an invoke was throttled, as TooManyRequestsException names it.
const (
	accountLimitReached  = "ConcurrentInvocationLimitExceeded"
	reservedLimitReached = "ReservedFunctionConcurrentInvocationLimitExceeded"
)

// fault returns an error of Lambda. Lambda's own bodies have Message with a
// capital letter and say whose fault it is in Type; SDKs look for either.
func fault(status int, code, format string, args ...any) *awsproto.Error {
	e := awsproto.Errorf(status, code, format, args...)
	whose := "User"
	if status >= 500 {
		whose = "Service"
	}
	e.Fields = map[string]any{"Message": e.Message, "Type": whose}
	return e
}

func notFound(format string, args ...any) *awsproto.Error {
	return fault(http.StatusNotFound, "ResourceNotFoundException", format, args...)
}

func noSuchFunction(arn string) *awsproto.Error { return notFound("Function not found: %s", arn) }

func conflict(format string, args ...any) *awsproto.Error {
	return fault(http.StatusConflict, "ResourceConflictException", format, args...)
}

func invalidParameter(format string, args ...any) *awsproto.Error {
	return fault(http.StatusBadRequest, "InvalidParameterValueException", format, args...)
}

// notSupported refuses what AWS has and the local cloud has not.
func notSupported(what string) *awsproto.Error {
	return invalidParameter("The local cloud does not support %s.", what)
}

// constraint is the answer of AWS's own request validation.
func constraint(value any, member, rule string, args ...any) *awsproto.Error {
	e := fault(http.StatusBadRequest, "ValidationException", rule, args...)
	e.Message = awsproto.Errorf(0, "", "1 validation error detected: Value '%v' at '%s' failed to satisfy constraint: %s",
		value, member, e.Message).Message
	e.Fields["Message"] = e.Message
	return e
}

// cannotAssume is the answer to an invoke that would start a function.
func cannotAssume() *awsproto.Error {
	return fault(http.StatusForbidden, "AccessDeniedException", "The role defined for the function cannot be assumed by Lambda.")
}

func revisionMismatch() *awsproto.Error {
	return fault(http.StatusPreconditionFailed, "PreconditionFailedException",
		"The Revision Id provided does not match the latest Revision Id. Call the GetFunction/GetAlias API to retrieve the latest Revision Id")
}

func throttled(reason string) *awsproto.Error {
	e := fault(http.StatusTooManyRequests, "TooManyRequestsException", "Rate Exceeded.")
	e.Fields["Reason"] = reason
	return e
}

func recursiveLoop() *awsproto.Error {
	return fault(http.StatusBadRequest, "RecursiveInvocationException",
		"Lambda has detected your function being invoked in a recursive loop with other AWS resources and stopped your function's invocation.")
}

func payloadTooLarge(limit int) *awsproto.Error {
	return fault(http.StatusRequestEntityTooLarge, "RequestEntityTooLargeException",
		"Request must be smaller than %d bytes for the InvokeFunction operation", limit)
}

func shuttingDown() *awsproto.Error {
	return fault(http.StatusInternalServerError, "ServiceException", "The local cloud is shutting down.")
}
