package suite

import (
	"fmt"
	"testing"

	"fanfare/localstack/faults"
	"fanfare/shared/broadcast"
)

// A function that has done its work and dies before anybody hears of it is the
// worst moment: its message comes again. That nobody may be left out, and that
// the receipt is complete all the same, is the promise; that nobody gets a frame
// twice is not, though what was recorded is not sent again.
func TestAFunctionThatIsKilledMidBroadcastLosesNobody(t *testing.T) {
	s := beginAlone(t, faultRules)
	there := new(attendance)
	s.connect(there, broadcast.UnitSize+1) // two units
	if t.Failed() {
		t.FailNow()
	}
	for _, function := range []string{broadcaster, deliverer} {
		t.Run(function, func(t *testing.T) {
			sub := s.sub(t)
			sub.redeliverSoon(function)
			before := sub.left(function) // scenarios that take rights away leave some in flight
			struck := sub.killOnce(function)
			id := sub.publish(`{"tenant":"` + s.tenant + `","to":{"tenant":true},"data":1}`)
			for i, c := range there.now() {
				c.t = t
				if f := c.message(); f.MessageID != id {
					t.Errorf("client %d got %s, want message %s", i, f.raw, id)
				}
			}
			sub.eventually(func() string {
				r, err := sub.table().Receipt(t.Context(), id)
				if sum := r.Summary(5); err != nil || !sum.Done || sum.Delivered != broadcast.UnitSize+1 || sum.Units < 2 {
					return fmt.Sprintf("receipt %+v, error %v; want all %d delivered", sum, err, broadcast.UnitSize+1)
				}
				return ""
			})
			if n := struck(); n != 1 {
				t.Errorf("%s was killed %d times, want once", function, n)
			}
			sub.eventually(func() string {
				if n := sub.left(function); n > before {
					return fmt.Sprintf("%d messages in the queue of %s, %d before", n, function, before)
				}
				return ""
			})
		})
	}
}

// killOnce has the function's process die in its next invoke, and tells how often
// it did.
func (s *scenario) killOnce(function string) (struck func() int) {
	s.Helper()
	return s.fault(faults.Rule{Service: "lambda", Operation: "Invoke", Resource: function, Count: 1, Fault: faults.Fault{Kill: true}})
}
