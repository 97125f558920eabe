// Package function is what the mains of the functions have in common beside
// their wiring: how one ends that cannot start, and how one stops that sends.
//
//	func main() {
//		exitOn := function.ExitOn("deliver")
//		stop := function.ExpectStop()
//		cfg, err := config.Deliver(os.LookupEnv)
//		exitOn(err)
//		…
//		stop.Finish(manager, logger)
//		lambda.Start(h.handle)
//	}
//
// It links no AWS client, so that each function has only its own.
package function

import (
	"context"
	"log"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/aws/aws-lambda-go/lambda"
)

// ExitOn returns what ends the named function at its start, with one line that
// says why, if it is given an error.
func ExitOn(name string) func(error) {
	return func(err error) {
		if err != nil {
			log.Fatal(name, ": ", err)
		}
	}
}

// Stopper finishes what it has begun, but not after the context's end.
type Stopper interface {
	Shutdown(context.Context) error
}

// grace is what is used of the half second that Lambda grants between SIGTERM
// and SIGKILL.
const grace = 400 * time.Millisecond

// Stop is the end of the process, as Lambda announces it.
type Stop struct {
	registered chan struct{} // closed when Lambda has been asked to announce it
	finish     atomic.Pointer[func()]
}

// ExpectStop has Lambda announce the end of the process, which it does only for
// a function with an extension. One registers, beside what main does next: that
// is two calls, a tenth of a cold start when main waits for them.
//
// https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtime-environment.html#runtimes-lifecycle-shutdown
func ExpectStop() *Stop {
	s := &Stop{registered: make(chan struct{})}
	go func() {
		defer close(s.registered)
		// The option takes effect when a handler is made. This one serves nobody.
		lambda.NewHandlerWithOptions(func() {}, lambda.WithEnableSIGTERM(s.announced))
	}()
	return s
}

// Finish lets what is begun finish when the end is announced; what is cut off
// is delivered again by the queue. Call it before lambda.Start: it waits until
// the extension is there, because Lambda takes none after the function's first
// call for an invoke.
func (s *Stop) Finish(m Stopper, log *slog.Logger) {
	finish := func() { finish(m, log) }
	s.finish.Store(&finish)
	<-s.registered
}

// announced is called on SIGTERM, even before Finish: then nothing is begun.
func (s *Stop) announced() {
	if finish := s.finish.Load(); finish != nil {
		(*finish)()
	}
}

func finish(m Stopper, log *slog.Logger) {
	ctx, cancel := context.WithTimeout(context.Background(), grace)
	defer cancel()
	if err := m.Shutdown(ctx); err != nil {
		log.Warn("stopped in the middle of a delivery", "error", err)
	}
}
