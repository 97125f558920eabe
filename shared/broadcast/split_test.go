package broadcast_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"fanfare/shared/broadcast"
	"fanfare/shared/connection"
	"fanfare/shared/protocol"
)

func TestASmallAudienceIsSentToAtOnceAsOneUnit(t *testing.T) {
	for _, n := range []int{1, 3, broadcast.UnitSize} {
		t.Run(fmt.Sprint(n), func(t *testing.T) {
			w := newWorld(t)
			ids := w.connect("acme", n)
			w.connect("globex", 2)
			out := w.mustRun(w.message("m"))
			if want := (broadcast.Outcome{MessageID: "m", Recipients: n, Units: 1}); out != want {
				t.Errorf("outcome %+v, want %+v", out, want)
			}
			if len(w.queue) != 0 {
				t.Errorf("%d units on the queue, want none", len(w.queue))
			}
			w.wantAll(ids, 0)
			w.wantComplete("m")
			if u := w.receipt("m").Units[0]; u.N != 0 || u.Delivered != n || !u.At.Equal(w.now) {
				t.Errorf("recorded %+v, want %d delivered", u, n)
			}
		})
	}
}

func TestNobodyIsAnAudienceToo(t *testing.T) {
	w := newWorld(t)
	if out := w.mustRun(w.message("m")); out.Recipients != 0 || out.Units != 0 {
		t.Errorf("outcome %+v", out)
	}
	w.wantComplete("m")
}

func TestALargeAudienceIsSplitIntoUnits(t *testing.T) {
	for n, units := range map[int]int{501: 2, 1000: 2, 1700: 4} {
		t.Run(fmt.Sprint(n), func(t *testing.T) {
			w := newWorld(t)
			ids := w.connect("acme", n)
			w.connect("globex", 10)
			m := w.message("m")
			out := w.mustRun(m)
			if want := (broadcast.Outcome{MessageID: "m", Recipients: n, Units: units}); out != want {
				t.Errorf("outcome %+v, want %+v", out, want)
			}
			if len(w.got) != 0 || len(w.queue) != units {
				t.Errorf("%d sent at once, %d units queued; want 0, %d", len(w.got), len(w.queue), units)
			}
			frame, _ := m.Frame()
			var all []string
			for i, u := range w.queue {
				if u.N != i || u.MessageID != "m" || u.Tenant != "acme" || string(u.Frame) != string(frame) || len(u.Connections) > broadcast.UnitSize {
					t.Errorf("unit %d is %d of %s in %s with %d connections, frame %s", i, u.N, u.MessageID, u.Tenant, len(u.Connections), u.Frame)
				}
				all = append(all, u.Connections...)
			}
			slices.Sort(all)
			if !slices.Equal(all, ids) {
				t.Errorf("units name %d connections, want each of %d once", len(all), n)
			}
			w.drain()
			w.wantAll(ids, 0)
			w.wantComplete("m")
		})
	}
}

func TestAListOfConnectionsReachesThoseOfTheTenant(t *testing.T) {
	w := newWorld(t)
	ids := w.connect("acme", 3)
	foreign := w.connect("globex", 1)
	m := w.message("m")
	m.To = protocol.Audience{Connections: []string{ids[2], foreign[0], "unknown", ids[0]}}
	w.mustRun(m)
	w.wantAll([]string{ids[0], ids[2]}, 0)
}

// The promise of the package: whatever dies, everybody gets the frame, and at
// most one page gets it again.
func TestACrashAtAnyStepLosesNothing(t *testing.T) {
	for _, n := range []int{3, 500, 501, 1700} {
		for _, when := range []string{"before", "after"} {
			t.Run(fmt.Sprintf("%s a step of %d connections", when, n), func(t *testing.T) {
				for at := 1; ; at++ {
					w := newWorld(t)
					ids := w.connect("acme", n)
					crash := func(step int) error {
						if step == at {
							return errCrash
						}
						return nil
					}
					if w.before = crash; when == "after" {
						w.before, w.after = nil, crash
					}
					w.redeliver(w.message("m"))
					w.wantAll(ids, broadcast.UnitSize)
					w.wantComplete("m")
					if t.Failed() {
						t.Fatalf("this was step %d", at)
					}
					if w.steps < at {
						return
					}
				}
			})
		}
	}
}

// A page that is read again may hold others than before. Those who are new to
// it must not be taken for those of the unit that was made of it first.
func TestAClientThatLeavesDuringACrashTakesNobodyWithIt(t *testing.T) {
	for at := 1; ; at++ {
		w := newWorld(t)
		ids := w.connect("acme", 1200)
		w.before = func(step int) error {
			if step == at {
				return errCrash
			}
			return nil
		}
		if _, err := w.splitter.Run(t.Context(), w.message("m")); err == nil {
			return // no more steps to die at
		}
		for _, u := range w.queue { // SQS may deliver these before or after
			if u.N%2 == 0 {
				_, _ = w.splitter.Deliverer.Deliver(t.Context(), u)
			}
		}
		for _, id := range ids[:40] {
			w.disconnect(id)
		}
		w.redeliver(w.message("m"))
		for _, id := range ids[40:] {
			if w.got[id] == 0 {
				t.Fatalf("step %d: %s got nothing", at, id)
			}
		}
		w.wantComplete("m")
	}
}

// The same for a message that SQS delivers twice: the second run starts and
// ends between any two steps of the first, and finds fewer members.
func TestARunThatOvertakesAnotherLosesNothing(t *testing.T) {
	for _, n := range []int{30, 1200} {
		t.Run(fmt.Sprint(n), func(t *testing.T) {
			for at := 1; ; at++ {
				w := newWorld(t)
				ids := w.connect("acme", n)
				overtaken := false
				w.before = func(step int) error {
					if step == at {
						overtaken = true
						w.disconnect(ids[0])
						if _, err := w.splitter.Run(t.Context(), w.message("m")); err != nil {
							t.Errorf("the second run: %v", err)
						}
						w.drain()
					}
					return nil
				}
				_, err := w.splitter.Run(t.Context(), w.message("m"))
				if !overtaken {
					return
				}
				if err != nil && !errors.Is(err, broadcast.ErrCursorMoved) {
					t.Errorf("the first run: %v", err)
				}
				w.before = nil
				w.redeliver(w.message("m"))
				delete(w.got, ids[0])
				w.wantAll(ids[1:], broadcast.UnitSize)
				w.wantComplete("m")
				if t.Failed() {
					t.Fatalf("this was step %d", at)
				}
			}
		})
	}
}

func TestTwoRunsAtOnceLoseNothing(t *testing.T) {
	w := newWorld(t)
	ids := w.connect("acme", 1700)
	var wg sync.WaitGroup
	errs := make([]error, 2)
	for i := range errs {
		wg.Go(func() { _, errs[i] = w.splitter.Run(t.Context(), w.message("m")) })
	}
	wg.Wait()
	for _, err := range errs {
		if err != nil && !errors.Is(err, broadcast.ErrCursorMoved) {
			t.Errorf("run: %v", err)
		}
	}
	w.redeliver(w.message("m"))
	w.wantAll(ids, 3*broadcast.UnitSize)
	w.wantComplete("m")
}

func TestAFinishedBroadcastIsNotSentAgain(t *testing.T) {
	for _, n := range []int{0, 3, 501} {
		w := newWorld(t)
		ids := w.connect("acme", n)
		w.redeliver(w.message("m"))
		w.put(connection.Connection{ID: "late", Tenant: "acme", User: "u", ConnectedAt: w.now})
		steps := w.steps
		out := w.mustRun(w.message("m"))
		if !out.Resumed || out.Recipients != 0 || w.steps != steps+1 {
			t.Errorf("%d connections: outcome %+v in %d steps; want nothing but a look at the receipt", n, out, w.steps-steps)
		}
		w.wantAll(ids, 0)
	}
}

func TestAMessageIDIsOneBroadcasts(t *testing.T) {
	for name, spoil := range map[string]func(*broadcast.Message){
		"another tenant":   func(m *broadcast.Message) { m.Tenant = "globex" },
		"another audience": func(m *broadcast.Message) { m.To = protocol.Audience{User: "u"} },
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			ids := w.connect("acme", 1)
			w.connect("globex", 1)
			w.mustRun(w.message("m"))
			m := w.message("m")
			spoil(&m)
			if _, err := w.splitter.Run(t.Context(), m); !errors.Is(err, broadcast.ErrMalformed) {
				t.Errorf("error %v, want ErrMalformed: dropping it in silence would lose it", err)
			}
			w.wantAll(ids, 0)
		})
	}
}

func TestAFrameOverTheLimitIsMalformedBeforeItsKeyIsClaimed(t *testing.T) {
	w := newWorld(t)
	m := w.message("m")
	m.IdempotencyKey, m.Data = "k", []byte(`"`+strings.Repeat("x", protocol.MaxFrame)+`"`)
	_, err := w.splitter.Run(t.Context(), m)
	if !errors.Is(err, broadcast.ErrMalformed) || !errors.Is(err, &protocol.Error{Code: protocol.CodePayloadTooLarge}) || w.steps != 0 {
		t.Errorf("error %v after %d steps", err, w.steps)
	}
}

func TestStaleRowsAreRetiredAndNotSentTo(t *testing.T) {
	w := newWorld(t)
	ids := w.connect("acme", 3)
	for i := range 25 {
		w.put(connection.Connection{ID: fmt.Sprintf("old-%d", i), Tenant: "acme", User: "u", ConnectedAt: w.now.Add(-connection.MaxAge)})
	}
	w.refuse["old-7"] = errors.New("cannot be retired just now")
	out := w.mustRun(w.message("m"))
	if out.Stale != 24 || len(w.retired) != 24 || out.Recipients != 3 {
		t.Errorf("outcome %+v, retired %d; want 24 of 25", out, len(w.retired))
	}
	w.wantAll(ids, 0)
	w.wantComplete("m")
}

// slowRetirer takes a second for each.
type slowRetirer struct{}

func (slowRetirer) Retire(context.Context, string) error {
	time.Sleep(time.Second)
	return nil
}

func TestStaleRowsAreRetiredTenAtATime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.splitter.Retirer = slowRetirer{}
		for i := range 25 {
			w.put(connection.Connection{ID: fmt.Sprintf("old-%d", i), Tenant: "acme", User: "u", ConnectedAt: w.now.Add(-connection.MaxAge)})
		}
		start := time.Now()
		w.mustRun(w.message("m"))
		if took := time.Since(start); took != 3*time.Second {
			t.Errorf("25 took %v, want 3s: faster would take the rate from the posts", took)
		}
	})
}

func TestAnExpiredBroadcastIsCountedAndNotSent(t *testing.T) {
	for _, n := range []int{3, 1200} {
		t.Run(fmt.Sprint(n), func(t *testing.T) {
			w := newWorld(t)
			w.connect("acme", n)
			m := w.message("m")
			ttl := 30
			m.TTL = &ttl
			w.pass(30 * time.Second)
			w.mustRun(m)
			if len(w.got) != 0 || len(w.queue) != 0 {
				t.Errorf("%d sent, %d units queued; want none", len(w.got), len(w.queue))
			}
			w.wantComplete("m")
			expired := 0
			for _, u := range w.receipt("m").Units {
				expired += u.Expired
			}
			if expired != n {
				t.Errorf("%d counted as expired, want %d", expired, n)
			}
		})
	}
}

func TestABroadcastMayExpireBetweenTheQueues(t *testing.T) {
	w := newWorld(t)
	w.connect("acme", 501)
	m := w.message("m")
	ttl := 30
	m.TTL = &ttl
	w.pass(29 * time.Second)
	w.mustRun(m)
	if len(w.queue) != 2 {
		t.Fatalf("%d units queued, want 2", len(w.queue))
	}
	w.pass(time.Second)
	w.drain()
	if units := w.receipt("m").Units; len(w.got) != 0 || units[0].Expired+units[1].Expired != 501 {
		t.Errorf("%d sent, units %+v", len(w.got), units)
	}
}
