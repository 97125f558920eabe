package lambda

import (
	"cmp"
	"context"
	"net/http"
	"time"

	"fanfare/localstack/awsproto"
	"fanfare/localstack/faults"
)

// suffer asks whether something goes wrong with an invoke of the function called
// name. It waits for the fault's latency and returns its error; a kill is left
// to the environment.
func (s *Service) suffer(ctx context.Context, name string, inv *invocation) error {
	if s.opts.Faults == nil {
		return nil
	}
	ref, err := s.parse(name)
	if err != nil {
		return err
	}
	f := s.opts.Faults.Decide("lambda", "Invoke", ref.name)
	inv.kill = f.Kill
	if err := s.delay(ctx, f.Latency); err != nil {
		return err
	}
	if f.Status != 0 {
		return injected(f)
	}
	return nil
}

// delay waits for d of real time, or for the end of ctx or of the service.
func (s *Service) delay(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return nil
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	case <-s.ctx.Done():
		return shuttingDown()
	}
}

// injected is the error that a fault asks for. What the rule leaves open is what
// Lambda says most often with that status.
func injected(f faults.Fault) *awsproto.Error {
	var e *awsproto.Error
	switch {
	case f.Status == http.StatusTooManyRequests:
		e = throttled(accountLimitReached)
	case f.Status >= http.StatusInternalServerError:
		e = fault(f.Status, "ServiceException", "The service encountered an internal error.")
	default:
		e = fault(f.Status, "InvalidRequestContentException", "The request was refused by a fault rule.")
	}
	e.Code = cmp.Or(f.Code, e.Code)
	e.Message = cmp.Or(f.Message, e.Message)
	e.Fields["Message"] = e.Message
	return e
}
