package connection_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"fanfare/shared/connection"
	"fanfare/shared/connection/connectiontest"
)

func Test07_GoneIsCleanedUpOnce(t *testing.T) {
	eachWay(t, func(t *testing.T, send func(*connection.Manager, context.Context, string) error) {
		sender := &connectiontest.Sender{}
		sender.Always("c1", fmt.Errorf("post: %w", connection.ErrGone))
		store := connectiontest.NewStore(connection.Connection{ID: "c1"})
		m := connection.NewManager(store, sender, connection.Options{})
		wantErr(t, "send", send(m, t.Context(), "c1"), connection.ErrGone)
		want(t, "posts", sender.PostsTo("c1"), 1)
		want(t, "removals", len(store.Removals()), 1)
		want(t, "removed", len(store.Removed()), 1)
		want(t, "counted", m.Metrics().Removed, 1)
		_, err := store.Get(t.Context(), "c1")
		wantErr(t, "row", err, connection.ErrNotFound)
	})
}

func Test07_OfManyWhoMeetTheSameGoneConnectionOneCleansUp(t *testing.T) {
	bubble(t, func(t *testing.T) {
		sender := &connectiontest.Sender{Latency: time.Millisecond}
		sender.Always("c1", connection.ErrGone)
		store := connectiontest.NewStore(connection.Connection{ID: "c1"})
		m := connection.NewManager(store, sender, connection.Options{})
		var sends sync.WaitGroup
		for range 20 {
			sends.Go(func() { wantErr(t, "send", m.Send(t.Context(), "c1", nil), connection.ErrGone) })
		}
		sends.Wait()
		want(t, "removed", len(store.Removed()), 1)
		want(t, "counted", m.Metrics().Removed, 1)
		want(t, "clean-ups that failed", m.Metrics().CleanupErrors, 0)
	})
}

func Test07_CleanUpIsConditionalOnTheConnectionsAge(t *testing.T) {
	tests := map[string]struct {
		age     time.Duration
		removed int
		posts   int
	}{
		"a minute and a moment old": {time.Minute + time.Millisecond, 1, 1},
		"a minute old":              {time.Minute, 0, 2},
		"just connected":            {0, 0, 2},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			eachWay(t, func(t *testing.T, send func(*connection.Manager, context.Context, string) error) {
				sender := &connectiontest.Sender{}
				sender.Always("c1", connection.ErrGone)
				store := connectiontest.NewStore(connection.Connection{ID: "c1", ConnectedAt: time.Now().Add(-tt.age)})
				m := connection.NewManager(store, sender, connection.Options{})
				wantErr(t, "send", send(m, t.Context(), "c1"), connection.ErrGone)
				want(t, "posts", sender.PostsTo("c1"), tt.posts)
				want(t, "removals asked for", len(store.Removals()), 1)
				want(t, "removed", len(store.Removed()), tt.removed)
			})
		})
	}
}

func Test07_AConnectionThatIsStillOpeningGetsItsMessageASecondLater(t *testing.T) {
	eachWay(t, func(t *testing.T, send func(*connection.Manager, context.Context, string) error) {
		sender := &connectiontest.Sender{}
		sender.Script("c1", connection.ErrGone, nil)
		store := connectiontest.NewStore(connection.Connection{ID: "c1", ConnectedAt: time.Now()})
		m := connection.NewManager(store, sender, connection.Options{})
		took := elapsed(func() { wantErr(t, "send", send(m, t.Context(), "c1"), nil) })
		want(t, "time", took, time.Second)
		want(t, "delivered", m.Metrics().Delivered, 1)
		want(t, "removed", len(store.Removed()), 0)
	})
}

func Test07_AYoungConnectionIsNotWaitedForBeyondTheDeadline(t *testing.T) {
	eachWay(t, func(t *testing.T, send func(*connection.Manager, context.Context, string) error) {
		sender := &connectiontest.Sender{}
		sender.Always("c1", connection.ErrGone)
		store := connectiontest.NewStore(connection.Connection{ID: "c1", ConnectedAt: time.Now()})
		m := connection.NewManager(store, sender, connection.Options{})
		ctx, cancel := context.WithTimeout(t.Context(), time.Second/2)
		defer cancel()
		took := elapsed(func() { wantErr(t, "send", send(m, ctx, "c1"), connection.ErrGone) })
		want(t, "time", took, 0)
	})
}

func Test07_CleanUpDoesNotHoldUpOtherSends(t *testing.T) {
	bubble(t, func(t *testing.T) {
		ids := names(1000)
		sender := &connectiontest.Sender{Latency: 10 * time.Millisecond}
		store := connectiontest.NewStore()
		store.Latency = time.Minute
		for _, id := range ids[:100] {
			sender.Always(id, connection.ErrGone)
			store.Put(connection.Connection{ID: id})
		}
		m := connection.NewManager(store, sender, connection.Options{})
		start := time.Now()
		gone := failures(t, m.Broadcast(t.Context(), ids, nil))
		want(t, "the last post is answered after", sender.Posts()[999].Start.Sub(start), 990*time.Millisecond)
		want(t, "gone", len(gone), 100)
		want(t, "removed by the time that Broadcast returns", len(store.Removed()), 100)
		want(t, "time, ten clean-ups at once", time.Since(start).Round(time.Minute), 10*time.Minute)
	})
}

func Test07_OurOwnFaultDeletesNothingAndFailsLoudly(t *testing.T) {
	for _, fault := range []error{connection.ErrInvalid, connection.ErrForbidden} {
		t.Run(fault.Error(), func(t *testing.T) {
			eachWay(t, func(t *testing.T, send func(*connection.Manager, context.Context, string) error) {
				var log bytes.Buffer
				sender := &connectiontest.Sender{}
				sender.Always("c1", fault)
				store := connectiontest.NewStore(connection.Connection{ID: "c1"})
				m := connection.NewManager(store, sender, connection.Options{Logger: slog.New(slog.NewTextHandler(&log, nil))})
				wantErr(t, "send", send(m, t.Context(), "c1"), fault)
				want(t, "removals", len(store.Removals()), 0)
				if !strings.Contains(log.String(), "level=ERROR") || !strings.Contains(log.String(), "connection=c1") {
					t.Errorf("log has no error about c1: %q", log.String())
				}
			})
		})
	}
}

func Test07_AnAnswerThatAllWouldGiveEndsTheBroadcast(t *testing.T) {
	for _, fault := range []error{connection.ErrForbidden, connection.ErrTooLarge} {
		t.Run(fault.Error(), func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				var log bytes.Buffer
				refuse := connectiontest.SenderFunc(func(context.Context, string, *connection.Message) error {
					time.Sleep(time.Millisecond)
					return fault
				})
				m := newManager(refuse, connection.Options{Logger: slog.New(slog.NewTextHandler(&log, nil))})
				unsent := failures(t, m.Broadcast(t.Context(), names(1000), nil))
				want(t, "reported", len(unsent), 1000)
				for id, err := range unsent {
					wantErr(t, id, err, fault)
				}
				want(t, "counted", m.Metrics().Counts, connection.Counts{Failed: 10, Unsent: 990})
				want(t, "posts", m.Metrics().Posts, 10)
				want(t, "errors in the log", strings.Count(log.String(), "level=ERROR"), 1)

				_, err := m.BroadcastSeq(t.Context(), repeated("c1", 5), nil, nil)
				wantErr(t, "streaming", err, fault)
			})
		})
	}
}

func Test07_AnInvalidPostDoesNotEndTheBroadcast(t *testing.T) {
	bubble(t, func(t *testing.T) {
		sender := &connectiontest.Sender{}
		sender.Always("c00000", connection.ErrInvalid)
		m := newManager(sender, connection.Options{})
		reported := failures(t, m.Broadcast(t.Context(), names(100), nil))
		want(t, "reported", len(reported), 1)
		wantErr(t, "c00000", reported["c00000"], connection.ErrInvalid)
		want(t, "delivered", m.Metrics().Delivered, 99)
	})
}

func Test07_ACleanUpThatFailsLeavesTheConnectionGoneAndIsLogged(t *testing.T) {
	eachWay(t, func(t *testing.T, send func(*connection.Manager, context.Context, string) error) {
		var log bytes.Buffer
		sender := &connectiontest.Sender{}
		sender.Always("c1", connection.ErrGone)
		store := connectiontest.NewStore(connection.Connection{ID: "c1"})
		store.Fail("c1", errors.New("table is throttled"))
		m := connection.NewManager(store, sender, connection.Options{Logger: slog.New(slog.NewTextHandler(&log, nil))})
		wantErr(t, "send", send(m, t.Context(), "c1"), connection.ErrGone)
		want(t, "counted", m.Metrics().CleanupErrors, 1)
		if !strings.Contains(log.String(), "table is throttled") {
			t.Errorf("log says nothing of it: %q", log.String())
		}
	})
}
