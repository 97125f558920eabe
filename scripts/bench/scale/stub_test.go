package scale

import (
	"context"
	"errors"
	"math/rand/v2"
	"sync"
	"time"

	"fanfare/shared/connection"
)

// stub is a Sender that counts, and takes as long as @connections does.
type stub struct {
	faults  bool
	mu      sync.Mutex
	got     map[string]int
	doubled int
	moved   time.Time // when somebody got it for the first time
}

func newStub(faults bool) *stub {
	return &stub{faults: faults, got: map[string]int{}, moved: time.Now()}
}

var errServer = errors.New("500 Internal Server Error")

// Post implements connection.Sender.
func (s *stub) Post(ctx context.Context, id string, _ *connection.Message) error {
	timer := time.NewTimer(postLatency)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
		return ctx.Err()
	}
	if s.faults {
		switch rand.IntN(100) {
		case 0:
			return connection.ErrThrottled
		case 1:
			return errServer
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.got[id]++
	if s.got[id] > 1 {
		s.doubled++
		return nil
	}
	s.moved = time.Now()
	return nil
}

func (s *stub) count() (clients, doubled int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.got), s.doubled
}

func (s *stub) last() time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.moved
}

// await returns how many of n are missing once nothing has come for a while.
func (s *stub) await(n int, quiet time.Duration) int {
	begun := time.Now()
	for {
		clients, _ := s.count()
		if clients >= n || time.Since(s.last()) > quiet && time.Since(begun) > quiet {
			return n - clients
		}
		time.Sleep(20 * time.Millisecond)
	}
}
