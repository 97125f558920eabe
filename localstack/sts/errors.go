package sts

import (
	"net/http"

	"fanfare/localstack/awsproto"
)

// The errors of the STS API:
// https://docs.aws.amazon.com/STS/latest/APIReference/CommonErrors.html.

func missingToken() error {
	return awsproto.Errorf(http.StatusForbidden, "MissingAuthenticationToken", "Request is missing Authentication Token")
}

func invalidToken() error {
	return awsproto.Errorf(http.StatusForbidden, "InvalidClientTokenId", "The security token included in the request is invalid.")
}

func expiredToken() error {
	return awsproto.Errorf(http.StatusForbidden, "ExpiredToken", "The security token included in the request is expired")
}

func accessDenied(caller, roleARN string) error {
	return awsproto.Errorf(http.StatusForbidden, "AccessDenied",
		"User: %s is not authorized to perform: sts:AssumeRole on resource: %s", caller, roleARN)
}

func validationError(format string, args ...any) error {
	return awsproto.Errorf(http.StatusBadRequest, "ValidationError", format, args...)
}

func malformedPolicy(format string, args ...any) error {
	return awsproto.Errorf(http.StatusBadRequest, "MalformedPolicyDocument", format, args...)
}
