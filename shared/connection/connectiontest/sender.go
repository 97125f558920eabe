package connectiontest

import (
	"context"
	"slices"
	"sync"
	"time"

	"fanfare/shared/connection"
)

// SenderFunc is a Sender that is one function.
type SenderFunc func(ctx context.Context, id string, m *connection.Message) error

// Post calls f.
func (f SenderFunc) Post(ctx context.Context, id string, m *connection.Message) error {
	return f(ctx, id, m)
}

// Sender is a connection.Sender that answers as it is told to, and success
// otherwise. The zero value is ready to use. It is safe for concurrent use.
type Sender struct {
	// Latency is how long every post takes that has none of its own. A context
	// that ends first ends the post with the context's error.
	Latency time.Duration

	mu        sync.Mutex
	scripts   map[string][]error
	always    map[string]error
	latencies map[string]time.Duration
	posts     []Post
	byID      map[string]int
	inFlight  int
	peak      int
}

// Post is a post that a Sender has seen.
type Post struct {
	ID      string
	Payload string
	Start   time.Time
	Err     error // what it answered
}

var _ connection.Sender = (*Sender)(nil)

// Script appends the answers to the next posts to the connection, nil being
// success. When they are used up, Always holds, or success.
func (s *Sender) Script(id string, answers ...error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.scripts == nil {
		s.scripts = make(map[string][]error)
	}
	s.scripts[id] = append(s.scripts[id], answers...)
}

// Always sets the answer to every post to the connection that no Script has an
// answer for.
func (s *Sender) Always(id string, answer error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.always == nil {
		s.always = make(map[string]error)
	}
	s.always[id] = answer
}

// Slow gives the connection a latency of its own.
func (s *Sender) Slow(id string, latency time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.latencies == nil {
		s.latencies = make(map[string]time.Duration)
	}
	s.latencies[id] = latency
}

// Post implements connection.Sender.
func (s *Sender) Post(ctx context.Context, id string, m *connection.Message) error {
	start := time.Now()
	latency, answer := s.begin(id)
	if err := sleep(ctx, latency); err != nil {
		answer = err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.inFlight--
	s.posts = append(s.posts, Post{id, string(m.Data()), start, answer})
	return answer
}

func (s *Sender) begin(id string) (latency time.Duration, answer error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.byID == nil {
		s.byID = make(map[string]int)
	}
	s.byID[id]++
	s.inFlight++
	s.peak = max(s.peak, s.inFlight)
	latency, own := s.latencies[id]
	if !own {
		latency = s.Latency
	}
	if script := s.scripts[id]; len(script) > 0 {
		s.scripts[id] = script[1:]
		return latency, script[0]
	}
	return latency, s.always[id]
}

// Posts returns every post that was answered so far, in that order.
func (s *Sender) Posts() []Post {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.posts)
}

// PostsTo returns how many posts to the connection were begun.
func (s *Sender) PostsTo(id string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.byID[id]
}

// Peak returns the most posts that were in flight at the same time.
func (s *Sender) Peak() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.peak
}

// sleep waits for d or for the end of ctx, whose error it returns.
func sleep(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return ctx.Err()
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
