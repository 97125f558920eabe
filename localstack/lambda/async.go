package lambda

import (
	"net/http"
	"time"

	"fanfare/localstack/awsproto"
)

// asyncEvent is an accepted event that no invoke has settled yet. Service.mu
// guards it.
type asyncEvent struct {
	RequestID     string
	Function      string // ARN as it was invoked
	Payload       []byte
	TraceID       string
	ClientContext string
	Received      time.Time
	Due           time.Time
	Failures      int // of the function
	Throttles     int // and internal errors, in a row
}

// Delays of asynchronous invokes (developer guide, "Error handling for
// asynchronous invocation").
const (
	retryDelay   = time.Minute // after the first failure; twice that after the second
	throttleBase = time.Second // doubles
	throttleMax  = 5 * time.Minute
)

// enqueue accepts an event. It is in memory until a Snapshot takes it.
func (s *Service) enqueue(req Request, requestID string) error {
	payload, err := checkPayload(req.Payload, maxAsyncPayload)
	if err != nil {
		return err
	}
	ref, err := s.parse(req.Function)
	if err != nil {
		return err
	}
	if err := s.exists(ref); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return shuttingDown()
	}
	now := s.clock.Now()
	s.startEvent(&asyncEvent{
		RequestID: requestID, Function: req.Function, Payload: payload, TraceID: req.TraceID, ClientContext: req.ClientContext,
		Received: now, Due: now,
	})
	return nil
}

// startEvent works on e until it is settled, replaced by a Restore, or the
// service closes. s.mu is held.
func (s *Service) startEvent(e *asyncEvent) {
	s.events[e.RequestID] = e
	s.work.Go(func() {
		for s.awaitEvent(e) {
			res, err := s.invoke(s.ctx, e.request(), e.RequestID)
			s.settleEvent(e, res, err)
		}
	})
}

func (e *asyncEvent) request() Request {
	return Request{Function: e.Function, Payload: e.Payload, TraceID: e.TraceID, ClientContext: e.ClientContext}
}

// awaitEvent waits until e is due and reports whether it is still wanted.
func (s *Service) awaitEvent(e *asyncEvent) bool {
	s.mu.Lock()
	due, wanted := e.Due, s.events[e.RequestID] == e
	s.mu.Unlock()
	if !wanted || s.clock.Sleep(s.ctx, due.Sub(s.clock.Now())) != nil {
		return false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.events[e.RequestID] == e
}

// settleEvent decides after an attempt whether there is another one, and when.
func (s *Service) settleEvent(e *asyncEvent, res Response, err error) {
	if s.ctx.Err() != nil {
		return // closing: nothing is known about the attempt
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	retries, maxAge := s.asyncLimits(e.Function)
	again := false
	now := s.clock.Now()
	switch {
	case err != nil && retryable(err):
		e.Due, again = now.Add(e.throttleDelay()), true
		e.Throttles++
	case err == nil && res.FunctionError != "":
		e.Throttles = 0
		e.Failures++
		e.Due, again = now.Add(time.Duration(e.Failures)*retryDelay), e.Failures <= retries
	}
	if again && e.Due.Sub(e.Received) <= maxAge {
		return
	}
	if s.events[e.RequestID] == e {
		delete(s.events, e.RequestID)
	}
	if err != nil || res.FunctionError != "" {
		s.log.Warn("asynchronous event dropped", "function", e.Function, "request", e.RequestID, "failures", e.Failures, "error", err)
	}
}

// retryable: a function that is gone does not come back, and a loop is to end.
func retryable(err error) bool {
	e := awsproto.AsError(err)
	return e.Status != http.StatusNotFound && e.Code != recursiveLoop().Code
}

func (e *asyncEvent) throttleDelay() time.Duration {
	if e.Throttles > 8 { // 2^9 seconds are over the limit
		return throttleMax
	}
	return min(throttleBase<<e.Throttles, throttleMax)
}

// asyncLimits returns what the event-invoke-config of the function's qualifier
// says, or Lambda's defaults. s.mu is held.
func (s *Service) asyncLimits(functionARN string) (retries int, maxAge time.Duration) {
	retries, maxAge = 2, maxEventAge*time.Second
	ref, err := parseReference(functionARN)
	if err != nil {
		return retries, maxAge
	}
	f, ok := s.functions[ref.arn()]
	if !ok {
		return retries, maxAge
	}
	c, ok := f.InvokeConfigs[invokeConfigKey(ref.qualifier)]
	if !ok {
		return retries, maxAge
	}
	if c.MaximumRetryAttempts != nil {
		retries = *c.MaximumRetryAttempts
	}
	if c.MaximumEventAgeInSeconds != nil {
		maxAge = time.Duration(*c.MaximumEventAgeInSeconds) * time.Second
	}
	return retries, maxAge
}
