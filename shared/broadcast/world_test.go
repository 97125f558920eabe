package broadcast_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"fanfare/shared/broadcast"
	"fanfare/shared/connection"
	"fanfare/shared/protocol"
	"fanfare/shared/store"
)

var errCrash = errors.New("the process died here")

// world is the stations around a Splitter and a Deliverer: the real in-memory
// table, a queue, and sockets that count the frames they get. Every call of a
// port is a step, before or after which the process can be made to die.
type world struct {
	t        *testing.T
	table    *store.Memory
	splitter *broadcast.Splitter

	mu      sync.Mutex
	now     time.Time
	queue   []broadcast.Unit
	got     map[string]int   // frames by connection
	refuse  map[string]error // what posts to a connection answer
	retired []string

	steps  int
	before func(step int) error
	after  func(step int) error
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{t: t, now: time.Now().Truncate(time.Second), got: map[string]int{}, refuse: map[string]error{}}
	w.table = store.NewMemory(store.Options{Now: w.clock})
	ports := steps{w}
	w.splitter = &broadcast.Splitter{
		Audience: ports, Ledger: ports, Claims: ports, Units: ports, Retirer: ports, Now: w.clock,
		Deliverer: &broadcast.Deliverer{Send: ports.send, Ledger: ports, Now: w.clock},
	}
	return w
}

func (w *world) clock() time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.now
}

func (w *world) pass(d time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.now = w.now.Add(d)
}

// connect adds n connections of a tenant and returns their ids.
func (w *world) connect(tenant string, n int) []string {
	w.t.Helper()
	ids := make([]string, n)
	for i := range ids {
		ids[i] = fmt.Sprintf("%s-%04d", tenant, i)
		w.put(connection.Connection{ID: ids[i], Tenant: tenant, User: "u", ConnectedAt: w.now})
	}
	return ids
}

func (w *world) put(c connection.Connection) {
	w.t.Helper()
	c.ExpiresAt = w.now.Add(24 * time.Hour)
	if err := w.table.Put(w.t.Context(), c); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) disconnect(id string) {
	w.t.Helper()
	if _, err := w.table.Remove(w.t.Context(), id); err != nil {
		w.t.Fatal(err)
	}
}

// message is a broadcast to the tenant acme.
func (w *world) message(id string) broadcast.Message {
	return broadcast.Message{
		Tenant: "acme", To: protocol.Audience{Tenant: true}, Data: json.RawMessage(`{"n":1}`),
		MessageID: id, Time: w.now.UnixMilli(),
	}
}

func (w *world) mustRun(m broadcast.Message) broadcast.Outcome {
	w.t.Helper()
	out, err := w.splitter.Run(w.t.Context(), m)
	if err != nil {
		w.t.Fatalf("Run: %v", err)
	}
	return out
}

// redeliver does what SQS does: it runs the broadcast and delivers its units
// until all have succeeded.
func (w *world) redeliver(m broadcast.Message) {
	w.t.Helper()
	for try := 0; ; try++ {
		_, err := w.splitter.Run(w.t.Context(), m)
		if err == nil {
			break
		}
		if try == 3 {
			w.t.Fatalf("Run fails for ever: %v", err)
		}
	}
	w.drain()
}

func (w *world) drain() {
	w.t.Helper()
	for try := 0; len(w.queue) > 0; try++ {
		u := w.queue[0]
		w.queue = w.queue[1:]
		if _, err := w.splitter.Deliverer.Deliver(w.t.Context(), u); err != nil {
			w.queue = append(w.queue, u)
		}
		if try == 100 {
			w.t.Fatal("the queue never empties")
		}
	}
}

func (w *world) receipt(id string) broadcast.Receipt {
	w.t.Helper()
	r, err := w.table.Receipt(w.t.Context(), id)
	if err != nil {
		w.t.Fatal(err)
	}
	return r
}

// wantAll checks that every one got a frame, nobody else did, and no more than
// so many came again.
func (w *world) wantAll(ids []string, repeated int) {
	w.t.Helper()
	again := 0
	for _, id := range ids {
		if w.got[id] == 0 {
			w.t.Errorf("%s got nothing", id)
		}
		again += w.got[id] - 1
	}
	if again > repeated {
		w.t.Errorf("%d frames came again, at most %d may", again, repeated)
	}
	for id := range w.got {
		if !slices.Contains(ids, id) {
			w.t.Errorf("%s got a frame that is not for it", id)
		}
	}
}

// wantComplete checks that the receipt waits for nothing.
func (w *world) wantComplete(id string) {
	w.t.Helper()
	r := w.receipt(id)
	if !r.Progress.Done || r.Progress.Cursor != "" || len(r.Units) != r.Progress.Units {
		w.t.Errorf("receipt has %d units recorded, progress %+v", len(r.Units), r.Progress)
	}
	for _, u := range r.Units {
		if len(u.Remaining) > 0 {
			w.t.Errorf("unit %d still has %v", u.N, u.Remaining)
		}
	}
}

// step is one call of a port.
func (w *world) step(do func() error) error {
	w.mu.Lock()
	w.steps++
	n, before, after := w.steps, w.before, w.after
	w.mu.Unlock()
	if before != nil {
		if err := before(n); err != nil {
			return err
		}
	}
	err := do()
	if after != nil {
		return errors.Join(err, after(n))
	}
	return err
}

// steps is the world as the ports.
type steps struct{ w *world }

func (s steps) Members(ctx context.Context, tenant string, to protocol.Audience, cursor string, limit int) (p broadcast.Page, err error) {
	err = s.w.step(func() (err error) { p, err = s.w.table.Members(ctx, tenant, to, cursor, limit); return err })
	return p, err
}

func (s steps) Claim(ctx context.Context, r broadcast.Receipt) (stored broadcast.Receipt, err error) {
	err = s.w.step(func() (err error) { stored, err = s.w.table.Claim(ctx, r); return err })
	return stored, err
}

func (s steps) Advance(ctx context.Context, id string, from, to broadcast.Progress) error {
	return s.w.step(func() error { return s.w.table.Advance(ctx, id, from, to) })
}

func (s steps) PutUnit(ctx context.Context, id string, counts broadcast.UnitCounts) error {
	return s.w.step(func() error { return s.w.table.PutUnit(ctx, id, counts) })
}

func (s steps) Unit(ctx context.Context, id string, n int) (counts broadcast.UnitCounts, err error) {
	err = s.w.step(func() (err error) { counts, err = s.w.table.Unit(ctx, id, n); return err })
	return counts, err
}

func (s steps) ClaimKey(ctx context.Context, c broadcast.IdempotencyClaim) (held broadcast.IdempotencyClaim, err error) {
	err = s.w.step(func() (err error) { held, err = s.w.table.ClaimKey(ctx, c); return err })
	return held, err
}

func (s steps) ConfirmKey(context.Context, broadcast.IdempotencyClaim) error {
	return errors.New("a back end's key is never confirmed")
}

func (s steps) SendUnit(_ context.Context, u broadcast.Unit) error {
	return s.w.step(func() error {
		s.w.mu.Lock()
		defer s.w.mu.Unlock()
		s.w.queue = append(s.w.queue, u)
		return nil
	})
}

func (s steps) Retire(ctx context.Context, id string) error {
	return s.w.step(func() error {
		s.w.mu.Lock()
		defer s.w.mu.Unlock()
		if err := s.w.refuse[id]; err != nil {
			return err
		}
		s.w.retired = append(s.w.retired, id)
		return s.w.table.RemoveGone(ctx, id, s.w.now)
	})
}

// send is the Manager: what it does not get to, it reports.
func (s steps) send(ctx context.Context, ids []string, _ []byte, failed func(string, error)) error {
	begun := false
	err := s.w.step(func() error {
		begun = true
		s.w.mu.Lock()
		defer s.w.mu.Unlock()
		for _, id := range ids {
			if err := errors.Join(ctx.Err(), s.w.refuse[id]); err != nil {
				failed(id, err)
			} else {
				s.w.got[id]++
			}
		}
		return ctx.Err()
	})
	for _, id := range ids {
		if !begun {
			failed(id, err)
		}
	}
	return err
}
