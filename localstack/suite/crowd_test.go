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

// crowds come one at a time. Two that leave at the same moment would need more
// calls of functions at once than an account has, 1,000, and others would be
// refused theirs: their $disconnect, a connect.
var crowds = make(chan struct{}, 1)

// beginCrowd is begin for a scenario with hundreds of sockets.
func beginCrowd(t *testing.T, needs ...need) *scenario {
	t.Helper()
	s := begin(t, needs...)
	crowds <- struct{}{}
	s.Cleanup(func() { <-crowds }) // runs last, when the sockets have been closed
	return s
}

// TestABroadcastWhileACrowdConnectsLosesNobody broadcasts while clients
// connect: posts that meet a socket before it is open must not remove its row.
// Every client gets every broadcast that was sent after it was connected, and
// all get the last one, exactly once.
func TestABroadcastWhileACrowdConnectsLosesNobody(t *testing.T) {
	s := beginCrowd(t)
	sender := s.dial("sender", s.tenant)
	there := new(attendance)
	all := make(chan struct{})
	go func() { s.connect(there, crowd); close(all) }()
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
	expected := map[*client][]string{}
	for id, clients := range sent {
		for _, c := range clients {
			expected[c] = append(expected[c], id)
		}
	}
	deadline := time.Now().Add(patience)
	missing, doubled := map[string]int{}, map[string]int{}
	counts := map[*client]map[string]int{}
	for c, ids := range expected {
		counts[c] = c.collect(ids, deadline)
	}
	time.Sleep(quiet) // for what comes twice
	for c, ids := range expected {
		for len(c.messages) > 0 {
			counts[c][(<-c.messages).MessageID]++
		}
		for _, id := range ids {
			switch counts[c][id] {
			case 0:
				missing[id]++
			case 1:
			default:
				doubled[id]++
			}
		}
	}
	for id := range sent {
		if missing[id] > 0 || doubled[id] > 0 {
			r, err := s.table().Receipt(t.Context(), id)
			t.Errorf("of %d clients who were there, %d did not get broadcast %s, %d got it twice; its receipt: %+v, error %v",
				len(sent[id]), missing[id], id, doubled[id], r, err)
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

// subscribers is how many clients listen to one channel.
const subscribers = 500

func TestFiveHundredSubscribersGetEachBroadcastOnce(t *testing.T) {
	s := beginCrowd(t)
	there := new(attendance)
	s.connect(there, subscribers)
	if t.Failed() {
		t.FailNow()
	}
	clients := there.now()
	var subscribing sync.WaitGroup
	for _, c := range clients {
		c.send(`{"action":"subscribe","channel":"news","id":"s"}`)
	}
	for _, c := range clients {
		subscribing.Go(func() {
			select {
			case f := <-c.replies:
				if f.Type != "subscribed" {
					t.Errorf("%s: %s", c.name, f.raw)
				}
			case <-time.After(patience):
				t.Errorf("%s has no answer", c.name)
			}
		})
	}
	subscribing.Wait()
	outsider := s.dial("outsider", s.tenant)
	ids := []string{
		clients[0].ask(`{"action":"broadcast","to":{"channel":"news"},"data":"from a client"}`, "accepted").MessageID,
		s.publish(`{"tenant":"` + s.tenant + `","to":{"channel":"news"},"data":"from a back end"}`),
	}
	deadline := time.Now().Add(patience)
	counts := map[*client]map[string]int{}
	for _, c := range clients {
		counts[c] = c.collect(ids, deadline)
	}
	outsider.silent("a client that has not subscribed")
	for _, c := range clients {
		for len(c.messages) > 0 { // what comes twice
			counts[c][(<-c.messages).MessageID]++
		}
		if got := counts[c]; len(got) != 2 || got[ids[0]] != 1 || got[ids[1]] != 1 {
			t.Errorf("%s got %v, want each of %v once", c.name, got, ids)
		}
	}
}

// connect dials n clients and adds each once it is connected.
func (s *scenario) connect(there *attendance, n int) {
	var connecting sync.WaitGroup
	slots := make(chan struct{}, 32)
	for i := range n {
		connecting.Go(func() {
			slots <- struct{}{}
			defer func() { <-slots }()
			c, err := s.tryDial(fmt.Sprintf("u%d", i), s.tenant)
			if err != nil {
				s.Errorf("client %d: %v", i, err)
				return
			}
			there.add(c)
		})
	}
	connecting.Wait()
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

// collect returns how often each message arrived once all of ids have, or at
// the deadline.
func (c *client) collect(ids []string, deadline time.Time) map[string]int {
	counts := map[string]int{}
	late := time.After(time.Until(deadline))
	for left := len(ids); left > 0; {
		select {
		case f := <-c.messages:
			counts[f.MessageID]++
			if counts[f.MessageID] == 1 && slices.Contains(ids, f.MessageID) {
				left--
			}
		case <-c.closed:
			return counts
		case <-late:
			return counts
		}
	}
	return counts
}
