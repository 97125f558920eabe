package lambda

import "errors"

// runtimeState is where a function's process is in its life, as the Runtime API
// sees it. The names are those that the API's own errors use.
type runtimeState uint8

const (
	stateStarted         runtimeState = iota // the process runs, it has not asked for work
	stateInitError                           // it has reported that it cannot start
	stateReady                               // it waits for an invoke
	stateRunning                             // it has one
	stateResponding                          // its response is being read
	stateRespondingError                     // its error is being read
	stateResponseSent                        // it has answered and not yet asked for more
	stateCount
)

var stateNames = [stateCount]string{
	"Started", "InitError", "Ready", "Running", "InvocationResponse", "InvocationErrorResponse", "RuntimeResponseSentState",
}

func (s runtimeState) String() string { return stateNames[s] }

// transitions lists every step that is allowed. What is not written is refused.
var transitions = [stateCount][]runtimeState{
	stateStarted:         {stateReady, stateInitError},
	stateReady:           {stateReady, stateRunning}, // Ready again: a client that lost its connection asks anew
	stateRunning:         {stateResponding, stateRespondingError},
	stateResponding:      {stateResponseSent},
	stateRespondingError: {stateResponseSent},
	stateResponseSent:    {stateReady},
}

var errTransition = errors.New("State transition is not allowed") //nolint:staticcheck // the Runtime API's own words

// to changes the state, or leaves it and returns errTransition.
func (s *runtimeState) to(next runtimeState) error {
	for _, allowed := range transitions[*s] {
		if allowed == next {
			*s = next
			return nil
		}
	}
	return errTransition
}
