package broadcast

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"fanfare/shared/protocol"
)

// UnitSize is how many connections one unit holds at most: about a second of
// posts at one sender's share of the rate.
const UnitSize = 500

// ReceiptTTL is how long a broadcast's receipt can be read.
const ReceiptTTL = 7 * 24 * time.Hour

// Message is a broadcast as it waits on the broadcast queue. Back ends that
// publish by themselves leave out MessageID and Time.
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
// returns wraps ErrMalformed: reading the message again cannot help.
func ParseMessage(body []byte, fallbackID string, sentAt time.Time) (Message, error) {
	var m Message
	if err := json.Unmarshal(body, &m); err != nil {
		return Message{}, fmt.Errorf("%w: %v", ErrMalformed, err)
	}
	if m.Tenant == "" || len(m.Tenant) > protocol.MaxName {
		return Message{}, fmt.Errorf(`%w: "tenant" must have 1 to %d bytes`, ErrMalformed, protocol.MaxName)
	}
	if len(m.Data) == 0 {
		return Message{}, fmt.Errorf(`%w: "data" is missing`, ErrMalformed)
	}
	if len(m.IdempotencyKey) > protocol.MaxName || len(m.MessageID) > protocol.MaxName {
		return Message{}, fmt.Errorf(`%w: "idempotencyKey" and "messageId" have at most %d bytes`, ErrMalformed, protocol.MaxName)
	}
	if err := errors.Join(m.To.Validate(), protocol.ValidateTTL(m.TTL)); err != nil {
		return Message{}, fmt.Errorf("%w: %w", ErrMalformed, err)
	}
	if m.MessageID == "" {
		m.MessageID = fallbackID
	}
	if m.Time == 0 {
		m.Time = sentAt.UnixMilli()
	}
	return m, nil
}

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
		return nil, fmt.Errorf("%w: %w", ErrMalformed, err)
	}
	return frame, nil
}

// Unit is a part of a broadcast: one message on the delivery queue.
type Unit struct {
	MessageID   string          `json:"messageId"`
	Tenant      string          `json:"tenant"`
	N           int             `json:"n"`
	Connections []string        `json:"connections"`
	Frame       json.RawMessage `json:"frame"`
	ExpiresAt   int64           `json:"expiresAt,omitempty"` // ms since 1970
}

// Page is a part of an audience.
type Page struct {
	IDs   []string // live connections
	Stale []string // rows met on the way that no longer stand for a socket
	Next  string   // cursor of the next page, empty after the last
}

// Audience finds the connections of an audience.
type Audience interface {
	// Members returns the page at cursor ("" is the first) with about limit
	// rows, by a strongly consistent read. A page may be empty and still have
	// a Next. Ids of other tenants are left out, never an error.
	Members(ctx context.Context, tenant string, to protocol.Audience, cursor string, limit int) (Page, error)
}

// Progress is how far a broadcast has been split.
type Progress struct {
	Cursor string // page to read next
	Units  int    // units handed out so far
	Done   bool   // the audience has been read to its end
}

// Receipt is what is known of a broadcast.
type Receipt struct {
	MessageID  string
	Tenant     string
	To         protocol.Audience
	AcceptedAt time.Time
	Progress   Progress
	Units      []UnitCounts // by N; units without a row are still open
}

// UnitCounts is what became of a unit.
type UnitCounts struct {
	N         int
	Delivered int
	Gone      int
	Expired   int
	Failed    map[string]int // by type: "throttled", "forbidden", …
	Remaining []string       // to be tried again; empty once the unit is finished
	At        time.Time
}

// Ledger keeps receipts. Rows live for ReceiptTTL.
type Ledger interface {
	// Claim creates the receipt or returns the one that is there, without its
	// Units.
	Claim(ctx context.Context, r Receipt) (Receipt, error)
	// Advance replaces progress from by to; ErrCursorMoved if the stored one is
	// no longer from.
	Advance(ctx context.Context, messageID string, from, to Progress) error
	// PutUnit records counts; a unit recorded before is overwritten.
	PutUnit(ctx context.Context, messageID string, counts UnitCounts) error
	// Unit returns the recorded counts of a unit, or ErrNotFound.
	Unit(ctx context.Context, messageID string, n int) (UnitCounts, error)
}

// IdempotencyClaim ties a key to the first broadcast that used it.
type IdempotencyClaim struct {
	Tenant, User, Key string // User is empty where a back end published
	MessageID         string
	Digest            string    // of what was broadcast, to tell another body
	ClaimedAt         time.Time // milliseconds are kept
	ExpiresAt         time.Time
	Confirmed         bool // the queue has the broadcast
}

// Claims remembers idempotency keys for IdempotencyTTL.
type Claims interface {
	// ClaimKey stores c, or returns the claim that holds the key already.
	ClaimKey(ctx context.Context, c IdempotencyClaim) (IdempotencyClaim, error)
	// ConfirmKey notes that the claimed broadcast is on its queue. Until then a
	// claim may belong to a caller that died before it could send.
	ConfirmKey(ctx context.Context, c IdempotencyClaim) error
}

// IdempotencyTTL is how long a key is remembered.
const IdempotencyTTL = 24 * time.Hour
