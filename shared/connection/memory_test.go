package connection_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"sync/atomic"
	"testing"
	"time"

	"fanfare/shared/connection"
	"fanfare/shared/connection/connectiontest"
)

func Test08_ConnectionsThatEverFailedTakeBoundedMemory(t *testing.T) {
	bubble(t, func(t *testing.T) {
		dead := connectiontest.SenderFunc(func(context.Context, string, *connection.Message) error { return errServer })
		m := newManager(dead, connection.Options{MaxAttempts: 1, MaxBreakers: 500})
		before := heap()
		for i := range 100_000 {
			_ = m.Send(t.Context(), fmt.Sprintf("c%06d", i), nil)
		}
		want(t, "breakers", m.Metrics().Breakers, connection.BreakerCounts{Closed: 500})
		if grown := int64(heap()) - int64(before); grown > 1<<20 {
			t.Errorf("heap grew by %d bytes for 500 breakers", grown)
		}
	})
}

func Test08_TheConnectionWhoseLastFailureIsLongestAgoIsForgottenFirst(t *testing.T) {
	bubble(t, func(t *testing.T) {
		sender := &connectiontest.Sender{}
		m := newManager(sender, connection.Options{MaxAttempts: 1, MaxBreakers: 2})
		fail := func(id string, n int) {
			for range n {
				sender.Script(id, errServer)
				_ = m.Send(t.Context(), id, nil)
			}
		}
		fail("old", 1)
		fail("open", 3)
		fail("old", 1) // now "open" failed longer ago
		want(t, "breakers", m.Metrics().Breakers, connection.BreakerCounts{Closed: 1, Open: 1})
		fail("new", 1)
		want(t, "breakers", m.Metrics().Breakers, connection.BreakerCounts{Closed: 2})
		fail("old", 1)
		wantErr(t, "the third failure of old", m.Send(t.Context(), "old", nil), connection.ErrCircuitOpen)
	})
}

func Test08_ConnectionsThatWorkOrAreGoneAreForgotten(t *testing.T) {
	bubble(t, func(t *testing.T) {
		sender := &connectiontest.Sender{}
		sender.Script("works", errServer, nil)
		sender.Script("gone", errServer, connection.ErrGone)
		m := newManager(sender, single)
		for range 2 {
			_ = m.Broadcast(t.Context(), []string{"works", "gone"}, nil)
		}
		want(t, "breakers", m.Metrics().Breakers, connection.BreakerCounts{})
	})
}

func Test08_AStreamOfAMillionKeepsTheHeapUnder64MiB(t *testing.T) {
	const total, limit = 1_000_000, 64 << 20
	var posts atomic.Int64
	var peak atomic.Uint64
	m := newManager(connectiontest.SenderFunc(func(context.Context, string, *connection.Message) error {
		n := posts.Add(1)
		if n%50_000 == 0 {
			peak.Store(max(peak.Load(), heap()))
		}
		switch {
		case n%10 == 0:
			return connection.ErrGone
		case n%100 == 1:
			return errServer
		}
		return nil
	}), connection.Options{Adaptive: true, BaseBackoff: time.Microsecond})
	ids := func(yield func(string) bool) {
		for i := range total {
			if !yield(fmt.Sprintf("c%07d", i)) {
				return
			}
		}
	}
	var reported int64
	counts, err := m.BroadcastSeq(t.Context(), ids, []byte("hello"), func(string, error) { reported++ })
	if err != nil {
		t.Fatal(err)
	}
	want(t, "settled", counts.Delivered+counts.Gone+counts.Failed, total)
	want(t, "reported", reported, counts.Gone+counts.Failed)
	if p := peak.Load(); p > limit {
		t.Errorf("peak heap is %d MiB, want at most %d", p>>20, limit>>20)
	}
}

func Test08_ABroadcastToFailingConnectionsDrawsNoMoreThanItCanPark(t *testing.T) {
	bubble(t, func(t *testing.T) {
		dead := connectiontest.SenderFunc(func(context.Context, string, *connection.Message) error { return errServer })
		m := newManager(dead, connection.Options{MaxAttempts: 2, BaseBackoff: time.Hour, MaxBackoff: time.Hour})
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(time.Microsecond, cancel)
		drawn, before := 0, 0
		ids := func(yield func(string) bool) {
			for range 100_000 {
				if ctx.Err() == nil {
					before++
				}
				drawn++
				if !yield("c1") {
					return
				}
			}
		}
		counts, err := m.BroadcastSeq(ctx, ids, nil, nil)
		wantErr(t, "broadcast", err, context.Canceled)
		want(t, "accounted for", counts.Unsent+counts.Failed, int64(drawn))
		if before > 2000 {
			t.Errorf("%d ids drawn while all that were posted to waited for their retry", before)
		}
	})
}

func heap() uint64 {
	runtime.GC()
	var s runtime.MemStats
	runtime.ReadMemStats(&s)
	return s.HeapAlloc
}

func TestASequenceThatYieldsNothingIsNoError(t *testing.T) {
	bubble(t, func(t *testing.T) {
		m := newManager(&connectiontest.Sender{}, connection.Options{})
		counts, err := m.BroadcastSeq(t.Context(), repeated("c1", 0), nil, nil)
		want(t, "counts", counts, connection.Counts{})
		if err := errors.Join(err, m.Broadcast(t.Context(), nil, nil)); err != nil {
			t.Error(err)
		}
	})
}
