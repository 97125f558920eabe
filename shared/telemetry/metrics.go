package telemetry

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"sync"
	"time"
)

// Where Fanfare's metrics are in CloudWatch. The one dimension is what AWS's own
// metrics of a function have, and its value is the function's name in Lambda:
// it begins with the deployment's, so that two of them in one account and region
// have metrics of their own, at the price of one.
const (
	Namespace = "Fanfare"
	Dimension = "FunctionName"
)

// maxValues is how many values one metric of a record may have ("Embedded
// metric format specification"); more go into further records.
const maxValues = 100

// Unit is a CloudWatch unit.
type Unit string

// The units in use.
const (
	Count        Unit = "Count"
	Milliseconds Unit = "Milliseconds"
	Seconds      Unit = "Seconds"
)

// Metrics writes records in the embedded metric format. It is safe for
// concurrent use.
type Metrics struct {
	mu       sync.Mutex
	w        io.Writer
	function string
	now      func() time.Time
}

// NewMetrics returns metrics of the function, by its name in Lambda:
// lambdacontext.FunctionName.
func NewMetrics(w io.Writer, function string) *Metrics {
	return &Metrics{w: w, function: function, now: time.Now}
}

// Metric is one figure of a record.
type Metric struct {
	Name string
	Unit Unit
	// Values are single observations. Percentiles cannot be merged afterwards,
	// so what has percentiles is sent as its values.
	Values []float64
	// Counts says how often each value occurred; nil means once each.
	Counts []float64
}

// Counter returns a metric that adds n.
func Counter(name string, n int) Metric {
	return Metric{Name: name, Unit: Count, Values: []float64{float64(n)}}
}

// Emit writes the metrics with further properties, which can be searched in
// the log but are no dimensions. A metric without values is left out.
func (m *Metrics) Emit(properties map[string]any, metrics ...Metric) error {
	for len(metrics) > 0 {
		var now, later []Metric
		for _, x := range metrics {
			head, tail := split(x)
			if len(head.Values) > 0 {
				now = append(now, head)
			}
			if len(tail.Values) > 0 {
				later = append(later, tail)
			}
		}
		if len(now) > 0 {
			if err := m.record(properties, now); err != nil {
				return fmt.Errorf("write metrics: %w", err)
			}
		}
		metrics = later
	}
	return nil
}

// split cuts a metric after the values that one record may have.
func split(x Metric) (head, tail Metric) {
	head, tail = x, x
	n := min(len(x.Values), maxValues)
	head.Values, tail.Values = x.Values[:n], x.Values[n:]
	if x.Counts != nil {
		head.Counts, tail.Counts = x.Counts[:n], x.Counts[n:]
	}
	return head, tail
}

type definition struct {
	Name string `json:"Name"`
	Unit Unit   `json:"Unit"`
}

type directive struct {
	Namespace  string       `json:"Namespace"`
	Dimensions [][]string   `json:"Dimensions"`
	Metrics    []definition `json:"Metrics"`
}

func (m *Metrics) record(properties map[string]any, metrics []Metric) error {
	d := directive{Namespace: Namespace, Dimensions: [][]string{{Dimension}}}
	rec := map[string]any{}
	maps.Copy(rec, properties)
	for _, x := range metrics {
		d.Metrics = append(d.Metrics, definition{x.Name, x.Unit})
		rec[x.Name] = x.value()
	}
	rec[Dimension] = m.function
	rec["_aws"] = map[string]any{
		"Timestamp":         m.now().UnixMilli(),
		"CloudWatchMetrics": []directive{d},
	}
	line, err := json.Marshal(rec)
	if err != nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	_, err = m.w.Write(append(line, '\n'))
	return err
}

// value is a number, an array, or values with counts, whichever is shortest.
func (x Metric) value() any {
	switch {
	case x.Counts != nil:
		return map[string]any{"Values": slices.Clone(x.Values), "Counts": slices.Clone(x.Counts)}
	case len(x.Values) == 1:
		return x.Values[0]
	default:
		return slices.Clone(x.Values)
	}
}
