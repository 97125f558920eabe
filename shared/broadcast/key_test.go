package broadcast_test

import (
	"errors"
	"testing"
	"time"

	"fanfare/shared/broadcast"
	"fanfare/shared/connection"
)

// keyed is a back end's message: SQS gave it its id.
func (w *world) keyed(id string) broadcast.Message {
	m := w.message(id)
	m.IdempotencyKey = "k"
	return m
}

func TestTheSecondMessageWithAKeyIsDropped(t *testing.T) {
	w := newWorld(t)
	ids := w.connect("acme", 3)
	w.mustRun(w.keyed("m1"))
	for range 2 {
		if out := w.mustRun(w.keyed("m2")); !out.Duplicate || out.MessageID != "m1" || out.Recipients != 0 {
			t.Errorf("outcome %+v, want a duplicate of m1", out)
		}
	}
	w.wantAll(ids, 0)
	if _, err := w.table.Receipt(t.Context(), "m2"); !errors.Is(err, broadcast.ErrNotFound) {
		t.Errorf("m2 has a receipt: %v", err)
	}
}

func TestAKeyIsOneTenants(t *testing.T) {
	w := newWorld(t)
	ids := append(w.connect("acme", 1), w.connect("globex", 1)...)
	w.mustRun(w.keyed("m1"))
	m := w.keyed("m2")
	m.Tenant = "globex"
	w.mustRun(m)
	w.wantAll(ids, 0)
}

func TestAKeyIsForgottenAfterADay(t *testing.T) {
	w := newWorld(t)
	ids := w.connect("acme", 1)
	w.mustRun(w.keyed("m1"))
	w.pass(broadcast.IdempotencyTTL - time.Second)
	if out := w.mustRun(w.keyed("m2")); !out.Duplicate {
		t.Errorf("outcome %+v a second before, want a duplicate", out)
	}
	w.pass(time.Second)
	w.reconnect("acme-0000")
	if out := w.mustRun(w.keyed("m3")); out.Duplicate {
		t.Errorf("outcome %+v a day later, want another broadcast", out)
	}
	w.wantAll(ids, 1)
}

// reconnect puts a fresh row of the connection, which the day has aged.
func (w *world) reconnect(id string) {
	w.t.Helper()
	w.disconnect(id)
	w.put(connection.Connection{ID: id, Tenant: "acme", User: "u", ConnectedAt: w.now})
}

func TestTheRedeliveredFirstMessageWithAKeyGoesOn(t *testing.T) {
	for at := 1; ; at++ {
		w := newWorld(t)
		ids := w.connect("acme", 1200)
		w.before = func(step int) error {
			if step == at {
				return errCrash
			}
			return nil
		}
		w.redeliver(w.keyed("m1"))
		w.wantAll(ids, broadcast.UnitSize)
		w.wantComplete("m1")
		if t.Failed() {
			t.Fatalf("this was step %d", at)
		}
		if w.steps < at {
			return
		}
	}
}

// The first may lie among the dead letters; redriven from there it comes under
// a new id, and must not be taken for a duplicate of itself.
func TestAnUnfinishedFirstMessageIsTakenOver(t *testing.T) {
	w := newWorld(t)
	ids := w.connect("acme", 3)
	w.refuse[ids[1]] = connection.ErrThrottled
	if _, err := w.splitter.Run(t.Context(), w.keyed("m1")); !errors.Is(err, broadcast.ErrUnfinished) {
		t.Fatalf("error %v, want ErrUnfinished", err)
	}
	delete(w.refuse, ids[1])
	if out := w.mustRun(w.keyed("m2")); !out.Duplicate || w.got[ids[1]] != 0 {
		t.Errorf("outcome %+v: the first message has not had its time yet", out)
	}
	w.pass(time.Minute)
	if out := w.mustRun(w.keyed("m3")); !out.Duplicate || out.MessageID != "m1" {
		t.Errorf("outcome %+v, want m1 to be gone on with", out)
	}
	w.wantAll(ids, 0)
	w.wantComplete("m1")
}

func TestAnotherBroadcastUnderAUsedKeyIsMalformed(t *testing.T) {
	w := newWorld(t)
	ids := w.connect("acme", 1)
	w.mustRun(w.keyed("m1"))
	m := w.keyed("m2")
	m.Data = []byte(`{"n":2}`)
	if out, err := w.splitter.Run(t.Context(), m); !errors.Is(err, broadcast.ErrMalformed) {
		t.Errorf("outcome %+v, error %v; want ErrMalformed: dropping it in silence would lose it", out, err)
	}
	w.wantAll(ids, 0)
}

func TestAKeyThatCannotBeClaimedIsTriedAgain(t *testing.T) {
	w := newWorld(t)
	w.before = func(int) error { return errCrash }
	if _, err := w.splitter.Run(t.Context(), w.keyed("m1")); !errors.Is(err, errCrash) || errors.Is(err, broadcast.ErrMalformed) {
		t.Errorf("error %v", err)
	}
}
