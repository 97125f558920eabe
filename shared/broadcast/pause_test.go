package broadcast_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"fanfare/shared/broadcast"
)

// until is a context with a deadline by the world's clock.
type until struct {
	context.Context
	at time.Time
}

func (u until) Deadline() (time.Time, bool) { return u.at, true }

// runFor runs m in one call after another of the given length, as SQS does with
// a message that is made visible at once, and returns how many it took. Every
// step of a port takes pace.
func (w *world) runFor(m broadcast.Message, length, pace time.Duration) (calls int) {
	w.t.Helper()
	w.after = func(int) error { w.pass(pace); return nil }
	for {
		calls++
		_, err := w.splitter.Run(until{w.t.Context(), w.clock().Add(length)}, m)
		if err == nil {
			return calls
		}
		if !errors.Is(err, broadcast.ErrPaused) || calls == 100 {
			w.t.Fatalf("call %d: %v", calls, err)
		}
	}
}

func TestABroadcastLongerThanACallGoesOnInTheNextAndRepeatsNothing(t *testing.T) {
	w := newWorld(t)
	ids := w.connect("acme", 5200)
	// A page takes three steps: four pages a call, before the last two seconds.
	calls := w.runFor(w.message("m"), 15*time.Second, time.Second)
	if calls < 3 || calls > 4 {
		t.Errorf("took %d calls, want 3 or 4", calls)
	}
	if len(w.queue) != 11 {
		t.Errorf("%d units, want the 11 of 5,200 connections", len(w.queue))
	}
	w.drain()
	w.wantAll(ids, 0)
	w.wantComplete("m")
}

func TestACallThatIsTooShortForAPageGetsOnePageFurther(t *testing.T) {
	w := newWorld(t)
	ids := w.connect("acme", 2400)
	if calls := w.runFor(w.message("m"), time.Second, 0); calls != 5 {
		t.Errorf("took %d calls, want one for each of 5 pages", calls)
	}
	w.drain()
	w.wantAll(ids, 0)
	w.wantComplete("m")
}

func TestASmallBroadcastDoesNotPause(t *testing.T) {
	w := newWorld(t)
	ids := w.connect("acme", 500)
	if calls := w.runFor(w.message("m"), time.Second, 0); calls != 1 || len(w.queue) != 0 {
		t.Errorf("took %d calls and %d units on the queue, want 1 and none", calls, len(w.queue))
	}
	w.wantAll(ids, 0)
	w.wantComplete("m")
}

// What paused may also crash: the pause must not hide the unit in doubt.
func TestACrashAroundAPauseLosesNothing(t *testing.T) {
	for at := 1; ; at++ {
		w := newWorld(t)
		ids := w.connect("acme", 1700)
		w.before = func(step int) error {
			if step == at {
				return errCrash
			}
			return nil
		}
		for try := 0; ; try++ {
			_, err := w.splitter.Run(until{t.Context(), w.clock().Add(time.Second)}, w.message("m"))
			if err == nil {
				break
			}
			if try == 20 {
				t.Fatalf("crash at step %d: Run fails for ever: %v", at, err)
			}
		}
		w.drain()
		w.wantAll(ids, broadcast.UnitSize)
		w.wantComplete("m")
		if t.Failed() {
			t.Fatalf("this was step %d", at)
		}
		if w.steps < at {
			return
		}
	}
}
