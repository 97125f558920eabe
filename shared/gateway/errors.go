package gateway

import (
	"fmt"
	"net/http"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/apigatewaymanagementapi/types"

	"fanfare/shared/connection"
)

// Error is an answer of @connections other than success. It unwraps to one of
// connection's sentinels and, where the SDK models the error, to the SDK's own
// type, so that errors.As with **types.GoneException works as it does with the
// SDK's client.
type Error struct {
	Status  int    // HTTP status
	Type    string // x-amzn-ErrorType, may be empty
	Message string
	causes  []error
}

func (e *Error) Error() string {
	return fmt.Sprintf("@connections answered %d %s: %s", e.Status, e.Type, e.Message)
}

func (e *Error) Unwrap() []error { return e.causes }

// newError classifies an answer. The status decides; the type is absent where
// something between us and API Gateway answers.
func newError(status int, errorType, message string) error {
	e := &Error{Status: status, Type: errorType, Message: message}
	switch status {
	case http.StatusGone:
		e.causes = []error{connection.ErrGone, &types.GoneException{Message: &message}}
	case http.StatusForbidden:
		e.causes = []error{connection.ErrForbidden, &types.ForbiddenException{Message: &message}}
	case http.StatusRequestEntityTooLarge:
		e.causes = []error{connection.ErrTooLarge, &types.PayloadTooLargeException{Message: &message}}
	case http.StatusTooManyRequests:
		e.causes = []error{connection.ErrThrottled, &types.LimitExceededException{Message: &message}}
	case http.StatusBadRequest:
		// A malformed id belongs to no socket, so it is as good as gone.
		if strings.Contains(message, "Invalid connectionId") {
			e.causes = []error{connection.ErrGone}
		} else {
			e.causes = []error{connection.ErrInvalid}
		}
	}
	return e
}
