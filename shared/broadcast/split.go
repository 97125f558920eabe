package broadcast

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"time"
)

// UnitQueue is the delivery queue.
type UnitQueue interface {
	SendUnit(ctx context.Context, u Unit) error
}

// Retirer ends a connection whose row no longer stands for a socket: it closes
// what may be open and removes the rows. One that is gone already is no error.
type Retirer interface {
	Retire(ctx context.Context, connectionID string) error
}

// Splitter turns a broadcast into units. It sends a small one itself and puts
// the units of a larger one on the delivery queue.
type Splitter struct {
	Audience  Audience
	Ledger    Ledger
	Claims    Claims
	Units     UnitQueue
	Deliverer *Deliverer
	Retirer   Retirer
	Now       func() time.Time
}

// Outcome says what Run did, for the log.
type Outcome struct {
	Duplicate  bool // the idempotency key belongs to an earlier broadcast
	Resumed    bool // an earlier run had begun it
	Recipients int  // handed to units by this run
	Units      int  // of the broadcast so far
	Stale      int  // rows retired on the way
}

// Run splits m, going on where an earlier run ended. It may be called again
// for the same message at any time: what is done is not done again, but for at
// most one page.
func (s *Splitter) Run(ctx context.Context, m Message) (Outcome, error) {
	frame, err := m.Frame()
	if err != nil {
		return Outcome{}, err
	}
	if duplicate, err := s.duplicate(ctx, m); err != nil || duplicate {
		return Outcome{Duplicate: duplicate}, err
	}
	receipt, err := s.Ledger.Claim(ctx, Receipt{
		MessageID: m.MessageID, Tenant: m.Tenant, To: m.To, AcceptedAt: time.UnixMilli(m.Time),
	})
	if err != nil {
		return Outcome{}, err
	}
	out := Outcome{Resumed: receipt.Progress != Progress{}}
	for at := receipt.Progress; !at.Done; {
		next, err := s.page(ctx, m, frame, at, &out)
		if err != nil {
			return out, err
		}
		at, out.Units = next, next.Units
	}
	return out, nil
}

// duplicate claims the key of a back end's message. (A client's key was claimed
// when its frame was accepted.)
func (s *Splitter) duplicate(ctx context.Context, m Message) (bool, error) {
	if m.IdempotencyKey == "" {
		return false, nil
	}
	claim, err := s.Claims.ClaimKey(ctx, IdempotencyClaim{
		Tenant: m.Tenant, Key: m.IdempotencyKey, MessageID: m.MessageID,
		Digest: m.Digest(), ExpiresAt: s.Now().Add(IdempotencyTTL),
	})
	return claim.MessageID != m.MessageID, err
}

// page hands out one page and then moves the cursor, so that a crash between
// the two repeats that page and no more.
func (s *Splitter) page(ctx context.Context, m Message, frame []byte, at Progress, out *Outcome) (Progress, error) {
	page, err := s.Audience.Members(ctx, m.Tenant, m.To, at.Cursor, UnitSize)
	if err != nil {
		return at, err
	}
	next := Progress{Cursor: page.Next, Units: at.Units, Done: page.Next == ""}
	if len(page.IDs) > 0 {
		u := Unit{MessageID: m.MessageID, Tenant: m.Tenant, N: at.Units, Connections: page.IDs, Frame: frame}
		if e := m.ExpiresAt(); !e.IsZero() {
			u.ExpiresAt = e.UnixMilli()
		}
		if err := s.hand(ctx, u, at.Units == 0 && next.Done); err != nil {
			return at, err
		}
		next.Units++
	}
	out.Recipients += len(page.IDs)
	out.Stale += s.retire(ctx, page.Stale)
	return next, s.Ledger.Advance(ctx, m.MessageID, at, next)
}

// hand delivers the only unit of a small broadcast here and now: the queue
// would cost it a second function's start.
func (s *Splitter) hand(ctx context.Context, u Unit, only bool) error {
	if !only {
		return s.Units.SendUnit(ctx, u)
	}
	_, err := s.Deliverer.Deliver(ctx, u)
	return err
}

// retire ends stale connections. A failure is left to whoever meets the row
// next: it must not hold up the broadcast.
func (s *Splitter) retire(ctx context.Context, ids []string) int {
	n := 0
	for _, id := range ids {
		if s.Retirer.Retire(ctx, id) == nil {
			n++
		}
	}
	return n
}

// Digest tells two broadcasts with the same idempotency key apart: it covers
// the audience and the data.
func (m Message) Digest() string {
	h := sha256.New()
	to := m.To
	fmt.Fprintf(h, "%q %q %t %q ", to.Channel, to.User, to.Tenant, to.Connections)
	h.Write(m.Data)
	return hex.EncodeToString(h.Sum(nil))
}
