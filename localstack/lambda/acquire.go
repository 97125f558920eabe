package lambda

import (
	"runtime"
	"slices"
	"sync"
	"time"
)

// maxStarts is how many environments start at the same time, over all
// functions. A start takes a processor for tens of milliseconds, a warm invoke
// one for a fraction of one: when 600 sockets close at once, 600 starts would
// bring a laptop to its knees, while a few warm environments are done long
// before. AWS has room for all of them; what a function sees is the same.
func maxStarts() int { return 2 * runtime.NumCPU() }

// longStart is how long an environment that starts counts as starting.
const longStart = time.Second

// waiter is an invoke for which no environment was idle.
type waiter struct {
	env chan *environment // gets one that became free; has room for it
}

// acquire returns an environment for one invoke: an idle one, or whichever comes
// first of one that another invoke gives back and a place to start a new one.
func (p *pool) acquire() (*environment, *failure) {
	e, w := p.take()
	if e != nil {
		return e, nil
	}
	select {
	case e := <-w.env:
		return e, nil
	case p.service.starts <- struct{}{}:
	}
	// A start that takes longer waits for something else than the processor: it
	// must not keep others from starting.
	release := sync.OnceFunc(func() { <-p.service.starts })
	defer time.AfterFunc(longStart, release).Stop()
	defer release()
	if !p.leave(w) { // one was given back at the same moment
		return <-w.env, nil
	}
	if p.service.checkRole(p.info.Role, p.info.ARN) != nil {
		return nil, &failure{refused: cannotAssume()}
	}
	e, f := p.launch("init", p.service.opts.initLimit)
	if f != nil && p.service.ctx.Err() == nil {
		e, f = p.launch("invoke", p.info.Timeout)
		if f == nil {
			e.lateInit, e.coldStart = e.coldStart, 0
		}
	}
	return e, f
}

// take returns the most recently used idle environment, thawed. If there is
// none, the invoke stands in the queue as the waiter that take returns instead.
func (p *pool) take() (*environment, *waiter) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.dropOutdated()
	n := len(p.idle)
	if n == 0 {
		w := &waiter{env: make(chan *environment, 1)}
		p.waiting = append(p.waiting, w)
		return nil, w
	}
	e := p.idle[n-1]
	p.idle[n-1] = nil
	p.idle = p.idle[:n-1]
	e.thaw()
	return e, nil
}

// dropOutdated retires what idles with an outdated time: after the cloud's clock
// has been advanced, the next invoke starts under the new one. p.mu is held, by
// an invoke.
func (p *pool) dropOutdated() {
	if !slices.ContainsFunc(p.idle, (*environment).outdated) {
		return
	}
	var dropped []*environment
	p.idle = slices.DeleteFunc(p.idle, func(e *environment) bool {
		if e.outdated() {
			dropped = append(dropped, e)
			return true
		}
		return false
	})
	p.service.work.Go(func() { stopAll(dropped) })
}

// leave takes w out of the queue; false if an environment is on its way to it.
func (p *pool) leave(w *waiter) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	i := slices.Index(p.waiting, w)
	if i < 0 {
		return false
	}
	p.waiting = slices.Delete(p.waiting, i, i+1)
	return true
}

// handOver gives a free environment to the invoke that waits longest. p.mu is
// held.
func (p *pool) handOver(e *environment) bool {
	if len(p.waiting) == 0 {
		return false
	}
	p.waiting[0].env <- e
	p.waiting = slices.Delete(p.waiting, 0, 1)
	return true
}
