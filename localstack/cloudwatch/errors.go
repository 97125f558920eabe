package cloudwatch

import (
	"net/http"

	"fanfare/localstack/awsproto"
)

// The errors of the CloudWatch API. Terraform tells from the code alone that
// something is gone, and the codes differ: alarms and dashboards have
// ResourceNotFound, tags have ResourceNotFoundException.
// https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/CommonErrors.html

func notFound(format string, args ...any) error {
	return awsproto.Errorf(http.StatusNotFound, "ResourceNotFound", format, args...)
}

func taggedNotFound(arn string) error {
	return awsproto.Errorf(http.StatusNotFound, "ResourceNotFoundException", "Resource %s does not exist", arn)
}

func validationError(format string, args ...any) error {
	return awsproto.Errorf(http.StatusBadRequest, "ValidationError", format, args...)
}

func invalidValue(format string, args ...any) error {
	return awsproto.Errorf(http.StatusBadRequest, "InvalidParameterValue", format, args...)
}

func invalidCombination(format string, args ...any) error {
	return awsproto.Errorf(http.StatusBadRequest, "InvalidParameterCombination", format, args...)
}

func invalidDashboard(format string, args ...any) error {
	return awsproto.Errorf(http.StatusBadRequest, "InvalidParameterInput", format, args...)
}

func limitExceeded(format string, args ...any) error {
	return awsproto.Errorf(http.StatusBadRequest, "LimitExceeded", format, args...)
}

func unsupported(format string, args ...any) *awsproto.Error {
	return awsproto.Errorf(http.StatusBadRequest, "UnsupportedOperation", "the local cloud "+format, args...)
}
