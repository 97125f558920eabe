package connection

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"sync"
	"time"
)

// MaxAge is how long a row may be believed in: API Gateway ends every socket
// after two hours, and five minutes cover clocks that differ.
const MaxAge = 2*time.Hour + 5*time.Minute

// OpeningGrace is how long after ConnectedAt a 410 may still mean that the
// socket is opening rather than gone: API Gateway answers 410 until the
// $connect function has returned.
const OpeningGrace = time.Minute

// MaxChannels is how many channels one connection may be subscribed to. It
// keeps the connection's row, which lists them, far below DynamoDB's 400 KB.
const MaxChannels = 100

// Connection is one open socket as the table remembers it.
type Connection struct {
	ID             string // API Gateway's connectionId
	Tenant         string
	User           string // the token's subject
	Permissions    []string
	UserAgent      string
	SourceIP       string
	ConnectedAt    time.Time // milliseconds are kept
	TokenExpiresAt time.Time // seconds are kept
	TokenID        string    // the token's jti, may be empty
	ExpiresAt      time.Time // when the row stops to count; seconds are kept
	Channels       []string  // sorted
}

// Session is what a token gives a connection: at its opening, and anew each time
// that the client authenticates with a newer one.
type Session struct {
	Permissions    []string
	TokenExpiresAt time.Time // seconds are kept
	TokenID        string    // the token's jti, may be empty
	ExpiresAt      time.Time // when all rows of the connection stop to count; seconds are kept
}

// Live reports whether the row still stands for a socket at the time now.
func (c Connection) Live(now time.Time) bool {
	return now.Before(c.ExpiresAt) && now.Sub(c.ConnectedAt) < MaxAge
}

// Store is what the Manager needs of the table.
type Store interface {
	// Get returns the connection by a strongly consistent read, or ErrNotFound
	// when there is no row. A row that is no longer Live is returned as it is.
	Get(ctx context.Context, id string) (Connection, error)

	// RemoveGone deletes the connection and all its memberships if it was
	// connected before the given time. It returns ErrTooYoung, and deletes
	// nothing, if it was not; ErrNotFound if there is no row, which is also what
	// every caller but one gets when several try at once.
	RemoveGone(ctx context.Context, id string, connectedBefore time.Time) error
}

// Sender posts one message to one connection through @connections. It makes
// one attempt; the Manager retries.
type Sender interface {
	// Post returns nil once API Gateway has accepted the message, which is not
	// yet the client's having it. The errors it wraps tell what to do:
	// ErrGone, ErrForbidden, ErrInvalid and ErrTooLarge are answers and final;
	// ErrThrottled and everything else are failures that may pass.
	Post(ctx context.Context, id string, m *Message) error
}

// Message is a payload on its way to any number of connections. What depends
// only on the payload is computed once for all of them. It is safe for
// concurrent use; the payload must not change.
type Message struct {
	data []byte
	once sync.Once
	sum  string
}

// NewMessage wraps data without copying it.
func NewMessage(data []byte) *Message { return &Message{data: data} }

// Data returns the payload. It must not be changed.
func (m *Message) Data() []byte { return m.data }

// SHA256 returns the payload's SHA-256 in lower-case hex, as a SigV4 signature
// takes it.
func (m *Message) SHA256() string {
	m.once.Do(func() {
		h := sha256.Sum256(m.data)
		m.sum = hex.EncodeToString(h[:])
	})
	return m.sum
}
