package store

import (
	"errors"
	"fmt"
)

// Errors of the store itself; the ports' are in packages connection and
// broadcast. Every method adds what it did and to which id, and errors.Is
// still finds these.
var (
	// ErrExists: another connection has the id already.
	ErrExists = errors.New("connection exists already")
	// ErrInvalid: the argument cannot be stored or looked for; trying again
	// cannot help.
	ErrInvalid = errors.New("invalid argument")
	// ErrCursor: the cursor was not made by Members for this audience.
	ErrCursor = errors.New("malformed cursor")
	// ErrContended: others changed the same rows each time it was tried, or
	// DynamoDB left part of a batch undone each time. Trying later may help.
	ErrContended = errors.New("too much contention")
	// ErrCorrupt: a row of the table is not as this package writes it.
	ErrCorrupt = errors.New("corrupt row")
)

// wrap says once, at the end of an exported method, what failed.
func wrap(err *error, format string, args ...any) {
	if *err != nil {
		*err = fmt.Errorf("%s: %w", fmt.Sprintf(format, args...), *err)
	}
}
