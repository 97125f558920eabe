package lambda

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"
)

// maxResponse is what a function may answer: 6 MB and a little, as Lambda counts.
const maxResponse = 6<<20 + 100

// invocation is one event on its way through an environment.
type invocation struct {
	id            string
	arn           string // as it was invoked, qualifier included
	traceID       string
	clientContext string // JSON
	payload       []byte
	deadline      time.Time
	kill          bool   // a fault ends the process in the middle
	begin         func() // called when the process has taken the event
	interrupt     func() // if set, called instead of taking an answer

	// Guarded by the runtimeAPI's mu.
	answered      bool
	answer        []byte
	functionError string

	done chan struct{} // closed when the process asks for its next event
}

// runtimeAPI is what one process talks to: the Lambda Runtime API
// (developer guide, "Runtime API") and the part of the Extensions API that
// internal extensions use. It listens on 127.0.0.1 only.
type runtimeAPI struct {
	about  registration
	server *runtimeServer

	asking chan *runtimeConn // has room for the one connection whose call of next is open
	ready  chan struct{}     // closed by the first call of next
	failed chan []byte       // the body of an init error

	mu         sync.Mutex
	state      runtimeState
	waiting    *runtimeConn // whose call of next is open, nil if none
	current    *invocation
	extensions map[string]string // identifier -> name
}

// newRuntimeAPI starts to listen. close must be called.
func newRuntimeAPI(about registration) (*runtimeAPI, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("listen for the Runtime API: %w", err)
	}
	a := makeRuntimeAPI(about)
	a.server = serveRuntime(l, a)
	return a, nil
}

func makeRuntimeAPI(about registration) *runtimeAPI {
	return &runtimeAPI{
		about:  about,
		asking: make(chan *runtimeConn, 1),
		ready:  make(chan struct{}),
		failed: make(chan []byte, 1),
	}
}

// The paths of the two APIs. What follows invocationPath is next, or an id with
// /response or /error behind it.
const (
	invocationPath = "/2018-06-01/runtime/invocation/"
	nextPath       = invocationPath + "next"
	initErrorPath  = "/2018-06-01/runtime/init/error"
	registerPath   = "/2020-01-01/extension/register"
	extensionPath  = "/2020-01-01/extension/event/next"
)

// serve implements runtimeHandler.
func (a *runtimeAPI) serve(c *runtimeConn, r *http.Request) *reply {
	method, handle := a.route(r.URL.Path)
	switch {
	case handle == nil:
		return plainReply(http.StatusNotFound)
	case r.Method != method:
		return plainReply(http.StatusMethodNotAllowed, "Allow", method)
	}
	return handle(c, r)
}

func (a *runtimeAPI) route(path string) (method string, handle func(*runtimeConn, *http.Request) *reply) {
	switch path {
	case nextPath:
		return http.MethodGet, a.next
	case initErrorPath:
		return http.MethodPost, a.initError
	case registerPath:
		return http.MethodPost, a.registerExtension
	case extensionPath:
		return http.MethodGet, a.nextExtensionEvent
	}
	rest, ok := strings.CutPrefix(path, invocationPath)
	if !ok {
		return "", nil
	}
	switch id, verb, _ := strings.Cut(rest, "/"); verb {
	case "response":
		return http.MethodPost, func(_ *runtimeConn, r *http.Request) *reply { return a.takeAnswer(r, id, stateResponding, "") }
	case "error":
		return http.MethodPost, func(_ *runtimeConn, r *http.Request) *reply {
			return a.takeAnswer(r, id, stateRespondingError, unhandled)
		}
	}
	return "", nil
}

// address is the value of AWS_LAMBDA_RUNTIME_API: host:port, nothing else.
func (a *runtimeAPI) address() string { return a.server.listener.Addr().String() }

// close ends every open call. It may be called once.
func (a *runtimeAPI) close() { a.server.close() }

// next is answered by begin, once there is an event. That the process asks means
// that it is done with the one before.
func (a *runtimeAPI) next(c *runtimeConn, _ *http.Request) *reply {
	if from, err := a.enterReady(c); err != nil {
		return refuseTransition(from, stateReady, err)
	}
	return nil
}

func (a *runtimeAPI) enterReady(c *runtimeConn) (from runtimeState, err error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	from = a.state
	if a.waiting != nil {
		return from, errTransition
	}
	if err := a.state.to(stateReady); err != nil {
		return from, err
	}
	switch {
	case from == stateStarted:
		close(a.ready)
	case a.current != nil:
		close(a.current.done)
		a.current = nil
	}
	a.waiting = c
	select {
	case <-a.asking: // a call that has been lost, and that nobody has taken since
	default:
	}
	a.asking <- c
	return from, nil
}

// lost implements runtimeHandler: a call of next that is still open ends with its
// connection, and the process may ask anew.
func (a *runtimeAPI) lost(c *runtimeConn) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.waiting == c {
		a.waiting = nil
	}
}

// begin answers the call of next that c has made, as asking says. It reports
// false if that has been lost. until bounds how long the process may take to read.
func (a *runtimeAPI) begin(c *runtimeConn, inv *invocation, until time.Time) bool {
	a.mu.Lock()
	if a.waiting != c || a.state.to(stateRunning) != nil {
		a.mu.Unlock()
		return false
	}
	a.waiting, a.current = nil, inv
	a.mu.Unlock()
	inv.begin()
	c.fulfil(inv.event(), until) // a process that has gone is noticed elsewhere
	return true
}

// event is the answer to next.
func (inv *invocation) event() *reply {
	header := []string{
		"Lambda-Runtime-Aws-Request-Id", inv.id,
		"Lambda-Runtime-Deadline-Ms", strconv.FormatInt(inv.deadline.UnixMilli(), 10),
		"Lambda-Runtime-Invoked-Function-Arn", inv.arn,
		"Lambda-Runtime-Trace-Id", inv.traceID,
	}
	if inv.clientContext != "" {
		header = append(header, "Lambda-Runtime-Client-Context", inv.clientContext)
	}
	return &reply{status: http.StatusOK, kind: jsonType, header: header, body: inv.payload}
}

func (a *runtimeAPI) takeAnswer(r *http.Request, id string, state runtimeState, functionError string) *reply {
	inv, from, err := a.enterResponse(id, state)
	switch {
	case inv == nil:
		return errorReply(http.StatusBadRequest, "InvalidRequestID", "Invalid request ID")
	case err != nil:
		return refuseTransition(from, state, err)
	}
	if inv.interrupt != nil { // the function has done its work, and nobody hears of it
		inv.interrupt()
		return nil
	}
	body, err := readAnswer(r)
	if errors.Is(err, errTooLarge) {
		body, _ = json.Marshal(functionFailure{
			ErrorMessage: fmt.Sprintf("Response payload size exceeded maximum allowed payload size (%d bytes).", maxResponse),
			ErrorType:    "Function.ResponseSizeTooLarge",
		})
		a.finishResponse(inv, body, unhandled)
		return errorReply(http.StatusRequestEntityTooLarge, "RequestEntityTooLarge",
			fmt.Sprintf("Exceeded maximum allowed payload size (%d bytes).", maxResponse))
	}
	if err != nil {
		return errorReply(http.StatusBadRequest, "TruncatedHTTPRequest", "HTTP request detected as truncated")
	}
	if late, ok := trailerError(r); ok {
		body, functionError = late, unhandled
	}
	a.finishResponse(inv, body, functionError)
	return accepted
}

// enterResponse returns no invocation if id is not that of the current one.
func (a *runtimeAPI) enterResponse(id string, state runtimeState) (inv *invocation, from runtimeState, err error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	from = a.state
	if a.current == nil || a.current.id != id {
		return nil, from, nil
	}
	return a.current, from, a.state.to(state)
}

func (a *runtimeAPI) finishResponse(inv *invocation, body []byte, functionError string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.state.to(stateResponseSent) == nil { // always: enterResponse has let in only one
		inv.answered, inv.answer, inv.functionError = true, body, functionError
	}
}

// outcome returns what the process has answered so far.
func (a *runtimeAPI) outcome(inv *invocation) (body []byte, functionError string, ok bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	return inv.answer, inv.functionError, inv.answered
}

func (a *runtimeAPI) initError(_ *runtimeConn, r *http.Request) *reply {
	body, err := readAnswer(r)
	if err != nil {
		body = nil
	}
	a.mu.Lock()
	from := a.state
	err = a.state.to(stateInitError)
	a.mu.Unlock()
	if err != nil {
		return refuseTransition(from, stateInitError, err)
	}
	a.failed <- body // buffered, and there is only one init error
	return accepted
}

var errTooLarge = errors.New("response too large")

// readAnswer reads a body of known length, or chunked with trailers, up to
// maxResponse.
func readAnswer(r *http.Request) ([]byte, error) {
	if r.ContentLength > maxResponse {
		return nil, errTooLarge
	}
	var b bytes.Buffer
	if r.ContentLength > 0 {
		b.Grow(int(r.ContentLength) + bytes.MinRead)
	}
	if _, err := b.ReadFrom(io.LimitReader(r.Body, maxResponse+1)); err != nil {
		return nil, err
	}
	if b.Len() > maxResponse {
		return nil, errTooLarge
	}
	return b.Bytes(), nil
}

// trailerError returns the error that a streaming handler met after its
// response had begun.
func trailerError(r *http.Request) ([]byte, bool) {
	if r.Trailer.Get("Lambda-Runtime-Function-Error-Type") == "" {
		return nil, false
	}
	body, err := base64.StdEncoding.DecodeString(r.Trailer.Get("Lambda-Runtime-Function-Error-Body"))
	if err != nil {
		body = nil
	}
	return body, true
}

const jsonType = "application/json"

var accepted = &reply{status: http.StatusAccepted, kind: jsonType, body: []byte(`{"status":"OK"}` + "\n")}

func refuseTransition(from, to runtimeState, err error) *reply {
	return errorReply(http.StatusForbidden, "InvalidStateTransition",
		fmt.Sprintf("State transition from %s to %s failed for runtime. Error: %v", from, to, err))
}

// errorReply is an error as the Runtime and Extensions APIs have it.
func errorReply(status int, errorType, message string) *reply {
	body, _ := json.Marshal(functionFailure{ErrorMessage: message, ErrorType: errorType})
	return &reply{status: status, kind: jsonType, body: append(body, '\n')}
}
