package protocol

import "encoding/json"

// MaxFrame is the largest frame that API Gateway takes or delivers, in bytes.
const MaxFrame = 128 << 10

// From says who sent a broadcast.
type From struct {
	User string `json:"user"`
}

// The frames that the service sends. Times are milliseconds since 1970.
type (
	// Pong answers ping.
	Pong struct {
		Type string `json:"type"` // "pong"
		ID   string `json:"id,omitempty"`
		Time int64  `json:"time"`
	}

	// Subscription answers subscribe and unsubscribe.
	Subscription struct {
		Type    string `json:"type"` // "subscribed" or "unsubscribed"
		ID      string `json:"id,omitempty"`
		Channel string `json:"channel"`
	}

	// Accepted answers broadcast once the queue has it.
	Accepted struct {
		Type      string `json:"type"` // "accepted"
		ID        string `json:"id,omitempty"`
		MessageID string `json:"messageId"`
		Duplicate bool   `json:"duplicate,omitempty"`
	}

	// Authenticated answers authenticate.
	Authenticated struct {
		Type      string `json:"type"` // "authenticated"
		ID        string `json:"id,omitempty"`
		ExpiresAt int64  `json:"expiresAt"`
	}

	// ErrorFrame answers everything that is refused.
	ErrorFrame struct {
		Type    string `json:"type"` // "error"
		ID      string `json:"id,omitempty"`
		Code    Code   `json:"code"`
		Message string `json:"message"`
		// RetryAfterMS is with RATE_LIMITED only: milliseconds until the same
		// request may succeed.
		RetryAfterMS int64 `json:"retryAfterMs,omitempty"`
	}

	// MessageFrame is a broadcast as its receivers get it.
	MessageFrame struct {
		Type      string          `json:"type"` // "message"
		MessageID string          `json:"messageId"`
		From      *From           `json:"from,omitempty"`
		To        Audience        `json:"to"`
		Data      json.RawMessage `json:"data"`
		Time      int64           `json:"time"`
	}
)

// NewError returns the frame that tells the client of err. An error that is
// not a *Error is told as CodeInternal without its cause.
func NewError(id string, err error) ErrorFrame {
	e := AsError(err)
	return ErrorFrame{Type: "error", ID: id, Code: e.Code, Message: e.Message, RetryAfterMS: e.RetryAfter.Milliseconds()}
}

// EncodeMessage returns the JSON of a broadcast's frame, or CodePayloadTooLarge
// if API Gateway would not deliver it.
func EncodeMessage(m MessageFrame) ([]byte, error) {
	m.Type = "message"
	frame, err := Encode(m)
	if err != nil {
		return nil, err
	}
	if len(frame) > MaxFrame {
		return nil, &Error{Code: CodePayloadTooLarge, Message: sizeMessage(len(frame))}
	}
	return frame, nil
}
