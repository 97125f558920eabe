package awsproto

import (
	"cmp"
	"context"
	"time"
)

// strike asks the call's fault rules, once per call, after Operation and
// Resources are known and before anything is done. It lets the rule's latency
// pass, in real time, and returns the error that the operation is to be
// answered with, if any. A batch that touches several resources fails as a
// whole when a rule is for one of them.
func (c *Call) strike(ctx context.Context) error {
	f := c.Faults.DecideCall(c.Service, c.Operation, c.Resources...)
	if f.Latency > 0 {
		wait := time.NewTimer(f.Latency)
		defer wait.Stop()
		select {
		case <-wait.C:
		case <-ctx.Done(): // the caller has gone: nobody is told, nothing is done
			return Errorf(503, "ServiceUnavailable", "the caller left during a fault's latency")
		}
	}
	if f.Status == 0 {
		return nil
	}
	c.Faulted = true
	e := Errorf(f.Status, f.Code, "%s", cmp.Or(f.Message, "a fault rule of the local cloud struck this call"))
	if c.Service == "lambda" && f.Throttle {
		e.Fields = map[string]any{"Reason": "CallerRateLimitExceeded", "Type": "User"}
	}
	return e
}
