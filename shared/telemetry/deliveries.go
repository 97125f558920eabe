package telemetry

import (
	"context"
	"log/slog"
	"time"

	"fanfare/shared/connection"
)

// Sender is what Deliveries needs of a connection.Manager.
type Sender interface {
	Flush() connection.Interval
	Metrics() connection.Metrics
}

// Deliveries writes what a Manager did since the last call: Delivered, Gone,
// Failed, Unsent, Posts, Removed (of the gone), CleanupErrors, OpenBreakers, one PostErrors.<type> for each type of
// error that occurred, and PostLatency as its values. Call it before a function
// returns: Lambda freezes it afterwards. Nothing is written when nothing was
// sent.
func (m *Metrics) Deliveries(s Sender) error {
	i := s.Flush()
	if i.Counts == (connection.Counts{}) && i.Posts == 0 {
		return nil
	}
	metrics := []Metric{
		counter("Delivered", i.Delivered), counter("Gone", i.Gone), counter("Failed", i.Failed),
		counter("Unsent", i.Unsent), counter("Posts", i.Posts),
		counter("Removed", i.Removed), counter("CleanupErrors", i.CleanupErrors),
		counter("OpenBreakers", int64(s.Metrics().Breakers.Open)), latency(i.Latencies),
	}
	for kind, n := range i.Errors {
		if n > 0 {
			metrics = append(metrics, counter("PostErrors."+string(kind), n))
		}
	}
	return m.Emit(nil, metrics...)
}

// Reporter returns what a function defers while it handles an event. Metrics
// that cannot be written are logged: they are no reason to send anything again.
func (m *Metrics) Reporter(s Sender, log *slog.Logger) func(context.Context) {
	return func(ctx context.Context) {
		if err := m.Deliveries(s); err != nil {
			log.WarnContext(ctx, "metrics not written", "error", err)
		}
	}
}

func counter(name string, n int64) Metric { return Counter(name, int(n)) }

func latency(buckets []connection.Bucket) Metric {
	x := Metric{Name: "PostLatency", Unit: Milliseconds}
	for _, b := range buckets {
		x.Values = append(x.Values, float64(b.Value)/float64(time.Millisecond))
		x.Counts = append(x.Counts, float64(b.Count))
	}
	return x
}
