package broadcast

import (
	"context"
	"fmt"
	"math"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"fanfare/shared/connection"
)

// Times counts clients by how long after its acceptance API Gateway took a
// broadcast for them, in fixed buckets: bucket i ends at 2^(i/4) ms, each a fifth
// wider than the one before. Because they are fixed, the Times of all units can
// be added up, which percentiles cannot. What takes longer than the last bucket,
// 4 h 40 min, counts as that.
type Times [97]int

// bucketOf returns the bucket that took belongs to.
func bucketOf(took time.Duration) int {
	ms := float64(took) / float64(time.Millisecond)
	if ms <= 1 {
		return 0
	}
	return min(int(math.Ceil(4*math.Log2(ms))), len(Times{})-1)
}

// endOf returns the longest time that belongs to bucket i.
func endOf(i int) time.Duration {
	return time.Duration(math.Exp2(float64(i)/4) * float64(time.Millisecond))
}

// Plus returns the sum of both.
func (t Times) Plus(u Times) Times {
	for i, n := range u {
		t[i] += n
	}
	return t
}

// Total returns how many clients were counted.
func (t Times) Total() (n int) {
	for _, m := range t {
		n += m
	}
	return n
}

// Quantile returns the end of the bucket that holds the q-th client of all, for
// q from 0 to 1, and 0 if there are none.
func (t Times) Quantile(q float64) time.Duration {
	rank := max(1, int(math.Ceil(q*float64(t.Total()))))
	for i, n := range t {
		if rank -= n; rank <= 0 {
			return endOf(i)
		}
	}
	return 0
}

// String returns "<bucket>:<count>" of those that are not empty, parted by
// spaces.
func (t Times) String() string {
	var parts []string
	for i, n := range t {
		if n != 0 {
			parts = append(parts, strconv.Itoa(i)+":"+strconv.Itoa(n))
		}
	}
	return strings.Join(parts, " ")
}

// ParseTimes reads what String wrote.
func ParseTimes(s string) (Times, error) {
	var t Times
	for part := range strings.FieldsSeq(s) {
		bucket, count, _ := strings.Cut(part, ":")
		i, err := strconv.Atoi(bucket)
		n, err2 := strconv.Atoi(count)
		if err != nil || err2 != nil || i < 0 || i >= len(t) || n < 0 {
			return Times{}, fmt.Errorf("%q is no bucket of times", part)
		}
		t[i] += n
	}
	return t, nil
}

// timing counts the posts of one unit while many workers make them.
type timing struct {
	since   time.Time
	now     func() time.Time
	buckets [len(Times{})]atomic.Int64
}

func (t *timing) posted() { t.buckets[bucketOf(t.now().Sub(t.since))].Add(1) }

func (t *timing) times() (sum Times) {
	for i := range sum {
		sum[i] = int(t.buckets[i].Load())
	}
	return sum
}

type timingKey struct{}

// Timed lets a Deliverer know when s has posted. Put it around the Sender of the
// Manager that the Deliverer sends with.
func Timed(s connection.Sender) connection.Sender { return timed{s} }

type timed struct{ connection.Sender }

func (s timed) Post(ctx context.Context, id string, m *connection.Message) error {
	err := s.Sender.Post(ctx, id, m)
	if t, ok := ctx.Value(timingKey{}).(*timing); ok && err == nil {
		t.posted()
	}
	return err
}
