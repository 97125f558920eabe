package telemetry_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"fanfare/shared/connection"
	"fanfare/shared/connection/connectiontest"
	"fanfare/shared/telemetry"
)

func TestDeliveriesAreWrittenOnceWithTheirLatencies(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var n int
		sender := connectiontest.SenderFunc(func(_ context.Context, id string, _ *connection.Message) error {
			n++
			time.Sleep(time.Duration(n) * time.Millisecond) // each its own latency
			if id == "bad" {
				return connection.ErrInvalid
			}
			return nil
		})
		m := connection.NewManager(connectiontest.NewStore(), sender, connection.Options{Workers: 1})
		ids := make([]string, 250)
		for i := range ids {
			ids[i] = fmt.Sprint("c", i)
		}
		ids[7] = "bad"
		if err := m.Broadcast(t.Context(), ids, []byte("x")); !errors.Is(err, connection.ErrInvalid) {
			t.Fatal(err)
		}
		var out bytes.Buffer
		metrics := telemetry.NewMetrics(&out, "deliver")
		if err := metrics.Deliveries(m); err != nil {
			t.Fatal(err)
		}
		var posts float64
		for dec := json.NewDecoder(bytes.NewReader(out.Bytes())); dec.More(); {
			var r struct {
				Delivered, Posts *float64
				Bad              *float64 `json:"PostErrors.invalid"`
				PostLatency      struct{ Values, Counts []float64 }
			}
			if err := dec.Decode(&r); err != nil {
				t.Fatal(err)
			}
			if len(r.PostLatency.Values) > 100 {
				t.Errorf("a record has %d values, at most 100 are allowed", len(r.PostLatency.Values))
			}
			for _, n := range r.PostLatency.Counts {
				posts += n
			}
			if r.Delivered != nil && (*r.Delivered != 249 || *r.Posts != 250 || *r.Bad != 1) {
				t.Errorf("delivered %v, posts %v, invalid %v; want 249, 250, 1", *r.Delivered, *r.Posts, *r.Bad)
			}
		}
		if posts != 250 {
			t.Errorf("latencies of %v posts, want 250", posts)
		}
		out.Reset()
		if err := metrics.Deliveries(m); err != nil || out.Len() > 0 {
			t.Errorf("nothing was sent since, yet: %s, error %v", out.String(), err)
		}
	})
}

// full is a disk with no room.
type full struct{}

func (full) Write([]byte) (int, error) { return 0, errors.New("no space left") }

func TestMetricsThatCannotBeWrittenAreLogged(t *testing.T) {
	m := connection.NewManager(connectiontest.NewStore(), connectiontest.SenderFunc(func(context.Context, string, *connection.Message) error { return nil }), connection.Options{})
	if err := m.Send(t.Context(), "c1", []byte("x")); err != nil {
		t.Fatal(err)
	}
	var said bytes.Buffer
	report := telemetry.NewMetrics(full{}, "deliver").Reporter(m, slog.New(slog.NewTextHandler(&said, nil)))
	report(t.Context())
	if !strings.Contains(said.String(), "metrics not written") || !strings.Contains(said.String(), "no space left") {
		t.Errorf("said %q, want that metrics were not written and why", said.String())
	}
	said.Reset()
	report(t.Context()) // nothing was sent since
	if said.Len() > 0 {
		t.Errorf("said %q of nothing", said.String())
	}
}
