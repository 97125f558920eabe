package stack

import (
	"fmt"
	"io"
	"sync"
	"time"
)

// progress tells people what runs and how long each step took.
type progress struct {
	mu  sync.Mutex
	out io.Writer
}

func newProgress(out io.Writer) *progress {
	if out == nil {
		out = io.Discard
	}
	return &progress{out: out}
}

func (p *progress) line(format string, args ...any) {
	p.mu.Lock()
	defer p.mu.Unlock()
	_, _ = fmt.Fprintf(p.out, "  "+format+"\n", args...) // a closed terminal is no reason to stop
}

// step announces f, runs it and says how long it took.
func (p *progress) step(what string, f func() error) error {
	begin := time.Now()
	p.mu.Lock()
	_, _ = fmt.Fprintf(p.out, "▸ %s\n", what)
	p.mu.Unlock()
	if err := f(); err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	p.line("done in %.1f s", time.Since(begin).Seconds())
	return nil
}
