package protocol

import (
	"encoding/json"
	"slices"
	"strings"
	"time"
)

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

// ParseRequest reads and validates a client's frame. Its errors are *Error. On
// error it still returns what could be read, so that the answer carries the
// request's id.
func ParseRequest(frame []byte) (Request, error) {
	var r Request
	unread := Decode(frame, &r)
	if err := ValidateOptional(`"id"`, r.ID, MaxName); err != nil {
		return Request{}, err
	}
	if unread != nil {
		return Request{ID: r.ID}, unread
	}
	return r, r.validate()
}

func (r Request) validate() error {
	switch r.Action {
	case ActionPing:
		return nil
	case ActionSubscribe, ActionUnsubscribe:
		return ValidateName(`"channel"`, r.Channel, MaxName)
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
	return ValidateOptional(`"idempotencyKey"`, r.IdempotencyKey, MaxName)
}

// ValidateTTL refuses a ttl that is not between one second and MaxTTL. nil
// means that the broadcast does not expire.
func ValidateTTL(seconds *int) error {
	if limit := int(MaxTTL / time.Second); seconds != nil && (*seconds < 1 || *seconds > limit) {
		return invalidf(`"ttl" must be between 1 and %d seconds`, limit)
	}
	return nil
}

func actionList() string {
	names := make([]string, len(Actions))
	for i, a := range Actions {
		names[i] = string(a)
	}
	slices.Sort(names)
	return strings.Join(names, ", ")
}
