package broadcast_test

import (
	"maps"
	"testing"
	"time"

	"fanfare/shared/broadcast"
)

func TestASummaryAddsUpTheUnits(t *testing.T) {
	accepted := time.Now()
	r := broadcast.Receipt{
		AcceptedAt: accepted, Progress: broadcast.Progress{Units: 5, Done: true},
		Units: []broadcast.UnitCounts{
			{N: 0, Size: 500, Attempts: 1, Delivered: 480, Gone: 20, At: accepted.Add(time.Second)},
			{N: 1, Size: 500, Attempts: 2, Delivered: 490, Failed: map[string]int{"tooLarge": 10}, At: accepted.Add(3 * time.Second)},
			{N: 2, Size: 10, Attempts: 1, Expired: 10, At: accepted.Add(time.Hour)},
			{N: 3, Size: 10, Attempts: 5, Failed: map[string]int{"forbidden": 10}, Remaining: make([]string, 10), At: accepted.Add(time.Hour)},
		},
	}
	s := r.Summary(5)
	if s.Audience != 1020 || s.Delivered != 970 || s.Gone != 20 || s.Expired != 10 || s.Waiting != 10 {
		t.Errorf("summary %+v", s)
	}
	if !maps.Equal(s.Failed, map[string]int{"tooLarge": 10, "forbidden": 10}) {
		t.Errorf("failed %v", s.Failed)
	}
	if s.Units != 5 || s.Open != 2 || s.Dead != 1 || s.Done {
		t.Errorf("units %d, open %d, dead %d, done %v; want unit 4 open and unit 3 dead", s.Units, s.Open, s.Dead, s.Done)
	}
	if s.Last != 3*time.Second {
		t.Errorf("the last client got it after %v, want 3 s: expired and failed ones got nothing", s.Last)
	}
}

func TestABroadcastIsDoneWhenNothingIsOpen(t *testing.T) {
	unit := broadcast.UnitCounts{Size: 1, Delivered: 1}
	for name, tt := range map[string]struct {
		receipt broadcast.Receipt
		done    bool
	}{
		"not read to its end":        {broadcast.Receipt{Progress: broadcast.Progress{Units: 1}, Units: []broadcast.UnitCounts{unit}}, false},
		"a unit on the queue":        {broadcast.Receipt{Progress: broadcast.Progress{Units: 2, Done: true}, Units: []broadcast.UnitCounts{unit}}, false},
		"all units finished":         {broadcast.Receipt{Progress: broadcast.Progress{Units: 1, Done: true}, Units: []broadcast.UnitCounts{unit}}, true},
		"nobody to send to":          {broadcast.Receipt{Progress: broadcast.Progress{Done: true}}, true},
		"a small one not yet marked": {broadcast.Receipt{Units: []broadcast.UnitCounts{unit}}, false},
	} {
		if got := tt.receipt.Summary(5); got.Done != tt.done || got.Open < 0 {
			t.Errorf("%s: %+v", name, got)
		}
	}
}

// It is not counted by the ledger, which moves once it is finished.
func TestASmallBroadcastsUnitThatIsLeftIsOpen(t *testing.T) {
	unit := broadcast.UnitCounts{Size: 2, Attempts: 5, Delivered: 1, Failed: map[string]int{"forbidden": 1}, Remaining: []string{"b"}}
	s := broadcast.Receipt{Units: []broadcast.UnitCounts{unit}}.Summary(5)
	if s.Units != 1 || s.Open != 1 || s.Dead != 1 || s.Done {
		t.Errorf("summary %+v, want one unit, open and dead", s)
	}
}

func TestALaterAttemptThatDeliversNothingIsNotTheLastDelivery(t *testing.T) {
	accepted := time.Now()
	unit := broadcast.UnitCounts{Delivered: 1, At: accepted.Add(12 * time.Minute)}
	unit.Times[broadcast.BucketOf(300*time.Millisecond)] = 1
	if s := (broadcast.Receipt{AcceptedAt: accepted, Units: []broadcast.UnitCounts{unit}}).Summary(5); s.Last < 300*time.Millisecond || s.Last > 365*time.Millisecond {
		t.Errorf("the last client got it after %v, want 300 ms to a fifth", s.Last)
	}
}
