package cost_test

import (
	"math"
	"testing"

	"fanfare/scripts/cost"
)

func wantDollars(t *testing.T, what string, got, want float64) {
	t.Helper()
	if math.Abs(got-want) > 1e-4*math.Max(1, want) {
		t.Errorf("%s costs $%.5f, want $%.5f", what, got, want)
	}
}

// A million clients' messages of 1 KB, each one call of a function (128 MB, 20
// ms), one write, one eventually consistent read, and ten messages out [AWS.md
// section 7, "Worked"].
func TestTheWorkedExample(t *testing.T) {
	const million = 1e6
	one := cost.Usage{
		cost.Messages: 1 + 10, cost.Invocations: 1, cost.GBSeconds: 0.125 * 0.020,
		cost.WriteUnits: 1, cost.ReadUnits: 0.5,
	}
	u := one.Times(million)
	for meter, want := range map[cost.Meter]float64{
		cost.Messages: 1 + 10, cost.Invocations: 0.20, cost.GBSeconds: 0.033333, cost.WriteUnits: 0.625, cost.ReadUnits: 0.0625,
	} {
		wantDollars(t, meter.Price().What, u.DollarsOf(meter), want)
	}
	wantDollars(t, "all of it", u.Dollars(), 11.92083)
	idle := cost.Usage{cost.ConnectionMinutes: 10_000 * 30 * 24 * 60}
	wantDollars(t, "10,000 idle connections for 30 days", idle.Dollars(), 108)
	wantDollars(t, "both", u.Plus(idle).Dollars(), 119.92083)
}

func TestEveryPriceHasItsSourceAndDate(t *testing.T) {
	u := cost.Usage{}
	for m := range cost.Meter(len(u)) {
		if p := m.Price(); p.What == "" || p.Dollars <= 0 || p.Source == "" || p.Date == "" {
			t.Errorf("meter %d: %+v", m, p)
		}
	}
}

func TestOnlyMetersThatWereUsedAreListed(t *testing.T) {
	u := cost.Usage{cost.WriteUnits: 1, cost.Messages: 2}
	if got := u.Meters(); len(got) != 2 || got[0] != cost.Messages || got[1] != cost.WriteUnits {
		t.Errorf("meters %v", got)
	}
}

// 32 KB units of API Gateway [WEB:limits], 64 KB chunks of SQS.
func TestWhatIsBegunCountsWhole(t *testing.T) {
	for bytes, want := range map[int][2]int{
		0: {1, 3}, 1: {1, 3}, 32 << 10: {1, 3}, 32<<10 + 1: {2, 3}, 64 << 10: {2, 3}, 64<<10 + 1: {3, 5}, 128 << 10: {4, 5}, 128<<10 + 1: {5, 7},
	} {
		if got := [2]int{cost.MessagesOf(bytes), cost.QueueRequestsOf(bytes)}; got != want {
			t.Errorf("%d bytes are %v messages and queue requests, want %v", bytes, got, want)
		}
	}
}
