package broadcast

import (
	"sync"
	"time"
)

// CatchUp is how much of its rate a deliverer may make up for after a pause
// between two units: the wait for the slowest post, the counts, the queue. These
// take some 130 ms; without it a deliverer that takes 390 ms for a unit would
// spend a fourth of the rate on them.
const CatchUp = 250 * time.Millisecond

// Allowance is how many posts the splitter may make itself: a token bucket of
// one unit. The rate belongs to the deliverers, who need it for large audiences;
// small ones are to get their message without the way over the delivery queue,
// as long as they are few. It is safe for concurrent use.
type Allowance struct {
	rate float64 // posts a second
	now  func() time.Time

	mu   sync.Mutex
	left float64
	at   time.Time // when left was right
}

// NewAllowance returns a full one that grows by rate posts a second.
func NewAllowance(rate float64, now func() time.Time) *Allowance {
	return &Allowance{rate: rate, now: now, left: UnitSize, at: now()}
}

// Take takes n posts, or nothing and reports false if so many are not left.
func (a *Allowance) Take(n int) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	now := a.now()
	a.left = min(UnitSize, a.left+a.rate*max(0, now.Sub(a.at).Seconds()))
	a.at = now
	if float64(n) > a.left {
		return false
	}
	a.left -= float64(n)
	return true
}
