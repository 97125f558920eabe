package faults

import "net/http"

// throttles are the answers with which services throttle, by the service in a
// signature's scope. The SDKs retry each of them.
var throttles = map[string]Fault{
	"dynamodb":    {Status: 400, Code: "ProvisionedThroughputExceededException", Message: "The level of configured provisioned throughput for the table was exceeded. Consider increasing your provisioning level with the UpdateTable API."},
	"sqs":         {Status: 400, Code: "RequestThrottled", Message: "The request was denied due to request throttling."},
	"lambda":      {Status: 429, Code: "TooManyRequestsException", Message: "Rate Exceeded."},
	"execute-api": {Status: 429, Code: "LimitExceededException", Message: "Limit exceeded"},
	"apigateway":  {Status: 429, Code: "TooManyRequestsException", Message: "Too Many Requests"},
	"iam":         {Status: 400, Code: "Throttling", Message: "Rate exceeded"},
	"sts":         {Status: 400, Code: "Throttling", Message: "Rate exceeded"},
	"monitoring":  {Status: 400, Code: "Throttling", Message: "Rate exceeded"},
	"logs":        {Status: 400, Code: "ThrottlingException", Message: "Rate exceeded"},
	"kms":         {Status: 400, Code: "ThrottlingException", Message: "Rate exceeded"},
}

// internal are the codes of the services' own failures (500) where they are not
// the common InternalFailure.
var internal = map[string]string{
	"dynamodb":    "InternalServerError",
	"lambda":      "ServiceException",
	"execute-api": "InternalServerErrorException",
	"iam":         "ServiceFailure",
	"monitoring":  "InternalServiceError",
}

// of fills in what a rule leaves to the called service.
func (f Fault) of(service string) Fault {
	if f.Throttle {
		t, ok := throttles[service]
		if !ok {
			t = Fault{Status: 429, Code: "ThrottlingException", Message: "Rate exceeded"}
		}
		f.Status, f.Code = t.Status, t.Code
		if f.Message == "" {
			f.Message = t.Message
		}
	}
	if f.Status != 0 && f.Code == "" {
		f.Code = codeOf(service, f.Status)
	}
	return f
}

// codeOf is the usual code of a status. The last ones are AWS's common errors.
func codeOf(service string, status int) string {
	switch status {
	case http.StatusForbidden:
		return "AccessDeniedException"
	case http.StatusNotFound:
		return "ResourceNotFoundException"
	case http.StatusConflict:
		return "ConflictException"
	case http.StatusGone:
		return "GoneException"
	case http.StatusRequestEntityTooLarge:
		return "PayloadTooLargeException"
	case http.StatusTooManyRequests:
		return Fault{Throttle: true}.of(service).Code
	case http.StatusServiceUnavailable:
		return "ServiceUnavailable"
	}
	if status < http.StatusInternalServerError {
		return "ValidationException"
	}
	if code, ok := internal[service]; ok {
		return code
	}
	return "InternalFailure"
}
