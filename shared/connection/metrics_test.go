package connection_test

import (
	"context"
	"maps"
	"math"
	"slices"
	"sync"
	"testing"
	"time"

	"fanfare/shared/connection"
	"fanfare/shared/connection/connectiontest"
)

func Test11_MetricsAreRightWithSixtyFourGoroutinesHammering(t *testing.T) {
	bubble(t, func(t *testing.T) {
		const goroutines, each = 64, 100
		sender := &connectiontest.Sender{}
		ids := names(goroutines * each)
		var latencies []time.Duration
		for i, id := range ids {
			// Spread over four orders of magnitude.
			latency := time.Duration(float64(time.Millisecond) * math.Pow(10, 4*float64(i)/float64(len(ids))))
			latencies = append(latencies, latency)
			sender.Slow(id, latency)
			switch i % 10 {
			case 3:
				sender.Always(id, connection.ErrGone)
			case 7:
				sender.Always(id, errServer)
			}
		}
		m := newManager(sender, single)
		var senders sync.WaitGroup
		for g := range goroutines {
			senders.Go(func() {
				for i := range each {
					_ = m.Send(t.Context(), ids[i*goroutines+g], nil)
				}
			})
		}
		senders.Wait()

		metrics := m.Metrics()
		n := int64(len(ids))
		want(t, "counts", metrics.Counts, connection.Counts{Delivered: n * 8 / 10, Gone: n / 10, Failed: n / 10})
		want(t, "posts", metrics.Posts, n)
		wantNear(t, "p50", metrics.P50, latencies[n/2-1])
		wantNear(t, "p99", metrics.P99, latencies[n*99/100-1])
		wantNear(t, "max", metrics.Max, latencies[n-1])
		if errs := map[connection.ErrorType]int64{connection.TypeGone: n / 10, connection.TypeFailed: n / 10}; !maps.Equal(metrics.Errors, errs) {
			t.Errorf("errors: got %v, want %v", metrics.Errors, errs)
		}
	})
}

// wantNear allows what a histogram of two significant figures may be off by.
func wantNear(t *testing.T, what string, got, want time.Duration) {
	t.Helper()
	if off := math.Abs(float64(got-want)) / float64(want); off > 0.01 {
		t.Errorf("%s: got %v, want %v to 1%%, is off by %.2f%%", what, got, want, 100*off)
	}
}

func Test11_NothingIsLostBetweenTwoFlushes(t *testing.T) {
	const goroutines, each = 64, 500
	m := newManager(connectiontest.SenderFunc(func(_ context.Context, id string, _ *connection.Message) error {
		if id == "gone" {
			return connection.ErrGone
		}
		return nil
	}), connection.Options{})

	var senders sync.WaitGroup
	for g := range goroutines {
		senders.Go(func() {
			for range each {
				_ = m.Send(t.Context(), []string{"live", "gone"}[g%2], nil)
			}
		})
	}
	done := make(chan struct{})
	go func() { senders.Wait(); close(done) }()
	var intervals []connection.Interval
	for more := true; more; {
		select {
		case <-done:
			more = false
		default:
		}
		intervals = append(intervals, m.Flush())
	}

	var sum connection.Interval
	sum.Errors = make(map[connection.ErrorType]int64)
	var values int64
	for i, in := range intervals {
		sum.Delivered += in.Delivered
		sum.Gone += in.Gone
		sum.Posts += in.Posts
		sum.Errors[connection.TypeGone] += in.Errors[connection.TypeGone]
		for _, b := range in.Latencies {
			values += b.Count
		}
		if i > 0 && !in.From.Equal(intervals[i-1].To) {
			t.Errorf("interval %d begins at %v, the one before ends at %v", i, in.From, intervals[i-1].To)
		}
	}
	want(t, "delivered", sum.Delivered, goroutines*each/2)
	want(t, "gone", sum.Gone, goroutines*each/2)
	want(t, "posts", sum.Posts, goroutines*each)
	want(t, "latencies", values, goroutines*each)
	want(t, "errors", sum.Errors[connection.TypeGone], goroutines*each/2)
	want(t, "metrics go on", m.Metrics().Posts, goroutines*each)
	want(t, "nothing is left", m.Flush().Posts, 0)
}

func Test11_LatenciesLeaveAsValueArraysOfAtMost100(t *testing.T) {
	bubble(t, func(t *testing.T) {
		const n = 350
		sender := &connectiontest.Sender{}
		ids := names(n)
		for i, id := range ids {
			// 5% apart, so that each has a value of its own, and each twice.
			sender.Slow(id, time.Duration(float64(10*time.Microsecond)*math.Pow(1.04, float64(i))))
		}
		m := newManager(sender, connection.Options{})
		for range 2 {
			_ = m.Broadcast(t.Context(), ids, nil)
		}
		interval := m.Flush()
		var posts int64
		var values []time.Duration
		for array := range interval.ValueArrays() {
			if len(array) > connection.MaxValues {
				t.Errorf("an array has %d values", len(array))
			}
			for _, b := range array {
				posts += b.Count
				values = append(values, b.Value)
			}
		}
		want(t, "posts", posts, 2*n)
		want(t, "rising", slices.IsSorted(values), true)
		if len(values) < 300 {
			t.Errorf("only %d values, the test needs several arrays", len(values))
		}
	})
}

func Test11_LatenciesBeyondTheScaleAreCountedAtItsEnds(t *testing.T) {
	bubble(t, func(t *testing.T) {
		sender := &connectiontest.Sender{}
		sender.Slow("slow", time.Hour)
		m := newManager(sender, connection.Options{})
		_ = m.Broadcast(t.Context(), []string{"slow", "instant"}, nil)
		want(t, "posts", m.Metrics().Posts, 2)
		wantNear(t, "max", m.Metrics().Max, time.Minute)
	})
}

func Test11_ActiveOperationsAndWorkersAreSeenWhileTheyWork(t *testing.T) {
	bubble(t, func(t *testing.T) {
		m := newManager(&connectiontest.Sender{Latency: time.Second}, connection.Options{})
		var calls sync.WaitGroup
		calls.Go(func() { _ = m.Broadcast(t.Context(), names(20), nil) })
		calls.Go(func() { _ = m.Broadcast(t.Context(), names(3), nil) })
		calls.Go(func() { _ = m.Send(t.Context(), "c1", nil) })
		time.Sleep(500 * time.Millisecond)
		metrics := m.Metrics()
		want(t, "active", metrics.Active, 3)
		want(t, "workers", metrics.Workers, 10)
		calls.Wait()
		want(t, "active afterwards", m.Metrics().Active, 0)
		want(t, "workers afterwards", m.Metrics().Workers, 0)
	})
}

// A shared machine says little about microseconds, so this is the order of
// magnitude: BenchmarkMetrics has the figure.
func Test11_ASnapshotTakesMicroseconds(t *testing.T) {
	m := newManager(connectiontest.SenderFunc(func(context.Context, string, *connection.Message) error { return nil }), connection.Options{})
	_, _ = m.BroadcastSeq(t.Context(), repeated("c1", 10_000), nil, nil)
	best := time.Hour
	for range 50 {
		best = min(best, elapsed(func() { m.Metrics() }))
	}
	if limit := time.Millisecond; best > limit {
		t.Errorf("a snapshot takes %v at best, want under %v even with the race detector", best, limit)
	}
}
