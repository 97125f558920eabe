package telemetry

import (
	"context"
	"time"
)

// The methods below are called in the middle of a request that has better
// things to do than to fail for a metric, so they return nothing: standard
// output, which they write to, is where an error would be reported.

// Connected counts a client that was admitted.
func (m *Metrics) Connected() { _ = m.Emit(nil, Counter("Connected", 1)) }

// Refused counts a client that was not, with the code that it got as a
// property. FailedConnects counts those of them that are our fault (500).
func (m *Metrics) Refused(code string, ours bool) {
	failed := 0
	if ours {
		failed = 1
	}
	_ = m.Emit(map[string]any{"code": code}, Counter("Refused", 1), Counter("FailedConnects", failed))
}

// Disconnected counts a connection that was removed, and how long it was
// open: SessionDuration, in seconds.
func (m *Metrics) Disconnected(open time.Duration) {
	_ = m.Emit(nil, Counter("Disconnected", 1), Metric{Name: "SessionDuration", Unit: Seconds, Values: []float64{open.Seconds()}})
}

// KeysNotFetched counts a JWKS that could not be fetched: KeyFetchFailures. age
// is how old the keys are that go on being used, 0 when there are none: KeyAge,
// in seconds. It fits auth.Config.OnStaleKeys.
func (m *Metrics) KeysNotFetched(_ context.Context, age time.Duration) {
	_ = m.Emit(nil, Counter("KeyFetchFailures", 1), Metric{Name: "KeyAge", Unit: Seconds, Values: []float64{age.Seconds()}})
}
