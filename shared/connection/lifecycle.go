package connection

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"time"
)

// ShutdownError is returned by a Shutdown that gave up waiting. It unwraps to
// the error of the context that ended.
type ShutdownError struct {
	Active int // calls that were still at work
	err    error
}

func (e *ShutdownError) Error() string {
	return fmt.Sprintf("connection manager shut down with %d operations still active: %v", e.Active, e.err)
}

func (e *ShutdownError) Unwrap() error { return e.err }

// operations counts the calls at work and refuses new ones after close.
type operations struct {
	active atomic.Int64
	closed atomic.Bool
	idle   chan struct{} // closed once closed is set and nothing is active
	once   sync.Once
}

func newOperations() *operations { return &operations{idle: make(chan struct{})} }

// begin reports whether a call may start; if so, it must end with end. Counting
// comes before looking: a call that close misses has seen closed.
func (o *operations) begin() bool {
	o.active.Add(1)
	if o.closed.Load() {
		o.end()
		return false
	}
	return true
}

func (o *operations) end() {
	if o.active.Add(-1) == 0 && o.closed.Load() {
		o.once.Do(func() { close(o.idle) })
	}
}

// close lets no call begin any more and returns what is closed when the last
// one has ended.
func (o *operations) close() <-chan struct{} {
	o.closed.Store(true)
	o.active.Add(1) // so that end finds out if nothing else is active
	o.end()
	return o.idle
}

// halt tells everybody who waits, once, why waiting is over.
type halt struct {
	once  sync.Once
	ch    chan struct{}
	cause error
}

func newHalt() *halt { return &halt{ch: make(chan struct{})} }

func (h *halt) now(cause error) {
	h.once.Do(func() {
		h.cause = cause
		close(h.ch)
	})
}

// err returns the cause, nil while there is none.
func (h *halt) err() error {
	select {
	case <-h.ch:
		return h.cause
	default:
		return nil
	}
}

// scope is what bounds a call. The context is the caller's and reaches into the
// posts; the halt only keeps new ones from starting.
type scope struct {
	ctx  context.Context
	halt *halt
}

// cut returns why no further post may start, nil if one may.
func (s scope) cut() error {
	if err := s.ctx.Err(); err != nil {
		return err
	}
	return s.halt.err()
}

// sleep waits for d, or returns at once why waiting is over.
func (s scope) sleep(d time.Duration) error {
	if err := s.cut(); err != nil || d <= 0 {
		return err
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-s.ctx.Done():
		return s.ctx.Err()
	case <-s.halt.ch:
		return s.halt.cause
	}
}
