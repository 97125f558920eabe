package connection

import (
	"iter"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// MaxValues is how many values one CloudWatch embedded-metric array may hold.
// https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
const MaxValues = 100

// Metrics is the state of a Manager at one moment. Counts are since it was made.
type Metrics struct {
	Counts              // of all sends, broadcasts' and single ones
	Posts         int64 // posts that were made, retries included
	Removed       int64 // gone connections whose rows this Manager deleted
	CleanupErrors int64 // gone connections whose clean-up failed
	// Errors counts by type: every post that failed, retries included, and every
	// send that ended without its post because its breaker was open, the context
	// ended or the Manager shut down. Types that did not occur are missing.
	Errors map[ErrorType]int64

	P50, P99, Max time.Duration // of all posts, whatever their answer; right to 1%

	Active      int     // calls at work: Send, Broadcast, BroadcastSeq, IsActive
	Workers     int     // goroutines that post for broadcasts now
	WorkerLimit int     // what an adaptive pool may grow to at the moment
	Rate        float64 // posts a second that are let through now; 0 = no limit
	Breakers    BreakerCounts
}

// BreakerCounts are the remembered connections by their breaker's state. A
// healthy connection has no breaker. An open one stays Open after its time
// until somebody sends to it.
type BreakerCounts struct{ Closed, HalfOpen, Open int }

// Interval is what happened between two calls of Flush.
type Interval struct {
	From, To time.Time
	Counts
	Posts         int64
	Removed       int64
	CleanupErrors int64
	Errors        map[ErrorType]int64 // as in Metrics
	Latencies     []Bucket            // of all posts, rising
}

// Bucket stands for Count posts that took Value, right to 1%.
type Bucket struct {
	Value time.Duration
	Count int64
}

// ValueArrays cuts the latencies into pieces that each fit one embedded-metric
// record.
func (i Interval) ValueArrays() iter.Seq[[]Bucket] { return slices.Chunk(i.Latencies, MaxValues) }

// stats are the Manager's counters.
type stats struct {
	*latencies
	outcomes      [outcomes]atomic.Int64 // delivered ones are counted by latencies
	errors        [kinds]atomic.Int64
	removed       atomic.Int64
	cleanupErrors atomic.Int64

	mu      sync.Mutex // held by flush
	flushed totals
	at      time.Time
}

// totals are the plain counters at one moment, or between two.
type totals struct {
	outcomes               [outcomes]int64
	errors                 [kinds]int64
	removed, cleanupErrors int64
}

func newStats() *stats { return &stats{latencies: newLatencies(), at: time.Now()} }

func (s *stats) totals() totals {
	t := totals{removed: s.removed.Load(), cleanupErrors: s.cleanupErrors.Load()}
	for i := range s.outcomes {
		t.outcomes[i] = s.outcomes[i].Load()
	}
	for i := range s.errors {
		t.errors[i] = s.errors[i].Load()
	}
	return t
}

func (t totals) minus(u totals) totals {
	for i := range t.outcomes {
		t.outcomes[i] -= u.outcomes[i]
	}
	for i := range t.errors {
		t.errors[i] -= u.errors[i]
	}
	t.removed -= u.removed
	t.cleanupErrors -= u.cleanupErrors
	return t
}

func (t totals) counts(delivered int64) Counts {
	return Counts{
		Delivered: delivered,
		Gone:      t.outcomes[gone],
		Failed:    t.outcomes[failed],
		Unsent:    t.outcomes[unsent],
	}
}

func (t totals) byType() map[ErrorType]int64 {
	m := make(map[ErrorType]int64)
	for k, n := range t.errors {
		if n != 0 {
			m[types[k].name] = n
		}
	}
	return m
}

func (s *stats) flush() Interval {
	s.mu.Lock()
	defer s.mu.Unlock()
	posts, delivered := s.drain()
	now := s.totals()
	t := now.minus(s.flushed)
	interval := Interval{
		From: s.at, To: time.Now(),
		Counts: t.counts(delivered), Posts: posts.TotalCount(),
		Removed: t.removed, CleanupErrors: t.cleanupErrors,
		Errors: t.byType(), Latencies: buckets(posts),
	}
	s.flushed, s.at = now, interval.To
	return interval
}

// Flush returns what happened since the last Flush, or since the Manager was
// made. What happens while it runs is in this interval or the next: the sum of
// all intervals is exact. Call it at the end of an invocation, and write the
// intervals as embedded metrics: percentiles of separate functions cannot be
// merged afterwards, their value arrays can.
func (m *Manager) Flush() Interval { return m.stats.flush() }

// Metrics returns a snapshot. It costs tens of microseconds and does not hold
// up sends.
func (m *Manager) Metrics() Metrics {
	posts, delivered := m.stats.total()
	t := m.stats.totals()
	quantiles := posts.ValueAtPercentilesSlice([]float64{50, 99, 100})
	return Metrics{
		Counts: t.counts(delivered), Posts: posts.TotalCount(),
		Removed: t.removed, CleanupErrors: t.cleanupErrors, Errors: t.byType(),
		P50: microseconds(quantiles[0]), P99: microseconds(quantiles[1]), Max: microseconds(quantiles[2]),
		Active: int(m.operations.active.Load()), Workers: m.pool.size(), WorkerLimit: m.pool.limit(),
		Rate:     m.rate.allowed(m.now()),
		Breakers: m.breakers.counts(),
	}
}
