package protocol

import (
	"bytes"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"time"
)

// MaxFrame is the largest frame that API Gateway takes or delivers, in bytes.
const MaxFrame = 128 << 10

// MaxTTL bounds a broadcast's ttl: SQS keeps a message for four days.
const MaxTTL = 4 * 24 * time.Hour

// Action is what a client asks for.
type Action string

// The actions. Each is a route of its own in infra/routes.json.
const (
	ActionPing         Action = "ping"
	ActionSubscribe    Action = "subscribe"
	ActionUnsubscribe  Action = "unsubscribe"
	ActionBroadcast    Action = "broadcast"
	ActionAuthenticate Action = "authenticate"
)

// Actions lists every action, for messages and tests.
var Actions = []Action{ActionPing, ActionSubscribe, ActionUnsubscribe, ActionBroadcast, ActionAuthenticate}

// Request is a frame from a client. Which members count depends on Action;
// the others are ignored.
type Request struct {
	Action         Action          `json:"action"`
	ID             string          `json:"id"`
	Channel        string          `json:"channel"`
	To             Audience        `json:"to"`
	Data           json.RawMessage `json:"data"`
	IdempotencyKey string          `json:"idempotencyKey"`
	TTL            *int            `json:"ttl"` // seconds
	Token          string          `json:"token"`
}

// ParseRequest reads and validates a client's frame. On error it still returns
// what could be read, so that the answer carries the request's id.
func ParseRequest(frame []byte) (Request, error) {
	var r Request
	if err := json.Unmarshal(frame, &r); err != nil {
		return Request{ID: requestID(frame)}, parseError(err)
	}
	if err := validateOptional(`"id"`, r.ID); err != nil {
		return Request{}, err
	}
	return r, r.validate()
}

func (r Request) validate() error {
	switch r.Action {
	case ActionPing:
		return nil
	case ActionSubscribe, ActionUnsubscribe:
		return validateName(`"channel"`, r.Channel, MaxName)
	case ActionAuthenticate:
		if r.Token == "" {
			return invalidf(`"token" is missing or empty`)
		}
		return nil
	case ActionBroadcast:
		return r.validateBroadcast()
	case "":
		return invalidf(`"action" is missing: it must be one of %s`, actionList())
	}
	return invalidf(`"action" must be one of %s`, actionList())
}

func (r Request) validateBroadcast() error {
	if err := r.To.Validate(); err != nil {
		return err
	}
	if len(r.Data) == 0 {
		return invalidf(`"data" is missing`)
	}
	if err := ValidateTTL(r.TTL); err != nil {
		return err
	}
	return validateOptional(`"idempotencyKey"`, r.IdempotencyKey)
}

// ValidateTTL refuses a ttl that is not between one second and MaxTTL. nil
// means that the broadcast does not expire.
func ValidateTTL(seconds *int) error {
	if limit := int(MaxTTL / time.Second); seconds != nil && (*seconds < 1 || *seconds > limit) {
		return invalidf(`"ttl" must be between 1 and %d seconds`, limit)
	}
	return nil
}

func validateOptional(what, name string) error {
	if name == "" {
		return nil
	}
	return validateName(what, name, MaxName)
}

func parseError(err error) error {
	if e, ok := errors.AsType[*json.UnmarshalTypeError](err); ok && e.Field != "" {
		return invalidf("%q must not be of type %s", e.Field, e.Value)
	}
	return invalidf("the frame is not a JSON object")
}

// requestID finds the id in a frame whose other members have wrong types.
func requestID(frame []byte) string {
	var only struct {
		ID any `json:"id"`
	}
	if json.Unmarshal(frame, &only) != nil {
		return ""
	}
	id, _ := only.ID.(string)
	if validateOptional(`"id"`, id) != nil {
		return ""
	}
	return id
}

func actionList() string {
	names := make([]string, len(Actions))
	for i, a := range Actions {
		names[i] = string(a)
	}
	slices.Sort(names)
	return strings.Join(names, ", ")
}

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
	return ErrorFrame{Type: "error", ID: id, Code: e.Code, Message: e.Message}
}

// Encode returns a frame's JSON. <, > and & stay as they are: a frame is not
// HTML, and escaping would make data grow on its way.
func Encode(frame any) ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(frame); err != nil {
		return nil, err
	}
	return bytes.TrimRight(b.Bytes(), "\n"), nil
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
