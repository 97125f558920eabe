// Package script is what the suite and its function tell one another.
package script

import "encoding/json"

// Report is what the function tells the suite of an event that it got, before
// it does anything else.
type Report struct {
	Key         string // KEY of its environment, "" without one
	PID         int
	RequestID   string
	ARN         string // as it was invoked
	Trace       string // X-Amzn-Trace-Id
	DeadlineMS  int64  // Unix time in milliseconds
	NowMS       int64  // the function's own clock
	Beats       int64  // of the goroutine that Order.Beat left behind, about one a millisecond
	Environment map[string]string
	Event       json.RawMessage
	SIGTERM     bool // not an event: the process has got the signal
}

// Order is what the suite wants the function to do with the event: the first of
// Exit, Panic, Hang and Error that is set, else to return Answer.
type Order struct {
	Print  []string
	Beat   bool // leave a goroutine behind that counts
	Exit   int
	Panic  string
	Hang   bool
	Error  string
	Answer any
}
