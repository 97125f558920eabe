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
	memory memory
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

// remove forgets k. It is the last step of a socket that nothing is left of.
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

// closeStage ends the sockets of a stage that is no more; of a whole API where
// stage is empty.
func (s *sockets) closeStage(api, stage string) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	for _, k := range s.byID {
		if k.api == api && (stage == "" || k.stage == stage) {
			k.close(closedByStop)
		}
	}
}

// stop refuses new sockets and returns those that there are.
func (s *sockets) stop() []*socket {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
	list := make([]*socket, 0, len(s.byID))
	for _, k := range s.byID {
		list = append(list, k)
	}
	return list
}

// closeAll ends every socket and waits until nothing is left of them, or until
// ctx ends; then they are cut off.
func (s *sockets) closeAll(ctx context.Context) error {
	list := s.stop()
	for _, k := range list {
		k.close(closedByStop)
	}
	for _, k := range list {
		select {
		case <-k.done:
		case <-ctx.Done():
			for _, k := range list {
				k.cut()
			}
			return ctx.Err()
		}
	}
	return nil
}
