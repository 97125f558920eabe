package lambda

import "time"

// Between invokes an environment stands still (developer guide, "Lambda runtime
// environment"): what a handler has left behind goes on at the next invoke, and
// not before.
//
// To freeze and thaw is a seventh of what a message costs, for all threads of the
// process have to be woken for it. So while other environments of the function
// are at work, and the next invoke is likely to come at once, one that has
// finished is frozen only when none has come for a moment.

// freezeDelay is that moment. It takes up to twice as long, for one timer serves
// all.
const freezeDelay = 2 * time.Millisecond

// freezeIdle freezes what idles: at once if all do. p.mu is held.
func (p *pool) freezeIdle() {
	switch {
	case p.service.opts.UnlikeAWSKeepIdleFunctionsRunning:
	case len(p.idle) == len(p.all):
		p.freezeBefore(time.Now())
	case p.freezer == nil:
		p.freezer = time.AfterFunc(freezeDelay, p.freezeLate)
	}
}

// freezeLate freezes what has idled for long enough.
func (p *pool) freezeLate() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.freezer == nil { // the pool was closed at the same moment
		return
	}
	if p.freezeBefore(time.Now().Add(-freezeDelay)) {
		p.freezer.Reset(freezeDelay)
	} else {
		p.freezer = nil
	}
}

// freezeBefore freezes what has been given back by then, and reports whether it
// has left anything running. p.mu is held.
func (p *pool) freezeBefore(then time.Time) (left bool) {
	for i := len(p.idle) - 1; i >= 0; i-- { // those that came first are frozen first
		e := p.idle[i]
		switch {
		case e.frozen:
			return left
		case e.givenBack.After(then):
			left = true
		default:
			e.process.freeze()
			e.frozen = true
		}
	}
	return left
}

// thaw lets an environment go on for its next invoke. pool.mu is held.
func (e *environment) thaw() {
	if e.frozen {
		e.process.thaw()
		e.frozen = false
	}
}
