package main

import (
	"container/heap"
	"time"
)

// engine runs processes in virtual time. Each is a goroutine, so that the
// functions' own code can run in it and wait where it calls a service, but one
// runs at a time: the next event is taken when the process of the last one has
// gone to sleep or ended. So nothing here needs a lock, and a run with the same
// seed is the same run.
type engine struct {
	now    time.Duration // since the broadcast was accepted
	events events
	idle   chan struct{} // a process slept or ended
}

func newEngine() *engine { return &engine{idle: make(chan struct{})} }

// event is something that happens at a time; of several at one time, the one
// that was asked for first comes first.
type event struct {
	at  time.Duration
	n   int
	run func()
}

type events struct {
	list []event
	n    int
}

func (q *events) Len() int { return len(q.list) }
func (q *events) Less(i, j int) bool {
	a, b := q.list[i], q.list[j]
	return a.at < b.at || a.at == b.at && a.n < b.n
}
func (q *events) Swap(i, j int) { q.list[i], q.list[j] = q.list[j], q.list[i] }
func (q *events) Push(x any)    { q.list = append(q.list, x.(event)) }
func (q *events) Pop() any {
	last := q.list[len(q.list)-1]
	q.list = q.list[:len(q.list)-1]
	return last
}

// after has run called when d has passed.
func (e *engine) after(d time.Duration, run func()) {
	e.events.n++
	heap.Push(&e.events, event{e.now + d, e.events.n, run})
}

// run takes events until there are none.
func (e *engine) run() {
	for e.events.Len() > 0 {
		next := heap.Pop(&e.events).(event)
		e.now = next.at
		next.run()
	}
}

// process is the sleeping side of a goroutine of the engine's.
type process struct {
	engine *engine
	wake   chan struct{}
}

// spawn starts a process that begins now.
func (e *engine) spawn(f func(*process)) {
	p := &process{e, make(chan struct{})}
	e.after(0, func() {
		go func() {
			f(p)
			e.idle <- struct{}{}
		}()
		<-e.idle
	})
}

// sleep lets d pass.
func (p *process) sleep(d time.Duration) {
	p.engine.after(d, p.resume)
	p.park()
}

// park sleeps until resume is called.
func (p *process) park() {
	p.engine.idle <- struct{}{}
	<-p.wake
}

func (p *process) resume() {
	p.wake <- struct{}{}
	<-p.engine.idle
}
