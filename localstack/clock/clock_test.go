package clock_test

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"fanfare/localstack/clock"
)

func Example() {
	c := clock.New()
	closed := make(chan string)
	c.AfterFunc(10*time.Minute, func() { closed <- "idle socket closed" })
	c.Advance(10 * time.Minute)
	fmt.Println(<-closed)
	// Output: idle socket closed
}

func TestAdvanceMovesNowAndFiresWhatIsDue(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := clock.New()
		start := c.Now()
		var fired []string
		c.AfterFunc(time.Hour, func() { fired = append(fired, "one hour") })
		c.AfterFunc(3*time.Hour, func() { fired = append(fired, "three hours") })

		c.Advance(2 * time.Hour)
		synctest.Wait()
		if got := c.Since(start); got != 2*time.Hour {
			t.Errorf("clock moved %v, want 2h", got)
		}
		if len(fired) != 1 || fired[0] != "one hour" {
			t.Errorf("fired %v, want only the one-hour timer", fired)
		}
	})
}

func TestTimersAlsoFollowRealTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := clock.New()
		var fired atomic.Bool
		c.AfterFunc(time.Minute, func() { fired.Store(true) })
		c.Advance(50 * time.Second)
		time.Sleep(9 * time.Second)
		synctest.Wait()
		if fired.Load() {
			t.Fatal("fired after 59 s, want 60 s")
		}
		time.Sleep(time.Second)
		synctest.Wait()
		if !fired.Load() {
			t.Fatal("not fired after 50 s of Advance and 10 s of real time")
		}
	})
}

func TestStop(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := clock.New()
		timer := c.AfterFunc(time.Second, func() { t.Error("a stopped timer fired") })
		if !timer.Stop() {
			t.Error("first Stop = false, want true")
		}
		if timer.Stop() {
			t.Error("second Stop = true, want false")
		}
		c.Advance(time.Minute)
		synctest.Wait()
	})
}

func TestSleepEndsWithItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := clock.New()
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := c.Sleep(ctx, time.Hour); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Sleep = %v, want the context's error", err)
		}
	})
}
