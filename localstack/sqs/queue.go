package sqs

import (
	"maps"
	"strconv"
	"sync"
	"time"
)

// maxInFlight is AWS's quota for a standard queue.
const maxInFlight = 120_000

// queue is one standard queue. A message is in exactly one of backlog (ready)
// and hidden (delayed or in flight), and always in age, from which retention
// takes it. All of these find, add and remove a message in logarithmic time.
type queue struct {
	key queueKey
	uid string // tells a queue from its namesakes before and after it

	mu          sync.Mutex
	attrs       attributes
	set         settings // attrs, parsed
	tags        map[string]string
	created     time.Time
	modified    time.Time
	purged      time.Time
	moves       []moveTask
	messages    map[string]*message
	backlog     *backlog
	hidden      timeHeap
	age         timeHeap
	maxInFlight int
	changed     chan struct{} // closed, and replaced, when a waiting receiver should look again
}

func newQueue(key queueKey, uid string, attrs attributes, now time.Time) *queue {
	q := &queue{
		key: key, uid: uid, tags: map[string]string{}, created: now, modified: now,
		maxInFlight: maxInFlight, changed: make(chan struct{}),
	}
	q.configure(attrs)
	q.clear()
	return q
}

func (q *queue) configure(a attributes) {
	q.attrs, q.set = a, a.settings()
}

// clear forgets all messages.
func (q *queue) clear() {
	q.messages, q.backlog = map[string]*message{}, newBacklog()
	q.hidden = timeHeap{
		at:    func(m *message) time.Time { return m.Visible },
		index: func(m *message) *int { return &m.hiddenIndex },
	}
	q.age = timeHeap{
		at:    func(m *message) time.Time { return m.Sent },
		index: func(m *message) *int { return &m.ageIndex },
	}
}

// attribute returns one attribute, "" when it is unset.
func (q *queue) attribute(name string) string {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.attrs[name]
}

// The methods below expect q.mu to be held, except wake.

// settle brings the queue up to date: what was hidden for long enough is ready,
// what was retained for long enough goes.
func (q *queue) settle(now time.Time) {
	for m := q.hidden.top(); m != nil && !now.Before(m.Visible); m = q.hidden.top() {
		q.surface(m, m.Visible)
	}
	for m := q.age.top(); m != nil && !now.Before(m.Sent.Add(q.set.retention)); m = q.age.top() {
		q.remove(m, now)
	}
}

// add takes in a message, ready at once or after delay.
func (q *queue) add(m *message, delay time.Duration, now time.Time) {
	q.messages[m.ID] = m
	q.age.add(m)
	if delay > 0 {
		q.hide(m, delayed, now.Add(delay), now)
	} else {
		q.show(m)
	}
	q.wakeLocked()
}

// take receives up to limit messages and hides them for visibility. Those that
// were received often enough already leave the queue as dead letters.
func (q *queue) take(limit int, visibility time.Duration, redrive *redrivePolicy, now time.Time) (taken, dead []*message) {
	for len(taken) < limit && !q.full() {
		m := q.backlog.pop(now)
		if m == nil {
			break
		}
		if redrive != nil && m.Receives >= redrive.maxReceives {
			q.forget(m)
			dead = append(dead, m)
			continue
		}
		m.Receives++
		m.LastReceived = now
		if m.FirstReceived.IsZero() {
			m.FirstReceived = now
		}
		if visibility > 0 {
			q.hide(m, inFlight, now.Add(visibility), now)
		}
		taken = append(taken, m)
	}
	// With no timeout a message stays visible; it joins the backlog only now, so
	// that one call does not receive it twice.
	if visibility == 0 {
		for _, m := range taken {
			q.show(m)
		}
	}
	return taken, dead
}

// find returns the message whose latest receipt is r, nil if there is none: an
// older receipt names nothing any more.
func (q *queue) find(r receipt) (*message, error) {
	if r.queue != q.uid {
		return nil, ErrReceiptHandle
	}
	m := q.messages[r.message]
	if m == nil || m.Receives != r.receive {
		return nil, nil
	}
	return m, nil
}

// changeVisibility hides an in-flight message for another timeout from now, or
// shows it at once when that is zero.
func (q *queue) changeVisibility(r receipt, timeout time.Duration, now time.Time) error {
	m, err := q.find(r)
	switch {
	case err != nil:
		return err
	case m == nil:
		return invalidValue(r, "ReceiptHandle", "Message does not exist or is not available for visibility timeout change.")
	case m.State != inFlight:
		return ErrNotInFlight
	case now.Add(timeout).After(m.LastReceived.Add(maxVisibilitySeconds * time.Second)):
		return invalidValue(int(timeout.Seconds()), "VisibilityTimeout",
			"Total VisibilityTimeout for the message is beyond the limit [43200 seconds].")
	case timeout == 0:
		q.surface(m, now)
	default:
		m.Visible = now.Add(timeout)
		q.hidden.fix(m)
	}
	q.wakeLocked()
	return nil
}

func (q *queue) show(m *message) {
	m.State, m.Visible = ready, time.Time{}
	q.backlog.push(m)
}

// full reports whether consumers hold all that they may.
func (q *queue) full() bool { return q.backlog.inFlight() >= q.maxInFlight }

func (q *queue) hide(m *message, as state, until, now time.Time) {
	m.State, m.Visible = as, until
	q.hidden.add(m)
	if as == inFlight {
		q.backlog.started(m, now)
	}
}

func (q *queue) unhide(m *message, now time.Time) {
	q.hidden.remove(m)
	if m.State == inFlight {
		q.backlog.ended(m, now)
	}
}

func (q *queue) surface(m *message, now time.Time) {
	q.unhide(m, now)
	q.show(m)
}

// remove deletes m from wherever it is.
func (q *queue) remove(m *message, now time.Time) {
	if m.hiddenIndex >= 0 {
		q.unhide(m, now)
	} else {
		q.backlog.remove(m)
	}
	q.forget(m)
}

// forget deletes m, which is in neither hidden nor backlog, from the rest.
func (q *queue) forget(m *message) {
	q.age.remove(m)
	delete(q.messages, m.ID)
}

// nextChange returns when the next hidden message becomes ready.
func (q *queue) nextChange() (time.Time, bool) {
	m := q.hidden.top()
	if m == nil {
		return time.Time{}, false
	}
	return m.Visible, true
}

// wake makes all waiting receivers look again.
func (q *queue) wake() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.wakeLocked()
}

func (q *queue) wakeLocked() {
	close(q.changed)
	q.changed = make(chan struct{})
}

// describe returns all attributes, the computed ones included.
func (q *queue) describe() map[string]string {
	out := maps.Clone(map[string]string(q.attrs))
	out["QueueArn"] = q.key.arn()
	out["CreatedTimestamp"] = seconds(q.created)
	out["LastModifiedTimestamp"] = seconds(q.modified)
	out["ApproximateNumberOfMessages"] = strconv.Itoa(q.backlog.size)
	out["ApproximateNumberOfMessagesNotVisible"] = strconv.Itoa(q.backlog.inFlight())
	out["ApproximateNumberOfMessagesDelayed"] = strconv.Itoa(q.hidden.Len() - q.backlog.inFlight())
	return out
}

func seconds(t time.Time) string { return strconv.FormatInt(t.Unix(), 10) }
