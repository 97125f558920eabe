package suite

import (
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"
)

// crowd is more than one unit, so that a broadcast to it is split.
const crowd = 600

// TestABroadcastWhileACrowdConnectsLosesNobody broadcasts while clients
// connect: posts that meet a socket before it is open must not remove its row.
// Every client gets every broadcast that was sent after it was connected, and
// all get the last one, exactly once.
func TestABroadcastWhileACrowdConnectsLosesNobody(t *testing.T) {
	s := begin(t)
	sender := s.dial("sender", s.tenant)
	there := new(attendance)
	var connecting sync.WaitGroup
	slots := make(chan struct{}, 32)
	for i := range crowd {
		connecting.Go(func() {
			slots <- struct{}{}
			defer func() { <-slots }()
			c, err := s.tryDial(fmt.Sprintf("u%d", i), s.tenant)
			if err != nil {
				t.Errorf("client %d: %v", i, err)
				return
			}
			there.add(c)
		})
	}
	all := make(chan struct{})
	go func() { connecting.Wait(); close(all) }()
	sent := map[string][]*client{} // by message: who was there when it was sent
	for done := false; !done; {
		before := there.now()
		id := sender.ask(`{"action":"broadcast","to":{"tenant":true},"data":"while connecting"}`, "accepted").MessageID
		sent[id] = before
		select {
		case <-all:
			done = true
		case <-time.After(300 * time.Millisecond):
		}
	}
	if t.Failed() {
		t.FailNow()
	}
	last := sender.ask(`{"action":"broadcast","to":{"tenant":true},"data":"last"}`, "accepted").MessageID
	sent[last] = there.now()
	counts := map[*client]map[string]int{}
	for _, c := range there.now() {
		counts[c] = c.countUntil(last)
	}
	for id, clients := range sent {
		var missing, doubled int
		for _, c := range clients {
			switch counts[c][id] {
			case 0:
				missing++
			case 1:
			default:
				doubled++
			}
		}
		if missing > 0 || doubled > 0 {
			t.Errorf("of %d clients who were there, %d did not get broadcast %s, %d got it twice", len(clients), missing, id, doubled)
		}
	}
	s.eventually(func() string {
		r, err := s.table().Receipt(t.Context(), last)
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

// attendance is who is connected.
type attendance struct {
	mu      sync.Mutex
	clients []*client
}

func (a *attendance) add(c *client) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.clients = append(a.clients, c)
}

func (a *attendance) now() []*client {
	a.mu.Lock()
	defer a.mu.Unlock()
	return slices.Clone(a.clients)
}

// countUntil returns how often each message arrived, once the last one has and
// a moment has passed for what comes out of order or twice.
func (c *client) countUntil(last string) map[string]int {
	counts := map[string]int{}
	wait := patience
	for {
		select {
		case f := <-c.messages:
			counts[f.MessageID]++
			if counts[last] > 0 {
				wait = 100 * time.Millisecond
			}
		case <-c.closed:
			return counts
		case <-time.After(wait):
			return counts
		}
	}
}
