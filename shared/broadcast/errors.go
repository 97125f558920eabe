package broadcast

import (
	"errors"
	"fmt"
)

// What a caller can do something about.
var (
	// ErrMalformed: the message cannot be understood, now or ever.
	ErrMalformed = errors.New("malformed broadcast message")
	// ErrCursorMoved: somebody else works on the same broadcast.
	ErrCursorMoved = errors.New("broadcast cursor has moved")
	// ErrUnfinished: a part of the unit is left and recorded; try again.
	ErrUnfinished = errors.New("unit unfinished")
	// ErrPaused: the call's time is nearly over, and the rest of the audience is
	// for another one. Call again at once: nothing failed.
	ErrPaused = errors.New("broadcast paused at the end of the call's time")
	// ErrNotFound: no such receipt or unit.
	ErrNotFound = errors.New("broadcast not found")
)

func malformed(err error) error { return fmt.Errorf("%w: %w", ErrMalformed, err) }
