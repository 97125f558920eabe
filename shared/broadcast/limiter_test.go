package broadcast_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"fanfare/shared/broadcast"
	"fanfare/shared/store"
)

// counting counts the writes of a table.
type counting struct {
	*store.Memory
	writes int
	err    error
}

func (c *counting) CountBroadcast(ctx context.Context, tenant, id string, window int64) (int, int, error) {
	c.writes++
	if c.err != nil {
		return 0, 0, c.err
	}
	return c.Memory.CountBroadcast(ctx, tenant, id, window)
}

// admit counts how many of n broadcasts are let through.
func admit(t *testing.T, l *broadcast.Limiter, tenant, id string, n int) (admitted int) {
	t.Helper()
	for range n {
		wait, err := l.Admit(t.Context(), tenant, id)
		if err != nil {
			t.Fatal(err)
		}
		if wait == 0 {
			admitted++
		} else if wait < 0 || wait > broadcast.Window {
			t.Errorf("told to wait %v, want at most a window", wait)
		}
	}
	return admitted
}

func newLimiter() (*broadcast.Limiter, *counting) {
	c := &counting{Memory: store.NewMemory(store.Options{})}
	return &broadcast.Limiter{Counters: c, PerConnection: 3, PerTenant: 5, Now: time.Now}, c
}

func TestAConnectionIsHeldToItsLimitAndStartsOverEachSecond(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, _ := newLimiter()
		for range 3 {
			if got := admit(t, l, "acme", "c1", 10); got != 3 {
				t.Errorf("%d admitted, want 3", got)
			}
			time.Sleep(time.Second)
		}
	})
}

func TestATenantsConnectionsShareItsLimit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, _ := newLimiter()
		if a, b := admit(t, l, "acme", "c1", 3), admit(t, l, "acme", "c2", 3); a != 3 || b != 2 {
			t.Errorf("%d and %d admitted, want 3 and then 2", a, b)
		}
		if got := admit(t, l, "globex", "c3", 3); got != 3 {
			t.Errorf("another tenant had %d admitted, want 3", got)
		}
	})
}

func TestTheLimitHoldsOverAllFunctions(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		one, c := newLimiter()
		other := &broadcast.Limiter{Counters: c, PerConnection: 3, PerTenant: 5, Now: time.Now}
		if a, b := admit(t, one, "acme", "c1", 2), admit(t, other, "acme", "c1", 2); a != 2 || b != 1 {
			t.Errorf("%d and %d admitted, want 2 and then 1", a, b)
		}
	})
}

func TestAFloodCostsNoMoreWritesThanTheLimit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, c := newLimiter()
		admit(t, l, "acme", "c1", 1000)
		if c.writes != 3 {
			t.Errorf("%d writes for 1,000 broadcasts, want 3", c.writes)
		}
		admit(t, l, "acme", "c2", 1)
		if c.writes != 4 {
			t.Error("another connection of the tenant was not counted")
		}
	})
}

func TestWhoCannotBeCountedIsToldSo(t *testing.T) {
	l, c := newLimiter()
	c.err = errors.New("table on fire")
	if _, err := l.Admit(t.Context(), "acme", "c1"); !errors.Is(err, c.err) {
		t.Errorf("error %v", err)
	}
}

func TestWithoutLimitsNothingIsCounted(t *testing.T) {
	l, c := newLimiter()
	l.PerConnection, l.PerTenant = 0, 0
	if got := admit(t, l, "acme", "c1", 100); got != 100 || c.writes != 0 {
		t.Errorf("%d admitted, %d writes; want all and none", got, c.writes)
	}
}
