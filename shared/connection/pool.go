package connection

import (
	"sync"
	"sync/atomic"
)

// jobBuffer is how many jobs may wait for a worker. It only smooths the
// handing over; what does not fit stays with the broadcast's sequence.
const jobBuffer = 256

// job is one connection of one broadcast.
type job struct {
	broadcast *broadcast
	id        string
	begun     *delivery // nil for the first try
}

// pool runs the jobs of all broadcasts. Workers start when a job would have to
// wait and there may be more of them, and the last broadcast to leave ends
// them all before it returns: between two invocations of a Lambda there are
// none.
type pool struct {
	sizer *sizer

	running atomic.Int32
	workers sync.WaitGroup

	mu     sync.Mutex
	jobs   chan job                // of this busy period; closed at its end
	active map[*broadcast]struct{} // the broadcasts at work
	halted error                   // why there will be no others
}

func newPool(s *sizer) *pool { return &pool{sizer: s, active: make(map[*broadcast]struct{})} }

// enter makes the broadcast one that the pool works for.
func (p *pool) enter(b *broadcast) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.active) == 0 {
		p.jobs = make(chan job, jobBuffer)
	}
	p.active[b] = struct{}{}
	b.jobs = p.jobs
	if p.halted != nil {
		b.halt.now(p.halted)
	}
}

// leave is called when nothing of the broadcast is left in the pool.
func (p *pool) leave(b *broadcast) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.active, b)
	if len(p.active) == 0 {
		close(p.jobs)
		p.workers.Wait()
	}
}

// halt cuts all broadcasts short, now and in future.
func (p *pool) halt(cause error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.halted = cause
	for b := range p.active {
		b.halt.now(cause)
	}
}

// push hands a job over, or returns why its broadcast is cut short.
func (p *pool) push(j job) error {
	jobs := j.broadcast.jobs
	select {
	case jobs <- j:
	default:
		if err := pushSlowly(jobs, j); err != nil {
			return err
		}
	}
	p.start(jobs, 1)
	return nil
}

func pushSlowly(jobs chan<- job, j job) error {
	s := j.broadcast.scope
	select {
	case jobs <- j:
		return nil
	case <-s.ctx.Done():
		return s.ctx.Err()
	case <-s.halt.ch:
		return s.halt.cause
	}
}

// start starts up to n workers, as far as jobs wait and the size allows.
func (p *pool) start(jobs <-chan job, n int) {
	for ; n > 0 && len(jobs) > 0; n-- {
		if !p.more() {
			return
		}
		p.workers.Add(1)
		go p.work(jobs)
	}
}

func (p *pool) more() bool {
	for {
		n := p.running.Load()
		if n >= p.sizer.current.Load() {
			return false
		}
		if p.running.CompareAndSwap(n, n+1) {
			return true
		}
	}
}

// fewer reports whether the calling worker is one too many.
func (p *pool) fewer() bool {
	for {
		n := p.running.Load()
		if n <= p.sizer.current.Load() {
			return false
		}
		if p.running.CompareAndSwap(n, n-1) {
			return true
		}
	}
}

func (p *pool) work(jobs <-chan job) {
	defer p.workers.Done()
	for j := range jobs {
		j.broadcast.do(j)
		if p.fewer() {
			return
		}
	}
	p.running.Add(-1)
}

func (p *pool) size() int  { return int(p.running.Load()) }
func (p *pool) limit() int { return int(p.sizer.current.Load()) }
