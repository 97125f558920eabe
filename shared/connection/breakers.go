package connection

import (
	"container/list"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"github.com/sony/gobreaker/v2"
)

// health is what a send says about its connection.
type health int

const (
	unknown health = iota // nothing: not posted, cut off, or one of the answers that never count
	good                  // it works
	failing               // the last post failed
	closed                // it is gone for good
)

// What gobreaker is told instead of the post's own error.
var (
	errFailed  = errors.New("failed")
	errNoCount = errors.New("does not count")
)

// breakers holds one circuit breaker per failing connection. A connection
// without one is healthy, so that the healthy cost neither memory nor, while
// nobody fails, more than one atomic load.
type breakers struct {
	failures uint32
	openFor  time.Duration
	limit    int

	size   atomic.Int64    // len(byID)
	states [3]atomic.Int64 // breakers by gobreaker.State

	mu    sync.RWMutex
	byID  map[string]*breaker
	order *list.List // of *breaker, the latest failure in front
}

// breaker is one connection's. Its state is mirrored for the metrics, because
// asking thousands of gobreakers would take longer than a snapshot may.
type breaker struct {
	id      string
	cb      *gobreaker.TwoStepCircuitBreaker[struct{}]
	element *list.Element

	mu    sync.Mutex
	state gobreaker.State
	kept  bool // in the map, hence counted
}

// pass is the permission to send, to be given back with report. The zero pass
// is that of a healthy connection.
type pass struct {
	breaker *breaker
	done    func(error)
	probe   bool // the one send that an open breaker lets through
}

func newBreakers(o Options) *breakers {
	return &breakers{
		failures: uint32(o.BreakerFailures),
		openFor:  o.BreakerOpen,
		limit:    o.MaxBreakers,
		byID:     make(map[string]*breaker),
		order:    list.New(),
	}
}

// enter asks whether a send to the connection may start. ErrCircuitOpen if not.
func (bs *breakers) enter(id string) (pass, error) {
	b := bs.find(id)
	if b == nil {
		return pass{}, nil
	}
	done, err := b.cb.Allow()
	if err != nil {
		return pass{}, ErrCircuitOpen
	}
	return pass{breaker: b, done: done, probe: b.cb.State() == gobreaker.StateHalfOpen}, nil
}

// open reports whether the breaker opened under a send that is under way.
func (bs *breakers) open(id string) bool {
	b := bs.find(id)
	return b != nil && b.cb.State() == gobreaker.StateOpen
}

// report gives a pass back with what the send has shown.
func (bs *breakers) report(id string, p pass, h health) {
	if p.breaker == nil && h != failing && bs.size.Load() == 0 {
		return
	}
	switch h {
	case good:
		p.finish(nil)
		bs.forgive(id)
	case failing:
		bs.blame(id, p)
	case closed:
		p.finish(errNoCount)
		bs.drop(bs.find(id))
	default:
		p.finish(errNoCount)
	}
}

func (p pass) finish(err error) {
	if p.done != nil {
		p.done(err)
	}
}

// forgive forgets a connection that works again. One that another send has seen
// fail meanwhile, so that its breaker is open, stays until its probe.
func (bs *breakers) forgive(id string) {
	if b := bs.find(id); b != nil && b.cb.State() == gobreaker.StateClosed {
		bs.drop(b)
	}
}

func (bs *breakers) blame(id string, p pass) {
	b := bs.keep(id)
	if b == p.breaker {
		p.finish(errFailed)
		return
	}
	p.finish(errNoCount)
	// The send began before there was a breaker. Only a closed one takes the
	// failure: it must never pass for the probe of one that has opened since.
	if b.cb.State() != gobreaker.StateClosed {
		return
	}
	if done, err := b.cb.Allow(); err == nil {
		done(errFailed)
	}
}

func (bs *breakers) find(id string) *breaker {
	if bs.size.Load() == 0 {
		return nil
	}
	bs.mu.RLock()
	defer bs.mu.RUnlock()
	return bs.byID[id]
}

// keep returns the connection's breaker, made if need be, as the latest to fail.
func (bs *breakers) keep(id string) *breaker {
	bs.mu.Lock()
	defer bs.mu.Unlock()
	if b := bs.byID[id]; b != nil {
		bs.order.MoveToFront(b.element)
		return b
	}
	if len(bs.byID) >= bs.limit {
		bs.remove(bs.order.Back().Value.(*breaker))
	}
	b := bs.newBreaker(id)
	b.element = bs.order.PushFront(b)
	bs.byID[id] = b
	bs.size.Add(1)
	bs.states[gobreaker.StateClosed].Add(1)
	return b
}

func (bs *breakers) newBreaker(id string) *breaker {
	b := &breaker{id: id, kept: true}
	b.cb = gobreaker.NewTwoStepCircuitBreaker[struct{}](gobreaker.Settings{
		MaxRequests: 1,
		// gobreaker stays open through the last instant; we let the probe
		// through at it.
		Timeout:       bs.openFor - 1,
		ReadyToTrip:   func(c gobreaker.Counts) bool { return c.ConsecutiveFailures >= bs.failures },
		IsExcluded:    func(err error) bool { return errors.Is(err, errNoCount) },
		OnStateChange: func(_ string, _, to gobreaker.State) { bs.moved(b, to) },
	})
	return b
}

func (bs *breakers) moved(b *breaker, to gobreaker.State) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.kept {
		bs.states[b.state].Add(-1)
		bs.states[to].Add(1)
	}
	b.state = to
}

func (bs *breakers) drop(b *breaker) {
	if b == nil {
		return
	}
	bs.mu.Lock()
	defer bs.mu.Unlock()
	if bs.byID[b.id] == b {
		bs.remove(b)
	}
}

// remove is drop for who holds the lock.
func (bs *breakers) remove(b *breaker) {
	delete(bs.byID, b.id)
	bs.order.Remove(b.element)
	bs.size.Add(-1)
	b.mu.Lock()
	defer b.mu.Unlock()
	b.kept = false
	bs.states[b.state].Add(-1)
}

func (bs *breakers) counts() BreakerCounts {
	return BreakerCounts{
		Closed:   int(bs.states[gobreaker.StateClosed].Load()),
		HalfOpen: int(bs.states[gobreaker.StateHalfOpen].Load()),
		Open:     int(bs.states[gobreaker.StateOpen].Load()),
	}
}
