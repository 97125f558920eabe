package connection

import (
	"sync"
	"time"
)

const (
	giveWayFactor = 0.7                    // what a throttle leaves of the rate
	giveWayFloor  = 1.0 / 20               // never below this share of the rate
	giveWayPause  = 250 * time.Millisecond // throttles closer together are one
	recoverIn     = 10 * time.Second       // from nothing back to the full rate
)

// rate is a token bucket (in the form of GCRA: the time at which the next post
// would be due if all kept their distance). Times are since the Manager's epoch.
type rate struct {
	limit float64       // posts per second; 0 is no limit
	burst time.Duration // a burst is what this time would let through

	mu      sync.Mutex
	current float64       // limit, or less while giving way
	due     time.Duration // of the next post
	changed time.Duration // when current was last brought up to date
	gaveWay time.Duration
	waits   bool // since the last look, somebody had to wait
}

func newRate(limit float64, burst time.Duration) *rate {
	limit = max(limit, 0)
	return &rate{limit: limit, burst: burst, current: limit, gaveWay: -giveWayPause}
}

// wait returns when a post may start, or the reason why it may not any more.
func (r *rate) wait(s scope, now func() time.Duration) error {
	if r.limit == 0 {
		return nil
	}
	return s.sleep(r.reserve(now()))
}

// reserve takes the next place in line and returns how long it is to there.
func (r *rate) reserve(now time.Duration) time.Duration {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.recover(now)
	gap := time.Duration(float64(time.Second) / r.current)
	// Idle time buys no more than a burst.
	r.due = max(r.due, now-r.burst) + gap
	wait := r.due - gap - now
	if wait > 0 {
		r.waits = true
	}
	return max(wait, 0)
}

func (r *rate) recover(now time.Duration) {
	share := float64(now-r.changed) / float64(recoverIn)
	r.current = min(r.limit, r.current+r.limit*share)
	r.changed = now
}

// giveWay lowers the rate: somebody else needs a part of the account's.
func (r *rate) giveWay(now time.Duration) {
	if r.limit == 0 {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if now-r.gaveWay < giveWayPause {
		return
	}
	r.recover(now)
	r.gaveWay = now
	r.current = max(r.current*giveWayFactor, r.limit*giveWayFloor)
}

// waited reports whether the rate held a post up since it was last asked.
func (r *rate) waited() bool {
	if r.limit == 0 {
		return false
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	waits := r.waits
	r.waits = false
	return waits
}

// allowed returns the rate of the moment, 0 if there is no limit.
func (r *rate) allowed(now time.Duration) float64 {
	if r.limit == 0 {
		return 0
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.recover(now)
	return r.current
}
