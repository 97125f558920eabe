package logs

import (
	"net/http"

	"fanfare/localstack/awsproto"
)

// The answers to what is not there or is there already. Their codes are what
// the SDK makes typed errors of; the texts are AWS's.
var (
	errGroupNotFound  = awsproto.Errorf(http.StatusBadRequest, "ResourceNotFoundException", "The specified log group does not exist.")
	errGroupExists    = awsproto.Errorf(http.StatusBadRequest, "ResourceAlreadyExistsException", "The specified log group already exists")
	errStreamNotFound = awsproto.Errorf(http.StatusBadRequest, "ResourceNotFoundException", "The specified log stream does not exist.")
	errStreamExists   = awsproto.Errorf(http.StatusBadRequest, "ResourceAlreadyExistsException", "The specified log stream already exists")
	errNextToken      = invalidParameter("The specified nextToken is invalid.")
)

func invalidParameter(format string, args ...any) *awsproto.Error {
	return awsproto.Errorf(http.StatusBadRequest, "InvalidParameterException", format, args...)
}

// unsupported refuses what AWS has and the local cloud does not.
func unsupported(what string) *awsproto.Error {
	return invalidParameter("the local cloud does not support %s", what)
}
