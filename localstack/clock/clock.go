// Package clock is the one clock of the local cloud. Every service reads the
// time here, so that moving it moves all of them together: what AWS does after
// two hours can be seen in milliseconds.
//
//	c := clock.New()
//	c.AfterFunc(10*time.Minute, closeIdleSocket)
//	c.Advance(10 * time.Minute) // closeIdleSocket runs now
//
// The clock follows real time and never goes back. It does not slow down or
// stop: between two Advances a second is a second.
package clock

import (
	"container/heap"
	"context"
	"sync"
	"time"
)

// Clock tells the cloud's time: real time plus all Advances so far.
// A Clock is safe for concurrent use.
type Clock struct {
	mu     sync.Mutex
	offset time.Duration
	timers timerHeap
	wake   *time.Timer // real timer armed for timers[0], nil while there is none
}

// New returns a clock that shows real time.
func New() *Clock { return &Clock{} }

// Now returns the cloud's time, without a monotonic reading, so that a
// comparison with a stored time means what it says.
func (c *Clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now()
}

func (c *Clock) now() time.Time { return time.Now().Round(0).Add(c.offset) }

// Since returns how much of the cloud's time has passed since t.
func (c *Clock) Since(t time.Time) time.Duration { return c.Now().Sub(t) }

// Offset returns how far ahead of real time the clock is.
func (c *Clock) Offset() time.Duration {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.offset
}

// Advance moves the clock forward by d and starts everything that becomes due,
// each in a goroutine of its own. A negative d is ignored.
func (c *Clock) Advance(d time.Duration) {
	if d <= 0 {
		return
	}
	c.mu.Lock()
	c.offset += d
	due := c.takeDue()
	c.arm()
	c.mu.Unlock()
	run(due)
}

// A Timer is one call that AfterFunc has promised.
type Timer struct {
	clock *Clock
	when  time.Time
	f     func()
	index int // in the heap, -1 once fired or stopped
}

// AfterFunc runs f in a goroutine of its own once d of the cloud's time has
// passed.
func (c *Clock) AfterFunc(d time.Duration, f func()) *Timer {
	c.mu.Lock()
	defer c.mu.Unlock()
	t := &Timer{clock: c, when: c.now().Add(d), f: f}
	heap.Push(&c.timers, t)
	if t.index == 0 {
		c.arm()
	}
	return t
}

// Stop cancels the call and reports whether that was in time.
func (t *Timer) Stop() bool {
	c := t.clock
	c.mu.Lock()
	defer c.mu.Unlock()
	if t.index < 0 {
		return false
	}
	heap.Remove(&c.timers, t.index)
	c.arm()
	return true
}

// After returns a channel that is closed once d of the cloud's time has passed,
// and a stop function that frees the timer when nobody waits any more.
func (c *Clock) After(d time.Duration) (done <-chan struct{}, stop func()) {
	ch := make(chan struct{})
	t := c.AfterFunc(d, func() { close(ch) })
	return ch, func() { t.Stop() }
}

// Sleep waits for d of the cloud's time, or returns ctx's error when that ends
// first.
func (c *Clock) Sleep(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return ctx.Err()
	}
	done, stop := c.After(d)
	defer stop()
	select {
	case <-done:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// takeDue removes and returns the timers that are due. c.mu is held.
func (c *Clock) takeDue() []*Timer {
	var due []*Timer
	for now := c.now(); len(c.timers) > 0 && !c.timers[0].when.After(now); {
		due = append(due, heap.Pop(&c.timers).(*Timer))
	}
	return due
}

// arm sets the real timer for the earliest promise. c.mu is held.
func (c *Clock) arm() {
	if c.wake != nil {
		c.wake.Stop()
		c.wake = nil
	}
	if len(c.timers) > 0 {
		c.wake = time.AfterFunc(c.timers[0].when.Sub(c.now()), c.fire)
	}
}

func (c *Clock) fire() {
	c.mu.Lock()
	due := c.takeDue()
	c.arm()
	c.mu.Unlock()
	run(due)
}

func run(due []*Timer) {
	for _, t := range due {
		go t.f()
	}
}

// timerHeap orders timers by when they are due (container/heap).
type timerHeap []*Timer

func (h timerHeap) Len() int           { return len(h) }
func (h timerHeap) Less(i, j int) bool { return h[i].when.Before(h[j].when) }
func (h timerHeap) Swap(i, j int) {
	h[i], h[j] = h[j], h[i]
	h[i].index, h[j].index = i, j
}

func (h *timerHeap) Push(x any) {
	t := x.(*Timer)
	t.index = len(*h)
	*h = append(*h, t)
}

func (h *timerHeap) Pop() any {
	old := *h
	t := old[len(old)-1]
	old[len(old)-1] = nil
	*h = old[:len(old)-1]
	t.index = -1
	return t
}
