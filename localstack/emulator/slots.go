package emulator

import (
	"context"
	"sync"
)

// slots bounds how many things are under way at a time. The bound may change
// meanwhile: what is too many then ends by itself.
type slots struct {
	mu          sync.Mutex
	limit, used int
	changed     chan struct{} // closed, and replaced, when there may be room
}

func newSlots() *slots { return &slots{changed: make(chan struct{})} }

func (s *slots) resize(limit int) { s.change(func() { s.limit = limit }) }

func (s *slots) release() { s.change(func() { s.used-- }) }

func (s *slots) change(do func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	do()
	close(s.changed)
	s.changed = make(chan struct{})
}

// acquire waits for room; false means that ctx has ended.
func (s *slots) acquire(ctx context.Context) bool {
	for {
		s.mu.Lock()
		if ctx.Err() == nil && s.used < s.limit {
			s.used++
			s.mu.Unlock()
			return true
		}
		changed := s.changed
		s.mu.Unlock()
		select {
		case <-changed:
		case <-ctx.Done():
			return false
		}
	}
}
