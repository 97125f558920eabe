package connection_test

import (
	"context"
	"sync"
	"testing"
	"time"

	"fanfare/shared/connection"
	"fanfare/shared/connection/connectiontest"
)

var adaptive = connection.Options{Adaptive: true}

// stub answers after 10 ms, like API Gateway on a good day.
func stub(ctx context.Context, _ string, _ *connection.Message) error {
	time.Sleep(10 * time.Millisecond)
	return nil
}

func TestAFixedPoolIsAsFastAsItsWorkersAlone(t *testing.T) {
	bubble(t, func(t *testing.T) {
		m := newManager(connectiontest.SenderFunc(stub), connection.Options{})
		took := elapsed(func() { _ = m.Broadcast(t.Context(), names(10_000), nil) })
		want(t, "time for 10,000 posts of 10 ms by ten workers", took, 10*time.Second)
	})
}

func TestAnAdaptivePoolGrowsAndStaysGrown(t *testing.T) {
	bubble(t, func(t *testing.T) {
		m := newManager(connectiontest.SenderFunc(stub), adaptive)
		for _, limit := range []time.Duration{800 * time.Millisecond, 500 * time.Millisecond} {
			took := elapsed(func() { _ = m.Broadcast(t.Context(), names(10_000), nil) })
			t.Logf("10,000 posts in %v", took)
			if took > limit {
				t.Errorf("10,000 posts took %v, want at most %v", took, limit)
			}
		}
		want(t, "worker limit", m.Metrics().WorkerLimit, 256)
	})
}

func TestAnAdaptivePoolNeverPassesItsMaximum(t *testing.T) {
	bubble(t, func(t *testing.T) {
		sender := &connectiontest.Sender{Latency: 10 * time.Millisecond}
		m := newManager(sender, connection.Options{Adaptive: true, MaxWorkers: 37})
		_ = m.Broadcast(t.Context(), names(10_000), nil)
		want(t, "most posts at a time", sender.Peak(), 37)
	})
}

func TestASmallBroadcastDoesNotGrowThePool(t *testing.T) {
	bubble(t, func(t *testing.T) {
		m := newManager(connectiontest.SenderFunc(stub), adaptive)
		for range 100 {
			_ = m.Broadcast(t.Context(), names(5), nil)
		}
		want(t, "worker limit", m.Metrics().WorkerLimit, 10)
	})
}

func TestAnAdaptivePoolHalvesWhenTheAccountIsThrottled(t *testing.T) {
	bubble(t, func(t *testing.T) {
		sender := &connectiontest.Sender{Latency: 10 * time.Millisecond}
		m := newManager(sender, adaptive)
		_ = m.Broadcast(t.Context(), names(10_000), nil)
		want(t, "worker limit before", m.Metrics().WorkerLimit, 256)
		sender.Script("c00001", connection.ErrThrottled)
		sender.Script("c00002", connection.ErrThrottled)
		_ = m.Broadcast(t.Context(), names(10), nil)
		want(t, "worker limit", m.Metrics().WorkerLimit, 128)
	})
}

func TestOneClientWithAFullBufferSlowsNobodyElseDown(t *testing.T) {
	bubble(t, func(t *testing.T) {
		sender := &connectiontest.Sender{Latency: 10 * time.Millisecond}
		sender.Always("c00001", connection.ErrThrottled)
		m := newManager(sender, connection.Options{Adaptive: true, Rate: 100_000})
		_ = m.Broadcast(t.Context(), names(10_000), nil)
		want(t, "worker limit", m.Metrics().WorkerLimit, 256)
		want(t, "rate", m.Metrics().Rate, 100_000)
	})
}

func TestAnAdaptivePoolHalvesWhenLatencyClimbs(t *testing.T) {
	bubble(t, func(t *testing.T) {
		// A gateway that serves 1,000 at a time slows down beyond 64.
		var mu sync.Mutex
		inFlight, peak := 0, 0
		m := newManager(connectiontest.SenderFunc(func(context.Context, string, *connection.Message) error {
			mu.Lock()
			inFlight++
			peak = max(peak, inFlight)
			latency := 10 * time.Millisecond * time.Duration(max(64, inFlight)) / 64
			mu.Unlock()
			time.Sleep(latency)
			mu.Lock()
			inFlight--
			mu.Unlock()
			return nil
		}), adaptive)
		_ = m.Broadcast(t.Context(), names(50_000), nil)
		if limit := m.Metrics().WorkerLimit; limit < 40 || limit > 160 {
			t.Errorf("the pool ends at %d workers (peak %d), want near the 64 that the gateway has room for", limit, peak)
		}
	})
}

// bucket is API Gateway with a token bucket: 10 ms, and 429 above the rate.
type bucket struct {
	rate, burst float64

	mu                sync.Mutex
	tokens            float64
	at                time.Time
	posts, throttles  int
	delivered, double map[string]bool
}

func newBucket(rate, burst float64) *bucket {
	return &bucket{
		rate: rate, burst: burst, tokens: burst, at: time.Now(),
		delivered: make(map[string]bool), double: make(map[string]bool),
	}
}

func (b *bucket) Post(_ context.Context, id string, _ *connection.Message) error {
	time.Sleep(10 * time.Millisecond)
	b.mu.Lock()
	defer b.mu.Unlock()
	now := time.Now()
	b.tokens = min(b.burst, b.tokens+b.rate*now.Sub(b.at).Seconds())
	b.at = now
	b.posts++
	if b.tokens < 1 {
		b.throttles++
		return connection.ErrThrottled
	}
	b.tokens--
	if b.delivered[id] {
		b.double[id] = true
	}
	b.delivered[id] = true
	return nil
}

func TestAThrottlingAccountIsUsedToTheFullWithFewThrottles(t *testing.T) {
	options := map[string]connection.Options{
		"rate known":             {Adaptive: true, Rate: 2000},
		"rate unknown":           adaptive,
		"rate thought too high":  {Adaptive: true, Rate: 2500},
		"rate known, fixed pool": {Workers: 32, Rate: 2000},
	}
	for name, o := range options {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				gateway := newBucket(2000, 200)
				m := newManager(gateway, o)
				var err error
				took := elapsed(func() { err = m.Broadcast(t.Context(), names(20_000), nil) })
				share := 100 * float64(gateway.throttles) / float64(gateway.posts)
				t.Logf("20,000 in %v, %d of %d posts throttled (%.2f%%)", took, gateway.throttles, gateway.posts, share)
				if err != nil {
					t.Error(err)
				}
				want(t, "delivered", len(gateway.delivered), 20_000)
				want(t, "delivered twice", len(gateway.double), 0)
				if took > 12*time.Second || share > 3 {
					t.Errorf("took %v with %.2f%% throttled, want at most 12 s and 3%%", took, share)
				}
			})
		})
	}
}

func TestTheRateHoldsForAllTogether(t *testing.T) {
	bubble(t, func(t *testing.T) {
		m := newManager(connectiontest.SenderFunc(stub), connection.Options{Adaptive: true, Rate: 500})
		start := time.Now()
		var calls sync.WaitGroup
		for range 4 {
			calls.Go(func() { _ = m.Broadcast(t.Context(), names(500), nil) })
		}
		calls.Go(func() {
			for range 20 {
				_ = m.Send(t.Context(), "c1", nil)
			}
		})
		calls.Wait()
		took := time.Since(start).Seconds()
		if rate := 2020 / took; rate > 510 || rate < 490 {
			t.Errorf("2,020 posts in %.2f s are %.0f a second, want 500", took, rate)
		}
		// 500 a second at 10 ms are 5 at a time: more workers would only wait.
		want(t, "worker limit", m.Metrics().WorkerLimit, 10)
	})
}

func TestIdleTimeBuysNoMoreThanABurst(t *testing.T) {
	bubble(t, func(t *testing.T) {
		sender := &connectiontest.Sender{}
		m := newManager(sender, connection.Options{Rate: 1000})
		time.Sleep(time.Hour)
		start := time.Now()
		_ = m.Broadcast(t.Context(), names(100), nil)
		atOnce := 0
		for _, post := range sender.Posts() {
			if post.Start.Equal(start) {
				atOnce++
			}
		}
		// A fiftieth of a second's, and the one that is always allowed.
		want(t, "posts at once", atOnce, 1000/50+1)
		want(t, "time for the rest", time.Since(start), 79*time.Millisecond)
	})
}

func TestALongerBurstPeriodMakesUpForALongerPause(t *testing.T) {
	bubble(t, func(t *testing.T) {
		m := newManager(&connectiontest.Sender{}, connection.Options{Rate: 1000, BurstPeriod: 250 * time.Millisecond})
		start := time.Now()
		for range 10 { // units of 500, each followed by a pause
			_ = m.Broadcast(t.Context(), names(500), nil)
			time.Sleep(200 * time.Millisecond)
		}
		// A post each millisecond, as if there were no pauses but the last.
		want(t, "time", time.Since(start), 4999*time.Millisecond+200*time.Millisecond)
	})
}

func TestTheRateGivesWayAndComesBack(t *testing.T) {
	bubble(t, func(t *testing.T) {
		sender := &connectiontest.Sender{}
		m := newManager(sender, connection.Options{Rate: 1000})
		sender.Script("c00001", connection.ErrThrottled)
		sender.Script("c00002", connection.ErrThrottled)
		_ = m.Send(t.Context(), "c00001", nil)
		want(t, "after one client's", m.Metrics().Rate, 1000)
		_ = m.Send(t.Context(), "c00002", nil)
		if rate := m.Metrics().Rate; rate < 700 || rate > 720 {
			t.Errorf("rate is %.0f after throttles of two connections, want 700 to 720", rate)
		}
		time.Sleep(3 * time.Second)
		want(t, "three seconds later", m.Metrics().Rate, 1000)
	})
}

func TestManyOfWhichSomeAreGoneAndSomeFail(t *testing.T) {
	bubble(t, func(t *testing.T) {
		const total = 20_000 // the benchmark does 100,000
		ids := names(total)
		sender := &connectiontest.Sender{Latency: 10 * time.Millisecond}
		store := connectiontest.NewStore()
		store.Latency = 5 * time.Millisecond
		for i, id := range ids {
			store.Put(connection.Connection{ID: id})
			switch {
			case i%10 == 0:
				sender.Always(id, connection.ErrGone)
			case i%100 == 1:
				sender.Always(id, errServer)
			}
		}
		m := connection.NewManager(store, sender, adaptive)
		reported := failures(t, m.Broadcast(t.Context(), ids, []byte("hello")))
		want(t, "reported", len(reported), total/10+total/100)
		perID := make(map[string]int)
		for _, post := range sender.Posts() {
			if post.Err == nil {
				perID[post.ID]++
			}
		}
		want(t, "delivered", len(perID), total-len(reported))
		for id, n := range perID {
			want(t, "deliveries to "+id, n, 1)
		}
		want(t, "removals", len(store.Removals()), total/10)
		want(t, "removed", len(store.Removed()), total/10)
	})
}

func TestALatencyThatHalvingDoesNotCureBecomesTheNormalOne(t *testing.T) {
	bubble(t, func(t *testing.T) {
		sender := &connectiontest.Sender{Latency: 10 * time.Millisecond}
		m := newManager(sender, adaptive)
		_ = m.Broadcast(t.Context(), names(10_000), nil)
		sender.Latency = 100 * time.Millisecond // larger messages, say
		_ = m.Broadcast(t.Context(), names(10_000), nil)
		if limit := m.Metrics().WorkerLimit; limit < 128 {
			t.Errorf("the pool has shrunk to %d workers", limit)
		}
	})
}
