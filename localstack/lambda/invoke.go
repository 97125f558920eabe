package lambda

import (
	"context"
	"encoding/json"
	"math/rand/v2"
	"time"

	"fanfare/localstack/awsproto"
)

// Limits of an event (developer guide, "Lambda quotas"), in bytes.
const (
	maxPayload      = 6 << 20
	maxAsyncPayload = 1 << 20
)

const unhandled = "Unhandled"

// Request is one synchronous invoke.
type Request struct {
	// Function is a name or an ARN, partial or whole, with a qualifier or
	// without. A name without region means the default region.
	Function string
	Payload  []byte // JSON, at most 6 MB; empty means {}
	// TraceID is the X-Amzn-Trace-Id header of the chain of requests that the
	// invoke belongs to. The function sees it with one hop more in its Lineage.
	// Empty means a new one.
	TraceID string
	// ClientContext is JSON that the function finds in its context.
	ClientContext string
	Tail          bool // fill Response.LogTail
}

// Response is what a function has answered. A function that failed is a
// Response too: with FunctionError "Unhandled" and the error as its Payload.
type Response struct {
	Payload         []byte
	FunctionError   string // "" or "Unhandled"
	ExecutedVersion string // "$LATEST" or a number
	RequestID       string
	LogTail         string // the last 4 KB of the invoke's log, if asked for
}

// FunctionInfo is what others need to know of a function.
type FunctionInfo struct {
	ARN        string // without qualifier
	Name       string
	Version    string // "$LATEST" or a number
	Region     string
	Role       string
	Handler    string
	LogGroup   string
	Timeout    time.Duration
	MemorySize int // MB
}

func (v *version) info(f *function) FunctionInfo {
	c := v.Config
	ref, _ := parseReference(f.ARN) // made from a reference, so it is one
	return FunctionInfo{
		ARN: f.ARN, Name: c.FunctionName, Version: c.Version, Region: ref.region, Role: c.Role, Handler: c.Handler,
		LogGroup: c.LoggingConfig.LogGroup, Timeout: time.Duration(c.Timeout) * time.Second, MemorySize: c.MemorySize,
	}
}

// Function returns the function, version or alias with that name or ARN, and
// whether it exists.
func (s *Service) Function(arnOrName string) (FunctionInfo, bool) {
	ref, err := s.parse(arnOrName)
	if err != nil {
		return FunctionInfo{}, false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	f, ok := s.functions[ref.arn()]
	if !ok {
		return FunctionInfo{}, false
	}
	v, err := f.resolve(ref.qualifier, 1)
	if err != nil {
		return FunctionInfo{}, false
	}
	return v.info(f), true
}

// InvocationOf returns the id of the invoke under way in the environment whose
// credentials have that key id, and "" if there is none: so it can be told for
// which invoke a function has made a request.
func (s *Service) InvocationOf(accessKeyID string) string {
	if e, ok := s.callers.Load(accessKeyID); ok {
		return e.(*environment).log.current()
	}
	return ""
}

// Invoke runs a function and waits for its answer. The error is an
// *awsproto.Error, ResourceNotFoundException 404, TooManyRequestsException 429,
// RequestEntityTooLargeException 413 or RecursiveInvocationException 400 (a loop
// of more than 16 runs, see Hops) among them, or that of ctx. The end of
// ctx ends only the waiting: as in AWS, the function runs on.
//
// Who may call is not asked: see Allowed, and Permit of the HTTP API.
func (s *Service) Invoke(ctx context.Context, req Request) (Response, error) {
	return s.invoke(ctx, req, awsproto.NewRequestID())
}

func (s *Service) invoke(ctx context.Context, req Request, requestID string) (Response, error) {
	payload, err := checkPayload(req.Payload, maxPayload)
	if err != nil {
		return Response{}, err
	}
	inv := &invocation{
		id: requestID, traceID: req.TraceID, clientContext: req.ClientContext, payload: payload,
		done: make(chan struct{}),
	}
	if inv.traceID == "" {
		inv.traceID = newTraceID(s.clock.Now())
	}
	if err := s.suffer(ctx, req.Function, inv); err != nil {
		return Response{}, err
	}
	f, p, err := s.admit(req.Function, inv)
	if err != nil {
		return Response{}, err
	}
	if ctx.Done() == nil {
		return s.runAdmitted(f, p, inv, req.Tail)
	}
	type answer struct {
		Response
		error
	}
	answers := make(chan answer, 1)
	go func() {
		res, err := s.runAdmitted(f, p, inv, req.Tail)
		answers <- answer{res, err}
	}()
	select {
	case a := <-answers:
		return a.Response, a.error
	case <-ctx.Done():
		return Response{}, ctx.Err()
	}
}

// checkPayload returns the event that the function gets.
func checkPayload(payload []byte, limit int) ([]byte, error) {
	switch {
	case len(payload) > limit:
		return nil, payloadTooLarge(limit)
	case len(payload) == 0:
		return []byte("{}"), nil
	case !json.Valid(payload):
		return nil, fault(400, "InvalidRequestContentException", "Could not parse request body into json: the payload is not valid JSON")
	}
	return payload, nil
}

// admit finds the version to run and makes room for the invoke: what it takes,
// runAdmitted gives back.
func (s *Service) admit(name string, inv *invocation) (*function, *pool, error) {
	ref, err := s.parse(name)
	if err != nil {
		return nil, nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return nil, nil, shuttingDown()
	}
	f, err := s.lookup(ref)
	if err != nil {
		return nil, nil, err
	}
	v, err := f.resolve(ref.qualifier, rand.Float64())
	if err != nil {
		return nil, nil, err
	}
	if f.refusesHop(inv.traceID) {
		s.log.Warn("recursive loop: invoke refused", "function", f.ARN, "hops", maxHops, "trace", inv.traceID)
		return nil, nil, recursiveLoop()
	}
	if err := s.acquire(f); err != nil {
		return nil, nil, err
	}
	inv.traceID = withHop(inv.traceID, f.ARN)
	inv.arn = ref.qualified()
	p := s.poolOf(f, v)
	p.users.Add(1)
	s.work.Add(1)
	return f, p, nil
}

func (s *Service) runAdmitted(f *function, p *pool, inv *invocation, withTail bool) (Response, error) {
	defer s.work.Done()
	defer s.release(f)
	defer p.users.Done()
	res := p.run(inv, withTail)
	if res.functionError != "" && s.ctx.Err() != nil {
		return Response{}, shuttingDown() // it was us who ended the process
	}
	if res.refused != nil {
		return Response{}, res.refused
	}
	return Response{
		Payload: res.payload, FunctionError: res.functionError, ExecutedVersion: p.info.Version,
		RequestID: inv.id, LogTail: res.tail,
	}, nil
}
