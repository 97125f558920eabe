package broadcast

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"fanfare/shared/protocol"
)

// Message is a broadcast as it waits on the broadcast queue. Back ends that
// publish by themselves leave out MessageID and Time; two messages with one
// MessageID are the same broadcast, which is sent once.
type Message struct {
	Tenant         string            `json:"tenant"`
	To             protocol.Audience `json:"to"`
	Data           json.RawMessage   `json:"data"`
	From           *protocol.From    `json:"from,omitempty"`
	TTL            *int              `json:"ttl,omitempty"` // seconds since Time
	IdempotencyKey string            `json:"idempotencyKey,omitempty"`
	MessageID      string            `json:"messageId,omitempty"`
	Time           int64             `json:"time,omitempty"` // accepted at, ms since 1970
}

// ParseMessage reads and validates a queue message. fallbackID and sentAt (the
// queue's own) stand in for what a publisher leaves out. Every error it
// returns wraps ErrMalformed: reading the message again cannot help. None
// quotes the message's data.
func ParseMessage(body []byte, fallbackID string, sentAt time.Time) (Message, error) {
	var m Message
	if err := protocol.Decode(body, &m); err != nil {
		return Message{}, malformed(err)
	}
	if err := m.validate(); err != nil {
		return Message{}, malformed(err)
	}
	if m.MessageID == "" {
		m.MessageID = fallbackID
	}
	if m.Time == 0 {
		m.Time = sentAt.UnixMilli()
	}
	return m, nil
}

// validate returns the first mistake: one is enough to mend, and to log.
func (m Message) validate() error {
	if err := protocol.ValidateName(`"tenant"`, m.Tenant, protocol.MaxName); err != nil {
		return err
	}
	if err := m.To.Validate(); err != nil {
		return err
	}
	if err := protocol.ValidateTTL(m.TTL); err != nil {
		return err
	}
	if m.From != nil {
		if err := protocol.ValidateName(`"from.user"`, m.From.User, protocol.MaxUser); err != nil {
			return err
		}
	}
	switch {
	case len(m.Data) == 0:
		return errors.New(`"data" is missing`)
	case m.Time < 0 || m.Time > maxTime:
		return errors.New(`"time" must be milliseconds since 1970`)
	}
	if err := protocol.ValidateOptional(`"idempotencyKey"`, m.IdempotencyKey, protocol.MaxName); err != nil {
		return err
	}
	return protocol.ValidateOptional(`"messageId"`, m.MessageID, protocol.MaxName)
}

// maxTime is the end of the year 9999: later ones would overflow with a ttl.
const maxTime = 253402300799999

// ExpiresAt returns when the broadcast is no longer worth sending; the zero
// time if never.
func (m Message) ExpiresAt() time.Time {
	if m.TTL == nil {
		return time.Time{}
	}
	return time.UnixMilli(m.Time).Add(time.Duration(*m.TTL) * time.Second)
}

// Frame returns what the receivers get. A frame over protocol.MaxFrame is an
// ErrMalformed too.
func (m Message) Frame() ([]byte, error) {
	frame, err := protocol.EncodeMessage(protocol.MessageFrame{
		MessageID: m.MessageID, From: m.From, To: m.To, Data: m.Data, Time: m.Time,
	})
	if err != nil {
		return nil, malformed(err)
	}
	return frame, nil
}

// Digest tells two broadcasts with the same idempotency key apart: it covers
// the audience and the data.
func (m Message) Digest() string {
	to := m.To
	audience := fmt.Appendf(nil, "%q %q %t %q ", to.Channel, to.User, to.Tenant, to.Connections)
	sum := sha256.Sum256(append(audience, m.Data...))
	return hex.EncodeToString(sum[:])
}
