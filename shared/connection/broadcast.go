package connection

import (
	"context"
	"iter"
	"sync"
	"sync/atomic"
)

// broadcast is one call of BroadcastSeq. Its caller's goroutine draws the ids
// and hands them to the pool; what must wait, for a retry or for clean-up, is
// parked, so that no worker does.
type broadcast struct {
	scope   // of posts, and what stops further ones
	manager *Manager
	message *Message
	jobs    chan job
	parking parking

	open    atomic.Int64  // ids settled, as a negative number, until all are drawn
	settled chan struct{} // closed when none is open

	mu     sync.Mutex // for all below; failed is called under it
	failed func(id string, err error)
	counts Counts // Delivered is what the others leave
	fatal  error  // the answer that ended the broadcast
	told   complaints
}

func newBroadcast(ctx context.Context, m *Manager, message []byte, failed func(string, error)) *broadcast {
	b := &broadcast{
		scope: scope{ctx, newHalt()}, manager: m, message: NewMessage(message),
		settled: make(chan struct{}), failed: failed,
	}
	b.parking.init(b)
	return b
}

// run sends to all ids and returns when nothing is left to do for any.
func (b *broadcast) run(ids iter.Seq[string]) (Counts, error) {
	b.manager.pool.enter(b)
	drawn := int64(0)
	defer b.manager.pool.leave(b)
	// Also if the sequence panics: a worker must never be left behind.
	defer func() { b.finish(drawn) }()
	for id := range ids {
		drawn++
		b.feed(id)
	}
	b.finish(drawn)
	return b.result(drawn)
}

// feed hands one id to the pool, or settles it if the broadcast is cut short.
func (b *broadcast) feed(id string) {
	err := b.cut()
	if err == nil {
		err = b.parking.room()
	}
	if err == nil {
		err = b.manager.pool.push(job{broadcast: b, id: id})
	}
	if err != nil {
		d := delivery{id: id}
		b.settle(&d, b.manager.interrupted(&d, err))
	}
}

// finish waits until the ids drawn are settled and no goroutine works for the
// broadcast. Workers count down from nothing, so that drawing costs no atomic
// operation; adding what was drawn leaves the number of those still open.
func (b *broadcast) finish(drawn int64) {
	if b.finished() {
		return
	}
	if b.open.Add(drawn) == 0 {
		close(b.settled)
	}
	select {
	case <-b.settled:
	case <-b.ctx.Done():
	case <-b.halt.ch:
	}
	// Either nothing is parked any more or nothing needs to wait any more.
	b.parking.release()
	<-b.settled
	b.parking.wait()
}

func (b *broadcast) finished() bool {
	select {
	case <-b.settled:
		return true
	default:
		return false
	}
}

// do is a worker's job.
func (b *broadcast) do(j job) {
	if j.begun != nil {
		b.attempt(j.begun)
		return
	}
	d := delivery{id: j.id}
	b.attempt(&d)
}

func (b *broadcast) attempt(d *delivery) {
	v := b.manager.try(b.scope, b.message, d)
	if b.manager.pool.sizer.adaptive && v.step == finish && v.outcome == delivered {
		b.resize(d)
	}
	b.proceed(d, v)
}

// proceed takes the next step of a delivery without ever waiting.
func (b *broadcast) proceed(d *delivery, v verdict) {
	switch v.step {
	case again:
		b.parking.retry(d, v.wait)
	case remove:
		b.parking.clean(d, v.err)
	default:
		b.settle(d, v)
	}
}

// resize lets the pool learn from a delivered post.
func (b *broadcast) resize(d *delivery) {
	pool := b.manager.pool
	if pool.sizer.observe(d.start, d.took, b.busy) {
		pool.start(b.jobs, pool.limit())
	}
}

// busy reports whether more workers would send more: jobs wait, and it is not
// for the rate.
func (b *broadcast) busy() bool { return !b.manager.rate.waited() && len(b.jobs) > 0 }

// settle ends one delivery, exactly once.
func (b *broadcast) settle(d *delivery, v verdict) {
	defer b.countDown() // also if failed panics
	b.manager.settle(d, v)
	if v.outcome != delivered {
		b.fail(d.id, v)
	}
}

func (b *broadcast) countDown() {
	if b.open.Add(-1) == 0 {
		close(b.settled)
	}
}

func (b *broadcast) fail(id string, v verdict) {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch v.outcome {
	case gone:
		b.counts.Gone++
	case failed:
		b.counts.Failed++
	case unsent:
		b.counts.Unsent++
	}
	b.told = b.manager.report(b.ctx, id, v, b.told)
	if k := kindOf(v.err); v.outcome == failed && (k == kindForbidden || k == kindTooLarge) {
		// Every connection would answer the same.
		b.fatal = v.err
		b.halt.now(v.err)
	}
	if b.failed != nil {
		b.failed(id, v.err)
	}
}

func (b *broadcast) result(drawn int64) (Counts, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	counts := b.counts
	counts.Delivered = drawn - counts.Gone - counts.Failed - counts.Unsent
	if b.fatal == nil && counts.Unsent > 0 {
		return counts, b.cut()
	}
	return counts, b.fatal
}

// again is what a parked delivery does when its time has come.
func (b *broadcast) again(d *delivery) {
	if err := b.manager.pool.push(job{broadcast: b, begun: d}); err != nil {
		b.settle(d, b.manager.interrupted(d, err))
	}
}

func (b *broadcast) cleanUp(d *delivery, err error) {
	b.proceed(d, b.manager.clean(b.scope, d, err))
}

func (b *broadcast) interrupt(d *delivery) {
	b.settle(d, b.manager.interrupted(d, b.cut()))
}
