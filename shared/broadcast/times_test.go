package broadcast_test

import (
	"fmt"
	"testing"
	"time"

	"fanfare/shared/broadcast"
)

func TestATimeIsRightToAFifth(t *testing.T) {
	for _, took := range []time.Duration{
		2 * time.Millisecond, 17 * time.Millisecond, 999 * time.Millisecond, time.Second, 61 * time.Second, time.Hour,
	} {
		var times broadcast.Times
		times[broadcast.BucketOf(took)]++
		if got := times.Quantile(0.5); got < took || float64(got) > float64(took)*1.2 {
			t.Errorf("%v is told as %v", took, got)
		}
	}
}

func TestTimesAtTheEdges(t *testing.T) {
	for took, want := range map[time.Duration]int{
		-time.Second: 0, 0: 0, time.Millisecond: 0, time.Millisecond + 1: 1, 1000 * time.Hour: len(broadcast.Times{}) - 1,
	} {
		if got := broadcast.BucketOf(took); got != want {
			t.Errorf("%v is in bucket %d, want %d", took, got, want)
		}
	}
	if got := (broadcast.Times{}).Quantile(0.99); got != 0 {
		t.Errorf("nobody took %v", got)
	}
}

func TestPercentilesOfUnitsAddedUp(t *testing.T) {
	var fast, slow broadcast.Times
	fast[broadcast.BucketOf(10*time.Millisecond)] = 980
	slow[broadcast.BucketOf(5*time.Second)] = 20
	sum := fast.Plus(slow)
	if p50 := sum.Quantile(0.5); p50 > 12*time.Millisecond {
		t.Errorf("p50 %v", p50)
	}
	if p98, p99 := sum.Quantile(0.98), sum.Quantile(0.99); p98 > 12*time.Millisecond || p99 < 5*time.Second {
		t.Errorf("p98 %v, p99 %v", p98, p99)
	}
}

func FuzzParseTimes(f *testing.F) {
	f.Add("0:1 13:980 96:20")
	f.Add("97:1")
	f.Add("-1:-1")
	f.Fuzz(func(t *testing.T, s string) {
		times, err := broadcast.ParseTimes(s)
		if err != nil {
			return
		}
		again, err := broadcast.ParseTimes(times.String())
		if err != nil || again != times {
			t.Errorf("%q became %q, error %v", s, times, err)
		}
	})
}

func ExampleTimes() {
	times, err := broadcast.ParseTimes("13:980 50:20")
	fmt.Println(times.Total(), times.Quantile(0.5).Round(time.Millisecond), times.Quantile(0.99).Round(time.Millisecond), err)
	// Output: 1000 10ms 5.793s <nil>
}
