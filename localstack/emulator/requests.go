package emulator

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"
	"unicode/utf8"
)

// Request is what is remembered of one request, of one message of a socket, or
// of a socket's end. It has no header, query string or body, because those hold tokens and secrets.
type Request struct {
	Time      time.Time `json:"time"` // when it began, on the cloud's clock
	RequestID string    `json:"requestId"`
	Service   string    `json:"service"`   // as in a signature's scope; "execute-api" for sockets and @connections
	Operation string    `json:"operation"` // as AWS names it: "PutItem"; of sockets the route: "$connect", "broadcast"; SocketClosed
	Resource  string    `json:"resource,omitempty"`
	Region    string    `json:"region,omitempty"`
	Status    int       `json:"status"` // HTTP; of SocketClosed the close code, 1006 for a lost one
	Took      Duration  `json:"took"`   // real time; of SocketClosed how long the socket was open, in the cloud's
	// Error is the code of an answer that failed ("ResourceNotFoundException"),
	// of a function that failed ("Unhandled"), or a closed socket's reason.
	Error string `json:"error,omitempty"`
	// Caller is the function, or the session of another role, that signed the
	// request; empty for everybody else.
	Caller string `json:"caller,omitempty"`
	// Invocation is the function's invoke that made the request or, of a socket's,
	// answered it: RequestId in the function's log.
	Invocation string `json:"invocation,omitempty"`

	Source  string `json:"source,omitempty"`  // the caller's IP address
	Faulted bool   `json:"faulted,omitempty"` // a fault rule answered
	Unknown bool   `json:"unknown,omitempty"` // the local cloud has no such service or operation

	// Answer is the beginning of an answer with a 5xx status, or to what is
	// unknown. It is for the log of this machine and in no JSON.
	Answer string `json:"-"`
}

// SocketClosed is the Operation of a Request that tells of a socket's end.
const SocketClosed = "closed"

// Failed reports whether the caller got an error. A socket's normal ends are
// none.
func (r Request) Failed() bool {
	if r.Operation == SocketClosed {
		return r.Status != 1000 && r.Status != 1001 && r.Status != 1005
	}
	return r.Status >= 400 || r.Error != ""
}

// Duration is a time.Duration that JSON has as "1.5ms".
type Duration time.Duration

// String is time.Duration's.
func (d Duration) String() string { return time.Duration(d).String() }

// MarshalText writes "1.5ms".
func (d Duration) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

// UnmarshalText reads "1.5ms".
func (d *Duration) UnmarshalText(text []byte) error {
	parsed, err := time.ParseDuration(string(text))
	*d = Duration(parsed)
	return err
}

// keptRequests, maxName and maxResources bound the memory of the requests and
// the length of a line of the log. A request has about 300 bytes, and not two
// kilobytes of what a caller can choose.
const (
	keptRequests = 2000
	maxName      = 256 // bytes of a text
	maxResources = 10  // names in Resource
)

// shorten cuts what a caller can choose.
func (r *Request) shorten() {
	for _, text := range []*string{&r.Service, &r.Operation, &r.Resource, &r.Region, &r.Error, &r.Caller} {
		*text = shortened(*text)
	}
}

// shortened returns at most maxName bytes, cut between two characters. It does
// not keep the rest of a longer text in memory.
func shortened(text string) string {
	if len(text) <= maxName {
		return text
	}
	const more = "…"
	end := maxName - len(more)
	for end > 0 && !utf8.RuneStart(text[end]) {
		end--
	}
	return text[:end] + more
}

// nameResources lists the first of the resources, and says how many more there
// are.
func nameResources(names []string) string {
	list := make([]string, 0, min(len(names), maxResources+1))
	for _, name := range names[:min(len(names), maxResources)] {
		list = append(list, shortened(name))
	}
	if more := len(names) - len(list); more > 0 {
		list = append(list, fmt.Sprintf("and %d more", more))
	}
	return strings.Join(list, ",")
}

// requestRing keeps the last requests.
type requestRing struct {
	mu   sync.Mutex
	kept []Request
	next int // where the oldest is, once kept is full
}

func (l *requestRing) add(r Request) {
	r.Answer = "" // it may hold what a caller sent
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.kept) < keptRequests {
		l.kept = append(l.kept, r)
		return
	}
	l.kept[l.next] = r
	l.next = (l.next + 1) % keptRequests
}

func (l *requestRing) clear() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.kept, l.next = nil, 0
}

// RequestFilter chooses among the kept requests. Its zero value takes all.
type RequestFilter struct {
	Service, Operation string    // exactly; empty takes any
	Since              time.Time // begun then or later
	Limit              int       // the newest so many; 0 means all
}

func (f RequestFilter) takes(r Request) bool {
	return (f.Service == "" || f.Service == r.Service) && (f.Operation == "" || f.Operation == r.Operation) && !r.Time.Before(f.Since)
}

// Requests returns the last requests that were answered, oldest first. At most
// 2,000 are kept.
func (e *Emulator) Requests(f RequestFilter) []Request {
	l := &e.requests
	l.mu.Lock()
	defer l.mu.Unlock()
	list := []Request{}
	for i := range l.kept {
		if r := l.kept[(l.next+i)%len(l.kept)]; f.takes(r) {
			list = append(list, r)
		}
	}
	if f.Limit > 0 && len(list) > f.Limit {
		list = slices.Clone(list[len(list)-f.Limit:])
	}
	return list
}
