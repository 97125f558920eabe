package main

import (
	"container/heap"
	"math/rand/v2"
	"time"
)

// What shared/connection's Manager has as constants of its own; a test runs
// both and compares.
const (
	burstPeriod  = 20 * time.Millisecond // its default
	firstWorkers = 10
	mostWorkers  = 256
)

// manager is connection.Manager where nothing fails, one post after the other
// but without a goroutine for any: an environment's posts touch nobody else's,
// so a whole unit can be worked out at once.
type manager struct {
	gap     time.Duration // between two posts at the rate
	burst   time.Duration // idle time that may be made up for
	due     time.Duration // of the next post
	workers workers       // when each is free
	posts   int           // since the pool last grew
	waits   bool          // for the rate, since then
	post    latency
	rand    *rand.Rand
}

// newManager returns one that is made now: only from then on it saves up.
func newManager(now time.Duration, rate float64, burst time.Duration, post latency, r *rand.Rand) *manager {
	if burst == 0 {
		burst = burstPeriod
	}
	return &manager{
		gap: time.Duration(float64(time.Second) / rate), burst: burst, due: now,
		workers: make(workers, firstWorkers), post: post, rand: r,
	}
}

type workers []time.Duration

func (w workers) Len() int           { return len(w) }
func (w workers) Less(i, j int) bool { return w[i] < w[j] }
func (w workers) Swap(i, j int)      { w[i], w[j] = w[j], w[i] }
func (w *workers) Push(x any)        { *w = append(*w, x.(time.Duration)) }
func (w *workers) Pop() any          { panic("workers are never fewer where nothing is throttled") }

// send posts to n connections from now on, tells when each post is answered,
// and returns when the last is.
func (m *manager) send(now time.Duration, n int, answered func(at time.Duration)) (end time.Duration) {
	for i := range m.workers {
		m.workers[i] = now // all equal: a heap
	}
	for range n {
		start := m.reserve(m.workers[0])
		at := start + m.post.sample(m.rand)
		m.workers[0] = at
		heap.Fix(&m.workers, 0)
		answered(at)
		end = max(end, at)
		m.grow(start)
	}
	return end
}

// reserve is rate.reserve of shared/connection.
func (m *manager) reserve(now time.Duration) time.Duration {
	m.due = max(m.due, now-m.burst) + m.gap
	start := max(m.due-m.gap, now)
	m.waits = m.waits || start > now
	return start
}

// grow doubles the pool after two posts per worker, unless it is the rate that
// holds posts up.
func (m *manager) grow(now time.Duration) {
	if m.posts++; m.posts < 2*len(m.workers) {
		return
	}
	m.posts = 0
	if more := min(len(m.workers), mostWorkers-len(m.workers)); !m.waits {
		for range more {
			heap.Push(&m.workers, now)
		}
	}
	m.waits = false
}
