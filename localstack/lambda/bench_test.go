package lambda

import (
	"context"
	"testing"
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

// BenchmarkFreezing measures one invoke after another with and without the
// freeze in between, which should cost less than 0.3 ms.
func BenchmarkFreezing(b *testing.B) {
	for name, unfrozen := range map[string]bool{"frozen between invokes": false, "running on": true} {
		b.Run(name, func(b *testing.B) {
			c := newCloud(b, Options{UnlikeAWSKeepIdleFunctionsRunning: unfrozen, Log: func(LogLine) {}})
			c.create(b, "f", "")
			c.mustInvoke(b, "f", "{}")
			for b.Loop() {
				c.mustInvoke(b, "f", `{"a":1}`)
			}
		})
	}
}
