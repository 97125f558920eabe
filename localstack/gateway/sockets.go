package gateway

import (
	"context"
	"sync"
)

// sockets is the set of all connections, opening and open.
type sockets struct {
	mu     sync.RWMutex
	byID   map[string]*socket
	closed bool
}

// add registers k, unless the gateway is closing.
func (s *sockets) add(k *socket) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return false
	}
	if s.byID == nil {
		s.byID = map[string]*socket{}
	}
	s.byID[k.id] = k
	return true
}

func (s *sockets) remove(k *socket) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.byID, k.id)
}

// get returns the socket of this API and stage with that id.
func (s *sockets) get(api, stage, id string) (*socket, bool) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	k, ok := s.byID[id]
	if !ok || k.api != api || k.stage != stage {
		return nil, false
	}
	return k, true
}

func (s *sockets) all() []*socket {
	s.mu.RLock()
	defer s.mu.RUnlock()
	list := make([]*socket, 0, len(s.byID))
	for _, k := range s.byID {
		list = append(list, k)
	}
	return list
}

// closeAll ends every socket and waits for their $disconnect.
func (s *sockets) closeAll(ctx context.Context) error {
	s.mu.Lock()
	s.closed = true
	s.mu.Unlock()
	list := s.all()
	for _, k := range list {
		k.close(closedByStop)
	}
	for _, k := range list {
		select {
		case <-k.done:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}
