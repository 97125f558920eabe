package connection

import (
	"context"
	"errors"
)

// ErrorType names what went wrong, for metrics, receipts and logs.
type ErrorType string

// The types there are, by the names that receipts use too.
const (
	TypeGone        ErrorType = "gone"
	TypeForbidden   ErrorType = "forbidden"
	TypeInvalid     ErrorType = "invalid"
	TypeTooLarge    ErrorType = "tooLarge"
	TypeThrottled   ErrorType = "throttled"
	TypeCircuitOpen ErrorType = "circuitOpen"
	TypeShutdown    ErrorType = "shutdown"
	TypeDeadline    ErrorType = "deadline" // the caller's context ended, cancelled or too late
	TypeFailed      ErrorType = "failed"   // 5xx, network, anything that no sentinel names
)

// types pairs every type but the last with the errors that it stands for. The
// order decides about an error that wraps several.
var types = [...]struct {
	name ErrorType
	is   []error
}{
	{TypeGone, []error{ErrGone}},
	{TypeForbidden, []error{ErrForbidden}},
	{TypeInvalid, []error{ErrInvalid}},
	{TypeTooLarge, []error{ErrTooLarge}},
	{TypeThrottled, []error{ErrThrottled}},
	{TypeCircuitOpen, []error{ErrCircuitOpen}},
	{TypeShutdown, []error{ErrShutdown}},
	{TypeDeadline, []error{context.Canceled, context.DeadlineExceeded}},
	{TypeFailed, nil},
}

// kind is a type's index in types, which is how the counters are kept.
type kind int

const (
	kindGone kind = iota
	kindForbidden
	kindInvalid
	kindTooLarge
	kindThrottled
	kindCircuitOpen
	kindShutdown
	kindDeadline
	kindFailed
	kinds // how many there are
)

func kindOf(err error) kind {
	for k, t := range types {
		for _, target := range t.is {
			if errors.Is(err, target) {
				return kind(k)
			}
		}
	}
	return kindFailed
}

// TypeOf returns the type of an error of Send or of a Failure, "" for nil.
func TypeOf(err error) ErrorType {
	if err == nil {
		return ""
	}
	return types[kindOf(err)].name
}
