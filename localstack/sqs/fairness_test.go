package sqs

import (
	"fmt"
	"slices"
	"testing"
	"time"
)

// fairQueue is a queue with a helper's hand on it, at a fixed time.
type fairQueue struct {
	*queue
	now time.Time
}

func newFairQueue() fairQueue {
	now := time.Unix(1_700_000_000, 0)
	return fairQueue{newQueue(queueKey{"us-east-1", "fair"}, "uid", defaultAttributes(), now), now}
}

func (q fairQueue) send(group string, n int) {
	for range n {
		id := fmt.Sprintf("%s-%d", group, len(q.messages))
		q.add(newMessage(record{ID: id, Group: group, Sent: q.now}), 0, q.now)
	}
}

// take receives n messages and returns their groups.
func (q fairQueue) take(n int) (groups []string) {
	taken, _ := q.queue.take(n, time.Minute, nil, q.now)
	for _, m := range taken {
		groups = append(groups, m.Group)
	}
	return groups
}

func repeat(group string, n int) []string { return slices.Repeat([]string{group}, n) }

func TestWithoutNoiseTheOldestGoesFirst(t *testing.T) {
	q := newFairQueue()
	q.send("a", 2)
	q.send("b", 1)
	q.send("a", 1)
	q.send("", 1)
	if got, want := q.take(10), []string{"a", "a", "b", "a", ""}; !slices.Equal(got, want) {
		t.Errorf("order = %v, want %v", got, want)
	}
}

func TestANoisyNeighbourWaits(t *testing.T) {
	q := newFairQueue()
	q.send("noisy", 100)
	q.send("quiet", 5)
	if got := q.take(30); !slices.Equal(got, repeat("noisy", 30)) {
		t.Fatalf("first 30 = %v, want the oldest, which are all noisy's", got)
	}
	if got, want := q.take(7), append(repeat("quiet", 5), "noisy", "noisy"); !slices.Equal(got, want) {
		t.Errorf("with 30 in flight: %v, want %v", got, want)
	}
}

func TestANoisyNeighbourWaitsUntilItsBacklogIsGone(t *testing.T) {
	q := newFairQueue()
	q.send("noisy", 33)
	q.take(31) // the 31st is taken over the threshold
	for _, m := range slices.Collect(messagesInFlight(q.queue)) {
		q.remove(m) // nothing in flight any more, but two are left behind
	}
	q.send("quiet", 1)
	if got, want := q.take(3), []string{"quiet", "noisy", "noisy"}; !slices.Equal(got, want) {
		t.Errorf("with a backlog: %v, want %v", got, want)
	}
	q.send("noisy", 1)
	q.send("quiet", 1)
	if got, want := q.take(2), []string{"noisy", "quiet"}; !slices.Equal(got, want) {
		t.Errorf("with its backlog gone: %v, want %v", got, want)
	}
}

func messagesInFlight(q *queue) func(func(*message) bool) {
	return func(yield func(*message) bool) {
		for _, m := range slices.Clone(q.hidden.items) {
			if !yield(m) {
				return
			}
		}
	}
}

func TestNoiseNeedsATenthOfWhatIsInFlight(t *testing.T) {
	q := newFairQueue()
	for i := range 10 {
		q.send(fmt.Sprint("group", i), 30)
	}
	q.take(300) // each has exactly a tenth
	q.send("group0", 1)
	q.send("new", 1)
	if got, want := q.take(2), []string{"group0", "new"}; !slices.Equal(got, want) {
		t.Errorf("a tenth is not more than a tenth: %v, want %v", got, want)
	}
}

func TestMessagesWithoutAGroupAreNeverNoisy(t *testing.T) {
	q := newFairQueue()
	q.send("", 40)
	q.send("quiet", 1)
	if got, want := q.take(41), append(repeat("", 40), "quiet"); !slices.Equal(got, want) {
		t.Errorf("order = %v, want %v", got, want)
	}
}

func TestGroupsAreForgottenWithTheirLastMessage(t *testing.T) {
	q := newFairQueue()
	for i := range 100 {
		q.send(fmt.Sprint("group", i), 1)
	}
	q.take(50)
	for _, m := range q.messages {
		q.remove(m)
	}
	if len(q.backlog.groups) != 0 || q.backlog.size != 0 || q.inFlight != 0 || q.hidden.Len() != 0 || q.age.Len() != 0 {
		t.Errorf("an empty queue holds %d groups, %d ready, %d in flight", len(q.backlog.groups), q.backlog.size, q.inFlight)
	}
}

func TestTheQuotaOfMessagesInFlight(t *testing.T) {
	s := New(Options{})
	key := queueKey{"us-east-1", "orders"}
	if _, err := s.create(key, nil, nil); err != nil {
		t.Fatal(err)
	}
	s.queues[key].maxInFlight = 2
	for range 3 {
		if _, err := s.Send(t.Context(), key.arn(), "x"); err != nil {
			t.Fatal(err)
		}
	}
	if got, err := s.Receive(t.Context(), key.arn(), 10, 0); len(got) != 2 || err != nil {
		t.Errorf("received %d, %v; want the 2 that fit", len(got), err)
	}
	_, err := s.Receive(t.Context(), key.arn(), 10, 0)
	if err == nil || err.Error()[:9] != "OverLimit" {
		t.Errorf("a short poll over the quota: %v, want OverLimit", err)
	}
	if got, err := s.Receive(t.Context(), key.arn(), 10, time.Millisecond); len(got) != 0 || err != nil {
		t.Errorf("a long poll over the quota: %d messages, %v; want nothing", len(got), err)
	}
}
