package sqs

import (
	"cmp"
	"context"
	"slices"
	"time"

	"fanfare/localstack/awsproto"
)

// cooldown is how long AWS keeps the name of a deleted queue taken, and a queue
// from being purged again.
const cooldown = time.Minute

// withQueue runs f on the queue k, up to date and locked. Nothing in f may wait.
func (s *Service) withQueue(k queueKey, f func(q *queue, now time.Time) error) error {
	s.mu.RLock()
	defer s.mu.RUnlock()
	q, err := s.find(k)
	if err != nil {
		return err
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	now := s.clock.Now()
	q.settle(now)
	return f(q, now)
}

// find returns the queue k. s.mu is held.
func (s *Service) find(k queueKey) (*queue, error) {
	if s.closed {
		return nil, ErrClosed
	}
	q, ok := s.queues[k]
	if !ok {
		return nil, ErrQueueNotFound
	}
	return q, nil
}

// create returns the URL of the queue k, which it makes unless it exists with
// the same attributes.
func (s *Service) create(k queueKey, attrs attributes, tags map[string]string) (string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return "", ErrClosed
	}
	if q, ok := s.queues[k]; ok {
		q.mu.Lock()
		defer q.mu.Unlock()
		if name := q.attrs.differs(attrs); name != "" {
			return "", newError("QueueNameExists", "QueueAlreadyExists",
				"A queue already exists with the same name and a different value for attribute %s", name)
		}
		return s.url(k), nil
	}
	now := s.clock.Now()
	if d, ok := s.deleted[k]; ok && s.strictCooldowns && now.Sub(d) < cooldown {
		return "", simpleQueueError("QueueDeletedRecently",
			"You must wait 60 seconds after deleting a queue before you can create another with the same name.")
	}
	if err := s.checkRedriveTarget(k, attrs); err != nil {
		return "", err
	}
	q := newQueue(k, awsproto.NewRequestID(), defaultAttributes().merge(attrs), now)
	for key, value := range tags {
		q.tags[key] = value
	}
	delete(s.deleted, k)
	s.queues[k] = q
	s.log.Debug("queue created", "queue", k.String())
	return s.url(k), nil
}

func (s *Service) delete(k queueKey) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	q, err := s.find(k)
	if err != nil {
		return err
	}
	delete(s.queues, k)
	if s.strictCooldowns {
		s.deleted[k] = s.clock.Now()
	}
	q.wake() // its receivers look again and find it gone
	s.log.Debug("queue deleted", "queue", k.String())
	return nil
}

// configure changes attributes of the queue k. It takes the write lock, because
// a redrive policy is checked against another queue.
func (s *Service) configure(k queueKey, changes attributes) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	q, err := s.find(k)
	if err != nil {
		return err
	}
	if err := s.checkRedriveTarget(k, changes); err != nil {
		return err
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	now := s.clock.Now()
	q.settle(now) // by the old retention up to now
	q.configure(q.attrs.merge(changes))
	q.modified = now
	return nil
}

// list returns the queues of a region that match, by name.
func (s *Service) list(region string, match func(*queue) bool) []queueKey {
	s.mu.RLock()
	defer s.mu.RUnlock()
	var keys []queueKey
	for k, q := range s.queues {
		if k.region == region && match(q) {
			keys = append(keys, k)
		}
	}
	slices.SortFunc(keys, func(a, b queueKey) int { return cmp.Compare(a.name, b.name) })
	return keys
}

// receiveRequest says what a receiver wants; nil is the queue's own setting.
type receiveRequest struct {
	limit            int
	visibility, wait *time.Duration
}

// receive waits until it has at least one message, the time is up (then it
// returns none), the queue is gone, or ctx ends. It holds no lock while it waits.
func (s *Service) receive(ctx context.Context, k queueKey, req receiveRequest) ([]Message, error) {
	start := s.clock.Now()
	for {
		got, err := s.tryReceive(k, req)
		if err != nil || len(got.messages) > 0 {
			return got.messages, err
		}
		pause := got.until(start, s.clock.Now())
		if pause <= 0 {
			return nil, got.quota()
		}
		due, stop := s.clock.After(pause)
		select {
		case <-got.changed:
		case <-due:
		case <-ctx.Done():
			stop()
			return nil, ctx.Err()
		}
		stop()
	}
}

// attempt is the outcome of one look at a queue.
type attempt struct {
	messages []Message
	wait     time.Duration // how long the receiver is to wait in all
	changed  <-chan struct{}
	next     time.Time // when a hidden message becomes ready, zero for never
	full     bool      // too many in flight
}

// until returns how long to wait for the next look, zero when the time is up.
func (a attempt) until(start, now time.Time) time.Duration {
	pause := start.Add(a.wait).Sub(now)
	if pause > 0 && !a.next.IsZero() {
		// A message that is due this instant still gets its look.
		pause = min(pause, max(a.next.Sub(now), time.Nanosecond))
	}
	return pause
}

// quota is the error of a receiver that got nothing because too many are in
// flight: AWS tells it only to those that do not wait.
func (a attempt) quota() error {
	if !a.full || a.wait > 0 {
		return nil
	}
	return newError("OverLimit", "OverLimit",
		"The maximum number of in flight messages is reached. Delete or release messages before you receive more.")
}

// tryReceive takes what is ready, and sends to the dead-letter queue what was
// received too often.
func (s *Service) tryReceive(k queueKey, req receiveRequest) (attempt, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	q, err := s.find(k)
	if err != nil {
		return attempt{}, err
	}
	got, dead, dlq := s.takeFrom(q, req)
	if len(dead) > 0 {
		s.bury(q, dead, dlq)
	}
	return got, nil
}

func (s *Service) takeFrom(q *queue, req receiveRequest) (got attempt, dead []*message, dlq *queue) {
	q.mu.Lock()
	defer q.mu.Unlock()
	now := s.clock.Now()
	q.settle(now)
	redrive := q.set.redrive
	if redrive != nil {
		// Where the dead-letter queue has been deleted, messages stay here.
		if dlq = s.queues[redrive.dead]; dlq == nil {
			redrive = nil
		}
	}
	taken, dead := q.take(req.limit, deref(req.visibility, q.set.visibility), redrive, now)
	got = attempt{
		wait: deref(req.wait, q.set.wait), changed: q.changed,
		full: len(taken) == 0 && q.full(),
	}
	for _, m := range taken {
		got.messages = append(got.messages, m.export(q.uid))
	}
	if next, ok := q.nextChange(); ok {
		got.next = next
	}
	return got, dead, dlq
}

func deref[T any](p *T, otherwise T) T {
	if p == nil {
		return otherwise
	}
	return *p
}

// bury moves dead letters from q to dlq. Both queues are unlocked, so that two
// that are each other's dead-letter queue can not lock each other out. A dead
// letter keeps its id and the time it was sent, from which the other queue's
// retention counts; its receives start anew.
func (s *Service) bury(q *queue, dead []*message, dlq *queue) {
	dlq.mu.Lock()
	defer dlq.mu.Unlock()
	now := s.clock.Now()
	for _, m := range dead {
		r := m.record
		r.Source, r.Receives = q.key.arn(), 0
		r.FirstReceived, r.LastReceived = time.Time{}, time.Time{}
		dlq.add(newMessage(r), 0, now)
	}
	s.log.Info("messages moved to the dead-letter queue", "queue", q.key.String(),
		"deadLetterQueue", dlq.key.String(), "count", len(dead))
}
