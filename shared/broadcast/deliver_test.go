package broadcast_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"fanfare/shared/broadcast"
	"fanfare/shared/connection"
	"fanfare/shared/connection/connectiontest"
	"fanfare/shared/store"
)

func unitOf(ids ...string) broadcast.Unit {
	return broadcast.Unit{MessageID: "m", Tenant: "acme", N: 2, Connections: ids, Frame: json.RawMessage(`{"type":"message"}`)}
}

// deliver delivers a unit in the world and returns what is recorded.
func (w *world) deliver(u broadcast.Unit) (broadcast.UnitCounts, error) {
	w.t.Helper()
	_, err := w.splitter.Deliverer.Deliver(w.t.Context(), u)
	counts, stored := w.table.Unit(w.t.Context(), u.MessageID, u.N)
	if stored != nil {
		w.t.Fatal(stored)
	}
	return counts, err
}

func TestFailuresAreCountedByTheirType(t *testing.T) {
	for _, tt := range []struct {
		err     error
		kind    string
		remains bool
	}{
		{connection.ErrThrottled, "throttled", true},
		{connection.ErrForbidden, "forbidden", true},
		{connection.ErrInvalid, "invalid", true},
		{connection.ErrCircuitOpen, "circuitOpen", true},
		{connection.ErrShutdown, "shutdown", true},
		{context.DeadlineExceeded, "deadline", true},
		{context.Canceled, "deadline", true},
		{errors.New("500"), "failed", true},
		{connection.ErrTooLarge, "tooLarge", false},
	} {
		t.Run(tt.kind, func(t *testing.T) {
			w := newWorld(t)
			w.refuse["b"] = fmt.Errorf("post to b: %w", tt.err)
			counts, err := w.deliver(unitOf("a", "b", "c"))
			if counts.Delivered != 2 || !maps.Equal(counts.Failed, map[string]int{tt.kind: 1}) {
				t.Errorf("recorded %+v", counts)
			}
			if slices.Equal(counts.Remaining, []string{"b"}) != tt.remains || errors.Is(err, broadcast.ErrUnfinished) != tt.remains {
				t.Errorf("remaining %v, error %v; want b to remain: %v", counts.Remaining, err, tt.remains)
			}
			if tt.remains && !errors.Is(err, tt.err) {
				t.Errorf("error %v hides its cause", err)
			}
		})
	}
}

func TestAGoneConnectionIsDoneWith(t *testing.T) {
	w := newWorld(t)
	w.refuse["b"] = connection.ErrGone
	counts, err := w.deliver(unitOf("a", "b"))
	if err != nil || counts.Delivered != 1 || counts.Gone != 1 || len(counts.Failed)+len(counts.Remaining) != 0 {
		t.Errorf("recorded %+v, error %v", counts, err)
	}
}

func TestOnlyWhatRemainsIsSentAgain(t *testing.T) {
	w := newWorld(t)
	u := unitOf("a", "b", "c", "d", "e")
	w.refuse["b"], w.refuse["c"], w.refuse["d"], w.refuse["e"] = connection.ErrThrottled, connection.ErrForbidden, connection.ErrTooLarge, connection.ErrGone
	if counts, err := w.deliver(u); !errors.Is(err, broadcast.ErrUnfinished) || !slices.Equal(counts.Remaining, []string{"b", "c"}) {
		t.Fatalf("recorded %+v, error %v", counts, err)
	}
	w.refuse = map[string]error{"c": connection.ErrThrottled}
	if counts, err := w.deliver(u); !errors.Is(err, broadcast.ErrUnfinished) || !maps.Equal(counts.Failed, map[string]int{"throttled": 1, "tooLarge": 1}) {
		t.Errorf("recorded %+v, error %v; want each connection counted once", counts, err)
	}
	w.refuse = nil
	counts, err := w.deliver(u)
	if err != nil || counts.Delivered != 3 || counts.Gone != 1 || !maps.Equal(counts.Failed, map[string]int{"tooLarge": 1}) || len(counts.Remaining) != 0 {
		t.Errorf("recorded %+v, error %v", counts, err)
	}
	w.wantAll([]string{"a", "b", "c"}, 0)
}

func TestAFinishedUnitIsNotSentAgain(t *testing.T) {
	w := newWorld(t)
	u := unitOf("a", "b")
	first, err := w.deliver(u)
	if err != nil {
		t.Fatal(err)
	}
	w.pass(time.Minute)
	again, err := w.deliver(u)
	if err != nil || again.Delivered != 2 || !again.At.Equal(first.At) {
		t.Errorf("recorded %+v, error %v; want it untouched", again, err)
	}
	w.wantAll([]string{"a", "b"}, 0)
}

func TestWhatRemainsWhenItExpiresIsCounted(t *testing.T) {
	w := newWorld(t)
	u := unitOf("a", "b")
	u.ExpiresAt = w.now.Add(time.Minute).UnixMilli()
	w.refuse["b"] = connection.ErrThrottled
	if _, err := w.deliver(u); !errors.Is(err, broadcast.ErrUnfinished) {
		t.Fatalf("error %v", err)
	}
	w.refuse = nil
	w.pass(time.Minute)
	counts, err := w.deliver(u)
	if err != nil || counts.Delivered != 1 || counts.Expired != 1 || len(counts.Failed)+len(counts.Remaining) != 0 {
		t.Errorf("recorded %+v, error %v", counts, err)
	}
	w.wantAll([]string{"a"}, 0)
}

func TestCountsThatCannotBeWrittenFailTheUnit(t *testing.T) {
	for at := 1; at <= 3; at++ {
		w := newWorld(t)
		w.before = func(step int) error {
			if step == at {
				return errCrash
			}
			return nil
		}
		if _, err := w.splitter.Deliverer.Deliver(t.Context(), unitOf("a")); !errors.Is(err, errCrash) {
			t.Errorf("step %d: error %v", at, err)
		}
	}
}

// The table answers slowly too, and the deadline has passed by then.
func TestADeadlineRecordsWhatIsLeft(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ids := make([]string, 20)
		for i := range ids {
			ids[i] = fmt.Sprintf("c%02d", i)
		}
		sender := &connectiontest.Sender{Latency: time.Second}
		manager := connection.NewManager(connectiontest.NewStore(), sender, connection.Options{Workers: 2})
		table := store.NewMemory(store.Options{})
		d := &broadcast.Deliverer{Send: broadcast.ByManager(manager), Ledger: table, Now: time.Now}

		ctx, cancel := context.WithTimeout(t.Context(), 4500*time.Millisecond)
		defer cancel()
		_, err := d.Deliver(ctx, unitOf(ids...))
		if !errors.Is(err, broadcast.ErrUnfinished) || !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("error %v, want ErrUnfinished by the deadline", err)
		}
		counts, err := table.Unit(t.Context(), "m", 2)
		if err != nil || counts.Delivered != 8 || len(counts.Remaining) != 12 || counts.Failed["deadline"] != 12 {
			t.Errorf("recorded %+v, error %v; want 8 delivered and 12 left", counts, err)
		}
		if _, err := d.Deliver(t.Context(), unitOf(ids...)); err != nil {
			t.Errorf("the second try: %v", err)
		}
		if counts, err := table.Unit(t.Context(), "m", 2); err != nil || counts.Delivered != 20 || len(counts.Failed) != 0 {
			t.Errorf("recorded %+v, error %v; want all 20", counts, err)
		}
	})
}

func TestClientsWhoseBuffersStayFullAreGivenUp(t *testing.T) {
	for name, tt := range map[string]struct {
		others, refused error
		attempts        int
	}{
		"throttled while others get it":   {nil, connection.ErrThrottled, 3},
		"their breakers open":             {nil, connection.ErrCircuitOpen, 3},
		"throttled as everybody is":       {connection.ErrThrottled, connection.ErrThrottled, 0},
		"failing for another reason":      {nil, errors.New("500"), 0},
		"some of them for another reason": {errors.New("500"), connection.ErrThrottled, 0},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.refuse["a"], w.refuse["slow"] = tt.others, tt.refused
			for attempt := 1; attempt <= 5; attempt++ {
				counts, err := w.deliver(unitOf("a", "slow"))
				finished := err == nil && len(counts.Remaining) == 0
				if want := tt.attempts > 0 && attempt >= tt.attempts; finished != want {
					t.Fatalf("attempt %d: recorded %+v, error %v; want it finished: %v", attempt, counts, err, want)
				}
				if finished && counts.Failed[string(connection.TypeOf(tt.refused))] != 1 {
					t.Errorf("recorded %+v, want the slow client to count as failed", counts)
				}
			}
		})
	}
}

func TestTheReceiptSaysHowLongClientsWaited(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sender := &connectiontest.Sender{Latency: 10 * time.Millisecond}
		sender.Slow("c", 2*time.Second)
		sender.Always("gone", connection.ErrGone)
		manager := connection.NewManager(connectiontest.NewStore(), broadcast.Timed(sender), connection.Options{})
		table := store.NewMemory(store.Options{})
		d := &broadcast.Deliverer{Send: broadcast.ByManager(manager), Ledger: table, Now: time.Now}
		u := unitOf("a", "b", "c", "gone")
		u.AcceptedAt = time.Now().Add(-time.Second).UnixMilli()
		if _, err := table.Claim(t.Context(), broadcast.Receipt{MessageID: "m", Tenant: "acme", AcceptedAt: time.UnixMilli(u.AcceptedAt)}); err != nil {
			t.Fatal(err)
		}
		if _, err := d.Deliver(t.Context(), u); err != nil {
			t.Fatal(err)
		}
		r, err := table.Receipt(t.Context(), "m")
		if err != nil {
			t.Fatal(err)
		}
		s := r.Summary(5)
		within := func(got, want time.Duration) bool { return got >= want && float64(got) < 1.2*float64(want) }
		if !within(s.P50, 1010*time.Millisecond) || !within(s.P99, 3*time.Second) || !within(s.Last, 3*time.Second) {
			t.Errorf("p50 %v, p99 %v, last %v; want 1.01 s, 3 s and 3 s", s.P50, s.P99, s.Last)
		}
		if s.Audience != 4 || s.Delivered != 3 || s.Gone != 1 || r.Units[0].Times.Total() != 3 {
			t.Errorf("summary %+v of %+v", s, r)
		}
	})
}
