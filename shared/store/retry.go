package store

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// The SDK retries throttles, 5xx and lost answers. What is left to us are the
// answers that it takes for final: conflicts of transactions, conditions that
// failed because somebody else was faster, and batches done in part. Eight
// attempts wait 1.1 s together on average.
const (
	maxAttempts = 8
	firstPause  = 20 * time.Millisecond
	maxPause    = time.Second
)

// attempts runs try until it is done or has failed, with full jitter between.
// It never waits after the last attempt.
func attempts(ctx context.Context, try func() (done bool, err error)) error {
	var conflict error
	for n := range maxAttempts {
		if n > 0 {
			if err := pause(ctx, n-1); err != nil {
				return err
			}
		}
		done, err := try()
		if isConflict(err) {
			conflict = err
			continue
		}
		if done || err != nil {
			return err
		}
	}
	return errors.Join(fmt.Errorf("%w: gave up after %d attempts", ErrContended, maxAttempts), conflict)
}

// once runs one request and again only after a conflict.
func once(ctx context.Context, request func() error) error {
	return attempts(ctx, func() (bool, error) { return true, request() })
}

func pause(ctx context.Context, n int) error {
	timer := time.NewTimer(rand.N(min(maxPause, firstPause<<n)))
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// isConflict reports whether a transaction was under way on the same row. A
// cancelled transaction in which a condition failed as well is no conflict:
// that answer is final.
func isConflict(err error) bool {
	if _, ok := errors.AsType[*types.TransactionConflictException](err); ok {
		return true
	}
	cancelled, ok := errors.AsType[*types.TransactionCanceledException](err)
	if !ok || slices.ContainsFunc(cancelled.CancellationReasons, hasCode(codeCondition)) {
		return false
	}
	return slices.ContainsFunc(cancelled.CancellationReasons, hasCode("TransactionConflict", "ThrottlingError", "ProvisionedThroughputExceeded"))
}

const codeCondition = "ConditionalCheckFailed"

func hasCode(codes ...string) func(types.CancellationReason) bool {
	return func(r types.CancellationReason) bool {
		return r.Code != nil && slices.Contains(codes, *r.Code)
	}
}

// conditionFailed reports whether a request's condition did not hold, and the
// row as it was found if the request asked for it: nil if there is none.
func conditionFailed(err error) (found item, failed bool) {
	if e, ok := errors.AsType[*types.ConditionalCheckFailedException](err); ok {
		return e.Item, true
	}
	if e, ok := errors.AsType[*types.TransactionCanceledException](err); ok {
		if i := slices.IndexFunc(e.CancellationReasons, hasCode(codeCondition)); i >= 0 {
			return e.CancellationReasons[i].Item, true
		}
	}
	return nil, false
}
