package main

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"sync"
	"testing"
	"time"

	"fanfare/shared/broadcast"
	"fanfare/shared/connection"
	"fanfare/shared/connection/connectiontest"
	"fanfare/shared/store"
)

var update = flag.Bool("update", false, "write the golden files anew")

// world is a deployment behind the command: the in-memory table and, behind a
// queue, the code of both functions. It lives in a synctest bubble.
type world struct {
	t       *testing.T
	table   *store.Memory
	sender  *connectiontest.Sender
	manager *connection.Manager
	running sync.WaitGroup

	queued  []broadcast.Message
	refuse  error         // what SendBroadcast answers
	idle    bool          // nobody reads the queues
	deliver time.Duration // until a unit is taken from its queue
	out     bytes.Buffer
}

func newWorld(t *testing.T) *world {
	w := &world{t: t, table: store.NewMemory(store.Options{}), sender: &connectiontest.Sender{Latency: 10 * time.Millisecond}, deliver: 1500 * time.Millisecond}
	// One attempt, all clients at once: waits between attempts and the order of
	// clients are random, and the golden files not.
	w.manager = connection.NewManager(w.table, broadcast.Timed(w.sender), connection.Options{Workers: 500, MaxAttempts: 1})
	return w
}

// connect adds n connections of the tenant acme, who all subscribe to orders.
func (w *world) connect(n int) {
	w.t.Helper()
	now := time.Now().Add(-time.Hour)
	for i := range n {
		c := connection.Connection{ID: fmt.Sprintf("c%04d", i), Tenant: "acme", User: "u", ConnectedAt: now, ExpiresAt: now.Add(24 * time.Hour)}
		if err := w.table.Put(w.t.Context(), c); err != nil {
			w.t.Fatal(err)
		}
		if err := w.table.Subscribe(w.t.Context(), c.ID, "orders"); err != nil {
			w.t.Fatal(err)
		}
	}
}

// SendBroadcast is the broadcast queue with the function behind it.
func (w *world) SendBroadcast(_ context.Context, m broadcast.Message) error {
	if w.refuse != nil {
		return w.refuse
	}
	w.queued = append(w.queued, m)
	if w.idle {
		return nil
	}
	m.Time = time.Now().UnixMilli()
	splitter := &broadcast.Splitter{
		Audience: w.table, Ledger: w.table, Claims: w.table, Units: w, Retirer: w, Now: time.Now,
		Deliverer: &broadcast.Deliverer{Send: broadcast.ByManager(w.manager), Ledger: w.table, Now: time.Now},
	}
	w.again(300*time.Millisecond, func() error { _, err := splitter.Run(context.Background(), m); return err })
	return nil
}

// SendUnit is the delivery queue with the function behind it.
func (w *world) SendUnit(_ context.Context, u broadcast.Unit) error {
	d := &broadcast.Deliverer{Send: broadcast.ByManager(w.manager), Ledger: w.table, Now: time.Now}
	w.again(w.deliver, func() error { _, err := d.Deliver(context.Background(), u); return err })
	return nil
}

// Retire removes a stale row.
func (w *world) Retire(ctx context.Context, id string) error {
	_, err := w.table.Remove(ctx, id)
	return err
}

// again is a queue's: f is called after a while, and up to five times until it
// succeeds.
func (w *world) again(after time.Duration, f func() error) {
	w.running.Go(func() {
		for range 5 {
			time.Sleep(after) // the bubble's clock
			if f() == nil {
				return
			}
			after = time.Minute
		}
	})
}

// call runs the command with flags, but for how it finds its target.
func (w *world) call(args ...string) error {
	w.t.Helper()
	o, err := parseOptions(args, nil, w.t.Output())
	if err != nil {
		w.t.Fatal(err)
	}
	t := &tool{
		options: o, table: w.table, queue: w, out: &w.out, view: newView(&w.out), now: time.Now,
		target: target{
			name: "AWS in eu-west-1", region: "eu-west-1", flags: " -outputs out.json",
			queueURL: "https://sqs.eu-west-1.amazonaws.com/123456789012/fanfare-broadcast",
		},
	}
	switch {
	case o.status != "":
		err = t.status(w.t.Context())
	case o.dryRun:
		err = t.dryRun(w.t.Context())
	default:
		err = t.publish(w.t.Context())
	}
	if err != nil {
		fmt.Fprintln(&w.out, "broadcast:", err)
	}
	return err
}

// messageID is what rand.Text makes. The first one that is printed becomes
// MESSAGE-A in a golden file, the next MESSAGE-B.
var messageID = regexp.MustCompile(`\b[A-Z2-7]{26}\b`)

// golden compares what was printed with a file of testdata.
func (w *world) golden(name string) {
	w.t.Helper()
	var ids []string
	got := messageID.ReplaceAllFunc(w.out.Bytes(), func(id []byte) []byte {
		if !slices.Contains(ids, string(id)) {
			ids = append(ids, string(id))
		}
		return append([]byte("MESSAGE-"), byte('A'+slices.Index(ids, string(id))))
	})
	file := filepath.Join("testdata", name+".txt")
	if *update {
		if err := os.WriteFile(file, got, 0o644); err != nil {
			w.t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		w.t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		w.t.Errorf("printed\n%s\nwant, as in %s,\n%s", got, file, want)
	}
}
