// Package gateway is API Gateway v2 for WebSocket APIs: the control plane that
// Terraform calls, and the data plane that holds the sockets. It stands at both
// ends of a message's path: $connect and the clients' frames come in here, and
// what functions post to @connections goes out here.
//
//	gw := gateway.New(gateway.Options{Invoke: invoke})
//	defer gw.Close(ctx)
//	http.ListenAndServe("127.0.0.1:4566", gw)
//
// A deployed API is served under /_aws/execute-api/<apiId>/<stage>. Of what
// AWS has, only WebSocket APIs with Lambda proxy integrations and, on $connect,
// REQUEST authorizers are here: other integrations, models, mapping templates
// and IAM authorization are refused when they are created, never ignored.
// Throttling of stages and routes is enforced, and so are the account's own
// limits. Execution logs and detailed metrics can be switched on, as Terraform
// does, but nothing is written for them; access logs are (Options.AccessLog).
//
// net/http spells headers its own way. Serve on a Listener and with ConnContext,
// and $connect's event has them in the client's.
package gateway

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"time"

	"fanfare/localstack/awsproto"
	"fanfare/localstack/clock"
	"fanfare/localstack/faults"
)

// DataPath is the path under which deployed APIs are served.
const DataPath = "/_aws/execute-api/"

// ErrNotAllowed is what Options.Invoke returns when the function's resource
// policy does not let API Gateway call it.
var ErrNotAllowed = errors.New("API Gateway may not invoke the function")

// Invocation is one call of an integration's or authorizer's function.
type Invocation struct {
	FunctionARN string
	// SourceARN is arn:aws:execute-api:<region>:<account>:<apiId>/<stage>/<routeKey>,
	// or …:<apiId>/authorizers/<authorizerId>.
	SourceARN string
	Payload   []byte
	TraceID   string // X-Amzn-Trace-Id
}

// Result is what a function answered. Failed means that it answered with an
// error (X-Amz-Function-Error).
type Result struct {
	Payload   []byte
	Failed    bool
	RequestID string // of the invoke
}

// Options of a Service. The zero value works, but no function can be called.
type Options struct {
	Clock  *clock.Clock
	Logger *slog.Logger
	// Endpoint is the host and port that clients reach ("localhost:4566");
	// CreateApi answers with it. Nil means "localhost:4566".
	Endpoint func() string
	// Invoke calls a function synchronously. An error means that the call was
	// refused or did not end in time (context.DeadlineExceeded). It must return
	// soon after its context ends.
	Invoke func(context.Context, Invocation) (Result, error)
	// Closed hears of each socket's end, before its $disconnect runs. It must
	// not block.
	Closed func(Closed)
	// Handled hears of each message of a client once it is answered. It must not
	// block. Nil means that nobody does.
	Handled func(Handled)
	// Authenticate checks the signature of a call of @connections, whose whole
	// body is given. Nil means that nobody checks it: any signature for
	// execute-api will do. It must not call back into the Service.
	Authenticate func(r *http.Request, body []byte) *awsproto.Error
	// Limits of the account. The zero value has AWS's figures.
	Limits Limits
	// AccessLog gets each line of a stage's access log, without line end, with the
	// region and name of its log group and the time of the request. It must not
	// block. Nil means that none is written.
	AccessLog func(region, group, line string, at time.Time)
	// CanLog tells whether a role lets API Gateway assume it and write logs in the
	// region: no other can be the account's. Nil means that every role will do. It
	// must not call back into the Service.
	CanLog func(roleARN, region string) bool
	// Faults are the calls that go wrong on purpose: of service "execute-api",
	// the operations PostToConnection, GetConnection and DeleteConnection, the
	// route keys of messages, and "$disconnect", all with the connection's id as
	// resource; and "$connect" with "<apiId>/<stage>".
	Faults *faults.Set
}

// Closed tells how a socket ended.
type Closed struct {
	API, Stage, ConnectionID string
	SourceIP                 string
	Code                     int           // of the close frame, 1006 where there was none
	Reason                   string        // as $disconnect has it
	Open                     time.Duration // in the cloud's time
}

// Handled tells what became of a client's message.
type Handled struct {
	API, Stage, ConnectionID string
	SourceIP                 string
	RequestID                string // as the function has it
	Route                    string
	Status                   int // as the access log has it
	Problem                  string
	Faulted                  bool
	At                       time.Time     // when it came
	Took                     time.Duration // real time
	Invocation               string        // the function's invoke, if it came to that
}

// Service is the API Gateway of the local cloud. Use New.
type Service struct {
	clock    *clock.Clock
	log      *slog.Logger
	endpoint func() string
	invoke   func(context.Context, Invocation) (Result, error)
	closed   func(Closed)
	handled  func(Handled)
	control  *awsproto.REST

	authenticate func(r *http.Request, body []byte) *awsproto.Error
	accessLog    func(region, group, line string, at time.Time)
	canLog       func(roleARN, region string) bool
	faults       *faults.Set
	limits       *accountLimits

	mu    sync.RWMutex // guards state
	state state

	sockets  sockets
	throttle throttle

	// stopping ends when Close does not wait any more for calls of functions.
	stopping context.Context
	stop     context.CancelFunc
}

// New returns an empty Service.
func New(o Options) *Service {
	s := &Service{
		clock: o.Clock, log: o.Logger, endpoint: o.Endpoint, invoke: o.Invoke, closed: o.Closed, handled: o.Handled,
		authenticate: o.Authenticate, accessLog: o.AccessLog, canLog: o.CanLog, faults: o.Faults,
	}
	if s.clock == nil {
		s.clock = clock.New()
	}
	if s.log == nil {
		s.log = slog.New(slog.DiscardHandler)
	}
	if s.endpoint == nil {
		s.endpoint = func() string { return "localhost:4566" }
	}
	if s.invoke == nil {
		s.invoke = func(context.Context, Invocation) (Result, error) { return Result{}, ErrNotAllowed }
	}
	if s.closed == nil {
		s.closed = func(Closed) {}
	}
	s.state = newState()
	s.limits = newAccountLimits(o.Limits, s.clock.Now())
	s.control = s.routes()
	s.stopping, s.stop = context.WithCancel(context.Background())
	return s
}

// ServeHTTP serves the data plane under DataPath and the control plane
// elsewhere.
func (s *Service) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if strings.HasPrefix(r.URL.Path, DataPath) {
		s.serveData(w, r)
		return
	}
	s.control.ServeHTTP(w, r)
}

// Snapshot returns the control plane's state as JSON. Open sockets are not
// part of it.
func (s *Service) Snapshot() ([]byte, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return json.Marshal(s.state)
}

// Restore replaces the control plane's state by a Snapshot.
func (s *Service) Restore(snapshot []byte) error {
	next := newState()
	if err := json.Unmarshal(snapshot, &next); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.state = next
	return nil
}

// Close refuses new sockets, ends the open ones with 1001 and waits until their
// $disconnect has run. When ctx ends before that, what is left is cut off and
// ctx's error returned. It may be called twice.
func (s *Service) Close(ctx context.Context) error {
	defer s.stop()
	return s.sockets.closeAll(ctx)
}
