package connection_test

import (
	"context"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"fanfare/shared/connection"
	"fanfare/shared/connection/connectiontest"
)

// The in-process lines of the table that `make bench` prints. Those that take
// seconds are one pair per iteration, report the median, and want
// -benchtime=15x.

var instant = connectiontest.SenderFunc(func(context.Context, string, *connection.Message) error { return nil })

// BenchmarkBookkeeping is what a send costs besides the post: breaker, metrics
// and, in a broadcast, the pool. Send's one allocation is its Message.
func BenchmarkBookkeeping(b *testing.B) {
	b.Run("Broadcast", func(b *testing.B) { benchmarkStream(b, connection.Options{}) })
	b.Run("BroadcastAdaptive", func(b *testing.B) { benchmarkStream(b, adaptive) })
	b.Run("Send", func(b *testing.B) {
		m := newManager(instant, connection.Options{})
		b.ReportAllocs()
		for b.Loop() {
			_ = m.Send(b.Context(), "c1", nil)
		}
	})
	b.Run("BroadcastWhileOthersFail", func(b *testing.B) {
		sender := connectiontest.SenderFunc(func(_ context.Context, id string, _ *connection.Message) error {
			if id != "c1" {
				return errServer
			}
			return nil
		})
		m := newManager(sender, single)
		_ = m.Broadcast(b.Context(), names(1000), nil)
		b.ReportAllocs()
		b.ResetTimer()
		_, _ = m.BroadcastSeq(b.Context(), repeated("c1", b.N), nil, nil)
	})
}

func benchmarkStream(b *testing.B, o connection.Options) {
	m := newManager(instant, o)
	b.ReportAllocs()
	b.ResetTimer()
	_, _ = m.BroadcastSeq(b.Context(), repeated("c1", b.N), nil, nil)
}

func BenchmarkMetrics(b *testing.B) {
	m := newManager(instant, connection.Options{})
	_, _ = m.BroadcastSeq(b.Context(), repeated("c1", 10_000), nil, nil)
	b.Run("Snapshot", func(b *testing.B) {
		for b.Loop() {
			m.Metrics()
		}
	})
	b.Run("Flush", func(b *testing.B) {
		for b.Loop() {
			m.Flush()
		}
	})
}

// BenchmarkFixedPool: at most 1.02 times ten goroutines that do nothing else.
func BenchmarkFixedPool(b *testing.B) {
	ids := names(10_000)
	m := newManager(connectiontest.SenderFunc(stub), connection.Options{})
	var ratios []float64
	for b.Loop() {
		bare := elapsed(func() { bareLoops(b.Context(), ids, 10) })
		ours := elapsed(func() { _ = m.Broadcast(b.Context(), ids, nil) })
		ratios = append(ratios, float64(ours)/float64(bare))
	}
	b.ReportMetric(median(ratios), "x-bare-loops")
}

func bareLoops(ctx context.Context, ids []string, n int) {
	var loops sync.WaitGroup
	for part := range slices.Chunk(ids, len(ids)/n) {
		loops.Go(func() {
			for _, id := range part {
				_ = stub(ctx, id, nil)
			}
		})
	}
	loops.Wait()
}

// BenchmarkAdaptivePool: at most 0.8 s cold and 0.5 s warm.
func BenchmarkAdaptivePool(b *testing.B) {
	ids := names(10_000)
	var cold, warm []float64
	for b.Loop() {
		m := newManager(connectiontest.SenderFunc(stub), adaptive)
		cold = append(cold, elapsed(func() { _ = m.Broadcast(b.Context(), ids, nil) }).Seconds())
		warm = append(warm, elapsed(func() { _ = m.Broadcast(b.Context(), ids, nil) }).Seconds())
	}
	b.ReportMetric(median(cold), "s-cold")
	b.ReportMetric(median(warm), "s-warm")
}

// BenchmarkTokenBucket: 20,000 connections at an account of 2,000 a second, all
// delivered in less than 12 s, with less than 3% of the posts throttled.
func BenchmarkTokenBucket(b *testing.B) {
	for name, o := range map[string]connection.Options{
		"RateKnown":   {Adaptive: true, Rate: 2000},
		"RateUnknown": adaptive,
	} {
		b.Run(name, func(b *testing.B) {
			var seconds, throttled []float64
			for b.Loop() {
				gateway := newBucket(2000, 200)
				m := newManager(gateway, o)
				seconds = append(seconds, elapsed(func() {
					if err := m.Broadcast(b.Context(), names(20_000), nil); err != nil {
						b.Error(err)
					}
				}).Seconds())
				throttled = append(throttled, 100*float64(gateway.throttles)/float64(gateway.posts))
			}
			b.ReportMetric(median(seconds), "s")
			b.ReportMetric(median(throttled), "%-throttled")
		})
	}
}

// BenchmarkGoneAndFailing: of 100,000 connections every live one has the
// message once and every gone one is cleaned up once.
func BenchmarkGoneAndFailing(b *testing.B) {
	const total = 100_000
	ids := names(total)
	store := &countingStore{}
	for b.Loop() {
		posts := make([]atomic.Int32, total)
		store.removed = make([]atomic.Int32, total)
		m := connection.NewManager(store, connectiontest.SenderFunc(func(_ context.Context, id string, _ *connection.Message) error {
			time.Sleep(time.Millisecond)
			n := number(id)
			switch {
			case n%10 == 0:
				return connection.ErrGone
			case n%100 == 1:
				return errServer
			}
			posts[n].Add(1)
			return nil
		}), adaptive)
		_ = m.Broadcast(b.Context(), ids, []byte("hello"))
		for n := range total {
			live, gone := int32(1), int32(0)
			if n%10 == 0 {
				live, gone = 0, 1
			} else if n%100 == 1 {
				live = 0
			}
			if posts[n].Load() != live || store.removed[n].Load() != gone {
				b.Fatalf("%s was delivered %d times and cleaned up %d times", ids[n], posts[n].Load(), store.removed[n].Load())
			}
		}
	}
}

// countingStore costs less than the fake that remembers all.
type countingStore struct {
	connection.Store
	removed []atomic.Int32
}

func (s *countingStore) RemoveGone(_ context.Context, id string, _ time.Time) error {
	time.Sleep(time.Millisecond)
	s.removed[number(id)].Add(1)
	return nil
}

// number is the inverse of names.
func number(id string) int {
	n, err := strconv.Atoi(id[1:])
	if err != nil {
		panic(err)
	}
	return n
}

func median(values []float64) float64 {
	slices.Sort(values)
	return values[len(values)/2]
}
