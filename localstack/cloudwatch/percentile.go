package cloudwatch

import (
	"maps"
	"math"
	"regexp"
	"slices"
	"strconv"
)

// distribution counts samples by their size, for percentiles: a bucket is 1%
// wide, so a percentile is right to half of that. What is in it is what came as
// values; of statistic sets AWS has no percentiles either.
type distribution map[int]float64

const (
	bucketWidth = 1.01
	// zeroBucket keeps the buckets of numbers below 1 above 0, where 0 itself has
	// its bucket and the negative numbers have theirs below.
	zeroBucket = 1 << 16
)

func bucketOf(v float64) int {
	if v == 0 {
		return 0
	}
	n := zeroBucket + int(math.Round(math.Log(math.Abs(v))/math.Log(bucketWidth)))
	if v < 0 {
		return -n
	}
	return n
}

// sizeOf is the middle of a bucket.
func sizeOf(bucket int) float64 {
	switch {
	case bucket == 0:
		return 0
	case bucket < 0:
		return -sizeOf(-bucket)
	default:
		return math.Pow(bucketWidth, float64(bucket-zeroBucket))
	}
}

func (d distribution) plus(o distribution) distribution {
	if len(d) == 0 {
		return o
	}
	if len(o) == 0 {
		return d
	}
	all := maps.Clone(d)
	for bucket, n := range o {
		all[bucket] += n
	}
	return all
}

var percentileName = regexp.MustCompile(`^p(\d{1,2}(?:\.\d{1,10})?|100)$`)

func isPercentile(statistic string) bool { return percentileName.MatchString(statistic) }

// percentile is the smallest sample that p percent are not above, or NaN where
// some samples came without their values.
func (s statistics) percentile(p float64) float64 {
	var known float64
	for _, n := range s.Values {
		known += n
	}
	if known == 0 || math.Abs(known-s.SampleCount) > 1e-9*s.SampleCount {
		return math.NaN()
	}
	var seen float64
	for _, bucket := range slices.Sorted(maps.Keys(s.Values)) {
		if seen += s.Values[bucket]; seen >= p/100*known {
			return min(max(sizeOf(bucket), s.Minimum), s.Maximum)
		}
	}
	return s.Maximum
}

// value is one statistic of the samples, NaN without any.
func (s statistics) value(statistic string) float64 {
	if s.SampleCount == 0 {
		return math.NaN()
	}
	switch statistic {
	case "SampleCount":
		return s.SampleCount
	case "Average":
		return s.Sum / s.SampleCount
	case "Sum":
		return s.Sum
	case "Minimum":
		return s.Minimum
	case "Maximum":
		return s.Maximum
	}
	if m := percentileName.FindStringSubmatch(statistic); m != nil {
		p, err := strconv.ParseFloat(m[1], 64)
		if err == nil {
			return s.percentile(p)
		}
	}
	return math.NaN()
}
