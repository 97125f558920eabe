package broadcast

import (
	"context"
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

// Deliver sends the unit's frame to those of its connections that have not got
// it. ErrUnfinished means that some are left, recorded, and that calling again
// goes on with them. A unit that is finished is not sent again.
//
// What is left when ctx ends is recorded too, for which the caller should keep
// two seconds: queue.Batch does.
func (d *Deliverer) Deliver(ctx context.Context, u Unit) (UnitCounts, error) {
	counts, err := d.begin(ctx, u)
	if err != nil || len(counts.Remaining) == 0 {
		return counts, err
	}
	ids := counts.Remaining
	counts.Remaining, counts.Failed = nil, givenUp(counts.Failed)
	counts.Attempts++
	var cause error
	if u.ExpiresAt != 0 && d.Now().UnixMilli() >= u.ExpiresAt {
		counts.Expired += len(ids)
	} else {
		cause = d.send(ctx, u, ids, &counts)
	}
	counts.At = d.Now()
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

// recordTimeout bounds the write of a unit's counts after a deadline.
const recordTimeout = 2 * time.Second

// begin returns the counts so far, with who is still to be sent to.
func (d *Deliverer) begin(ctx context.Context, u Unit) (UnitCounts, error) {
	counts, err := d.Ledger.Unit(ctx, u.MessageID, u.N)
	if errors.Is(err, ErrNotFound) {
		return UnitCounts{N: u.N, Size: len(u.Connections), Remaining: u.Connections}, nil
	}
	return counts, err
}

// send delivers and counts. It returns a cause for what remains, if anything.
func (d *Deliverer) send(ctx context.Context, u Unit, ids []string, counts *UnitCounts) error {
	var cause error
	failures, onlySlow := 0, true
	t := &timing{since: time.UnixMilli(u.AcceptedAt), now: d.Now}
	ctx = context.WithValue(ctx, timingKey{}, t)
	err := d.Send(ctx, ids, u.Frame, func(id string, err error) {
		failures++
		switch kind := connection.TypeOf(err); kind {
		case connection.TypeGone:
			counts.Gone++
		case connection.TypeTooLarge:
			counts.Failed[string(kind)]++
		default:
			counts.Failed[string(kind)]++
			counts.Remaining = append(counts.Remaining, id)
			cause = err
			onlySlow = onlySlow && (kind == connection.TypeThrottled || kind == connection.TypeCircuitOpen)
		}
	})
	counts.Delivered += len(ids) - failures
	counts.Times = counts.Times.Plus(t.times())
	if err != nil {
		cause = err
	}
	if onlySlow && counts.Attempts >= slowAttempts && counts.Delivered > 0 {
		counts.Remaining = nil
	}
	return cause
}

// slowAttempts is how often, minutes apart, clients may answer 429 while others
// of their unit get the message. Then it is their own buffers that are full, and
// not the account's rate: they count as failed, and the unit does not end among
// the dead letters for them.
const slowAttempts = 3

// givenUp returns what of earlier failures stays: a frame that is too large
// never gets smaller. The others are tried again, and counted again.
func givenUp(failed map[string]int) map[string]int {
	kept := map[string]int{}
	if n := failed[string(connection.TypeTooLarge)]; n > 0 {
		kept[string(connection.TypeTooLarge)] = n
	}
	return kept
}
