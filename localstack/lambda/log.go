package lambda

import (
	"bytes"
	"crypto/rand"
	"encoding/hex"
	"io"
	"os"
	"sync"
	"time"
)

// LogLine is one line of a function's log.
type LogLine struct {
	Function  string // unqualified ARN
	Role      string // ARN of the function's role, which the log is written with
	Group     string // "/aws/lambda/connect"
	Stream    string // "2026/11/24/[$LATEST]<32 hex digits>"
	RequestID string // of the invoke that was under way; "" outside of one
	Time      time.Time
	Text      string // without its line end
	// Local marks what the local cloud adds for its user's eyes: a failure's
	// stack trace, readable. It is no part of the function's log.
	Local bool
}

const (
	maxLine = 256 << 10 // longer lines are cut into pieces: the limit of a CloudWatch event
	maxTail = 4 << 10   // of X-Amz-Log-Result

	markLength = 1 + 32 + 1 // NUL, 32 hex digits, line end
)

// functionLog is the log of one environment: what the process prints, and what
// the platform says in between.
//
// The process and the platform write into the same pipe: the platform's mark at
// the end of an invoke tells the reader that all lines of that invoke are
// behind it. So END never overtakes the function's own last line.
type functionLog struct {
	sink     func(LogLine) // nil: nobody listens
	now      func() time.Time
	template LogLine
	mark     []byte // a line nobody can guess
	pipe     io.Writer
	marked   chan struct{} // the reader has met the mark
	ended    chan struct{} // the reader has met the end

	mu        sync.Mutex
	requestID string
	tail      *tail // of the current invoke, nil if nobody has asked
}

func newFunctionLog(sink func(LogLine), now func() time.Time, template LogLine) *functionLog {
	var secret [16]byte
	rand.Read(secret[:]) // never fails since Go 1.24
	return &functionLog{
		sink: sink, now: now, template: template,
		mark:   []byte("\x00" + hex.EncodeToString(secret[:]) + "\n"),
		marked: make(chan struct{}, 1),
		ended:  make(chan struct{}),
	}
}

// start reads lines from r until its end. w is the other end of the same pipe.
func (l *functionLog) start(r io.Reader, w *os.File) {
	l.pipe = w
	go func() {
		defer close(l.ended)
		readLines(r, func(line []byte) {
			printed, marked := bytes.CutSuffix(line, l.mark)
			if printed = bytes.TrimRight(printed, "\r\n"); len(printed) > 0 || !marked {
				l.print(string(printed))
			}
			if marked {
				l.marked <- struct{}{}
			}
		})
	}()
}

// readLines calls do for each line, line end included, and for each piece of
// maxLine bytes of a longer one. The slice is valid only during the call.
func readLines(r io.Reader, do func(line []byte)) {
	buf := make([]byte, 4<<10)
	start, end := 0, 0 // what has been read and not been handed on
	for {
		n, err := r.Read(buf[end:])
		scanned := end
		end += n
		for {
			i := bytes.IndexByte(buf[scanned:end], '\n')
			if i < 0 {
				break
			}
			do(buf[start : scanned+i+1])
			start = scanned + i + 1
			scanned = start
		}
		if err != nil {
			if end > start {
				do(buf[start:end])
			}
			return
		}
		if end < len(buf) {
			continue
		}
		switch {
		case start > 0:
			end = copy(buf, buf[start:end])
			start = 0
		case len(buf) < maxLine:
			buf = append(buf, make([]byte, len(buf))...)
		default:
			// A mark must stay in one piece, so none is cut that may be one.
			cut := len(buf)
			if i := bytes.IndexByte(buf[cut-markLength:], 0); i >= 0 {
				cut += i - markLength
			}
			do(buf[:cut])
			end = copy(buf, buf[cut:])
		}
	}
}

// print records one line, of the process or of the platform.
func (l *functionLog) print(text string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.tail != nil {
		l.tail.add(text)
	}
	if l.sink == nil {
		return
	}
	l.send(LogLine{Text: text})
}

// send completes a line and hands it to the sink. l.mu is held.
func (l *functionLog) send(line LogLine) {
	line.Function, line.Role, line.Group, line.Stream = l.template.Function, l.template.Role, l.template.Group, l.template.Stream
	line.RequestID, line.Time = l.requestID, l.now()
	l.sink(line)
}

// wanted reports whether anybody will see what is printed now.
func (l *functionLog) wanted() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.sink != nil || l.tail != nil
}

// begin makes the following lines those of an invoke.
func (l *functionLog) begin(requestID string, withTail bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.requestID = requestID
	l.tail = nil
	if withTail {
		l.tail = new(tail)
	}
}

// current is the invoke that lines belong to now.
func (l *functionLog) current() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.requestID
}

// catchUp waits until everything that the process has printed so far has been
// recorded.
func (l *functionLog) catchUp() {
	if l.pipe == nil || !l.wanted() {
		return
	}
	if _, err := l.pipe.Write(l.mark); err != nil {
		<-l.ended // the process is gone: its output has an end of its own
		return
	}
	select {
	case <-l.marked:
	case <-l.ended:
	}
}

// end returns the tail and makes the following lines nobody's.
func (l *functionLog) end() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	t := l.tail
	l.tail, l.requestID = nil, ""
	if t == nil {
		return ""
	}
	return t.String()
}

// tail keeps the last maxTail bytes of what is added.
type tail struct{ buf []byte }

func (t *tail) add(line string) {
	t.buf = append(append(t.buf, line...), '\n')
	if len(t.buf) > 2*maxTail { // now and then, so that adding stays cheap
		t.buf = append([]byte(nil), t.String()...)
	}
}

func (t *tail) String() string { return string(t.buf[max(0, len(t.buf)-maxTail):]) }
