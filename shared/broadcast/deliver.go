package broadcast

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"fanfare/shared/connection"
)

// A SendFunc delivers frame to every id and calls failed, from one goroutine
// at a time, for each that did not get it. Its error is one that ended the
// work; connections that it did not reach are reported as failed too.
type SendFunc func(ctx context.Context, ids []string, frame []byte, failed func(id string, err error)) error

// Deliverer delivers units and records what became of them.
type Deliverer struct {
	Send   SendFunc
	Ledger Ledger
	Now    func() time.Time
}

// ParseUnit reads a message of the delivery queue. Errors wrap ErrMalformed.
func ParseUnit(body []byte) (Unit, error) {
	var u Unit
	if err := json.Unmarshal(body, &u); err != nil {
		return Unit{}, fmt.Errorf("%w: %v", ErrMalformed, err)
	}
	if u.MessageID == "" || u.N < 0 || len(u.Connections) == 0 || len(u.Frame) == 0 {
		return Unit{}, fmt.Errorf("%w: a unit has messageId, n, connections and frame", ErrMalformed)
	}
	return u, nil
}

// Deliver sends the unit's frame to those of its connections that have not got
// it. ErrUnfinished means that some are left, recorded, and that calling again
// goes on with them. A unit that is finished is not sent again.
func (d *Deliverer) Deliver(ctx context.Context, u Unit) (UnitCounts, error) {
	counts, err := d.begin(ctx, u)
	if err != nil || len(counts.Remaining) == 0 {
		return counts, err
	}
	ids := counts.Remaining
	counts.Remaining, counts.Failed, counts.At = nil, map[string]int{}, d.Now()
	var cause error
	if u.ExpiresAt != 0 && d.Now().UnixMilli() >= u.ExpiresAt {
		counts.Expired += len(ids)
	} else {
		cause = d.send(ctx, u, ids, &counts)
	}
	// The counts outlive a deadline that ended the sending.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), recordTimeout)
	defer cancel()
	if err := d.Ledger.PutUnit(ctx, u.MessageID, counts); err != nil {
		return counts, errors.Join(err, cause)
	}
	if len(counts.Remaining) > 0 {
		return counts, fmt.Errorf("%w: %d of %d connections left: %w", ErrUnfinished, len(counts.Remaining), len(u.Connections), cause)
	}
	return counts, nil
}

// recordTimeout bounds the write of a unit's counts.
const recordTimeout = 2 * time.Second

// begin returns the counts so far, with who is still to be sent to.
func (d *Deliverer) begin(ctx context.Context, u Unit) (UnitCounts, error) {
	counts, err := d.Ledger.Unit(ctx, u.MessageID, u.N)
	if errors.Is(err, ErrNotFound) {
		return UnitCounts{N: u.N, Remaining: u.Connections}, nil
	}
	return counts, err
}

// send delivers and counts. It returns a cause for what remains, if anything.
func (d *Deliverer) send(ctx context.Context, u Unit, ids []string, counts *UnitCounts) error {
	var cause error
	failures := 0
	err := d.Send(ctx, ids, u.Frame, func(id string, err error) {
		failures++
		switch {
		case errors.Is(err, connection.ErrGone):
			counts.Gone++
		case errors.Is(err, connection.ErrTooLarge): // never gets smaller
			counts.Failed[FailureType(err)]++
		default:
			counts.Failed[FailureType(err)]++
			counts.Remaining = append(counts.Remaining, id)
			cause = err
		}
	})
	counts.Delivered += len(ids) - failures
	if err != nil {
		cause = err
	}
	return cause
}

// FailureType names the kind of a failed delivery, as receipts and metrics
// count it.
func FailureType(err error) string {
	for _, kind := range failureTypes {
		if errors.Is(err, kind.err) {
			return kind.name
		}
	}
	return "failed"
}

var failureTypes = []struct {
	err  error
	name string
}{
	{connection.ErrGone, "gone"},
	{connection.ErrThrottled, "throttled"},
	{connection.ErrForbidden, "forbidden"},
	{connection.ErrTooLarge, "tooLarge"},
	{connection.ErrInvalid, "invalid"},
	{connection.ErrCircuitOpen, "circuitOpen"},
	{connection.ErrShutdown, "shutdown"},
	{context.DeadlineExceeded, "deadline"},
	{context.Canceled, "deadline"},
}
