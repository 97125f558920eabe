package connection

import (
	"context"
	"errors"
	"iter"
	"log/slog"
	"slices"
	"time"
)

// The interface that users may rely on.
var _ interface {
	Send(ctx context.Context, id string, message []byte) error
	Broadcast(ctx context.Context, ids []string, message []byte) error
	BroadcastSeq(ctx context.Context, ids iter.Seq[string], message []byte, failed func(id string, err error)) (Counts, error)
	IsActive(ctx context.Context, id string) (bool, error)
	Metrics() Metrics
	Flush() Interval
	Shutdown(ctx context.Context) error
} = (*Manager)(nil)

// Manager sends messages to connections. It is safe for concurrent use; one
// serves a whole process, so that pool, breakers and rate are shared.
type Manager struct {
	store   Store
	sender  Sender
	options Options
	log     *slog.Logger
	epoch   time.Time

	operations *operations
	halt       *halt // of Sends; every broadcast has its own
	pool       *pool
	breakers   *breakers
	rate       *rate
	throttles  throttles
	stats      *stats
}

// NewManager returns a Manager at work. Nothing runs until something is sent.
func NewManager(store Store, sender Sender, o Options) *Manager {
	o = o.withDefaults()
	return &Manager{
		store: store, sender: sender, options: o, log: o.Logger, epoch: time.Now(),
		operations: newOperations(),
		halt:       newHalt(),
		pool:       newPool(newSizer(o)),
		breakers:   newBreakers(o),
		rate:       newRate(o.Rate, o.BurstPeriod),
		stats:      newStats(),
	}
}

// now is the time since the Manager was made, by the monotonic clock.
func (m *Manager) now() time.Duration { return time.Since(m.epoch) }

// Send posts the message to one connection on the caller's goroutine, and
// tries again while that makes sense and the context's deadline allows.
//
// Its errors wrap what Sender lists, ErrCircuitOpen if the connection failed
// too often lately, ErrShutdown, or the context's error. After ErrGone the
// connection has been cleaned up, unless it may still be opening.
func (m *Manager) Send(ctx context.Context, id string, message []byte) error {
	if !m.operations.begin() {
		m.stats.errors[kindShutdown].Add(1)
		m.stats.outcomes[unsent].Add(1)
		return ErrShutdown
	}
	defer m.operations.end()
	return m.send(ctx, id, NewMessage(message))
}

func (m *Manager) send(ctx context.Context, id string, msg *Message) error {
	s, d := scope{ctx, m.halt}, delivery{id: id}
	for {
		v := m.try(s, msg, &d)
		if v.step == remove {
			v = m.clean(s, &d, v.err)
		}
		if v.step == again {
			err := s.sleep(v.wait)
			if err == nil {
				continue
			}
			v = m.interrupted(&d, err)
		}
		m.settle(&d, v)
		if v.err != nil {
			m.report(ctx, id, v, 0)
		}
		return v.err
	}
}

// Broadcast posts the message to all ids, each once however often it fails, and
// returns when nothing is left to do for any of them: no retry, no clean-up.
//
// It returns nil if every one accepted the message, else a *BroadcastError with
// each that did not and why; the gone ones are among them, with ErrGone. Where
// the context ends or Shutdown is called, the ones not reached are listed with
// that. ErrForbidden and ErrTooLarge would be every connection's answer, so the
// first of them ends the broadcast in the same way. An id that occurs twice is
// posted to twice.
func (m *Manager) Broadcast(ctx context.Context, ids []string, message []byte) error {
	var failures []Failure
	_, err := m.BroadcastSeq(ctx, slices.Values(ids), message, func(id string, err error) {
		failures = append(failures, Failure{id, err})
	})
	if len(failures) > 0 {
		return &BroadcastError{Total: len(ids), Failed: failures}
	}
	return err
}

// BroadcastSeq is Broadcast for an audience of any size: it draws ids as it
// goes and keeps none of them. failed may be nil; it is called for each
// connection that did not accept the message, from one goroutine at a time, and
// should be quick: posts wait for it.
//
// The error is what cut the broadcast short (the context's, ErrShutdown,
// ErrForbidden or ErrTooLarge), nil if all were tried. In either case ids is
// drawn to its end, and every id is delivered to or given to failed: a sequence
// that reads from elsewhere should end by itself when ctx does.
func (m *Manager) BroadcastSeq(ctx context.Context, ids iter.Seq[string], message []byte, failed func(id string, err error)) (Counts, error) {
	b := newBroadcast(ctx, m, message, failed)
	if m.operations.begin() {
		defer m.operations.end()
	} else {
		b.halt.now(ErrShutdown)
	}
	return b.run(ids)
}

// IsActive reports whether the table has the connection as live. It does not
// ask API Gateway: the socket may have closed a moment ago.
func (m *Manager) IsActive(ctx context.Context, id string) (bool, error) {
	if !m.operations.begin() {
		return false, ErrShutdown
	}
	defer m.operations.end()
	c, err := m.store.Get(ctx, id)
	if errors.Is(err, ErrNotFound) {
		return false, nil
	}
	return err == nil && c.Live(time.Now()), err
}

// Shutdown refuses new work with ErrShutdown, lets posts and clean-ups in
// flight finish, and starts none of the rest: no retry, no further connection
// of a broadcast. It returns nil when nothing is left running, or a
// *ShutdownError if ctx ends before. It may be called any number of times.
func (m *Manager) Shutdown(ctx context.Context) error {
	idle := m.operations.close()
	m.halt.now(ErrShutdown)
	m.pool.halt(ErrShutdown)
	select {
	case <-idle:
		return nil
	default:
	}
	select {
	case <-idle:
		return nil
	case <-ctx.Done():
		return &ShutdownError{Active: int(m.operations.active.Load()), err: ctx.Err()}
	}
}

// report tells the operator what only an operator can mend, and returns what it
// has told. told names what needs no telling again.
func (m *Manager) report(ctx context.Context, id string, v verdict, told complaints) complaints {
	k := kindOf(v.err)
	if ours := k == kindForbidden || k == kindInvalid || k == kindTooLarge; ours && v.outcome == failed && told.add(k) {
		m.log.ErrorContext(ctx, "post refused by our own fault",
			"connection", id, "type", types[k].name, "error", v.err)
	}
	if v.cleanUp != nil && told.add(kindGone) {
		m.log.WarnContext(ctx, "gone connection not cleaned up", "connection", id, "error", v.cleanUp)
	}
	return told
}

// complaints is a set of kinds.
type complaints uint

// add reports whether k is new.
func (c *complaints) add(k kind) bool {
	if *c&(1<<k) != 0 {
		return false
	}
	*c |= 1 << k
	return true
}
