package connection

import "fmt"

// Counts are how sends ended. Each counts once, however often it was posted.
type Counts struct {
	Delivered int64 // API Gateway accepted the message
	Gone      int64 // the socket is closed
	Failed    int64 // refused, or still failing after the last attempt
	Unsent    int64 // cut short before the post or between two
}

// Failure is a connection that did not accept a broadcast.
type Failure struct {
	ID  string
	Err error
}

// BroadcastError lists the connections that a broadcast did not reach, in the
// order in which that became clear. errors.Is and errors.As look into every
// cause.
type BroadcastError struct {
	Total  int // ids that the broadcast was for
	Failed []Failure
}

// Error summarises; a broadcast of thousands would not fit a line.
func (e *BroadcastError) Error() string {
	first := e.Failed[0]
	return fmt.Sprintf("broadcast did not reach %d of %d connections, first %s: %v", len(e.Failed), e.Total, first.ID, first.Err)
}

// Unwrap returns the causes, in the order of Failed.
func (e *BroadcastError) Unwrap() []error {
	causes := make([]error, len(e.Failed))
	for i, f := range e.Failed {
		causes[i] = f.Err
	}
	return causes
}
