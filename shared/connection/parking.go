package connection

import (
	"sync"
	"sync/atomic"
	"time"
)

// maxParked is how many deliveries of a broadcast may wait at the same time.
// Beyond it no further id is drawn, so that a broadcast to any number of
// failing connections needs no more memory.
const maxParked = 1024

// parking is where deliveries wait that must not occupy a worker: those to be
// tried again later, and those of gone connections whose rows are to be
// deleted, which a few goroutines of their own do.
type parking struct {
	broadcast *broadcast
	running   sync.WaitGroup // timers and cleaners

	parked atomic.Int32
	left   chan struct{} // told when one leaves

	mu       sync.Mutex
	released bool // nothing may wait any more
	waiting  map[*retry]struct{}
	gone     []goneDelivery
	cleaners int
}

// retry is a delivery that waits. Whoever takes it out of the map owns it.
type retry struct {
	delivery delivery
	timer    *time.Timer
}

type goneDelivery struct {
	delivery *delivery
	err      error // of the post
}

func (p *parking) init(b *broadcast) {
	p.broadcast = b
	p.left = make(chan struct{}, 1)
	p.waiting = make(map[*retry]struct{})
}

// room returns when another delivery may be parked, or why waiting for that is
// over. Only the goroutine that draws the ids calls it.
func (p *parking) room() error {
	for p.parked.Load() >= maxParked {
		select {
		case <-p.left:
		case <-p.broadcast.ctx.Done():
			return p.broadcast.ctx.Err()
		case <-p.broadcast.halt.ch:
			return p.broadcast.halt.cause
		}
	}
	return nil
}

func (p *parking) leave() {
	p.parked.Add(-1)
	select {
	case p.left <- struct{}{}:
	default:
	}
}

// retry parks the delivery until its wait is over.
func (p *parking) retry(d *delivery, wait time.Duration) {
	r := &retry{delivery: *d}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.released {
		wait = 0 // it will find out that it is cut short
	}
	p.parked.Add(1)
	p.waiting[r] = struct{}{}
	p.running.Add(1)
	r.timer = time.AfterFunc(wait, func() {
		defer p.running.Done()
		if p.take(r) {
			p.broadcast.again(&r.delivery)
		}
	})
}

func (p *parking) take(r *retry) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if _, mine := p.waiting[r]; !mine {
		return false
	}
	delete(p.waiting, r)
	p.leave()
	return true
}

// clean parks the delivery until a cleaner has seen to it.
func (p *parking) clean(d *delivery, err error) {
	own := *d
	p.mu.Lock()
	defer p.mu.Unlock()
	p.parked.Add(1)
	p.gone = append(p.gone, goneDelivery{&own, err})
	if p.cleaners < p.broadcast.manager.options.Cleaners {
		p.cleaners++
		p.running.Add(1)
		go p.cleaner()
	}
}

func (p *parking) cleaner() {
	defer p.running.Done()
	for {
		g, ok := p.next()
		if !ok {
			return
		}
		p.broadcast.cleanUp(g.delivery, g.err)
	}
}

func (p *parking) next() (goneDelivery, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.gone) == 0 {
		p.cleaners--
		return goneDelivery{}, false
	}
	g := p.gone[0]
	p.gone = p.gone[1:]
	p.leave()
	return g, true
}

// release ends all waiting for retries: those deliveries are cut short.
// Clean-ups go on.
func (p *parking) release() {
	for _, r := range p.takeAll() {
		if r.timer.Stop() {
			p.running.Done()
		}
		p.broadcast.interrupt(&r.delivery)
	}
}

func (p *parking) takeAll() []*retry {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.released = true
	var all []*retry
	for r := range p.waiting {
		delete(p.waiting, r)
		p.leave()
		all = append(all, r)
	}
	return all
}

// wait returns when no timer and no cleaner runs any more.
func (p *parking) wait() { p.running.Wait() }
