package sqs

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"time"
)

// snapshot is the whole state as JSON. Times are the cloud's: whoever restores
// it into a clock that shows an earlier time sees messages hidden for longer.
type snapshot struct {
	Queues []queueSnapshot `json:"queues"`
}

type queueSnapshot struct {
	Region     string            `json:"region"`
	Name       string            `json:"name"`
	UID        string            `json:"uid"` // receipt handles given out stay valid
	Attributes attributes        `json:"attributes"`
	Tags       map[string]string `json:"tags,omitempty"`
	Created    time.Time         `json:"created"`
	Modified   time.Time         `json:"modified"`
	Purged     time.Time         `json:"purged,omitzero"`
	Moves      []moveTask        `json:"moves,omitempty"`
	Messages   []record          `json:"messages,omitempty"`
}

// Snapshot returns all queues with their messages, those in flight included, as
// JSON. It is one consistent moment: no message is missing or there twice.
func (s *Service) Snapshot() ([]byte, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out snapshot
	for _, q := range s.queues {
		out.Queues = append(out.Queues, q.snapshot())
	}
	slices.SortFunc(out.Queues, func(a, b queueSnapshot) int {
		return cmp.Or(cmp.Compare(a.Region, b.Region), cmp.Compare(a.Name, b.Name))
	})
	return json.Marshal(out)
}

func (q *queue) snapshot() queueSnapshot {
	q.mu.Lock()
	defer q.mu.Unlock()
	out := queueSnapshot{
		Region: q.key.region, Name: q.key.name, UID: q.uid, Attributes: q.attrs, Tags: maps.Clone(q.tags),
		Created: q.created, Modified: q.modified, Purged: q.purged, Moves: slices.Clone(q.moves),
	}
	for _, m := range q.messages {
		out.Messages = append(out.Messages, m.record)
	}
	slices.SortFunc(out.Messages, func(a, b record) int {
		return cmp.Or(cmp.Compare(a.Turn, b.Turn), a.Sent.Compare(b.Sent), cmp.Compare(a.ID, b.ID))
	})
	return out
}

// Restore replaces all queues by those of a Snapshot. On an error nothing has
// changed. Receivers that wait go on waiting at the restored queues.
func (s *Service) Restore(data []byte) error {
	var in snapshot
	if err := json.Unmarshal(data, &in); err != nil {
		return fmt.Errorf("sqs: restore: %w", err)
	}
	queues := make(map[queueKey]*queue, len(in.Queues))
	for _, saved := range in.Queues {
		q, err := saved.restore()
		if err != nil {
			return fmt.Errorf("sqs: restore: queue %q: %w", saved.Name, err)
		}
		queues[q.key] = q
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	old := s.queues
	s.queues, s.deleted = queues, map[queueKey]time.Time{}
	for _, q := range old {
		q.wake()
	}
	return nil
}

func (saved queueSnapshot) restore() (*queue, error) {
	key := queueKey{saved.Region, saved.Name}
	if err := checkQueueName(saved.Name); err != nil {
		return nil, err
	}
	attrs, err := normalizeAttributes(saved.Attributes)
	if err != nil {
		return nil, err
	}
	q := newQueue(key, saved.UID, defaultAttributes().merge(attrs), saved.Created)
	q.modified, q.purged, q.moves = saved.Modified, saved.Purged, saved.Moves
	maps.Copy(q.tags, saved.Tags)
	for _, r := range saved.Messages {
		if err := q.readd(r); err != nil {
			return nil, err
		}
	}
	return q, nil
}

// readd puts a saved message where it was.
func (q *queue) readd(r record) error {
	if r.ID == "" || q.messages[r.ID] != nil {
		return fmt.Errorf("message id %q is empty or there twice", r.ID)
	}
	m := newMessage(r)
	switch r.State {
	case ready:
		q.show(m)
	case delayed, inFlight:
		q.hide(m, r.State, r.Visible, r.LastReceived)
	default:
		return fmt.Errorf("message %s has the unknown state %q", r.ID, r.State)
	}
	q.messages[r.ID] = m
	q.age.add(m)
	return nil
}
