package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"os"
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

// released records which messages were made visible again.
type released []string

func (r *released) ChangeMessageVisibility(_ context.Context, in *sqs.ChangeMessageVisibilityInput, _ ...func(*sqs.Options)) (*sqs.ChangeMessageVisibilityOutput, error) {
	*r = append(*r, *in.ReceiptHandle)
	return &sqs.ChangeMessageVisibilityOutput{}, nil
}

// batch is the real event with the given bodies.
func batch(t *testing.T, bodies ...string) events.SQSEvent {
	t.Helper()
	data, err := os.ReadFile("testdata/sqs.json")
	if err != nil {
		t.Fatal(err)
	}
	var e events.SQSEvent
	if err := json.Unmarshal(data, &e); err != nil {
		t.Fatal(err)
	}
	one := e.Records[0]
	e.Records = nil
	for i, body := range bodies {
		m := one
		m.Body = body
		m.MessageId += string(rune('a' + i))
		e.Records = append(e.Records, m)
	}
	return e
}

func newHandler(log *bytes.Buffer, api *released, send broadcast.SendFunc) *handler {
	l := telemetry.NewLogger(log, slog.LevelDebug, "deliver")
	return &handler{
		batch:     queue.NewBatch(api, "https://sqs.example.com/1/delivery", l),
		deliverer: &broadcast.Deliverer{Send: send, Ledger: store.NewMemory(store.Options{}), Now: time.Now},
		log:       l,
		report:    func(context.Context) {},
	}
}

func TestAUnitIsDeliveredAndReported(t *testing.T) {
	var log bytes.Buffer
	var api released
	var got []string
	h := newHandler(&log, &api, func(_ context.Context, ids []string, frame []byte, failed func(string, error)) error {
		got = append(got, ids...)
		failed("b", connection.ErrGone)
		return nil
	})
	resp, err := h.handle(t.Context(), batch(t, `{"messageId":"m","tenant":"acme","n":0,"connections":["a","b"],"frame":{"type":"message"}}`))
	if err != nil || len(resp.BatchItemFailures) != 0 {
		t.Fatalf("answer %+v, error %v", resp, err)
	}
	if strings.Join(got, " ") != "a b" || !strings.Contains(log.String(), `"delivered":1,"gone":1`) {
		t.Errorf("sent to %v, log %s", got, log.String())
	}
}

func TestOnlyWhatFailedComesAgain(t *testing.T) {
	var log bytes.Buffer
	var api released
	h := newHandler(&log, &api, func(_ context.Context, ids []string, _ []byte, failed func(string, error)) error {
		if ids[0] == "slow" {
			failed("slow", connection.ErrThrottled)
		}
		return nil
	})
	e := batch(t,
		`{"messageId":"m","tenant":"acme","n":0,"connections":["fast"],"frame":{}}`,
		`{"messageId":"m","tenant":"acme","n":1,"connections":["slow"],"frame":{}}`,
		`not a unit`)
	resp, err := h.handle(t.Context(), e)
	if err != nil {
		t.Fatal(err)
	}
	var failed []string
	for _, f := range resp.BatchItemFailures {
		failed = append(failed, f.ItemIdentifier)
	}
	if want := []string{e.Records[1].MessageId, e.Records[2].MessageId}; strings.Join(failed, " ") != strings.Join(want, " ") {
		t.Errorf("failed %v, want %v", failed, want)
	}
	if len(api) != 1 || api[0] != e.Records[2].ReceiptHandle {
		t.Errorf("made visible %v, want only the malformed one", api)
	}
	if !strings.Contains(log.String(), e.Records[2].MessageId) || strings.Contains(log.String(), "not a unit") {
		t.Errorf("a malformed message is logged by its id, not its body: %s", log.String())
	}
}

func TestAPanicFailsOneMessage(t *testing.T) {
	var log bytes.Buffer
	var api released
	h := newHandler(&log, &api, func(context.Context, []string, []byte, func(string, error)) error {
		panic(errors.New("bug"))
	})
	resp, err := h.handle(t.Context(), batch(t, `{"messageId":"m","tenant":"acme","n":0,"connections":["a"],"frame":{}}`))
	if err != nil || len(resp.BatchItemFailures) != 1 {
		t.Errorf("answer %+v, error %v; want one failure", resp, err)
	}
}
