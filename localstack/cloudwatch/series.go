package cloudwatch

import (
	"cmp"
	"maps"
	"math"
	"slices"
	"strings"
	"time"
)

// What is kept is bounded, because nobody looks after a local cloud's memory. A
// minute of a series takes some 250 bytes, and 2.4 KB with a hundred different
// values: all series that there may be, written each minute of the day, 400 MB. A
// deployment of Fanfare has some 40.
const (
	retention = 24 * time.Hour
	future    = 2 * time.Hour // as far ahead as AWS takes timestamps
	maxSeries = 1000          // of all regions together
	recently  = 3 * time.Hour // what ListMetrics' PT3H means
)

// series is the samples of one metric in one unit, summed up by the minute.
type series struct {
	Namespace, MetricName string
	Dimensions            []dimension // by name
	Unit                  string
	Minutes               map[int64]statistics // by Unix time / 60
	Put                   time.Time            // when the last sample came
}

// key tells series apart. The separator cannot be part of a name: control
// characters are not allowed there.
func (se *series) key() string {
	return se.metricKey() + "\x00" + se.Unit
}

func (se *series) metricKey() string {
	parts := []string{se.Namespace, se.MetricName}
	for _, d := range se.Dimensions {
		parts = append(parts, d.Name, d.Value)
	}
	return strings.Join(parts, "\x00")
}

func sortedDimensions(dimensions []dimension) []dimension {
	sorted := slices.Clone(dimensions)
	slices.SortFunc(sorted, func(a, b dimension) int { return cmp.Compare(a.Name, b.Name) })
	return sorted
}

// add puts samples into the minute of at.
func (se *series) add(at time.Time, more statistics) {
	minute := at.Unix() / 60
	if have, ok := se.Minutes[minute]; ok {
		more = have.plus(more)
	}
	se.Minutes[minute] = more
}

func (s statistics) plus(o statistics) statistics {
	if s.SampleCount == 0 {
		return o
	}
	return statistics{
		Values:      s.Values.plus(o.Values),
		SampleCount: s.SampleCount + o.SampleCount,
		Sum:         s.Sum + o.Sum,
		Minimum:     math.Min(s.Minimum, o.Minimum),
		Maximum:     math.Max(s.Maximum, o.Maximum),
	}
}

// expire forgets what is older than the retention, and metrics without samples.
func (r *region) expire(now time.Time) {
	oldest := now.Add(-retention).Unix() / 60
	for key, se := range r.Series {
		maps.DeleteFunc(se.Minutes, func(minute int64, _ statistics) bool { return minute < oldest })
		if len(se.Minutes) == 0 {
			delete(r.Series, key)
		}
	}
}

// buckets sums the minutes from start up to, but without, end into periods that
// begin at start. The keys are the periods' beginnings in Unix seconds.
func (se *series) buckets(start, end time.Time, period int) map[int64]statistics {
	first := start.Unix() / 60 * 60
	sums := make(map[int64]statistics)
	for minute, stat := range se.Minutes {
		at := minute * 60
		if at < first || at >= end.Unix() {
			continue
		}
		begin := at - (at-first)%int64(period)
		if have, ok := sums[begin]; ok {
			stat = have.plus(stat)
		}
		sums[begin] = stat
	}
	return sums
}
