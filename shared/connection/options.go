package connection

import (
	"log/slog"
	"time"
)

// Options tune a Manager. The zero value is right for a back end of its own;
// the functions turn Adaptive on and set Rate. A value that is zero or negative
// means the default.
type Options struct {
	// Workers is how many posts of broadcasts run at the same time: the fixed
	// size of the pool, or the size that it starts at if Adaptive. Default 10.
	// Send works on its caller's goroutine and is not limited by it.
	Workers int
	// Adaptive lets the pool find its size by itself: it doubles until the first
	// throttle, then grows by steps while the median latency holds, and halves
	// when API Gateway throttles or the latency climbs.
	Adaptive bool
	// MaxWorkers is the most that an adaptive pool grows to. Default 256.
	MaxWorkers int

	// Rate is the most posts a second, of the whole Manager. Default 0, which is
	// no limit. While API Gateway throttles, the Manager stays below it by
	// itself.
	Rate float64
	// BurstPeriod is for how long a Manager that was idle may make up for it: as
	// many posts as the Rate lets through in that time may go out at once. Default
	// 20 ms.
	BurstPeriod time.Duration

	// MaxAttempts is how often one message is posted to one connection before
	// its last failure is the result. Default 4.
	MaxAttempts int
	// BaseBackoff is the longest wait before the second attempt; it doubles with
	// every further one, up to MaxBackoff. Each wait is random between nothing
	// and that ("full jitter"). Default 100 ms.
	BaseBackoff time.Duration
	// MaxBackoff bounds a single wait. Default 5 s.
	MaxBackoff time.Duration

	// BreakerFailures is how many sends in a row must fail for a connection's
	// breaker to open. Default 3.
	BreakerFailures int
	// BreakerOpen is how long an open breaker refuses before it lets one probe
	// through. Default 30 s.
	BreakerOpen time.Duration
	// MaxBreakers is how many failing connections are remembered; beyond it the
	// one whose last failure is longest ago is forgotten. Default 4,096, which is
	// about 2 MB.
	MaxBreakers int

	// OpeningRetry is the wait before the one retry of a connection that
	// answered 410 but may still be opening. Default 1 s.
	OpeningRetry time.Duration
	// Cleaners is how many deletes of gone connections one broadcast runs at the
	// same time, next to its posts. Default 10.
	Cleaners int

	// Logger gets what an operator must know: posts that are refused by our own
	// fault (errors), clean-ups that failed (warnings). Never a message's
	// content. Default: nothing is logged.
	Logger *slog.Logger
}

func (o Options) withDefaults() Options {
	orDefault(&o.Workers, 10)
	orDefault(&o.MaxWorkers, 256)
	orDefault(&o.BurstPeriod, 20*time.Millisecond)
	orDefault(&o.MaxAttempts, 4)
	orDefault(&o.BaseBackoff, 100*time.Millisecond)
	orDefault(&o.MaxBackoff, 5*time.Second)
	orDefault(&o.BreakerFailures, 3)
	orDefault(&o.BreakerOpen, 30*time.Second)
	orDefault(&o.MaxBreakers, 4096)
	orDefault(&o.OpeningRetry, time.Second)
	orDefault(&o.Cleaners, 10)
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	return o
}

func orDefault[T int | time.Duration](value *T, standard T) {
	if *value <= 0 {
		*value = standard
	}
}
