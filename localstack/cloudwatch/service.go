// Package cloudwatch is the monitoring service of the local cloud: metric
// alarms, dashboards, and the metrics that are put over its API.
//
// It stands beside the message's path, not on it: Terraform puts the alarms and
// the dashboard here, and reads back exactly what it put, so that a second plan
// shows no change.
//
//	s := cloudwatch.New(cloudwatch.Options{})
//	http.Handle("/", s) // Query protocol, version 2010-08-01, signing name "monitoring"
//
// Metrics come by PutMetricData and in the log lines of functions (Embedded), and
// alarms are evaluated on them each minute of the cloud's clock, metric math and
// percentiles included.
//
// What it does not promise: no action of an alarm is ever started. The services
// here write no metrics of their own (AWS/Lambda, AWS/SQS, …): an alarm on those,
// or with a function of metric math that is not here, stays in the state
// INSUFFICIENT_DATA, and its StateReason says why. Metrics are kept in steps of a
// minute, for a day, for at most 1,000 combinations of name, dimensions and unit.
// Composite alarms, GetMetricData, metric streams and anomaly detectors are
// refused, and so are the CBOR and JSON protocols that newer SDKs speak.
package cloudwatch

import (
	"encoding/json"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"fanfare/localstack/awsproto"
	"fanfare/localstack/clock"
)

const namespace = "http://monitoring.amazonaws.com/doc/2010-08-01/"

// Options configures a Service. The zero value is ready to use.
type Options struct {
	Clock  *clock.Clock // nil: real time
	Logger *slog.Logger // nil: nothing is logged
}

// Service is the monitoring service. It is safe for concurrent use.
type Service struct {
	api   awsproto.Query
	clock *clock.Clock
	log   *slog.Logger

	mu     sync.Mutex
	state  state
	ticked int64 // Unix time / 60 of the last tick
}

// New returns a service without alarms, dashboards and metrics.
func New(o Options) *Service {
	if o.Clock == nil {
		o.Clock = clock.New()
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	s := &Service{clock: o.Clock, log: o.Logger, state: newState()}
	s.api = awsproto.Query{Namespace: namespace, Operations: s.operations()}
	return s
}

// ServeHTTP answers one call of the CloudWatch API.
func (s *Service) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if refuseOtherProtocol(w, r) {
		return
	}
	r.Body = decompressed(r)
	s.api.ServeHTTP(w, r)
}

// Snapshot returns all alarms, dashboards and metrics as JSON.
func (s *Service) Snapshot() ([]byte, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return json.Marshal(s.state)
}

// Restore replaces everything by a snapshot. A broken one is refused and
// changes nothing.
func (s *Service) Restore(snapshot []byte) error {
	st, err := decodeState(snapshot)
	if err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.state, s.ticked = st, 0
	return nil
}

// Close ends the service. It holds nothing that needs to be released.
func (s *Service) Close() error { return nil }

// now is the time as CloudWatch shows it: milliseconds of UTC.
func (s *Service) now() time.Time { return s.clock.Now().UTC().Truncate(time.Millisecond) }
