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
	about    registration
	listener net.Listener
	server   *http.Server
	served   chan struct{} // closed when the listener has ended

	queue  chan *invocation // unbuffered: an event that is sent has been taken
	ready  chan struct{}    // closed by the first call of next
	failed chan []byte      // the body of an init error
	closed chan struct{}

	mu         sync.Mutex
	state      runtimeState
	waiting    bool // a call of next is open
	current    *invocation
	extensions map[string]string // identifier -> name
}

// newRuntimeAPI starts to listen. close must be called.
func newRuntimeAPI(about registration) (*runtimeAPI, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("listen for the Runtime API: %w", err)
	}
	a := &runtimeAPI{
		about: about, listener: l,
		served: make(chan struct{}),
		queue:  make(chan *invocation),
		ready:  make(chan struct{}),
		failed: make(chan []byte, 1),
		closed: make(chan struct{}),
	}
	a.server = &http.Server{Handler: a.routes(), ReadHeaderTimeout: 10 * time.Second}
	go func() {
		defer close(a.served)
		_ = a.server.Serve(l) // ends with ErrServerClosed
	}()
	return a, nil
}

func (a *runtimeAPI) routes() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /2018-06-01/runtime/invocation/next", a.next)
	mux.HandleFunc("POST /2018-06-01/runtime/invocation/{id}/response", a.response)
	mux.HandleFunc("POST /2018-06-01/runtime/invocation/{id}/error", a.invocationError)
	mux.HandleFunc("POST /2018-06-01/runtime/init/error", a.initError)
	mux.HandleFunc("POST /2020-01-01/extension/register", a.registerExtension)
	mux.HandleFunc("GET /2020-01-01/extension/event/next", a.nextExtensionEvent)
	return mux
}

// address is the value of AWS_LAMBDA_RUNTIME_API: host:port, nothing else.
func (a *runtimeAPI) address() string { return a.listener.Addr().String() }

// close ends every open call. It may be called once.
func (a *runtimeAPI) close() {
	close(a.closed)
	_ = a.server.Close() // nothing to save: the process is gone
	<-a.served
}

// next blocks until there is an event. That the process asks means that it is
// done with the one before.
func (a *runtimeAPI) next(w http.ResponseWriter, r *http.Request) {
	if from, err := a.enterReady(); err != nil {
		refuseTransition(w, from, stateReady, err)
		return
	}
	select {
	case inv := <-a.queue:
		a.begin(inv)
		writeEvent(w, inv)
	case <-r.Context().Done():
		a.mu.Lock()
		a.waiting = false
		a.mu.Unlock()
	case <-a.closed:
	}
}

func (a *runtimeAPI) enterReady() (from runtimeState, err error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	from = a.state
	if a.waiting {
		return from, errTransition
	}
	if err := a.state.to(stateReady); err != nil {
		return from, err
	}
	a.waiting = true
	switch {
	case from == stateStarted:
		close(a.ready)
	case a.current != nil:
		close(a.current.done)
		a.current = nil
	}
	return from, nil
}

func (a *runtimeAPI) begin(inv *invocation) {
	inv.begin()
	a.mu.Lock()
	defer a.mu.Unlock()
	a.waiting = false
	if a.state.to(stateRunning) == nil { // always: only a waiting call takes from the queue
		a.current = inv
	}
}

func writeEvent(w http.ResponseWriter, inv *invocation) {
	h := w.Header()
	h.Set("Content-Type", "application/json")
	h.Set("Lambda-Runtime-Aws-Request-Id", inv.id)
	h.Set("Lambda-Runtime-Deadline-Ms", strconv.FormatInt(inv.deadline.UnixMilli(), 10))
	h.Set("Lambda-Runtime-Invoked-Function-Arn", inv.arn)
	h.Set("Lambda-Runtime-Trace-Id", inv.traceID)
	if inv.clientContext != "" {
		h.Set("Lambda-Runtime-Client-Context", inv.clientContext)
	}
	h.Set("Content-Length", strconv.Itoa(len(inv.payload)))
	_, _ = w.Write(inv.payload) // a process that has gone is noticed elsewhere
}

func (a *runtimeAPI) response(w http.ResponseWriter, r *http.Request) {
	a.takeAnswer(w, r, stateResponding, "")
}

func (a *runtimeAPI) invocationError(w http.ResponseWriter, r *http.Request) {
	a.takeAnswer(w, r, stateRespondingError, unhandled)
}

func (a *runtimeAPI) takeAnswer(w http.ResponseWriter, r *http.Request, state runtimeState, functionError string) {
	inv, from, err := a.enterResponse(r.PathValue("id"), state)
	switch {
	case inv == nil:
		renderError(w, http.StatusBadRequest, "InvalidRequestID", "Invalid request ID")
		return
	case err != nil:
		refuseTransition(w, from, state, err)
		return
	}
	if inv.interrupt != nil { // the function has done its work, and nobody hears of it
		inv.interrupt()
		<-a.closed
		return
	}
	body, err := readAnswer(r)
	if errors.Is(err, errTooLarge) {
		body, _ = json.Marshal(functionFailure{
			ErrorMessage: fmt.Sprintf("Response payload size exceeded maximum allowed payload size (%d bytes).", maxResponse),
			ErrorType:    "Function.ResponseSizeTooLarge",
		})
		a.finishResponse(inv, body, unhandled)
		renderError(w, http.StatusRequestEntityTooLarge, "RequestEntityTooLarge",
			fmt.Sprintf("Exceeded maximum allowed payload size (%d bytes).", maxResponse))
		return
	}
	if err != nil {
		renderError(w, http.StatusBadRequest, "TruncatedHTTPRequest", "HTTP request detected as truncated")
		return
	}
	if late, ok := trailerError(r); ok {
		body, functionError = late, unhandled
	}
	a.finishResponse(inv, body, functionError)
	accept(w)
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

func (a *runtimeAPI) initError(w http.ResponseWriter, r *http.Request) {
	body, err := readAnswer(r)
	if err != nil {
		body = nil
	}
	a.mu.Lock()
	from := a.state
	err = a.state.to(stateInitError)
	a.mu.Unlock()
	if err != nil {
		refuseTransition(w, from, stateInitError, err)
		return
	}
	a.failed <- body // buffered, and there is only one init error
	accept(w)
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

func accept(w http.ResponseWriter) { renderJSON(w, http.StatusAccepted, acceptedBody) }

var acceptedBody = []byte(`{"status":"OK"}` + "\n")

func refuseTransition(w http.ResponseWriter, from, to runtimeState, err error) {
	renderError(w, http.StatusForbidden, "InvalidStateTransition",
		fmt.Sprintf("State transition from %s to %s failed for runtime. Error: %v", from, to, err))
}

// renderError writes an error as the Runtime and Extensions APIs have it.
func renderError(w http.ResponseWriter, status int, errorType, message string) {
	body, _ := json.Marshal(functionFailure{ErrorMessage: message, ErrorType: errorType})
	renderJSON(w, status, append(body, '\n'))
}

func renderJSON(w http.ResponseWriter, status int, body []byte) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(status)
	_, _ = w.Write(body)
}
