package protocol

import (
	"errors"
	"fmt"
	"time"
)

// Code is what a client's program reads of an error frame. The message beside
// it is for people and may change.
type Code string

// The codes of error frames.
const (
	CodeInvalidMessage      Code = "INVALID_MESSAGE"      // not a frame that the service knows, or out of bounds
	CodePayloadTooLarge     Code = "PAYLOAD_TOO_LARGE"    // more than 128 KB once it is in its envelope
	CodeForbidden           Code = "FORBIDDEN"            // the token's permissions do not grant it
	CodeTooManyChannels     Code = "TOO_MANY_CHANNELS"    // the connection is subscribed to 100 already
	CodeIdempotencyMismatch Code = "IDEMPOTENCY_MISMATCH" // the key was used with another broadcast
	CodeRateLimited         Code = "RATE_LIMITED"         // too many broadcasts of this connection or tenant; retryAfterMs says when to go on
	CodeTokenInvalid        Code = "TOKEN_INVALID"        // authenticate: not a token for this connection
	CodeTokenExpired        Code = "TOKEN_EXPIRED"        // the session is over; the socket closes
	CodeInternal            Code = "INTERNAL_ERROR"       // our fault; trying again may help
)

// Error is a refusal that the client is told about. Its Message holds nothing
// but what the client may know.
type Error struct {
	Code    Code
	Message string
	// RetryAfter is when the same request may succeed; 0 where waiting is no help.
	RetryAfter time.Duration
}

func (e *Error) Error() string { return string(e.Code) + ": " + e.Message }

// Is makes errors.Is(err, &Error{Code: c}) match by code.
func (e *Error) Is(target error) bool {
	t, ok := target.(*Error)
	return ok && t.Code == e.Code
}

// AsError returns err as an Error; one that is not meant for clients becomes
// CodeInternal, and its cause stays with us.
func AsError(err error) *Error {
	if e, ok := errors.AsType[*Error](err); ok {
		return e
	}
	return &Error{Code: CodeInternal, Message: "internal error, please try again"}
}

func sizeMessage(size int) string {
	return fmt.Sprintf("the message would be delivered with %d bytes, at most %d are allowed", size, MaxFrame)
}
