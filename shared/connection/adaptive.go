package connection

import (
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

const (
	stepPause  = 30 * time.Millisecond // between two steps of careful growth
	stepShare  = 16                    // a step is one sixteenth of the size, at least one worker
	maxSamples = 64                    // latencies that a median is taken of
	// Below these, a change of the median is noise and no sign of congestion.
	holdSlack  = time.Millisecond
	climbSlack = 3 * time.Millisecond
)

// sizer decides how many workers the pool may have. It looks at windows of two
// posts per worker, which is about two round trips.
type sizer struct {
	adaptive bool
	max      int32
	current  atomic.Int32

	mu       sync.Mutex
	careful  bool // after the first throttle: steps instead of doubling
	samples  [maxSamples]time.Duration
	n        int           // posts in this window
	base     time.Duration // the median that is normal
	climbed  time.Duration // the median that made for the last halving, 0 if a throttle did
	lastCut  time.Duration // since the Manager's epoch, as all times here
	lastStep time.Duration
}

func newSizer(o Options) *sizer {
	s := &sizer{adaptive: o.Adaptive, max: int32(o.MaxWorkers)}
	s.current.Store(int32(o.Workers))
	if o.Adaptive {
		s.current.Store(min(int32(o.Workers), s.max))
	}
	return s
}

// observe takes a delivered post into account. busy tells, if asked, whether
// more workers would have had something to do. It reports growth.
func (s *sizer) observe(start, took time.Duration, busy func() bool) (grew bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if start < s.lastCut {
		return false // it says how it was before
	}
	s.samples[s.n%maxSamples] = took
	s.n++
	if s.n < 2*int(s.current.Load()) {
		return false
	}
	median := s.median()
	s.n = 0
	return s.decide(start+took, median, busy)
}

func (s *sizer) median() time.Duration {
	window := s.samples // a copy, to be sorted
	sorted := window[:min(s.n, maxSamples)]
	slices.Sort(sorted)
	return sorted[len(sorted)/2]
}

func (s *sizer) decide(now, median time.Duration, busy func() bool) (grew bool) {
	s.learn(median)
	switch {
	case median > 2*s.base+climbSlack:
		s.cut(now)
		s.climbed = median
		return false
	case median > s.base+s.base/2+holdSlack, !busy():
		return false
	}
	return s.grow(now)
}

// learn keeps the normal median. It is the lowest there was, unless halving did
// not bring it back: then it is not our posts that made it climb.
func (s *sizer) learn(median time.Duration) {
	unmoved := s.climbed > 0 && median > s.climbed*4/5
	if s.base == 0 || median < s.base || unmoved {
		s.base = median
	}
	s.climbed = 0
}

func (s *sizer) grow(now time.Duration) bool {
	old := s.current.Load()
	size := 2 * old
	if s.careful {
		if now-s.lastStep < stepPause {
			return false
		}
		size = old + max(1, old/stepShare)
	}
	s.lastStep = now
	size = min(size, s.max)
	s.current.Store(size)
	return size > old
}

// throttled halves the size, unless the post began before the last halving and
// so says nothing about the size of now.
func (s *sizer) throttled(start, now time.Duration) {
	if !s.adaptive {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if start >= s.lastCut {
		s.cut(now)
	}
}

func (s *sizer) cut(now time.Duration) {
	s.current.Store(max(1, s.current.Load()/2))
	s.careful = true
	s.lastCut, s.lastStep, s.n, s.climbed = now, now, 0, 0
}

// throttles tells the account's throttling from one client's. API Gateway
// answers 429 to both "too many requests" and "this client's buffer is full";
// the second must not slow down everybody else. So it takes throttles of two
// connections within throttleMemory to mean the first.
type throttles struct {
	mu sync.Mutex
	id string
	at time.Duration
}

const throttleMemory = time.Second

// general notes a throttle and reports whether it is the account's.
func (t *throttles) general(id string, now time.Duration) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	other := t.id != "" && t.id != id && now-t.at < throttleMemory
	t.id, t.at = id, now
	return other
}
