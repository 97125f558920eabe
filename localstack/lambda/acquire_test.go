package lambda

import (
	"sync"
	"testing"
)

// While no further environment may start, invokes share those there are: all
// are served, one after another, by the one that is warm.
func TestInvokesWaitForAFreeEnvironmentRatherThanForAPlaceToStart(t *testing.T) {
	c := newCloud(t, Options{})
	c.create(t, "echo", "")
	c.mustInvoke(t, "echo", `1`) // one environment, idle now
	for range maxStarts() {
		c.Service.starts <- struct{}{}
	}
	var invokes sync.WaitGroup
	for range 50 {
		invokes.Go(func() { c.mustInvoke(t, "echo", `2`) })
	}
	invokes.Wait()
	if n := c.idle(); n != 1 {
		t.Errorf("%d environments, want the one", n)
	}
	for range maxStarts() {
		<-c.Service.starts
	}
}

// An invoke that got a place to start while an environment was on its way to it
// takes that one.
func TestAWaiterIsServedOnce(t *testing.T) {
	p := &pool{service: &Service{starts: make(chan struct{}, 1)}}
	_, first := p.take()
	_, second := p.take()
	e := &environment{}
	if !p.handOver(e) || <-first.env != e {
		t.Error("the environment did not go to the invoke that waits longest")
	}
	if p.leave(first) {
		t.Error("an invoke that was served still stood in the queue")
	}
	if !p.leave(second) || p.handOver(e) {
		t.Error("an invoke that left is still served")
	}
}
