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
