package connection

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"
)

// delivery is one message on its way to one connection.
type delivery struct {
	id       string
	attempts int    // posts so far
	pass     pass   // from the connection's breaker
	health   health // of the connection, by the last post
	opening  bool   // answered 410 while too young to be gone, and is tried again
	last     error  // of the last post
	start    time.Duration
	took     time.Duration // by the last post
}

// step is what comes next in a delivery.
type step int

const (
	finish step = iota // the outcome is final
	again              // try again after a wait
	remove             // the connection is gone; its rows must go too
)

// outcome is how a delivery ended.
type outcome int

const (
	delivered outcome = iota
	gone
	failed
	unsent // not posted, or not posted again, because the call was cut short
	outcomes
)

// verdict is what a step of a delivery led to.
type verdict struct {
	step    step
	outcome outcome
	wait    time.Duration // before trying again
	err     error
	cleanUp error // why the rows of a gone connection are still there
}

// try makes at most one post and says what comes next. Send and the pool's
// workers both go through here; only how they wait differs.
func (m *Manager) try(s scope, msg *Message, d *delivery) verdict {
	if err := s.cut(); err != nil {
		return m.interrupted(d, err)
	}
	if err := m.admit(d); err != nil {
		return m.refused(err)
	}
	if err := m.rate.wait(s, m.now); err != nil {
		return m.interrupted(d, err)
	}
	err := m.post(s.ctx, msg, d)
	if err == nil {
		return verdict{outcome: delivered}
	}
	d.last = err
	return m.judge(s.ctx, d, err)
}

// admit asks the breaker: for the pass before the first post, and before every
// other one whether the failures of other sends have opened it.
func (m *Manager) admit(d *delivery) (err error) {
	if d.attempts == 0 {
		d.pass, err = m.breakers.enter(d.id)
		return err
	}
	if m.breakers.open(d.id) {
		return fmt.Errorf("%w (after %d attempts, the last: %s)", ErrCircuitOpen, d.attempts, d.last.Error())
	}
	return nil
}

func (m *Manager) refused(err error) verdict {
	m.stats.errors[kindCircuitOpen].Add(1)
	return verdict{outcome: failed, err: err}
}

// interrupted ends a delivery that was cut short. The error unwraps to the
// cause alone: what the last post said is no longer the reason.
func (m *Manager) interrupted(d *delivery, cause error) verdict {
	if k := kindOf(cause); k == kindShutdown || k == kindDeadline {
		m.stats.errors[k].Add(1)
	} else { // another connection's answer, which has been counted
		cause = fmt.Errorf("broadcast ended: %w", cause)
	}
	if d.last != nil {
		cause = fmt.Errorf("%w (after %d attempts, the last: %s)", cause, d.attempts, d.last.Error())
	}
	return verdict{outcome: unsent, err: cause}
}

func (m *Manager) post(ctx context.Context, msg *Message, d *delivery) error {
	d.attempts++
	d.start = m.now()
	err := m.sender.Post(ctx, d.id, msg)
	d.took = m.now() - d.start
	m.stats.record(d.took, err == nil)
	if err == nil {
		d.health = good
	}
	return err
}

// judge decides what a failed post means.
func (m *Manager) judge(ctx context.Context, d *delivery, err error) verdict {
	k := kindOf(err)
	if k == kindDeadline && ctx.Err() == nil {
		k = kindFailed                            // the sender's own time-out is a failure like any other
		err = fmt.Errorf("post: %s", err.Error()) // so TypeOf must not see a context's error
	}
	if k == kindFailed && ctx.Err() != nil {
		k = kindDeadline // whatever it says: we broke it off
		err = fmt.Errorf("%w: %w", ctx.Err(), err)
	}
	m.stats.errors[k].Add(1)
	switch k {
	case kindGone:
		return m.foundGone(d, err)
	case kindForbidden, kindInvalid, kindTooLarge:
		d.health = unknown
		return verdict{outcome: failed, err: err}
	case kindDeadline:
		d.health = unknown
		return verdict{outcome: unsent, err: err}
	case kindThrottled:
		m.giveWay(d)
	}
	d.health = failing
	return m.retryOrFail(ctx, d, err)
}

func (m *Manager) giveWay(d *delivery) {
	now := m.now()
	if m.throttles.general(d.id, now) {
		m.pool.sizer.throttled(d.start, now)
		m.rate.giveWay(now)
	}
}

func (m *Manager) retryOrFail(ctx context.Context, d *delivery, err error) verdict {
	if d.attempts >= m.options.MaxAttempts || d.pass.probe {
		return verdict{outcome: failed, err: err}
	}
	return retryWithin(ctx, m.backoff(d.attempts), verdict{outcome: failed, err: err})
}

// retryWithin asks for another try after the wait, unless the caller's deadline
// would come first: then otherwise is the verdict at once.
func retryWithin(ctx context.Context, wait time.Duration, otherwise verdict) verdict {
	if deadline, ok := ctx.Deadline(); ok && time.Until(deadline) <= wait {
		return otherwise
	}
	return verdict{step: again, wait: wait}
}

// backoff is exponential with full jitter.
// https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/
func (m *Manager) backoff(attempts int) time.Duration {
	longest := m.options.MaxBackoff
	if shift := attempts - 1; shift < 30 {
		longest = min(longest, m.options.BaseBackoff<<shift)
	}
	return rand.N(longest + 1)
}

func (m *Manager) foundGone(d *delivery, err error) verdict {
	d.health = closed
	if d.opening {
		return verdict{outcome: gone, err: err} // still young: others will see
	}
	return verdict{step: remove, err: err}
}

// clean removes the rows of a connection that answered 410. One that may still
// be opening is to be tried once more and never removed.
func (m *Manager) clean(s scope, d *delivery, err error) verdict {
	removal := m.store.RemoveGone(s.ctx, d.id, time.Now().Add(-OpeningGrace))
	v := verdict{outcome: gone, err: err}
	switch {
	case removal == nil:
		m.stats.removed.Add(1)
	case errors.Is(removal, ErrNotFound): // somebody else has cleaned up
	case errors.Is(removal, ErrTooYoung):
		d.opening, d.health = true, unknown
		return retryWithin(s.ctx, m.options.OpeningRetry, v)
	default:
		m.stats.cleanupErrors.Add(1)
		v.cleanUp = removal
	}
	return v
}

// settle ends a delivery: exactly once, whatever became of it.
func (m *Manager) settle(d *delivery, v verdict) {
	m.breakers.report(d.id, d.pass, d.health)
	if v.outcome != delivered {
		m.stats.outcomes[v.outcome].Add(1)
	}
}
