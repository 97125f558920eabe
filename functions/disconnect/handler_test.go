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

	"fanfare/shared/connection"
	"fanfare/shared/store"
	"fanfare/shared/telemetry"
)

func event(t *testing.T) events.APIGatewayWebsocketProxyRequest {
	t.Helper()
	data, err := os.ReadFile("testdata/disconnect.json")
	if err != nil {
		t.Fatal(err)
	}
	var e events.APIGatewayWebsocketProxyRequest
	if err := json.Unmarshal(data, &e); err != nil {
		t.Fatal(err)
	}
	return e
}

func newHandler(log *bytes.Buffer, s remover) *handler {
	return &handler{store: s, now: time.Now, metrics: telemetry.NewMetrics(log, "disconnect"), log: telemetry.NewLogger(log, slog.LevelDebug, "disconnect")}
}

func TestTheConnectionIsRemovedAndTheLogTellsHowLongAndWhy(t *testing.T) {
	var log bytes.Buffer
	s := store.NewMemory(store.Options{})
	e := event(t)
	id := e.RequestContext.ConnectionID
	err := s.Put(t.Context(), connection.Connection{
		ID: id, Tenant: "acme", User: "u1", ConnectedAt: time.Now().Add(-time.Minute),
		TokenExpiresAt: time.Now().Add(time.Hour), ExpiresAt: time.Now().Add(time.Hour),
	})
	if err != nil {
		t.Fatal(err)
	}
	resp, err := newHandler(&log, s).handle(t.Context(), e)
	if err != nil || resp.StatusCode != 200 {
		t.Fatalf("answer %+v, error %v", resp, err)
	}
	if _, err := s.Get(t.Context(), id); !errors.Is(err, connection.ErrNotFound) {
		t.Errorf("still stored: %v", err)
	}
	for _, want := range []string{`"closeCode":1005`, "Client-side close frame status not set", `"seconds":60`, `"tenant":"acme"`, `"SessionDuration":60`} {
		if !strings.Contains(log.String(), want) {
			t.Errorf("the log lacks %s: %s", want, log.String())
		}
	}
}

func TestASecondDisconnectIsNoError(t *testing.T) {
	var log bytes.Buffer
	resp, err := newHandler(&log, store.NewMemory(store.Options{})).handle(t.Context(), event(t))
	if err != nil || resp.StatusCode != 200 {
		t.Errorf("answer %+v, error %v; want 200", resp, err)
	}
}

type brokenStore struct{}

func (brokenStore) Remove(context.Context, string) (connection.Connection, error) {
	return connection.Connection{}, errors.New("table on fire")
}

func TestATableThatFailsIsAnError(t *testing.T) {
	var log bytes.Buffer
	if _, err := newHandler(&log, brokenStore{}).handle(t.Context(), event(t)); err == nil {
		t.Error("no error: CloudWatch would count a success")
	}
}
