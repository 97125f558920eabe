package broadcast

import (
	"maps"
	"time"
)

// Summary is a Receipt added up.
type Summary struct {
	Audience  int            // connections in the units that have begun; all of them once Done
	Units     int            // begun so far
	Open      int            // of them, not finished yet
	Dead      int            // of Open, given up by the delivery queue: they are among its dead letters
	Delivered int            // API Gateway took the message for them
	Gone      int            // their sockets were closed
	Expired   int            // the broadcast's ttl was over before it was their turn
	Failed    map[string]int // given up, or to be tried again, by connection.ErrorType
	Waiting   int            // of Failed, to be tried again
	Done      bool           // the audience has been read to its end, and no unit is open
	Last      time.Duration  // from acceptance to the last delivery that is known, right to a fifth
	P50, P99  time.Duration  // from acceptance to delivery, right to a fifth
}

// Summary adds the receipt up. maxReceives is how often the delivery queue
// hands out a unit before it becomes a dead letter.
func (r Receipt) Summary(maxReceives int) Summary {
	// A small broadcast's only unit is recorded before the ledger counts it.
	units := max(r.Progress.Units, len(r.Units))
	s := Summary{Units: units, Open: units - len(r.Units), Failed: map[string]int{}}
	var times Times
	for _, u := range r.Units {
		s.Audience += u.Size
		s.Delivered += u.Delivered
		s.Gone += u.Gone
		s.Expired += u.Expired
		for kind, n := range u.Failed {
			s.Failed[kind] += n
		}
		s.Waiting += len(u.Remaining)
		if len(u.Remaining) > 0 {
			s.Open++
			if u.Attempts >= maxReceives {
				s.Dead++
			}
		}
		if u.Delivered > 0 {
			s.Last = max(s.Last, lastOf(u, r.AcceptedAt))
		}
		times = times.Plus(u.Times)
	}
	maps.DeleteFunc(s.Failed, func(_ string, n int) bool { return n == 0 })
	s.Done = r.Progress.Done && s.Open == 0
	// A bucket's end may lie behind the last delivery.
	s.P50, s.P99 = min(times.Quantile(0.5), s.Last), min(times.Quantile(0.99), s.Last)
	return s
}

// lastOf returns how long a unit's last client waited at most. The unit's own
// time is that of its last attempt, which may have delivered nothing.
func lastOf(u UnitCounts, accepted time.Time) time.Duration {
	attempt := u.At.Sub(accepted)
	if u.Times.Total() == 0 {
		return attempt
	}
	return min(attempt, u.Times.Quantile(1))
}
