package connectiontest

import (
	"context"
	"slices"
	"sync"
	"time"

	"fanfare/shared/connection"
)

// Store is a connection.Store in memory. It is safe for concurrent use.
type Store struct {
	// Latency is how long every operation takes.
	Latency time.Duration

	mu          sync.Mutex
	connections map[string]connection.Connection
	failures    map[string][]error
	removals    []string
	removed     []string
}

var _ connection.Store = (*Store)(nil)

// NewStore returns a store of the given connections. One without ConnectedAt
// has been connected for ten minutes, long enough to be removed; one without
// ExpiresAt lives for another hour.
func NewStore(connections ...connection.Connection) *Store {
	s := &Store{connections: make(map[string]connection.Connection), failures: make(map[string][]error)}
	for _, c := range connections {
		s.Put(c)
	}
	return s
}

// Put adds or replaces a connection, with the same defaults as NewStore.
func (s *Store) Put(c connection.Connection) {
	if c.ConnectedAt.IsZero() {
		c.ConnectedAt = time.Now().Add(-10 * time.Minute)
	}
	if c.ExpiresAt.IsZero() {
		c.ExpiresAt = time.Now().Add(time.Hour)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.connections[c.ID] = cloned(c)
}

// Fail makes the next operations on the connection return the errors, one each,
// without doing anything; nil lets one through.
func (s *Store) Fail(id string, errs ...error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.failures[id] = append(s.failures[id], errs...)
}

// Get implements connection.Store.
func (s *Store) Get(ctx context.Context, id string) (connection.Connection, error) {
	if err := sleep(ctx, s.Latency); err != nil {
		return connection.Connection{}, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.nextFailure(id); err != nil {
		return connection.Connection{}, err
	}
	c, ok := s.connections[id]
	if !ok {
		return connection.Connection{}, connection.ErrNotFound
	}
	return cloned(c), nil
}

// RemoveGone implements connection.Store.
func (s *Store) RemoveGone(ctx context.Context, id string, connectedBefore time.Time) error {
	err := sleep(ctx, s.Latency)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.removals = append(s.removals, id)
	if err != nil {
		return err
	}
	if err := s.nextFailure(id); err != nil {
		return err
	}
	c, ok := s.connections[id]
	if !ok {
		return connection.ErrNotFound
	}
	if !c.ConnectedAt.Before(connectedBefore) {
		return connection.ErrTooYoung
	}
	delete(s.connections, id)
	s.removed = append(s.removed, id)
	return nil
}

// Removals returns the ids of all calls of RemoveGone, whatever came of them.
func (s *Store) Removals() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.removals)
}

// Removed returns the ids of the connections that RemoveGone has deleted.
func (s *Store) Removed() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.removed)
}

func (s *Store) nextFailure(id string) error {
	next := s.failures[id]
	if len(next) == 0 {
		return nil
	}
	s.failures[id] = next[1:]
	return next[0]
}

func cloned(c connection.Connection) connection.Connection {
	c.Permissions = slices.Clone(c.Permissions)
	c.Channels = slices.Clone(c.Channels)
	return c
}
