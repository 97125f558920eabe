// Package emulator is the local cloud: every service of this folder behind one
// HTTP port, with one clock. It is what `go run ./localstack` starts, and what
// tests start with one line:
//
//	cloud := emulator.Start(t)
//	queues := sqs.NewFromConfig(cloud.Config())
//
// Elsewhere, in TestMain say, it takes New, Start and Close.
//
// The services do not know one another. Each edge between two of them is one
// file here, named *_wiring.go.
//
// It is for development and tests: one account, permissions checked of what
// functions and other sessions of roles do, but not of the deployer's keys, state in memory, saved to DataDir only by Save.
package emulator

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"sync"
	"syscall"
	"time"

	"fanfare/localstack/awsproto"
	"fanfare/localstack/clock"
	"fanfare/localstack/cloudwatch"
	"fanfare/localstack/dynamodb"
	"fanfare/localstack/faults"
	"fanfare/localstack/gateway"
	"fanfare/localstack/iam"
	"fanfare/localstack/lambda"
	"fanfare/localstack/logs"
	"fanfare/localstack/sqs"
	"fanfare/localstack/sts"
)

// DefaultAddr is where the local cloud listens unless told otherwise: on
// loopback only, at the port that tools expect of a local AWS.
const DefaultAddr = "127.0.0.1:4566"

// Options of an Emulator. The zero value listens at DefaultAddr and keeps
// nothing.
type Options struct {
	// Addr is the address to listen at; port 0 takes a free one.
	Addr string
	// DataDir, if set, is where Start loads the state from and Save saves it to.
	// It is made if it is missing. Functions are unpacked into a folder of ours
	// below it, without it into one of the system's temporary directory.
	DataDir string
	// Snapshot is a file that Save or SaveTo wrote, from which Start loads the state
	// instead of from DataDir. It is only read, so that many clouds can begin from
	// one. Where functions have this cloud's former address in their environment,
	// they are told the new one.
	Snapshot string
	// Hostname is how clients name this machine in the URLs that the cloud
	// answers with; with a port, if they use another one than the cloud's own.
	// Default: $LOCALSTACK_HOST, else "localhost".
	Hostname string
	// Logger gets what the cloud has to say. Without OnRequest it also gets one
	// line for each request that failed by our fault or is not supported.
	Logger *slog.Logger
	// OnRequest gets every request once it is answered, every message of a socket, and
	// every socket's end.
	// It is called by several goroutines at once, and should be quick.
	OnRequest func(Request)
	// FaultSeed makes the fault rules strike the same calls in every run.
	FaultSeed uint64
	// FunctionLog gets every line that functions print.
	FunctionLog func(lambda.LogLine)
	// GatewayLimits are API Gateway's limits of the account; zero means AWS's own
	// (10,000 requests and 500 new connections a second).
	GatewayLimits gateway.Limits
	// SaveOnClose has Close save the state to DataDir, while nobody else can
	// use it yet.
	SaveOnClose bool
}

// Emulator is one local cloud. Use New.
type Emulator struct {
	opts  Options
	log   *slog.Logger
	clock *clock.Clock
	born  time.Time // real time

	faults   *faults.Set
	requests requestRing
	verifier awsproto.Verifier

	authority *authority
	client    *http.Client // Config's

	dynamodb   *dynamodb.Service
	sqs        *sqs.Service
	lambda     *lambda.Service
	gateway    *gateway.Service
	iam        *iam.Service
	sts        *sts.Service
	logs       *logs.Service
	cloudwatch *cloudwatch.Service

	sources  *eventSources
	server   *http.Server
	mu       sync.Mutex
	listener net.Listener
	loaded   bool        // DataDir's state, so that Close may replace it
	former   []addresses // of the state that was loaded
	closed   bool
	files    closers // the functions' folder with its lock and the snapshot that was loaded, until Close

	stopping context.Context // of all requests; ends when Close does not wait for them any more
	stop     context.CancelFunc
}

// New returns a local cloud that does not listen yet and is empty until Start.
func New(o Options) (*Emulator, error) {
	if o.Addr == "" {
		o.Addr = DefaultAddr
	}
	if o.Hostname == "" {
		o.Hostname = os.Getenv("LOCALSTACK_HOST")
	}
	if o.Hostname == "" {
		o.Hostname = "localhost"
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	code, lock, err := o.prepareFolder()
	if err != nil {
		return nil, err
	}
	e := &Emulator{opts: o, clock: clock.New(), files: closers{lock}, born: time.Now(), faults: faults.New(o.FaultSeed), client: newClient()}
	e.log = slog.New(clockHandler{o.Logger.Handler(), e.clock})
	if !runsPrograms(code) {
		e.log.Warn("functions cannot start: their folder is mounted noexec (with docker run, --tmpfs /tmp:exec mounts one that is not)", "folder", code)
	}
	e.stopping, e.stop = context.WithCancel(context.Background())
	e.dynamodb = dynamodb.New(dynamodb.Options{Clock: e.clock, Logger: e.log})
	e.sqs = sqs.New(sqs.Options{Clock: e.clock, Logger: e.log, BaseURL: e.publicURL, Faults: e.faults})
	e.authority, e.sources = newAuthority(e), newEventSources(e)
	e.iam = iam.New(iam.Options{Clock: e.clock, Logger: e.log, Changed: e.permissionsChanged})
	e.sts = sts.New(sts.Options{Clock: e.clock, Logger: e.log, RoleExists: e.roleExists})
	e.logs = logs.New(logs.Options{Clock: e.clock, Logger: e.log})
	e.cloudwatch = cloudwatch.New(cloudwatch.Options{Clock: e.clock, Logger: e.log})
	e.lambda = lambda.New(lambda.Options{
		Clock: e.clock, Logger: e.log, Dir: code,
		Environment: e.functionEnvironment, Value: e.movedValue, Log: e.functionLog,
		CanAssume: e.authority.canAssume, CannotPoll: e.authority.cannotPoll,
		OnMapping: e.sources.changed, QueueVisibility: e.queueVisibility, Faults: e.faults,
	})
	e.gateway = gateway.New(gateway.Options{
		Clock: e.clock, Logger: e.log, Endpoint: e.publicHost, Invoke: e.invokeForGateway, Closed: e.socketClosed, Handled: e.messageHandled,
		Authenticate: e.authenticate, AccessLog: e.accessLog, CanLog: e.authority.canLog, Faults: e.faults, Limits: o.GatewayLimits,
	})
	e.server = &http.Server{
		Handler: endStalledBodies(e.Handler(), bodyTimeout), ReadHeaderTimeout: headerTimeout, IdleTimeout: idleTimeout, ConnContext: gateway.ConnContext,
		BaseContext: func(net.Listener) context.Context { return e.stopping },
	}
	return e, nil
}

// prepareFolder makes the folder that functions are unpacked into. What it
// returns with it is to be closed when the cloud is.
func (o Options) prepareFolder() (code string, lock io.Closer, err error) {
	if o.DataDir == "" {
		if code, lock, err = prepareTempDir(os.TempDir()); err != nil {
			err = fmt.Errorf("folder for functions: %w", err)
		}
		return code, lock, err
	}
	if code, lock, err = prepareDataDir(o.DataDir); err != nil {
		err = fmt.Errorf("data directory: %w", err)
	}
	return code, lock, err
}

// Start listens and loads the saved state, if DataDir has one. Requests are
// served when it returns.
func (e *Emulator) Start() error {
	l, err := net.Listen("tcp", e.opts.Addr)
	if errors.Is(err, syscall.EADDRINUSE) {
		return &PortInUseError{Addr: e.opts.Addr}
	}
	if err != nil {
		return fmt.Errorf("listen at %s: %w", e.opts.Addr, err)
	}
	if ip := l.Addr().(*net.TCPAddr).IP; !ip.IsLoopback() {
		e.log.Warn("not only this machine can reach the cloud: whoever does can run programs here; 127.0.0.1 keeps others out", "address", l.Addr().String())
	}
	e.mu.Lock()
	e.listener = l
	e.mu.Unlock()
	// Loaded only now: functions are told the port that we got.
	if err := e.load(); err != nil {
		return errors.Join(err, l.Close())
	}
	e.mu.Lock()
	e.loaded = true
	e.mu.Unlock()
	go func() {
		if err := e.server.Serve(gateway.Listener(l)); !errors.Is(err, http.ErrServerClosed) {
			e.log.Error("server ended", "error", err)
		}
	}()
	return nil
}

// PortInUseError says that something else listens at Addr.
type PortInUseError struct{ Addr string }

func (e *PortInUseError) Error() string {
	return fmt.Sprintf("%s is in use by another program: stop it, or choose another port", e.Addr)
}

// Clock is the clock of all services.
func (e *Emulator) Clock() *clock.Clock { return e.clock }

// Faults are the rules by which calls go wrong. New has none.
func (e *Emulator) Faults() *faults.Set { return e.faults }

// Addr is the address that the cloud listens at; before Start, the one it was
// given.
func (e *Emulator) Addr() string {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.listener == nil {
		return e.opts.Addr
	}
	return e.listener.Addr().String()
}

// URL is the cloud's endpoint, for AWS_ENDPOINT_URL on this machine: by loopback
// where the cloud listens at all addresses, which are none to call.
func (e *Emulator) URL() string {
	addr := e.Addr()
	if host, port, err := net.SplitHostPort(addr); err == nil {
		if ip := net.ParseIP(host); host == "" || ip != nil && ip.IsUnspecified() {
			addr = net.JoinHostPort("127.0.0.1", port)
		}
	}
	return "http://" + addr
}

// publicHost is host and port as clients name them.
func (e *Emulator) publicHost() string {
	if _, _, err := net.SplitHostPort(e.opts.Hostname); err == nil {
		return e.opts.Hostname
	}
	_, port, err := net.SplitHostPort(e.Addr())
	if err != nil {
		return e.Addr()
	}
	return net.JoinHostPort(e.opts.Hostname, port)
}

func (e *Emulator) publicURL() string { return "http://" + e.publicHost() }

// isLoaded is false for a cloud that did not start: it must not replace a state
// that it could not read.
func (e *Emulator) isLoaded() bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.loaded
}

// Close ends everything: sockets first, so that their $disconnect functions
// run, then event sources, functions and services. When ctx ends, what is left
// is cut off. It may be called twice.
func (e *Emulator) Close(ctx context.Context) error {
	e.mu.Lock()
	if e.closed {
		e.mu.Unlock()
		return nil
	}
	e.closed = true
	e.mu.Unlock()

	errs := []error{e.gateway.Close(ctx)}
	e.sources.close(ctx)
	errs = append(errs, e.lambda.Close(), e.endRequests(ctx))
	e.dynamodb.Close()
	errs = append(errs, e.sqs.Close())
	if e.opts.SaveOnClose && e.isLoaded() {
		errs = append(errs, e.Save())
	}
	e.mu.Lock()
	files := e.files
	e.mu.Unlock()
	return errors.Join(append(errs, files.Close())...)
}

// lastAnswers is how long requests that are still open may take to be answered.
const lastAnswers = time.Second

// endRequests stops to listen, ends what waits within requests (long polls, which
// are answered as empty, a fault's latency), and cuts off what does not end by
// that, such as a body that never comes.
func (e *Emulator) endRequests(ctx context.Context) error {
	e.stop()
	e.client.CloseIdleConnections()
	ctx, cancel := context.WithTimeout(ctx, lastAnswers)
	defer cancel()
	if e.server.Shutdown(ctx) != nil {
		return e.server.Close()
	}
	return nil
}
