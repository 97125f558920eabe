package dynamodb

import (
	"encoding/binary"
	"time"

	"fanfare/localstack/clock"
)

// maxTTLAge: AWS leaves items alone whose time-to-live lies further back, so
// that a value in the wrong unit does not empty a table.
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/time-to-live-ttl-before-you-start.html
const maxTTLAge = 5 * 365 * 24 * time.Hour

// expiry is a table's queue of items to expire: a sorted map by time, kept only
// while time to live is on. The table's lock guards it.
type expiry struct {
	attribute string // "" while off
	queue     sortedMap
	arm       func(at int64) *clock.Timer // nil while the queue is being built
	timer     *clock.Timer                // nil while nothing waits
	due       int64                       // what the timer is set for, epoch seconds
}

// expiresAt reads an item's time to live; anything but a Number has none.
func (e *expiry) expiresAt(r *row) (int64, bool) {
	if r == nil || e.attribute == "" {
		return 0, false
	}
	v, ok := r.attrs[e.attribute]
	if !ok || v.kind != kindN {
		return 0, false
	}
	at, ok := mustDecimal(v.text).wholeSeconds()
	return at, ok && at > 0
}

// expiryKey orders the queue by time.
func expiryKey(at int64, rowKey string) string {
	var b [8]byte
	binary.BigEndian.PutUint64(b[:], uint64(at))
	return string(b[:]) + rowKey
}

func expiryTime(key string) int64 { return int64(binary.BigEndian.Uint64([]byte(key[:8]))) }

// replace follows a write to the table.
func (e *expiry) replace(rows *index, old, fresh *row) {
	if e.attribute == "" {
		return
	}
	if at, ok := e.expiresAt(old); ok {
		e.queue.delete(expiryKey(at, rows.rowKey(old.attrs)))
	}
	if at, ok := e.expiresAt(fresh); ok {
		e.queue.set(expiryKey(at, rows.rowKey(fresh.attrs)), fresh)
		if e.arm != nil && (e.timer == nil || at < e.due) {
			e.reset(at)
		}
	}
}

func (e *expiry) reset(at int64) {
	e.stop()
	e.due, e.timer = at, e.arm(at)
}

func (e *expiry) stop() {
	if e.timer != nil {
		e.timer.Stop()
		e.timer = nil
	}
}

// startTTL builds the queue for attribute and sets the timer; "" turns time to
// live off. t.mu is held for writing.
func (s *Service) startTTL(t *table, attribute string) {
	t.ttl.stop()
	t.ttl = expiry{attribute: attribute}
	if attribute == "" {
		return
	}
	for e := range t.rows.rows.ascend(keyRange{}) {
		t.ttl.replace(t.rows, nil, e.row)
	}
	t.ttl.arm = func(at int64) *clock.Timer { return s.expireAfter(t, at) }
	s.scheduleTTL(t)
}

// scheduleTTL arms the timer for the earliest item that will be deleted.
func (s *Service) scheduleTTL(t *table) {
	t.ttl.stop()
	oldest := s.clock.Now().Add(-maxTTLAge).Unix()
	for e := range t.ttl.queue.ascend(keyRange{lo: expiryKey(oldest, "")}) {
		t.ttl.reset(expiryTime(e.key))
		return
	}
}

// maxWait keeps a time to live in the far future from overflowing a Duration;
// the sweep then simply finds nothing.
const maxWait = 100 * 365 * 24 * time.Hour

// expireAfter promises a sweep of t once at and the delay have passed.
func (s *Service) expireAfter(t *table, at int64) *clock.Timer {
	now := s.clock.Now()
	wait := maxWait
	if at < now.Add(maxWait).Unix() {
		wait = max(0, time.Unix(at, 0).Add(s.ttlDelay).Sub(now))
	}
	return s.clock.AfterFunc(wait, func() { s.sweep(t) })
}

// sweep deletes the items of t that have been expired for the delay. It runs
// on the clock, and consumes no capacity, as in AWS.
func (s *Service) sweep(t *table) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.deleted || t.ttl.attribute == "" || s.closed.Load() {
		return
	}
	now := s.clock.Now()
	r := keyRange{expiryKey(now.Add(-maxTTLAge).Unix(), ""), expiryKey(now.Add(-s.ttlDelay).Unix()+1, "")}
	var expired []*row
	for e := range t.ttl.queue.ascend(r) {
		expired = append(expired, e.row)
	}
	for _, old := range expired {
		t.replace(old, nil)
	}
	if len(expired) > 0 {
		s.log.Debug("time to live: deleted expired items", "table", t.id.name, "items", len(expired))
	}
	s.scheduleTTL(t)
}
