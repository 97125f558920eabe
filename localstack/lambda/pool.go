package lambda

import (
	"maps"
	"os"
	"slices"
	"sync"
	"time"

	"fanfare/localstack/clock"
)

// pool has the environments of one version: those that idle, most recently used
// last, and those that are busy.
type pool struct {
	service *Service
	version *version
	info    FunctionInfo
	users   sync.WaitGroup // invokes that may still start an environment

	unpackOnce sync.Once
	dir        string
	unpackErr  error

	mu      sync.Mutex
	retired bool // keeps nothing any more
	idle    []*environment
	waiting []*waiter // invokes that found none idle, in their order
	all     map[*environment]struct{}
	reaper  *clock.Timer // nil while nothing idles
	freezer *time.Timer  // nil while nothing that idles is yet to be frozen
}

func newPool(s *Service, f *function, v *version) *pool {
	return &pool{service: s, version: v, info: v.info(f), all: map[*environment]struct{}{}}
}

// unpacked returns the folder with the version's code.
func (p *pool) unpacked() (string, error) {
	p.unpackOnce.Do(func() {
		if p.dir, p.unpackErr = p.service.codeDir(); p.unpackErr == nil {
			p.unpackErr = p.version.Code.unpack(p.dir)
		}
	})
	return p.dir, p.unpackErr
}

// run serves one invocation: in an idle environment, or else in the one that is
// free first, a new one or another's.
//
// A first init phase that fails or takes longer than 10 s is repeated as part
// of the invoke, with the function's own time-out (developer guide, "Lambda
// runtime environment", init phase).
func (p *pool) run(inv *invocation, withTail bool) result {
	for {
		e, f := p.acquire()
		if f != nil && f.refused != nil {
			return result{refused: f.refused}
		}
		if f != nil {
			return p.initFailed(inv, f, withTail)
		}
		res, delivered := e.invoke(inv, withTail)
		p.give(e)
		if delivered {
			return res
		}
	}
}

// initFailed answers an invoke whose environment did not come up, with a log
// stream of its own.
func (p *pool) initFailed(inv *invocation, f *failure, withTail bool) result {
	log := p.newLog()
	log.begin(inv.id, withTail)
	log.started(inv.id)
	r := report{status: "error", errorType: f.errorType}
	payload := f.payload(inv.id)
	if f.timedOut {
		r.status, r.duration = "timeout", p.info.Timeout
		e := environment{pool: p, log: log}
		payload = e.timeoutPayload(inv)
	}
	log.finished(inv.id, r)
	return result{payload: payload, functionError: unhandled, tail: log.end()}
}

// give keeps an environment for the next invoke, if it is still of use.
func (p *pool) give(e *environment) {
	p.mu.Lock()
	keep := e.alive() && !p.retired && !e.outdated()
	if keep && p.handOver(e) {
		p.mu.Unlock()
		return
	}
	if keep {
		e.idleSince, e.givenBack = p.service.clock.Now(), time.Now()
		p.idle = append(p.idle, e)
		p.freezeIdle() // e has asked for its next event, and its log is complete
		if p.reaper == nil {
			p.reaper = p.service.clock.AfterFunc(p.service.opts.IdleTimeout, p.reap)
		}
	}
	p.mu.Unlock()
	if !keep {
		e.stop()
	}
}

// reap stops what has idled too long. The longest idle come first.
func (p *pool) reap() {
	p.mu.Lock()
	now, limit := p.service.clock.Now(), p.service.opts.IdleTimeout
	n := 0
	for n < len(p.idle) && now.Sub(p.idle[n].idleSince) >= limit {
		n++
	}
	expired := slices.Clone(p.idle[:n])
	p.idle = slices.Delete(p.idle, 0, n)
	p.reaper = nil
	if len(p.idle) > 0 && !p.retired {
		p.reaper = p.service.clock.AfterFunc(max(limit-now.Sub(p.idle[0].idleSince), time.Millisecond), p.reap)
	}
	p.mu.Unlock()
	stopAll(expired)
}

// add reports whether an environment may stay. If not, the caller stops it.
func (p *pool) add(e *environment) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.all[e] = struct{}{}
	p.service.callers.Store(e.key, e)
	return p.service.ctx.Err() == nil
}

func (p *pool) remove(e *environment) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.all, e)
	p.service.callers.CompareAndDelete(e.key, e)
	if i := slices.Index(p.idle, e); i >= 0 {
		p.idle = slices.Delete(p.idle, i, i+1)
	}
}

// busy is how many environments are there and do not idle.
func (p *pool) busy() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.all) - len(p.idle)
}

// retire stops what idles and keeps nothing from now on.
func (p *pool) retire() {
	p.mu.Lock()
	idle := p.close()
	p.mu.Unlock()
	stopAll(idle)
}

// shutdown is retire, stops what is busy too, and waits. The service's ctx has
// ended before, so that nothing new stays.
func (p *pool) shutdown() {
	p.mu.Lock()
	p.close()
	all := slices.Collect(maps.Keys(p.all))
	p.mu.Unlock()
	stopAll(all)
	p.wait()
}

// close returns what idled. p.mu is held.
func (p *pool) close() []*environment {
	idle := p.idle
	p.idle, p.retired = nil, true
	if p.freezer != nil {
		p.freezer.Stop()
		p.freezer = nil
	}
	if p.reaper != nil {
		p.reaper.Stop()
		p.reaper = nil
	}
	return idle
}

// wait returns when no environment is left, and removes the code. retire or
// shutdown must have come before.
func (p *pool) wait() {
	p.users.Wait()
	p.mu.Lock()
	rest := slices.Collect(maps.Keys(p.all))
	p.mu.Unlock()
	for _, e := range rest {
		<-e.gone
	}
	if p.dir == "" {
		return
	}
	if err := os.RemoveAll(p.dir); err != nil {
		p.service.log.Warn("cannot remove unpacked code", "function", p.info.ARN, "error", err)
	}
}

// stopAll stops environments side by side.
func stopAll(all []*environment) {
	var wg sync.WaitGroup
	for _, e := range all {
		wg.Go(e.stop)
	}
	wg.Wait()
}
