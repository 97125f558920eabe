package cloudwatch

import (
	"cmp"
	"context"
	"maps"
	"math"
	"slices"
	"strings"
	"time"
	"unicode"
)

const (
	maxData       = 1000 // of one PutMetricData
	maxValues     = 150  // of one datum
	maxDatapoints = 1440 // of one GetMetricStatistics
	maxListed     = 500  // of one ListMetrics
)

// putMetricData keeps all of a request's samples or, where one is wrong, none.
func (s *Service) putMetricData(ctx context.Context, in *putMetricDataInput) (any, error) {
	return nil, s.put(s.state.region(ctx), in)
}

// put is putMetricData in a region, with the lock.
func (s *Service) put(r *region, in *putMetricDataInput) error {
	s.tick()
	now := s.now()
	switch {
	case !isName(in.Namespace) || strings.HasPrefix(in.Namespace, ":"):
		return invalidValue("The value %q for parameter Namespace is invalid.", in.Namespace)
	case strings.HasPrefix(in.Namespace, "AWS/"):
		return invalidValue("The value AWS/ for parameter Namespace is invalid: it is kept for AWS's own metrics.")
	case len(in.MetricData) == 0 || len(in.MetricData) > maxData:
		return validationError("MetricData must have 1 to %d members", maxData)
	}
	for i := range in.MetricData {
		if err := checkDatum(&in.MetricData[i], now); err != nil {
			return err
		}
	}
	return r.put(in, now, maxSeries-s.state.countSeries())
}

// put adds the samples unless they need more than room new series.
func (r *region) put(in *putMetricDataInput, now time.Time, room int) error {
	fresh := make(map[string]*series)
	find := func(d *datum) *series {
		se := &series{
			Namespace: in.Namespace, MetricName: d.MetricName, Dimensions: sortedDimensions(d.Dimensions),
			Unit: cmp.Or(d.Unit, "None"), Minutes: make(map[int64]statistics),
		}
		key := se.key()
		if have, ok := r.Series[key]; ok {
			return have
		}
		if have, ok := fresh[key]; ok {
			return have
		}
		fresh[key] = se
		return se
	}
	found := make([]*series, len(in.MetricData))
	for i := range in.MetricData {
		found[i] = find(&in.MetricData[i])
	}
	if len(fresh) > room {
		return limitExceeded("the local cloud keeps at most %d combinations of metric, dimensions and unit", maxSeries)
	}
	maps.Copy(r.Series, fresh)
	for i, se := range found {
		d := &in.MetricData[i]
		at := now
		if d.Timestamp != nil {
			at = *d.Timestamp
		}
		se.Put = now
		se.add(at, d.statistics())
	}
	return nil
}

func checkDatum(d *datum, now time.Time) error {
	forms := 0
	for _, given := range []bool{d.Value != nil, d.StatisticValues != nil, len(d.Values) > 0} {
		if given {
			forms++
		}
	}
	switch {
	case !isName(d.MetricName):
		return invalidValue("The value %q for MetricName must have 1 to 255 printable characters.", d.MetricName)
	case forms != 1:
		return invalidCombination("The metric %s needs one of Value, Values and StatisticValues.", d.MetricName)
	case len(d.Values) > maxValues:
		return invalidValue("Values of %s must have at most %d members.", d.MetricName, maxValues)
	case len(d.Counts) > 0 && len(d.Counts) != len(d.Values):
		return invalidValue("Counts and Values of %s must have equally many members.", d.MetricName)
	case d.StorageResolution != nil && *d.StorageResolution != 60:
		return unsupported("keeps metrics by the minute: StorageResolution of %s must be 60, not %d", d.MetricName, *d.StorageResolution)
	case d.Timestamp != nil && d.Timestamp.Before(now.Add(-retention)):
		return invalidValue("The timestamp of %s is too old: the local cloud keeps metrics for %v.", d.MetricName, retention)
	case d.Timestamp != nil && d.Timestamp.After(now.Add(future)):
		return invalidValue("The timestamp of %s is more than %v in the future.", d.MetricName, future)
	}
	return cmp.Or(checkNumbers(d), checkUnit(d.Unit), checkMetricDimensions(d))
}

func checkNumbers(d *datum) error {
	for _, v := range d.numbers() {
		if math.IsNaN(v) || math.Abs(v) > math.Ldexp(1, 360) {
			return invalidValue("The value %v of %s must be a number between -2^360 and 2^360.", v, d.MetricName)
		}
	}
	for _, c := range d.Counts {
		if c <= 0 {
			return invalidValue("Counts of %s must be greater than 0.", d.MetricName)
		}
	}
	if v := d.StatisticValues; v != nil && (v.SampleCount <= 0 || v.Minimum > v.Maximum) {
		return invalidValue("StatisticValues of %s need a SampleCount greater than 0 and no Minimum above the Maximum.", d.MetricName)
	}
	return nil
}

func checkMetricDimensions(d *datum) error {
	for _, dim := range d.Dimensions {
		if !isName(dim.Name) || hasControl(dim.Value) {
			return invalidValue("The dimension %q of %s has characters that are not printable.", dim.Name, d.MetricName)
		}
	}
	return checkDimensions(d.Dimensions)
}

func (d *datum) numbers() []float64 {
	all := slices.Concat(d.Values, d.Counts)
	if d.Value != nil {
		all = append(all, *d.Value)
	}
	if v := d.StatisticValues; v != nil {
		all = append(all, v.SampleCount, v.Sum, v.Minimum, v.Maximum)
	}
	return all
}

func (d *datum) statistics() statistics {
	if d.StatisticValues != nil {
		return *d.StatisticValues
	}
	if d.Value != nil {
		return statistics{1, *d.Value, *d.Value, *d.Value, distribution{bucketOf(*d.Value): 1}}
	}
	sum := statistics{Minimum: slices.Min(d.Values), Maximum: slices.Max(d.Values), Values: distribution{}}
	for i, v := range d.Values {
		count := 1.0
		if len(d.Counts) > 0 {
			count = d.Counts[i]
		}
		sum.SampleCount += count
		sum.Sum += v * count
		sum.Values[bucketOf(v)] += count
	}
	return sum
}

func isName(s string) bool { return hasLength(s, 255) && !hasControl(s) }

func hasControl(s string) bool { return strings.ContainsFunc(s, unicode.IsControl) }

func (s *Service) listMetrics(ctx context.Context, in *listMetricsInput) (listMetricsOutput, error) {
	if in.RecentlyActive != "" && in.RecentlyActive != "PT3H" {
		return listMetricsOutput{}, validationError("RecentlyActive must be PT3H, not %q", in.RecentlyActive)
	}
	s.tick()
	now := s.now()
	r := s.state.region(ctx)
	byKey := make(map[string]metric) // one metric has a series for each unit
	for _, se := range r.Series {
		if in.matches(se) && (in.RecentlyActive == "" || now.Sub(se.Put) <= recently) {
			byKey[se.metricKey()] = metric{se.Namespace, se.MetricName, slices.Clone(se.Dimensions)}
		}
	}
	keys := slices.Sorted(maps.Keys(byKey))
	some, next, err := page(keys, func(key string) string { return key }, in.NextToken, maxListed)
	out := listMetricsOutput{NextToken: next}
	for _, key := range some {
		out.Metrics = append(out.Metrics, byKey[key])
	}
	return out, err
}

func (in *listMetricsInput) matches(se *series) bool {
	if in.Namespace != "" && in.Namespace != se.Namespace || in.MetricName != "" && in.MetricName != se.MetricName {
		return false
	}
	for _, filter := range in.Dimensions {
		if !slices.ContainsFunc(se.Dimensions, func(d dimension) bool {
			return d.Name == filter.Name && (filter.Value == nil || *filter.Value == d.Value)
		}) {
			return false
		}
	}
	return true
}

// getMetricStatistics gives each unit's datapoints apart, as AWS does where the
// request names no unit, in the order of time.
func (s *Service) getMetricStatistics(ctx context.Context, in *getMetricStatisticsInput) (getMetricStatisticsOutput, error) {
	if err := checkStatisticsInput(in); err != nil {
		return getMetricStatisticsOutput{}, err
	}
	s.tick()
	r := s.state.region(ctx)
	want := series{Namespace: in.Namespace, MetricName: in.MetricName, Dimensions: sortedDimensions(in.Dimensions)}
	out := getMetricStatisticsOutput{Label: in.MetricName}
	for _, se := range r.Series {
		if se.metricKey() != want.metricKey() || in.Unit != "" && in.Unit != se.Unit {
			continue
		}
		for begin, sum := range se.buckets(in.StartTime, in.EndTime, in.Period) {
			out.Datapoints = append(out.Datapoints, newDatapoint(begin, sum, se.Unit, in))
		}
	}
	slices.SortFunc(out.Datapoints, func(a, b datapoint) int {
		return cmp.Or(a.Timestamp.Compare(b.Timestamp), strings.Compare(a.Unit, b.Unit))
	})
	return out, nil
}

func checkStatisticsInput(in *getMetricStatisticsInput) error {
	switch {
	case in.Namespace == "" || in.MetricName == "":
		return validationError("Namespace and MetricName are required")
	case len(in.Statistics) == 0 && len(in.ExtendedStatistics) == 0:
		return validationError("Statistics needs at least one of %v, or ExtendedStatistics a percentile", simpleStatistics)
	case in.Period < 60 || in.Period%60 != 0:
		return unsupported("keeps metrics by the minute: Period must be a multiple of 60, not %d", in.Period)
	case !in.StartTime.Before(in.EndTime):
		return invalidValue("The parameter StartTime must be less than the parameter EndTime.")
	}
	for _, statistic := range in.Statistics {
		if !slices.Contains(simpleStatistics, statistic) {
			return validationError("Statistics must be of %v, not %q", simpleStatistics, statistic)
		}
	}
	for _, statistic := range in.ExtendedStatistics {
		if !isPercentile(statistic) {
			return unsupported("has of the ExtendedStatistics only percentiles, p0 to p100, not %q", statistic)
		}
	}
	period := time.Duration(in.Period) * time.Second
	if points := int64(in.EndTime.Sub(in.StartTime) / period); points > maxDatapoints {
		return invalidCombination("You have requested up to %d datapoints, which exceeds the limit of %d. "+
			"You may reduce the datapoints requested by increasing Period, or decreasing the time range.", points, maxDatapoints)
	}
	return checkUnit(in.Unit)
}

func newDatapoint(begin int64, sum statistics, unit string, in *getMetricStatisticsInput) datapoint {
	p := datapoint{Timestamp: time.Unix(begin, 0).UTC(), Unit: unit}
	for _, statistic := range in.ExtendedStatistics {
		if v := sum.value(statistic); !math.IsNaN(v) {
			if p.ExtendedStatistics == nil {
				p.ExtendedStatistics = new(percentiles)
			}
			p.ExtendedStatistics.Entries = append(p.ExtendedStatistics.Entries, percentile{statistic, v})
		}
	}
	for _, statistic := range in.Statistics {
		switch statistic {
		case "SampleCount":
			p.SampleCount = &sum.SampleCount
		case "Average":
			average := sum.Sum / sum.SampleCount
			p.Average = &average
		case "Sum":
			p.Sum = &sum.Sum
		case "Minimum":
			p.Minimum = &sum.Minimum
		case "Maximum":
			p.Maximum = &sum.Maximum
		}
	}
	return p
}
