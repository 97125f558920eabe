package broadcast

import (
	"context"
	"time"

	"fanfare/shared/protocol"
)

// How long the ledger remembers.
const (
	ReceiptTTL     = 7 * 24 * time.Hour // a broadcast's receipt
	IdempotencyTTL = 24 * time.Hour     // an idempotency key
)

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
	Cursor string // of the page that the last of Units was made of, "" once Done
	Units  int    // units handed out so far; the last one perhaps not
	Done   bool   // the audience has been read and handed out to its end
	// Settled: all Units are handed out, and Cursor is of the page after them. A
	// run that ends on purpose leaves this behind, so that the next repeats nothing.
	Settled bool
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
	Size      int // connections in it
	Attempts  int // how often it was delivered, the last time at At
	Delivered int
	Gone      int
	Expired   int
	Failed    map[string]int // by connection.ErrorType, those of Remaining and those that are given up
	Remaining []string       // to be tried again; empty once the unit is finished
	Times     Times          // of the Delivered
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
	Confirmed         bool // the queue has the broadcast; not used where a back end published
}

// Claims remembers idempotency keys for IdempotencyTTL.
type Claims interface {
	// ClaimKey stores c, or returns the claim that holds the key already.
	ClaimKey(ctx context.Context, c IdempotencyClaim) (IdempotencyClaim, error)
	// ConfirmKey notes that the claimed broadcast is on its queue. Until then a
	// claim may belong to a caller that died before it could send.
	ConfirmKey(ctx context.Context, c IdempotencyClaim) error
}
