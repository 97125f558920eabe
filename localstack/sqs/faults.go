package sqs

import (
	"cmp"
	"context"
	"net/http"
	"time"

	"fanfare/localstack/awsproto"
)

// receiveFault is what a rule for ReceiveMessage does to an event source, which
// calls no API. It returns the error to give instead of messages, or nil.
func (s *Service) receiveFault(ctx context.Context, k queueKey) error {
	fault := s.faults.DecideCall("sqs", "ReceiveMessage", k.name)
	if fault.Latency > 0 {
		select {
		case <-time.After(fault.Latency):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	if fault.Status == 0 {
		return nil
	}
	return awsproto.Errorf(fault.Status, cmp.Or(fault.Code, "InternalError"), "%s",
		cmp.Or(fault.Message, http.StatusText(fault.Status)))
}
