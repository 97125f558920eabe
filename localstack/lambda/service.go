package lambda

import (
	"context"
	"fmt"
	"log/slog"
	"maps"
	"net/http"
	"os"
	"slices"
	"sync"
	"time"

	"fanfare/localstack/clock"
	"fanfare/localstack/faults"
)

// Options configure a Service. The zero value works.
type Options struct {
	// Clock is the cloud's time: idle reaping, asynchronous retries, time
	// stamps and what functions take for the wall clock follow it. An
	// environment keeps the offset that it started with, so the next invoke
	// after an Advance has a new one. Where functions cannot be given another
	// time than the machine's (systems other than Linux on amd64 and arm64,
	// containers without ptrace), a warning says so once. A time-out is always
	// real time. Default: clock.New().
	Clock *clock.Clock
	// Logger hears what the service itself has to say. Default: nobody.
	Logger *slog.Logger

	// Dir is where code is unpacked, into a folder of its own that Close
	// removes. Default: the system's directory for temporary files.
	Dir string
	// Concurrency is the account's limit of invokes at the same time, and so of
	// busy processes. Default 1000, as in AWS.
	Concurrency int
	// IdleTimeout is how long an environment may idle before it is stopped, in
	// the cloud's time. Default 5 minutes; AWS promises no number.
	IdleTimeout time.Duration
	// UnlikeAWSKeepIdleFunctionsRunning lets processes run on between invokes.
	// Lambda freezes them, and so does the local cloud (SIGSTOP to the process
	// group): goroutines that a handler has left behind stand still until the
	// next invoke. With this option they work here and stall in production.
	UnlikeAWSKeepIdleFunctionsRunning bool

	// Faults decides which invokes go wrong: service "lambda", operation
	// "Invoke", resource the function's name. Status and Code refuse the invoke,
	// Kill ends the process when it has done its work and is about to answer.
	Faults *faults.Set

	// Environment gives the variables that the platform adds to a function's
	// own: credentials, AWS_ENDPOINT_URL. They win over the function's.
	Environment func(FunctionInfo) map[string]string
	// Value gives a variable of a function's own as its processes are to see it.
	// Default: as it was set.
	Value func(string) string
	// Log receives each line a function prints, and the platform's START, END
	// and REPORT lines. It is called in order for each environment, and holds
	// that environment up until it returns. It must not call the service.
	Log func(LogLine)
	// OnMapping hears of every event source mapping that is created, changed or
	// deleted, one at a time. It must not change mappings itself.
	OnMapping func(Mapping)
	// CanAssume tells whether the role's trust policy lets Lambda assume it for the
	// function: one with another role cannot be created, nor start. Without it every
	// role will do. It must not call the service.
	CanAssume func(roleARN, functionARN string) bool
	// CannotPoll names the first action of SQS that a role lacks and an event
	// source of the queue needs ("ReceiveMessage"), "" if it has them all. Without
	// it every role may poll.
	CannotPoll func(roleARN, functionName, queueARN string) string
	// QueueVisibility tells the visibility time-out of a queue and whether it
	// exists. Without it, mappings are created unchecked.
	QueueVisibility func(queueARN string) (time.Duration, bool)

	initLimit time.Duration // of the first init phase; default 10 s, tests shorten it
}

const (
	defaultConcurrency = 1000
	defaultIdleTimeout = 5 * time.Minute
	defaultInitLimit   = 10 * time.Second // developer guide, "Lambda quotas"
)

func (o Options) withDefaults() Options {
	if o.Clock == nil {
		o.Clock = clock.New()
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Value == nil {
		o.Value = func(value string) string { return value }
	}
	if o.Concurrency <= 0 {
		o.Concurrency = defaultConcurrency
	}
	if o.IdleTimeout <= 0 {
		o.IdleTimeout = defaultIdleTimeout
	}
	if o.initLimit <= 0 {
		o.initLimit = defaultInitLimit
	}
	return o
}

// Service is one Lambda, for all regions. It is safe for concurrent use.
type Service struct {
	opts     Options
	clock    *clock.Clock
	log      *slog.Logger
	mux      *http.ServeMux
	launcher *launcher
	starts   chan struct{} // one for each environment that is starting

	ctx    context.Context // ends when Close begins
	cancel context.CancelFunc

	mu        sync.Mutex
	closed    bool
	dir       string               // made when the first code is unpacked
	functions map[string]*function // by unqualified ARN
	mappings  map[string]*mapping  // by UUID
	pools     map[*version]*pool
	retiring  map[*pool]struct{}     // outdated, and not yet gone
	events    map[string]*asyncEvent // accepted and not yet done, by request id
	running   int                    // invokes of functions without a reservation
	work      sync.WaitGroup         // invokes and asynchronous events under way

	callers sync.Map // *environment by the id of its credentials' key

	mappingTurn sync.Mutex // keeps OnMapping in the order of the changes; taken before mu
}

// New returns a running service without functions.
func New(o Options) *Service {
	o = o.withDefaults()
	s := &Service{
		opts: o, clock: o.Clock, log: o.Logger,
		launcher:  newLauncher(o.Logger),
		starts:    make(chan struct{}, maxStarts()),
		functions: map[string]*function{},
		mappings:  map[string]*mapping{},
		pools:     map[*version]*pool{},
		retiring:  map[*pool]struct{}{},
		events:    map[string]*asyncEvent{},
	}
	s.ctx, s.cancel = context.WithCancel(context.Background())
	s.mux = s.routes()
	return s
}

// ServeHTTP serves the Lambda API.
func (s *Service) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.mux.ServeHTTP(w, r) }

// Close stops every process, fails the invokes that still run and removes the
// unpacked code. Nothing is left when it returns; calling it again does
// nothing.
func (s *Service) Close() error {
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		return nil
	}
	s.closed = true
	pools := s.dropPools()
	s.mu.Unlock()

	s.cancel()
	for _, p := range pools {
		s.work.Go(p.shutdown)
	}
	s.work.Wait()
	s.launcher.close()
	if s.dir == "" {
		return nil
	}
	if err := os.RemoveAll(s.dir); err != nil {
		return fmt.Errorf("lambda: remove unpacked code: %w", err)
	}
	return nil
}

// Busy counts by function name the environments that do not idle: those that
// serve an invoke, or start for one.
func (s *Service) Busy() map[string]int {
	s.mu.Lock()
	defer s.mu.Unlock()
	count := map[string]int{}
	for _, p := range slices.AppendSeq(slices.Collect(maps.Values(s.pools)), maps.Keys(s.retiring)) {
		if n := p.busy(); n > 0 {
			count[p.info.Name] += n
		}
	}
	return count
}

// dropPools takes all pools away; the caller stops them. s.mu is held.
func (s *Service) dropPools() []*pool {
	pools := slices.AppendSeq(slices.Collect(maps.Values(s.pools)), maps.Keys(s.retiring))
	clear(s.pools)
	return pools
}

// poolOf returns the environments of v. s.mu is held.
func (s *Service) poolOf(f *function, v *version) *pool {
	p, ok := s.pools[v]
	if !ok {
		p = newPool(s, f, v)
		s.pools[v] = p
	}
	return p
}

// retire stops the environments of a version that nobody can invoke any more.
// Busy ones finish first. s.mu is held.
func (s *Service) retire(v *version) {
	p, ok := s.pools[v]
	if !ok {
		return
	}
	delete(s.pools, v)
	s.retiring[p] = struct{}{}
	s.work.Go(func() {
		p.retire()
		p.wait()
		s.mu.Lock()
		defer s.mu.Unlock()
		delete(s.retiring, p)
	})
}

// checkRole refuses a role that Lambda cannot assume.
func (s *Service) checkRole(roleARN, functionARN string) error {
	if s.opts.CanAssume == nil || s.opts.CanAssume(roleARN, functionARN) {
		return nil
	}
	return invalidParameter("The role defined for the function cannot be assumed by Lambda.")
}

// codeDir returns a new, empty folder for unpacked code.
func (s *Service) codeDir() (string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.dir == "" {
		dir, err := os.MkdirTemp(s.opts.Dir, "lambda-")
		if err != nil {
			return "", err
		}
		s.dir = dir
	}
	return os.MkdirTemp(s.dir, "code-")
}
