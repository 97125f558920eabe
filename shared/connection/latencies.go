package connection

import (
	"math/rand/v2"
	"sync"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
)

const (
	// stripes keep the workers out of one another's way. Lambda has at most six
	// processors, and a snapshot costs a copy of each.
	stripes = 2
	// longestLatency is the most that is told apart; what takes longer counts
	// as this. API Gateway itself ends a request after 30 s.
	longestLatency = time.Minute
	// significantFigures means that a value is right to 1%.
	significantFigures = 2
)

// latencies is a histogram of posts, in microseconds. Recording takes tens of
// nanoseconds and allocates nothing.
type latencies struct {
	stripes [stripes]stripe

	mu      sync.Mutex // held by whoever reads
	drained tally      // everything that left the stripes so far
	scratch []int64
}

type stripe struct {
	mu        sync.Mutex
	histogram *hdrhistogram.Histogram
	delivered int64
	_         [40]byte // neighbours do not share a cache line
}

// tally is what was recorded during some time, by the histogram's buckets.
type tally struct {
	counts    []int64
	delivered int64
}

func newHistogram() *hdrhistogram.Histogram {
	return hdrhistogram.New(1, longestLatency.Microseconds(), significantFigures)
}

func newLatencies() *latencies {
	l := &latencies{drained: tally{counts: newHistogram().Export().Counts}}
	for i := range l.stripes {
		l.stripes[i].histogram = newHistogram()
	}
	return l
}

func (l *latencies) record(took time.Duration, delivered bool) {
	us := min(max(took, 0), longestLatency).Microseconds()
	s := &l.stripes[rand.Uint32()%stripes]
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.histogram.RecordValue(us); err != nil {
		panic(err) // the histogram covers all that us can be
	}
	if delivered {
		s.delivered++
	}
}

// total returns what was recorded since the Manager was made.
func (l *latencies) total() (posts *hdrhistogram.Histogram, delivered int64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	t := tally{append(l.scratch[:0], l.drained.counts...), l.drained.delivered}
	l.scratch = t.counts
	for i := range l.stripes {
		t.add(l.stripes[i].read(false))
	}
	return t.histogram(), t.delivered
}

// drain returns what was recorded since the last drain. What is recorded
// meanwhile is in this interval or the next, never in both.
func (l *latencies) drain() (posts *hdrhistogram.Histogram, delivered int64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	t := tally{counts: make([]int64, len(l.drained.counts))}
	for i := range l.stripes {
		t.add(l.stripes[i].read(true))
	}
	l.drained.add(t)
	return t.histogram(), t.delivered
}

func (s *stripe) read(empty bool) tally {
	s.mu.Lock()
	defer s.mu.Unlock()
	t := tally{s.histogram.Export().Counts, s.delivered}
	if empty {
		s.histogram.Reset()
		s.delivered = 0
	}
	return t
}

func (t *tally) add(u tally) {
	for i, n := range u.counts {
		t.counts[i] += n
	}
	t.delivered += u.delivered
}

func (t tally) histogram() *hdrhistogram.Histogram {
	return hdrhistogram.Import(&hdrhistogram.Snapshot{
		LowestTrackableValue:  1,
		HighestTrackableValue: longestLatency.Microseconds(),
		SignificantFigures:    significantFigures,
		Counts:                t.counts,
	})
}

// buckets returns the values that occurred, rising, each by the middle of the
// range that it stands for.
func buckets(h *hdrhistogram.Histogram) []Bucket {
	var all []Bucket
	for _, bar := range h.Distribution() {
		if bar.Count > 0 {
			all = append(all, Bucket{Value: microseconds(bar.From+bar.To) / 2, Count: bar.Count})
		}
	}
	return all
}

func microseconds(n int64) time.Duration { return time.Duration(n) * time.Microsecond }
