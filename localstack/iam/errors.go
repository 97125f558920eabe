package iam

import (
	"net/http"

	"fanfare/localstack/awsproto"
)

// The errors of the IAM API that operations share, with AWS's codes and status:
// https://docs.aws.amazon.com/IAM/latest/APIReference/CommonErrors.html.

func noSuchEntity(format string, args ...any) error {
	return awsproto.Errorf(http.StatusNotFound, "NoSuchEntity", format, args...)
}

func entityAlreadyExists(format string, args ...any) error {
	return awsproto.Errorf(http.StatusConflict, "EntityAlreadyExists", format, args...)
}

func deleteConflict(format string, args ...any) error {
	return awsproto.Errorf(http.StatusConflict, "DeleteConflict", format, args...)
}

func limitExceeded(format string, args ...any) error {
	return awsproto.Errorf(http.StatusConflict, "LimitExceeded", format, args...)
}

func validationError(format string, args ...any) error {
	return awsproto.Errorf(http.StatusBadRequest, "ValidationError", format, args...)
}

func invalidInput(format string, args ...any) error {
	return awsproto.Errorf(http.StatusBadRequest, "InvalidInput", format, args...)
}

func malformed(format string, args ...any) error {
	return awsproto.Errorf(http.StatusBadRequest, "MalformedPolicyDocument", format, args...)
}
