package broadcast

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"
)

// UnitQueue is the delivery queue.
type UnitQueue interface {
	SendUnit(ctx context.Context, u Unit) error
}

// Retirer ends a connection whose row no longer stands for a socket: it closes
// what may be open and removes the rows. One that is gone already is no error.
// It is called from several goroutines at a time.
type Retirer interface {
	Retire(ctx context.Context, connectionID string) error
}

// Splitter turns a broadcast into units. It sends a small one itself and puts
// the units of a larger one on the delivery queue. All members but Direct are
// needed.
type Splitter struct {
	Audience  Audience
	Ledger    Ledger
	Claims    Claims
	Units     UnitQueue
	Deliverer *Deliverer
	Retirer   Retirer
	Now       func() time.Time
	Direct    *Allowance // what it may send itself; nil is every small broadcast
}

// Outcome says what Run did, for the log.
type Outcome struct {
	MessageID  string // what the receivers know it by
	Duplicate  bool   // the idempotency key belongs to an earlier message
	Resumed    bool   // an earlier run had begun it
	Recipients int    // handed to units by this run
	Units      int    // of the broadcast so far
	Stale      int    // rows retired on the way
}

// Run splits m, going on where an earlier run ended. It may be called again
// for the same message at any time: what is done is not done again, but for at
// most one page.
//
// It ends with ErrPaused, between two pages, shortly before ctx's deadline would
// cut it off: an audience may take longer to read than a call may last.
// ErrCursorMoved means that another run has taken over; ErrUnfinished that the
// one unit of a small broadcast has connections left. Calling again helps with
// all three, and with what the ports return. ErrMalformed it never does.
func (s *Splitter) Run(ctx context.Context, m Message) (Outcome, error) {
	frame, err := m.Frame()
	if err != nil {
		return Outcome{MessageID: m.MessageID}, err
	}
	first, drop, err := s.claimKey(ctx, m)
	out := Outcome{MessageID: first, Duplicate: first != m.MessageID}
	if err != nil || drop {
		return out, err
	}
	if out.Duplicate {
		m.MessageID = first
		if frame, err = m.Frame(); err != nil {
			return out, err
		}
	}
	r := run{Splitter: s, message: m, frame: frame, out: out}
	err = r.split(ctx)
	if errors.Is(err, ErrCursorMoved) && r.done(ctx) {
		err = nil // somebody else has finished what this run was at
	}
	return r.out, err
}

// takeOver is when a key's first message has had the time of a run. If its
// broadcast is not done by then, the next message with the key goes on with it:
// the first may lie among the dead letters, or have come from there under a new
// id.
const takeOver = time.Minute

// claimKey claims the key of a back end's message, and returns the id of the
// message that holds it, and whether m is to be dropped. (A client's key was
// claimed when its frame was accepted.)
func (s *Splitter) claimKey(ctx context.Context, m Message) (first string, drop bool, err error) {
	if m.IdempotencyKey == "" {
		return m.MessageID, false, nil
	}
	now := s.Now()
	claim, err := s.Claims.ClaimKey(ctx, IdempotencyClaim{
		Tenant: m.Tenant, Key: m.IdempotencyKey, MessageID: m.MessageID,
		Digest: m.Digest(), ClaimedAt: now, ExpiresAt: now.Add(IdempotencyTTL),
	})
	if err != nil {
		return m.MessageID, false, err
	}
	if claim.Digest != m.Digest() {
		return claim.MessageID, false, fmt.Errorf("%w: the idempotencyKey was used by message %s for another broadcast", ErrMalformed, claim.MessageID)
	}
	return claim.MessageID, claim.MessageID != m.MessageID && now.Sub(claim.ClaimedAt) < takeOver, nil
}

// run is one call of Run.
//
// The ledger is moved before a unit is put on the queue, to the unit's number
// and the cursor of its page. So a number is used once: two runs that read one
// page at different times, and find different members, never send two units
// that pass for the same. After a crash the page is read again and becomes a
// unit of its own.
type run struct {
	*Splitter
	message Message
	frame   []byte
	at      Progress // as the ledger has it
	doubt   bool     // an earlier run may have handed out the last unit, or not
	out     Outcome
}

func (r *run) split(ctx context.Context) error {
	if err := r.begin(ctx); err != nil {
		return err
	}
	for cursor := r.at.Cursor; !r.at.Done; {
		page, err := r.page(ctx, cursor)
		if err != nil {
			return err
		}
		if err := r.hand(ctx, cursor, page); err != nil {
			return err
		}
		r.out.Recipients += len(page.IDs)
		r.out.Stale += r.retire(ctx, page.Stale)
		if cursor = page.Next; cursor == "" {
			if err := r.advance(ctx, Progress{Units: r.out.Units, Done: true}); err != nil {
				return err
			}
		} else if r.late(ctx) {
			return r.pause(ctx, cursor)
		}
	}
	return nil
}

// pageTime is what a page may take at worst, its retries and stale rows
// included. A usual one takes a fiftieth of it.
const pageTime = 2 * time.Second

// late reports whether ctx may end within the next page.
func (r *run) late(ctx context.Context) bool {
	deadline, ok := ctx.Deadline()
	return ok && deadline.Sub(r.Now()) < pageTime
}

// pause leaves a ledger behind in which no unit is in doubt. It comes after a
// page, so that however short the calls are, each gets further.
func (r *run) pause(ctx context.Context, next string) error {
	if err := r.advance(ctx, Progress{Cursor: next, Units: r.out.Units, Settled: true}); err != nil {
		return err
	}
	return fmt.Errorf("%w: %d units handed out so far", ErrPaused, r.out.Units)
}

// begin claims the broadcast or finds out how far it is.
func (r *run) begin(ctx context.Context) error {
	m := r.message
	receipt, err := r.Ledger.Claim(ctx, Receipt{
		MessageID: m.MessageID, Tenant: m.Tenant, To: m.To, AcceptedAt: time.UnixMilli(m.Time),
	})
	if err != nil {
		return err
	}
	if receipt.Tenant != m.Tenant || !receipt.To.Equal(m.To) {
		return fmt.Errorf("%w: messageId %s is another broadcast's", ErrMalformed, m.MessageID)
	}
	r.at = receipt.Progress
	r.doubt = r.at.Units > 0 && !r.at.Done && !r.at.Settled
	r.out.Resumed, r.out.Units = r.at != Progress{}, r.at.Units
	return nil
}

// done reports whether the ledger says that the audience has been read to its
// end.
func (r *run) done(ctx context.Context) bool {
	m := r.message
	receipt, err := r.Ledger.Claim(ctx, Receipt{MessageID: m.MessageID, Tenant: m.Tenant, To: m.To, AcceptedAt: time.UnixMilli(m.Time)})
	return err == nil && receipt.Progress.Done
}

// page reads the page at cursor. A full one does not know that it is the last;
// for the first one that is worth a look, because the last need not be queued.
func (r *run) page(ctx context.Context, cursor string) (Page, error) {
	m := r.message
	page, err := r.Audience.Members(ctx, m.Tenant, m.To, cursor, UnitSize)
	if err != nil || page.Next == "" || len(page.IDs) == 0 || r.at.Units > 0 {
		return page, err
	}
	rest, err := r.Audience.Members(ctx, m.Tenant, m.To, page.Next, 1)
	if err == nil && len(rest.IDs) == 0 && len(rest.Stale) == 0 && rest.Next == "" {
		page.Next = ""
	}
	return page, err
}

// hand makes a page a unit and sees that it is delivered. The only unit of a
// small broadcast is delivered here and now, if the allowance is enough for it:
// the queue would cost it a second function's start. Its number needs no guard, because nobody is on a second
// page; and keeping the number, a repetition goes on with what remained.
func (r *run) hand(ctx context.Context, cursor string, page Page) error {
	if len(page.IDs) == 0 {
		return nil
	}
	u := Unit{
		MessageID: r.message.MessageID, Tenant: r.message.Tenant, N: r.at.Units,
		Connections: page.IDs, Frame: r.frame, AcceptedAt: r.message.Time,
	}
	expires := r.message.ExpiresAt()
	if !expires.IsZero() {
		u.ExpiresAt = expires.UnixMilli()
	}
	here, err := r.here(ctx, u, page)
	if err != nil {
		return err
	}
	if !here {
		if err := r.advance(ctx, Progress{Cursor: cursor, Units: u.N + 1}); err != nil {
			return err
		}
	}
	r.out.Units = u.N + 1
	if expired := u.ExpiresAt != 0 && !r.Now().Before(expires); here || expired {
		_, err := r.Deliverer.Deliver(ctx, u)
		return err
	}
	return r.Units.SendUnit(ctx, u)
}

// here reports whether a unit is to be delivered by this run. One that an
// earlier run began here is, whatever the allowance: queued, it could end up
// beside another unit with the same page.
func (r *run) here(ctx context.Context, u Unit, page Page) (bool, error) {
	if r.at.Units > 0 || page.Next != "" {
		return false, nil
	}
	if r.Direct == nil || r.Direct.Take(len(u.Connections)) {
		return true, nil
	}
	_, err := r.Ledger.Unit(ctx, u.MessageID, u.N)
	if errors.Is(err, ErrNotFound) {
		return false, nil
	}
	return err == nil, err
}

// advance moves the ledger. From then on no other run can hand out what this
// one is about to; so the unit in doubt, whose page this run has read again,
// can be settled.
func (r *run) advance(ctx context.Context, to Progress) error {
	last := r.at.Units - 1
	if err := r.Ledger.Advance(ctx, r.message.MessageID, r.at, to); err != nil {
		return err
	}
	r.at = to
	if !r.doubt {
		return nil
	}
	r.doubt = false
	return r.void(ctx, last)
}

// void records a unit as finished, with nothing delivered, unless its delivery
// has begun. If it was never queued, the receipt would wait for it forever; if
// it is queued, its connections need not get the frame twice.
func (r *run) void(ctx context.Context, n int) error {
	_, err := r.Ledger.Unit(ctx, r.message.MessageID, n)
	if errors.Is(err, ErrNotFound) {
		return r.Ledger.PutUnit(ctx, r.message.MessageID, UnitCounts{N: n, At: r.Now()})
	}
	return err
}

// retiring is how many stale connections are retired at a time.
const retiring = 10

// retire ends stale connections and counts them. A failure is left to whoever
// meets the row next: it must not hold up the broadcast.
func (r *run) retire(ctx context.Context, ids []string) int {
	var (
		group errgroup.Group
		done  atomic.Int64
	)
	group.SetLimit(retiring)
	for _, id := range ids {
		group.Go(func() error {
			if r.Retirer.Retire(ctx, id) == nil {
				done.Add(1)
			}
			return nil
		})
	}
	_ = group.Wait() // always nil
	return int(done.Load())
}
