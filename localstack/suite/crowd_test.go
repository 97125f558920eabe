package suite

import (
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// crowd is more than one unit, so that a broadcast to it is split.
const crowd = 600

// TestABroadcastWhileACrowdConnectsLosesNobody broadcasts while clients
// connect: posts that meet a socket before it is open must not remove its row.
// Then everybody gets the next broadcast, exactly once.
func TestABroadcastWhileACrowdConnectsLosesNobody(t *testing.T) {
	s := begin(t)
	sender := s.dial("sender", s.tenant)
	clients := make([]*client, crowd)
	var connecting sync.WaitGroup
	var failed atomic.Int32
	slots := make(chan struct{}, 32)
	for i := range clients {
		connecting.Go(func() {
			slots <- struct{}{}
			defer func() { <-slots }()
			c, err := s.tryDial(fmt.Sprintf("u%d", i), s.tenant)
			if err != nil {
				failed.Add(1)
				t.Errorf("client %d: %v", i, err)
				return
			}
			clients[i] = c
		})
	}
	all := make(chan struct{})
	go func() { connecting.Wait(); close(all) }()
	for done := false; !done; {
		sender.ask(`{"action":"broadcast","to":{"tenant":true},"data":"while connecting"}`, "accepted")
		select {
		case <-all:
			done = true
		case <-time.After(300 * time.Millisecond):
		}
	}
	if failed.Load() > 0 {
		t.FailNow()
	}
	id := sender.ask(`{"action":"broadcast","to":{"tenant":true},"data":"last"}`, "accepted").MessageID
	var missing, doubled int
	for _, c := range clients {
		switch c.count(id) {
		case 0:
			missing++
		case 1:
		default:
			doubled++
		}
	}
	if missing > 0 || doubled > 0 {
		t.Errorf("of %d clients %d did not get the last broadcast, %d got it twice", crowd, missing, doubled)
	}
	s.eventually(func() string {
		r, err := s.table().Receipt(t.Context(), id)
		delivered := 0
		for _, u := range r.Units {
			delivered += u.Delivered
		}
		if err != nil || !r.Progress.Done || len(r.Units) != r.Progress.Units || len(r.Units) < 2 || delivered != crowd+1 {
			return fmt.Sprintf("receipt %+v with %d delivered, error %v; want %d in two units or more", r.Progress, delivered, err, crowd+1)
		}
		return ""
	})
}

// count returns how often the message arrives: it waits for the first, and then
// a moment for a second.
func (c *client) count(id string) int {
	n := 0
	wait := patience
	for {
		select {
		case f := <-c.messages:
			if f.MessageID == id {
				n++
				wait = 10 * time.Millisecond
			}
		case <-c.closed:
			return n
		case <-time.After(wait):
			return n
		}
	}
}
