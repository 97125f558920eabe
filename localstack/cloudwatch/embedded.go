package cloudwatch

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"
)

// The embedded metric format: a log line that is metrics too.
// https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html

const (
	maxEmbeddedMetrics = 100  // of one directive
	maxEmbeddedValues  = 100  // of one metric in a record
	maxEmbedded        = 1000 // of one record, each metric in each set of dimensions
)

// Embedded takes a line of a log in a region. Lines that are no record in the
// embedded metric format are passed over; a record that is broken is logged,
// and lost, as in AWS.
func (s *Service) Embedded(region, line string) {
	if !strings.HasPrefix(line, "{") || !strings.Contains(line, `"_aws"`) {
		return
	}
	inputs, err := readEmbedded([]byte(line))
	if err == nil {
		err = s.putEmbedded(region, inputs)
	}
	if err != nil {
		s.log.Warn("metrics of a log line are lost", "error", err)
	}
}

func (s *Service) putEmbedded(region string, inputs []putMetricDataInput) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := range inputs {
		if err := s.put(s.state.regionNamed(region), &inputs[i]); err != nil {
			return err
		}
	}
	return nil
}

type embeddedRecord struct {
	Timestamp         *int64 // milliseconds
	CloudWatchMetrics []struct {
		Namespace  string
		Dimensions [][]string
		Metrics    []struct {
			Name, Unit        string
			StorageResolution *int
		}
	}
}

// readEmbedded reads a record, into one input for each namespace. Each set of
// dimensions is a metric of its own.
func readEmbedded(line []byte) ([]putMetricDataInput, error) {
	var members map[string]json.RawMessage
	if err := json.Unmarshal(line, &members); err != nil {
		return nil, err
	}
	var record embeddedRecord
	if err := json.Unmarshal(members["_aws"], &record); err != nil {
		return nil, fmt.Errorf("_aws: %w", err)
	}
	if record.Timestamp == nil {
		return nil, fmt.Errorf("_aws has no Timestamp")
	}
	at := time.UnixMilli(*record.Timestamp).UTC()
	var inputs []putMetricDataInput
	all := 0 // counted before anything is made of them: a line has room for millions
	for _, directive := range record.CloudWatchMetrics {
		if len(directive.Metrics) > maxEmbeddedMetrics {
			return nil, fmt.Errorf("a directive has %d metrics, at most %d are allowed", len(directive.Metrics), maxEmbeddedMetrics)
		}
		if all += len(directive.Metrics) * len(directive.Dimensions); all > maxEmbedded {
			return nil, fmt.Errorf("its metrics in each of their sets of dimensions are more than %d", maxEmbedded)
		}
		in := putMetricDataInput{Namespace: directive.Namespace}
		for _, set := range directive.Dimensions {
			dimensions, err := embeddedDimensions(members, set)
			if err != nil {
				return nil, err
			}
			for _, m := range directive.Metrics {
				value, ok := members[m.Name]
				if !ok {
					continue // declared, and not there
				}
				d := datum{MetricName: m.Name, Unit: m.Unit, Timestamp: &at, Dimensions: dimensions, StorageResolution: m.StorageResolution}
				if err := d.readValues(value); err != nil {
					return nil, fmt.Errorf("%s: %w", m.Name, err)
				}
				in.MetricData = append(in.MetricData, d)
			}
		}
		if len(in.MetricData) > 0 {
			inputs = append(inputs, in)
		}
	}
	return inputs, nil
}

func embeddedDimensions(members map[string]json.RawMessage, set []string) ([]dimension, error) {
	var dimensions []dimension
	for _, name := range set {
		var value string
		if err := json.Unmarshal(members[name], &value); err != nil {
			return nil, fmt.Errorf("the dimension %s is no text in the record", name)
		}
		dimensions = append(dimensions, dimension{name, value})
	}
	return dimensions, nil
}

// readValues reads a number, an array of them, or {"Values":…,"Counts":…}.
func (d *datum) readValues(value json.RawMessage) error {
	var counted struct{ Values, Counts []float64 }
	var one float64
	switch {
	case string(value) == "null": // which Unmarshal takes for anything
		return errors.New("null is neither a number nor an array of them")
	case json.Unmarshal(value, &one) == nil:
		d.Value = &one
	case json.Unmarshal(value, &d.Values) == nil:
	case json.Unmarshal(value, &counted) == nil:
		d.Values, d.Counts = counted.Values, counted.Counts
	default:
		return fmt.Errorf("%.64s is neither a number nor an array of them", value)
	}
	if len(d.Values) > maxEmbeddedValues {
		return fmt.Errorf("it has %d values, at most %d are allowed", len(d.Values), maxEmbeddedValues)
	}
	return nil
}
