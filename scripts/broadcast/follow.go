package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"fanfare/shared/broadcast"
)

// interval is between two reads of a receipt: one Query each.
const interval = time.Second

// unitsPerPage is about how many units' counts one Query returns. A receipt
// with more is read that much less often, so that the reads stay as few.
const unitsPerPage = 2000

var errTimeout = errors.New("-timeout is over")

// state is what is known of a broadcast while it is followed.
type state struct {
	begun     bool // there is a receipt
	splitting bool // its audience has not been read to the end
	broadcast.Summary
}

func (t *tool) stateOf(r broadcast.Receipt) state {
	return state{begun: r.MessageID != "", splitting: !r.Progress.Done, Summary: r.Summary(t.maxReceives)}
}

// over reports whether waiting is of no more use: all is done, or what is open
// lies among the dead letters.
func (t *tool) over(r broadcast.Receipt) bool {
	s := r.Summary(t.maxReceives)
	// A small broadcast's only unit goes where its message goes: nobody moves the
	// ledger on.
	read := r.Progress.Done || r.Progress.Units == 0
	return s.Done || read && s.Dead > 0 && s.Dead == s.Open
}

// followed waits for the end and tells what came of it.
func (t *tool) followed(ctx context.Context, id string) error {
	r, err := t.await(ctx, id)
	t.view.clear()
	if r.MessageID == "" && err != nil {
		return t.unknown(id, err)
	}
	return t.conclude(r, err)
}

// unknown is the error for a broadcast that is queued and of which no more is
// known.
func (t *tool) unknown(id string, why error) error {
	return fmt.Errorf("%s is queued, but there is no receipt of it so far: %w%s\nlook again:  %s\n"+
		"if the broadcast function's log says that it fails, mend that, then give it back its dead letters:  %s",
		id, why, t.remedy(why), t.statusCommand(id), t.target.redrive("broadcast"))
}

// await reads the receipt until it is over. It returns the last one that was
// read, also with an error.
func (t *tool) await(ctx context.Context, id string) (last broadcast.Receipt, err error) {
	for {
		r, err := t.table.Receipt(ctx, id)
		if err != nil && !errors.Is(err, broadcast.ErrNotFound) {
			return last, orCause(ctx, err)
		}
		if err == nil {
			last = r
		}
		t.view.show(t.stateOf(last))
		if t.over(last) {
			return last, nil
		}
		if err := pause(ctx, interval*time.Duration(1+len(last.Units)/unitsPerPage)); err != nil {
			return last, err
		}
	}
}

// pause waits, or returns why the context has ended.
func pause(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// orCause returns why the context has ended, where that is why a call failed.
func orCause(ctx context.Context, err error) error {
	if cause := context.Cause(ctx); cause != nil {
		return cause
	}
	return err
}
