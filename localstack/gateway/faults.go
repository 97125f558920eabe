package gateway

import (
	"context"
	"net/http"
	"time"

	"fanfare/localstack/faults"
)

// serviceName is the data plane's in signatures and in rules for faults.
const serviceName = "execute-api"

// fate asks what goes wrong with a call, and lets its latency pass.
func (s *Service) fate(ctx context.Context, operation, resource string) faults.Fault {
	f := s.faults.Decide(serviceName, operation, resource)
	if f.Latency > 0 {
		wait := time.NewTimer(f.Latency)
		defer wait.Stop()
		select {
		case <-wait.C:
		case <-ctx.Done():
		case <-s.stopping.Done():
		}
	}
	return f
}

// failure is how API Gateway refuses or fails: a status, the error's name and
// its words, of which a message's client gets the last alone.
type failure struct {
	status    int
	errorType string
	message   string
}

var (
	failForbidden = failure{http.StatusForbidden, "ForbiddenException", "Forbidden"}
	failThrottled = failure{http.StatusTooManyRequests, "TooManyRequestsException", "Too Many Requests"}
	failTimeout   = failure{http.StatusGatewayTimeout, "IntegrationTimeoutException", "Endpoint request timed out"}
	failFunction  = failure{http.StatusBadGateway, "InternalServerErrorException", "Internal server error"}
	failCall      = failure{http.StatusInternalServerError, "InternalServerErrorException", "Internal server error"}
)

// write answers an HTTP request. A failure without words has an empty body.
func (f failure) write(w http.ResponseWriter) {
	body := ""
	if f.message != "" {
		body = messageJSON(f.message)
	}
	refuse(w, f.status, f.errorType, body)
}

// usualFailures are what faults of @connections look like that name no code.
var usualFailures = map[int]failure{
	http.StatusBadRequest:            {errorType: "BadRequestException", message: "Bad Request"},
	http.StatusForbidden:             {errorType: "ForbiddenException", message: "Forbidden"},
	http.StatusGone:                  {errorType: "GoneException"},
	http.StatusRequestEntityTooLarge: {errorType: "PayloadTooLargeException", message: "Message too long"},
	http.StatusTooManyRequests:       {errorType: "LimitExceededException", message: "Too Many Requests"},
	http.StatusGatewayTimeout:        failTimeout,
}

// failureFor is what a fault with a status makes of a call.
func failureFor(f faults.Fault) failure {
	out, ok := usualFailures[f.Status]
	if !ok {
		out = failCall
	}
	out.status = f.Status
	if f.Code != "" {
		out.errorType = f.Code
	}
	if f.Message != "" {
		out.message = f.Message
	}
	return out
}
