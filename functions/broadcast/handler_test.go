package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"fanfare/shared/broadcast"
	"fanfare/shared/connection"
	"fanfare/shared/queue"
	"fanfare/shared/store"
	"fanfare/shared/telemetry"
)

type visibility struct{}

func (visibility) ChangeMessageVisibility(context.Context, *sqs.ChangeMessageVisibilityInput, ...func(*sqs.Options)) (*sqs.ChangeMessageVisibilityOutput, error) {
	return &sqs.ChangeMessageVisibilityOutput{}, nil
}

// units records what is put on the delivery queue.
type units []broadcast.Unit

func (u *units) SendUnit(_ context.Context, unit broadcast.Unit) error {
	*u = append(*u, unit)
	return nil
}

// sockets records whose sockets are closed.
type sockets []string

func (s *sockets) Delete(_ context.Context, id string) error {
	*s = append(*s, id)
	return connection.ErrGone
}

// world is a broadcast function with all that it talks to.
type world struct {
	handler *handler
	store   *store.Memory
	units   units
	closed  sockets
	sent    []string
	log     bytes.Buffer
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{store: store.NewMemory(store.Options{})}
	log := telemetry.NewLogger(&w.log, slog.LevelDebug, "broadcast")
	w.handler = &handler{
		batch: queue.NewBatch(visibility{}, "https://sqs.example.com/1/broadcast", log), log: log, report: func(context.Context) {},
		splitter: &broadcast.Splitter{
			Audience: w.store, Ledger: w.store, Claims: w.store, Units: &w.units, Now: time.Now,
			Retirer: retirer{socket: &w.closed, store: w.store, now: time.Now},
			Deliverer: &broadcast.Deliverer{Ledger: w.store, Now: time.Now, Send: func(_ context.Context, ids []string, _ []byte, _ func(string, error)) error {
				w.sent = append(w.sent, ids...)
				return nil
			}},
		},
	}
	return w
}

func (w *world) connect(t *testing.T, id, tenant string, age time.Duration) {
	t.Helper()
	err := w.store.Put(t.Context(), connection.Connection{
		ID: id, Tenant: tenant, User: "u", ConnectedAt: time.Now().Add(-age),
		TokenExpiresAt: time.Now().Add(time.Hour), ExpiresAt: time.Now().Add(time.Hour),
	})
	if err != nil {
		t.Fatal(err)
	}
}

func batch(t *testing.T, body string) events.SQSEvent {
	t.Helper()
	data, err := os.ReadFile("testdata/sqs.json")
	if err != nil {
		t.Fatal(err)
	}
	var e events.SQSEvent
	if err := json.Unmarshal(data, &e); err != nil {
		t.Fatal(err)
	}
	e.Records[0].Body = body
	return e
}

func TestASmallAudienceIsSentToAtOnce(t *testing.T) {
	w := newWorld(t)
	w.connect(t, "a", "acme", 0)
	w.connect(t, "b", "acme", 0)
	w.connect(t, "x", "globex", 0)
	resp, err := w.handler.handle(t.Context(), batch(t, `{"tenant":"acme","to":{"tenant":true},"data":1}`))
	if err != nil || len(resp.BatchItemFailures) != 0 {
		t.Fatalf("answer %+v, error %v, log %s", resp, err, w.log.String())
	}
	slices.Sort(w.sent)
	if strings.Join(w.sent, " ") != "a b" || len(w.units) != 0 {
		t.Errorf("sent to %v, %d units queued; want a and b, none", w.sent, len(w.units))
	}
	if !strings.Contains(w.log.String(), `"recipients":2`) {
		t.Errorf("log %s", w.log.String())
	}
}

func TestAMessageWithoutIDGetsTheQueues(t *testing.T) {
	w := newWorld(t)
	w.connect(t, "a", "acme", 0)
	e := batch(t, `{"tenant":"acme","to":{"tenant":true},"data":1}`)
	if _, err := w.handler.handle(t.Context(), e); err != nil {
		t.Fatal(err)
	}
	if _, err := w.store.Receipt(t.Context(), e.Records[0].MessageId); err != nil {
		t.Errorf("no receipt under the SQS message's id: %v", err)
	}
	if _, err := w.handler.handle(t.Context(), e); err != nil {
		t.Fatal(err)
	}
	if len(w.sent) != 1 {
		t.Errorf("a redelivered message was sent again: %v", w.sent)
	}
}

func TestAStaleRowIsClosedRemovedAndNotSentTo(t *testing.T) {
	w := newWorld(t)
	w.connect(t, "old", "acme", connection.MaxAge+time.Minute)
	w.connect(t, "new", "acme", 0)
	if _, err := w.handler.handle(t.Context(), batch(t, `{"tenant":"acme","to":{"tenant":true},"data":1}`)); err != nil {
		t.Fatal(err)
	}
	if strings.Join(w.sent, " ") != "new" || strings.Join(w.closed, " ") != "old" {
		t.Errorf("sent to %v, closed %v", w.sent, w.closed)
	}
	if _, err := w.store.Get(t.Context(), "old"); !errors.Is(err, connection.ErrNotFound) {
		t.Errorf("the stale row is still there: %v", err)
	}
}

func TestAMalformedMessageFailsByItsID(t *testing.T) {
	for name, body := range map[string]string{
		"not JSON":     `tenant`,
		"no tenant":    `{"to":{"tenant":true},"data":1}`,
		"no audience":  `{"tenant":"acme","data":1}`,
		"no data":      `{"tenant":"acme","to":{"tenant":true}}`,
		"endless ttl":  `{"tenant":"acme","to":{"tenant":true},"data":1,"ttl":99999999}`,
		"wrong types":  `{"tenant":5}`,
		"far too long": `{"tenant":"acme","to":{"tenant":true},"data":"` + strings.Repeat("x", 131072) + `"}`,
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.connect(t, "a", "acme", 0)
			e := batch(t, body)
			resp, err := w.handler.handle(t.Context(), e)
			if err != nil || len(resp.BatchItemFailures) != 1 || resp.BatchItemFailures[0].ItemIdentifier != e.Records[0].MessageId {
				t.Errorf("answer %+v, error %v; want the message to fail", resp, err)
			}
			if len(w.sent) != 0 || !strings.Contains(w.log.String(), e.Records[0].MessageId) {
				t.Errorf("sent to %v, log %s", w.sent, w.log.String())
			}
		})
	}
}
