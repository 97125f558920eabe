package broadcast_test

import (
	"testing"
	"time"

	"fanfare/shared/broadcast"
)

func TestAnAllowanceIsOneUnitAndGrowsByItsRate(t *testing.T) {
	now := time.Now()
	a := broadcast.NewAllowance(80, func() time.Time { return now })
	for i, step := range []struct {
		after time.Duration
		take  int
		want  bool
	}{
		{0, 501, false},
		{0, 500, true},
		{0, 1, false},
		{time.Second, 81, false},
		{0, 80, true},
		{time.Hour, 500, true}, // no more than a unit is saved up
		{0, 1, false},
		{-time.Hour, 1, false}, // a clock that is set back gives nothing
		{0, 0, true},
	} {
		now = now.Add(step.after)
		if got := a.Take(step.take); got != step.want {
			t.Errorf("step %d: taking %d is %v, want %v", i, step.take, got, step.want)
		}
	}
}

func TestSmallBroadcastsOverTheAllowanceGoToTheDeliveryQueue(t *testing.T) {
	w := newWorld(t)
	ids := w.connect("acme", 300)
	w.splitter.Direct = broadcast.NewAllowance(80, w.clock)
	w.mustRun(w.message("first"))
	if len(w.queue) != 0 {
		t.Fatalf("%d units on the queue, want none: the allowance is full", len(w.queue))
	}
	w.mustRun(w.message("second"))
	if len(w.queue) != 1 || len(w.queue[0].Connections) != 300 {
		t.Fatalf("%d units on the queue, want one of 300", len(w.queue))
	}
	w.drain()
	for _, id := range ids {
		if w.got[id] != 2 {
			t.Fatalf("%s got %d frames, want 2", id, w.got[id])
		}
	}
	w.wantComplete("first")
	w.wantComplete("second")
}

// A unit of which a part was sent here has its counts under its number; queued
// now, and its page read again after a crash, it would stay open for ever.
func TestAUnitBegunHereStaysHereWithoutAllowance(t *testing.T) {
	w := newWorld(t)
	ids := w.connect("acme", 3)
	w.refuse[ids[1]] = errCrash
	if _, err := w.splitter.Run(t.Context(), w.message("m")); err == nil {
		t.Fatal("one connection failed, but the run did not")
	}
	delete(w.refuse, ids[1])
	empty := broadcast.NewAllowance(0, w.clock)
	empty.Take(broadcast.UnitSize)
	w.splitter.Direct = empty
	w.mustRun(w.message("m"))
	if len(w.queue) != 0 {
		t.Errorf("%d units on the queue, want none", len(w.queue))
	}
	w.wantAll(ids, 0)
	w.wantComplete("m")
}

func TestACrashAtAnyStepWithoutAllowanceLosesNothing(t *testing.T) {
	for at := 1; ; at++ {
		w := newWorld(t)
		ids := w.connect("acme", 300)
		w.splitter.Direct = broadcast.NewAllowance(0, w.clock)
		w.splitter.Direct.Take(broadcast.UnitSize)
		w.before = func(step int) error {
			if step == at {
				return errCrash
			}
			return nil
		}
		w.redeliver(w.message("m"))
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
