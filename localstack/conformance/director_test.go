package conformance

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"fanfare/localstack/conformance/testdata/script"
)

// patience bounds what a test waits for; nothing waits for it to pass.
const patience = 20 * time.Second

type order = script.Order

// call is one event that a function got.
type call struct {
	script.Report
	ctx     context.Context // ends when the function's process does
	Context struct {
		RouteKey     string `json:"routeKey"`
		EventType    string `json:"eventType"`
		ConnectionID string `json:"connectionId"`
		RequestID    string `json:"requestId"`
		APIID        string `json:"apiId"`
		StatusCode   int    `json:"disconnectStatusCode"`
		Reason       *string
		Authorizer   map[string]any `json:"authorizer"`
	}
	Query   map[string]string
	Type    string // REQUEST for an authorizer
	Body    string
	Records []struct {
		MessageID      string `json:"messageId"`
		Body           string `json:"body"`
		EventSourceARN string `json:"eventSourceARN"`
		Attributes     map[string]string
	}
}

func parseCall(ctx context.Context, r script.Report) call {
	c := call{Report: r, ctx: ctx}
	var event struct {
		Key            string `json:"key"`
		Type           string `json:"type"`
		RequestContext json.RawMessage
		Query          map[string]string `json:"queryStringParameters"`
		Body           string            `json:"body"`
		Records        json.RawMessage   `json:"Records"`
	}
	// What is of another shape stays empty: the claim that wants it fails.
	_ = json.Unmarshal(r.Event, &event)
	_ = json.Unmarshal(event.RequestContext, &c.Context)
	_ = json.Unmarshal(event.Records, &c.Records)
	var reason struct {
		DisconnectReason *string `json:"disconnectReason"`
	}
	_ = json.Unmarshal(event.RequestContext, &reason)
	c.Context.Reason = reason.DisconnectReason
	c.Query, c.Body, c.Type = event.Query, event.Body, event.Type
	switch {
	case c.Key != "":
	case event.Key != "":
		c.Key = event.Key
	case c.Context.APIID != "":
		c.Key = c.Context.APIID
	case len(c.Records) > 0:
		c.Key = c.Records[0].EventSourceARN
	}
	return c
}

// kind names the calls that a test waits for: a route key, "authorizer",
// "SIGTERM", "batch", or "" for any other event.
func (c call) kind() string {
	switch {
	case c.SIGTERM:
		return "SIGTERM"
	case c.Type == "REQUEST":
		return "authorizer"
	case c.Context.RouteKey != "":
		return c.Context.RouteKey
	case len(c.Records) > 0:
		return "batch"
	}
	return ""
}

// actor is who plays the functions of one test.
type actor struct {
	t     *testing.T
	do    func(call) order
	mu    sync.Mutex
	calls map[string]chan call
}

// stage is where all functions report. It knows the actors by key.
type stage struct {
	server *httptest.Server
	mu     sync.Mutex
	actors map[string]*actor
}

func newStage() *stage {
	s := &stage{actors: map[string]*actor{}}
	s.server = httptest.NewServer(s)
	return s
}

func (s *stage) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var report script.Report
	if err := json.NewDecoder(r.Body).Decode(&report); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	c := parseCall(r.Context(), report)
	s.mu.Lock()
	a := s.actors[c.Key]
	s.mu.Unlock()
	o := ok("")
	if a != nil {
		a.note(c)
		if a.do != nil && !c.SIGTERM {
			o = a.do(c)
		}
	}
	_ = json.NewEncoder(w).Encode(o) // the function has ended: nobody to tell
}

// cast makes an actor who answers the events of key: an API's id, a queue's ARN
// or what the event or the function's environment says. A nil do answers 200.
func (s *stage) cast(t *testing.T, key string, do func(call) order) *actor {
	a := &actor{t: t, do: do, calls: map[string]chan call{}}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.actors[key] = a
	return a
}

func (a *actor) of(kind string) chan call {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.calls[kind] == nil {
		a.calls[kind] = make(chan call, 1024)
	}
	return a.calls[kind]
}

func (a *actor) note(c call) {
	select {
	case a.of(c.kind()) <- c:
	default: // a test with so many does not look at them
	}
}

// next waits for the next call of the kind.
func (a *actor) next(kind string) call {
	a.t.Helper()
	select {
	case c := <-a.of(kind):
		return c
	case <-time.After(patience):
		a.t.Fatalf("no call of %q within %v", kind, patience)
		return call{}
	}
}

// never fails if there was a call of the kind so far.
func (a *actor) never(kind string) {
	a.t.Helper()
	select {
	case c := <-a.of(kind):
		a.t.Errorf("%q was called with %s", kind, c.Event)
	default:
	}
}

// ok is a proxy result.
func ok(body string) order { return status(200, body) }

func status(code int, body string) order {
	return order{Answer: map[string]any{"statusCode": code, "body": body}}
}

// gate holds calls until it opens.
type gate struct {
	held   chan call
	opened chan struct{}
	open   func()
}

// newGate returns a gate that opens with the test's end at the latest.
func newGate(t *testing.T) *gate {
	g := &gate{held: make(chan call, 64), opened: make(chan struct{})}
	g.open = sync.OnceFunc(func() { close(g.opened) })
	t.Cleanup(g.open)
	return g
}

// hold waits until the gate opens or the function's process has ended.
func (g *gate) hold(c call) {
	g.held <- c
	select {
	case <-g.opened:
	case <-c.ctx.Done():
	}
}

// wait returns the next call that is held.
func (g *gate) wait(t *testing.T) call {
	t.Helper()
	select {
	case c := <-g.held:
		return c
	case <-time.After(patience):
		t.Fatalf("no call was held within %v", patience)
		return call{}
	}
}

// lastPart is what follows the last colon: a name in an ARN.
func lastPart(arn string) string { return arn[strings.LastIndexByte(arn, ':')+1:] }
