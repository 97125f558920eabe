package emulator

import (
	"fmt"
	"log/slog"
	"path"
	"strings"
	"sync"

	"fanfare/localstack/lambda"
)

// What is kept for a test that may fail. Older lines go first.
const (
	keptLines = 1000
	keptBytes = 4 << 10 // of a line
)

// testLog keeps what a test's cloud has to say until it is known whether anybody
// wants to read it.
type testLog struct {
	mu      sync.Mutex
	lines   []string
	dropped int
}

// listen has the log hear all that o's caller does not want for itself.
func (l *testLog) listen(o *Options) {
	if o.Logger == nil {
		o.Logger = slog.New(slog.NewTextHandler(l, nil))
	}
	if o.FunctionLog == nil {
		o.FunctionLog = l.function
	}
	if o.OnRequest == nil {
		o.OnRequest = l.request
	}
}

// Write adds one line, for the logger.
func (l *testLog) Write(line []byte) (int, error) {
	l.add(strings.TrimSuffix(string(line), "\n"))
	return len(line), nil
}

const testClock = "15:04:05.000"

func (l *testLog) function(line lambda.LogLine) {
	l.add(fmt.Sprintf("%s %s: %s", line.Time.UTC().Format(testClock), path.Base(line.Group), Printable(line.Text, "\t")))
}

// request adds a request that failed.
func (l *testLog) request(r Request) {
	if !r.Failed() {
		return
	}
	line := fmt.Sprintf("%s %s %s %s: %d %s", r.Time.UTC().Format(testClock), r.Service, r.Operation, r.Resource, r.Status, r.Error)
	switch {
	case r.Faulted:
		line += " (by a fault rule)"
	case r.Caller != "":
		line += " (called by " + r.Caller + ")"
	}
	if r.Unknown || r.Status >= 500 && r.Operation != SocketClosed {
		line += " " + r.Answer
	}
	l.add(Printable(line, ""))
}

func (l *testLog) add(line string) {
	if len(line) > keptBytes {
		line = fmt.Sprintf("%s… (%d bytes)", strings.ToValidUTF8(line[:keptBytes], ""), len(line))
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.lines) == keptLines {
		l.lines = l.lines[:copy(l.lines, l.lines[keptLines/2:])]
		l.dropped += keptLines / 2
	}
	l.lines = append(l.lines, line)
}

// String is all that is kept, a line each.
func (l *testLog) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.lines) == 0 {
		return "(nothing failed in it, and no function printed)"
	}
	text := strings.Join(l.lines, "\n")
	if l.dropped > 0 {
		text = fmt.Sprintf("(%d earlier lines are not kept)\n%s", l.dropped, text)
	}
	return text
}
