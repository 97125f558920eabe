package sqs

import (
	"fmt"
	"slices"
	"testing"
	"time"
)

// The rules tested here are those of
// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-fair-queues-detailed.html
// [WEB:sqs-fair-queues-detailed].

// fairQueue is a queue with a helper's hand on it, at a fixed time.
type fairQueue struct {
	*queue
	now  time.Time
	sent int
}

func newFairQueue() *fairQueue {
	now := time.Unix(1_700_000_000, 0)
	return &fairQueue{newQueue(queueKey{"us-east-1", "fair"}, "uid", defaultAttributes(), now), now, 0}
}

// pass lets time go by, with what that brings back into view.
func (q *fairQueue) pass(d time.Duration) {
	q.now = q.now.Add(d)
	q.settle(q.now)
}

// process sends, receives and deletes n messages one after the other, each of
// which takes a consumer that long.
func (q *fairQueue) process(group string, n int, each time.Duration) {
	for range n {
		q.send(group, 1)
		taken, _ := q.queue.take(1, time.Hour, nil, q.now)
		q.pass(each)
		q.remove(taken[0], q.now)
	}
}

func (q *fairQueue) send(group string, n int) {
	for range n {
		q.sent++
		id := fmt.Sprintf("%s-%d", group, q.sent)
		q.add(newMessage(record{ID: id, Group: group, Sent: q.now}), 0, q.now)
	}
}

// take receives n messages and returns their groups.
func (q *fairQueue) take(n int) (groups []string) {
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
		q.remove(m, q.now) // nothing in flight any more, but two are left behind
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

func TestAShareOfTheProcessingTimeIsNoise(t *testing.T) {
	for name, tt := range map[string]struct {
		slow, other time.Duration // for each of 10 messages
		quietFirst  bool
	}{
		"a tenth of the time is not more than a tenth":    {time.Second, 9 * time.Second, false},
		"more than a tenth is, without a crowd in flight": {2 * time.Second, 8 * time.Second, true},
	} {
		t.Run(name, func(t *testing.T) {
			q := newFairQueue()
			for range 10 {
				q.process("slow", 1, tt.slow)
				// Messages without a group are each a tenant of their own, and none of them noisy.
				q.process("", 10, tt.other/10)
			}
			q.send("slow", 2)
			q.send("new", 1)
			want := []string{"slow", "slow", "new"}
			if tt.quietFirst {
				want = []string{"new", "slow", "slow"}
			}
			if got := q.take(3); !slices.Equal(got, want) {
				t.Errorf("order = %v, want %v", got, want)
			}
		})
	}
}

func TestProcessingEndsWithTheVisibilityTimeout(t *testing.T) {
	q := newFairQueue()
	q.process("", 1, 15*time.Minute)
	q.send("abandoned", 1)
	q.take(1) // for a minute; nobody looks at the queue for the next ten
	q.pass(10 * time.Minute)
	if got := q.backlog.groups["abandoned"].meter.spent; got < 50 || got > 60 {
		t.Errorf("time spent on an abandoned message = %.0f s, want the minute that it was hidden for", got)
	}
}

func TestProcessingTimeIsForgotten(t *testing.T) {
	q := newFairQueue()
	q.process("slow", 1, time.Minute)
	for range 60 {
		q.process("", 1, time.Minute)
	}
	q.send("slow", 1)
	q.send("new", 1)
	if got, want := q.take(2), []string{"slow", "new"}; !slices.Equal(got, want) {
		t.Errorf("an hour later: %v, want %v", got, want)
	}
}

func TestANoisyNeighbourIsForgivenAfterFiveQuietMinutes(t *testing.T) {
	for name, tt := range map[string]struct {
		silence time.Duration
		want    []string
	}{
		"under five minutes": {5*time.Minute - time.Second, []string{"new", "noisy"}},
		"five minutes":       {5 * time.Minute, []string{"noisy", "new"}},
	} {
		t.Run(name, func(t *testing.T) {
			q := newFairQueue()
			q.send("noisy", 32)
			q.queue.take(31, time.Hour, nil, q.now)
			q.pass(tt.silence)
			q.send("new", 1)
			if got := q.take(2); !slices.Equal(got, tt.want) {
				t.Errorf("order = %v, want %v", got, tt.want)
			}
		})
	}
}

func TestOfTwoNoisyNeighboursTheOneWithLessInFlightGoesFirst(t *testing.T) {
	q := newFairQueue()
	q.send("more", 41)
	q.take(40)
	q.send("less", 32)
	// "more" waits as noisy; "less" becomes noisy at its 31st.
	if got := q.take(32); !slices.Equal(got, repeat("less", 32)) {
		t.Fatalf("order = %v, want all of less", got)
	}
	q.send("less", 11)
	if got, want := q.take(9), append(repeat("less", 8), "more"); !slices.Equal(got, want) {
		t.Errorf("order = %v, want %v: less has 32 in flight, more has 40 and is older", got, want)
	}
}

// Very many tenants, each with one short message: what is kept of them must not grow.
func TestTenantsThatTookLittleAreForgotten(t *testing.T) {
	q := newFairQueue()
	for i := range 10_000 {
		q.process(fmt.Sprint("tenant", i), 1, time.Millisecond)
	}
	q.pass(time.Second)
	q.take(1)
	if n := len(q.backlog.groups); n > 9 {
		t.Errorf("%d groups are remembered, want at most those with a tenth of the time", n)
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
		q.remove(m, q.now)
	}
	q.pass(time.Second)
	q.take(1) // reviews the groups
	if len(q.backlog.groups) != 0 || q.backlog.size != 0 || q.backlog.inFlight() != 0 || q.hidden.Len() != 0 || q.age.Len() != 0 {
		t.Errorf("an empty queue holds %d groups, %d ready, %d in flight", len(q.backlog.groups), q.backlog.size, q.backlog.inFlight())
	}
}

// OverLimit "while using short polling [...] If you use long polling, Amazon SQS
// returns no error messages" [WEB:quotas-messages].
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
