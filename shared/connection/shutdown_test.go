package connection_test

import (
	"bytes"
	"context"
	"errors"
	"runtime"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"fanfare/shared/connection"
	"fanfare/shared/connection/connectiontest"
)

func Test01_ShutdownEndsABroadcastAndReportsEveryUnsentConnection(t *testing.T) {
	bubble(t, func(t *testing.T) {
		sender := &connectiontest.Sender{Latency: 100 * time.Millisecond}
		m := newManager(sender, connection.Options{})
		time.AfterFunc(250*time.Millisecond, func() {
			if err := m.Shutdown(context.Background()); err != nil {
				t.Errorf("shutdown: %v", err)
			}
		})
		var err error
		took := elapsed(func() { err = m.Broadcast(t.Context(), names(1000), []byte("hello")) })

		want(t, "time until the posts in flight were done", took, 300*time.Millisecond)
		unsent := failures(t, err)
		for id, err := range unsent {
			wantErr(t, id, err, connection.ErrShutdown)
			want(t, "posts to the unsent "+id, sender.PostsTo(id), 0)
		}
		want(t, "posts", len(sender.Posts()), 30)
		want(t, "unsent", len(unsent), 1000-30)
		want(t, "counted", m.Metrics().Counts, connection.Counts{Delivered: 30, Unsent: 970})
	})
}

func Test01_APostThatFailsAfterShutdownIsNotTriedAgain(t *testing.T) {
	eachWay(t, func(t *testing.T, send func(*connection.Manager, context.Context, string) error) {
		sender := &connectiontest.Sender{Latency: time.Second}
		sender.Always("c1", errServer)
		m := newManager(sender, connection.Options{BaseBackoff: time.Hour, MaxBackoff: time.Hour})
		time.AfterFunc(time.Millisecond, func() { _ = m.Shutdown(context.Background()) })
		took := elapsed(func() { wantErr(t, "in flight", send(m, t.Context(), "c1"), connection.ErrShutdown) })
		want(t, "time", took, time.Second)
		want(t, "posts", sender.PostsTo("c1"), 1)
	})
}

func Test02_ShutdownEndsTheWaitForARetry(t *testing.T) {
	eachWay(t, func(t *testing.T, send func(*connection.Manager, context.Context, string) error) {
		sender := &connectiontest.Sender{}
		sender.Always("c1", errServer)
		m := newManager(sender, connection.Options{BaseBackoff: time.Hour, MaxBackoff: time.Hour})
		time.AfterFunc(time.Millisecond, func() { _ = m.Shutdown(context.Background()) })
		took := elapsed(func() { wantErr(t, "waiting", send(m, t.Context(), "c1"), connection.ErrShutdown) })
		want(t, "time", took, time.Millisecond)
	})
}

func Test02_AnythingAfterShutdownIsRefused(t *testing.T) {
	bubble(t, func(t *testing.T) {
		sender := &connectiontest.Sender{}
		m := newManager(sender, connection.Options{})
		if err := m.Shutdown(t.Context()); err != nil {
			t.Fatal(err)
		}
		wantErr(t, "send", m.Send(t.Context(), "c1", nil), connection.ErrShutdown)
		unsent := failures(t, m.Broadcast(t.Context(), []string{"c1", "c2"}, nil))
		want(t, "unsent", len(unsent), 2)
		wantErr(t, "broadcast", unsent["c2"], connection.ErrShutdown)
		_, err := m.IsActive(t.Context(), "c1")
		wantErr(t, "is active", err, connection.ErrShutdown)
		want(t, "posts", len(sender.Posts()), 0)
		want(t, "counted", m.Metrics().Errors[connection.TypeShutdown], 3)
	})
}

func Test02_ShutdownMayBeCalledAnyNumberOfTimes(t *testing.T) {
	bubble(t, func(t *testing.T) {
		m := newManager(&connectiontest.Sender{Latency: time.Second}, connection.Options{})
		var calls sync.WaitGroup
		calls.Go(func() { wantErr(t, "send in flight", m.Send(t.Context(), "c1", nil), nil) })
		synctest.Wait()
		for range 3 {
			calls.Go(func() {
				if err := m.Shutdown(t.Context()); err != nil {
					t.Errorf("concurrent shutdown: %v", err)
				}
			})
		}
		calls.Wait()
		if err := m.Shutdown(t.Context()); err != nil {
			t.Errorf("shutdown once more: %v", err)
		}
	})
}

func Test02_ShutdownWaitsForASendInFlight(t *testing.T) {
	bubble(t, func(t *testing.T) {
		m := newManager(&connectiontest.Sender{Latency: 2 * time.Second}, connection.Options{})
		var calls sync.WaitGroup
		calls.Go(func() {
			if err := m.Send(t.Context(), "c1", nil); err != nil {
				t.Errorf("send in flight: %v", err)
			}
		})
		synctest.Wait()
		want(t, "wait", elapsed(func() { _ = m.Shutdown(t.Context()) }), 2*time.Second)
		calls.Wait()
	})
}

func Test02_ShutdownWaitsForCleanUp(t *testing.T) {
	bubble(t, func(t *testing.T) {
		sender := &connectiontest.Sender{}
		sender.Always("c1", connection.ErrGone)
		store := connectiontest.NewStore(connection.Connection{ID: "c1"})
		store.Latency = 3 * time.Second
		m := connection.NewManager(store, sender, connection.Options{})
		var calls sync.WaitGroup
		calls.Go(func() {
			wantErr(t, "gone", failures(t, m.Broadcast(t.Context(), []string{"c1"}, nil))["c1"], connection.ErrGone)
		})
		synctest.Wait()
		want(t, "wait", elapsed(func() { _ = m.Shutdown(t.Context()) }), 3*time.Second)
		want(t, "removed", len(store.Removed()), 1)
		calls.Wait()
	})
}

func Test02_ShutdownGivesUpWithItsContextAndSaysHowManyWereActive(t *testing.T) {
	bubble(t, func(t *testing.T) {
		m := newManager(&connectiontest.Sender{Latency: time.Minute}, connection.Options{})
		var calls sync.WaitGroup
		calls.Go(func() { _ = m.Send(t.Context(), "c1", nil) })
		calls.Go(func() { _ = m.Broadcast(t.Context(), names(50), nil) })
		synctest.Wait()

		ctx, cancel := context.WithTimeout(t.Context(), 500*time.Millisecond)
		defer cancel()
		err := m.Shutdown(ctx)
		wantErr(t, "shutdown", err, context.DeadlineExceeded)
		var active *connection.ShutdownError
		if !errors.As(err, &active) || active.Active != 2 || !strings.Contains(err.Error(), "2 operations still active") {
			t.Errorf("got %v, want 2 operations still active", err)
		}
		calls.Wait()
		if err := m.Shutdown(t.Context()); err != nil {
			t.Errorf("shutdown after all has ended: %v", err)
		}
	})
}

func Test09_NoGoroutineIsLeftWhenABroadcastReturns(t *testing.T) {
	bubble(t, func(t *testing.T) {
		ids := names(200)
		sender := &connectiontest.Sender{Latency: time.Millisecond}
		for i, id := range ids {
			switch i % 4 {
			case 0:
				sender.Always(id, connection.ErrGone)
			case 1:
				sender.Script(id, errServer, connection.ErrThrottled)
			}
		}
		m := newManager(sender, connection.Options{Adaptive: true})
		_ = m.Broadcast(t.Context(), ids, nil)
		want(t, "workers", m.Metrics().Workers, 0)
		// The last to leave may still be on its way out of the runtime.
		synctest.Wait()
		// Not by NumGoroutine, which counts those that have ended a moment longer, and the runtime's own.
		all := make([]byte, 1<<20)
		all = all[:runtime.Stack(all, true)]
		if n := bytes.Count(all, []byte("created by fanfare/shared/connection.")); n > 0 {
			t.Errorf("%d goroutines are left:\n%s", n, all)
		}
		want(t, "active", m.Metrics().Active, 0)
	})
}

func Test09_NoGoroutineOutlivesShutdown(t *testing.T) {
	// The bubble itself fails the test if one does.
	bubble(t, func(t *testing.T) {
		sender := &connectiontest.Sender{Latency: time.Second}
		sender.Always("c00001", connection.ErrGone)
		sender.Always("c00002", errServer)
		m := newManager(sender, connection.Options{})
		var calls sync.WaitGroup
		for range 3 {
			calls.Go(func() { _ = m.Broadcast(t.Context(), names(100), nil) })
		}
		time.Sleep(1500 * time.Millisecond)
		if err := m.Shutdown(t.Context()); err != nil {
			t.Fatal(err)
		}
		want(t, "workers", m.Metrics().Workers, 0)
		want(t, "active", m.Metrics().Active, 0)
		calls.Wait()
	})
}

func Test09_ASequenceThatPanicsLeavesNothingBehind(t *testing.T) {
	bubble(t, func(t *testing.T) {
		sender := &connectiontest.Sender{Latency: time.Second}
		sender.Script("c1", errServer, nil)
		m := newManager(sender, connection.Options{})
		func() {
			defer func() { want(t, "panic", recover(), any("broken")) }()
			_, _ = m.BroadcastSeq(t.Context(), func(yield func(string) bool) {
				yield("c1")
				panic("broken")
			}, nil, nil)
		}()
		want(t, "delivered", m.Metrics().Delivered, 1)
		if err := m.Shutdown(t.Context()); err != nil {
			t.Error(err)
		}
	})
}
