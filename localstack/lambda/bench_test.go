package lambda

import (
	"context"
	"slices"
	"testing"
	"time"
)

// BenchmarkInvoke measures a warm function: the process, its HTTP client and
// both directions of the Runtime API included.
func BenchmarkInvoke(b *testing.B) {
	for _, logged := range []bool{false, true} {
		name := "without log"
		o := Options{}
		if logged {
			name = "with log"
			o.Log = func(LogLine) {}
		}
		b.Run(name, func(b *testing.B) {
			c := newCloud(b, o)
			if !logged {
				c.opts.Log = nil
			}
			c.create(b, "f", "")
			c.mustInvoke(b, "f", "{}")
			b.ReportAllocs()
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					if _, err := c.Invoke(context.Background(), Request{Function: "f", Payload: []byte(`{"a":1}`)}); err != nil {
						b.Error(err)
					}
				}
			})
		})
	}
}

// invokesInRound are made of one kind before the other gets its turn.
const invokesInRound = 300

// BenchmarkFreeze measures what freezing adds to the median of a warm invoke.
// Invokes come one after the other, so that each finds its environment frozen.
// Rounds with and without take turns, and the median of the differences counts.
func BenchmarkFreeze(b *testing.B) {
	frozen, running := newCloud(b, Options{}), newCloud(b, Options{UnlikeAWSKeepIdleFunctionsRunning: true})
	for _, c := range []*cloud{frozen, running} {
		c.create(b, "f", "")
		c.median(b)
	}
	var added []time.Duration
	for b.Loop() {
		added = append(added, frozen.median(b)-running.median(b))
	}
	slices.Sort(added)
	b.ReportMetric(added[len(added)/2].Seconds()*1e3, "ms-added")
	b.ReportMetric(0, "ns/op")
}

// median returns the median of a round of invokes.
func (c *cloud) median(b *testing.B) time.Duration {
	b.Helper()
	took := make([]time.Duration, invokesInRound)
	for i := range took {
		begin := time.Now()
		c.mustInvoke(b, "f", `{"a":1}`)
		took[i] = time.Since(begin)
	}
	slices.Sort(took)
	return took[len(took)/2]
}
