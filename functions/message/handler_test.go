package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"fanfare/shared/auth"
	"fanfare/shared/auth/authtest"
	"fanfare/shared/broadcast"
	"fanfare/shared/connection"
	"fanfare/shared/protocol"
	"fanfare/shared/store"
	"fanfare/shared/telemetry"
)

// fakeSocket records what is done to the client's socket.
type fakeSocket struct {
	posted [][]byte
	closed int
}

func (s *fakeSocket) Post(_ context.Context, _ string, m *connection.Message) error {
	s.posted = append(s.posted, m.Data())
	return nil
}

func (s *fakeSocket) Delete(context.Context, string) error {
	s.closed++
	return nil
}

// fakeQueue records what is queued, and can be made to fail.
type fakeQueue struct {
	sent []broadcast.Message
	err  error
}

func (q *fakeQueue) SendBroadcast(_ context.Context, m broadcast.Message) error {
	if q.err == nil {
		q.sent = append(q.sent, m)
	}
	return q.err
}

// testKey is one for all tests: making an RSA key takes a second under -race.
var testKey = sync.OnceValue(authtest.NewKey)

// world is a message function with all that it talks to, and one connection.
type world struct {
	t       *testing.T
	handler *handler
	key     *authtest.Key
	store   *store.Memory
	socket  fakeSocket
	queue   fakeQueue
	log     bytes.Buffer
	now     time.Time
	event   events.APIGatewayWebsocketProxyRequest
}

func newWorld(t *testing.T, permissions ...string) *world {
	t.Helper()
	w := &world{t: t, key: testKey(), now: time.Now().Truncate(time.Second)}
	now := func() time.Time { return w.now }
	w.store = store.NewMemory(store.Options{Now: now})
	verifier, err := auth.NewVerifier(t.Context(), auth.Config{PublicKey: w.key.PublicPEM()})
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	w.handler = &handler{
		limiter: &broadcast.Limiter{Counters: w.store, PerConnection: 9, Now: now},
		store:   w.store, claims: w.store, verifier: verifier, socket: &w.socket, queue: &w.queue,
		ttl: 24 * time.Hour, now: now, log: telemetry.NewLogger(&w.log, slog.LevelDebug, "message"),
		newID: func() string { n++; return fmt.Sprintf("m%d", n) },
	}
	data, err := os.ReadFile("testdata/message.json")
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(data, &w.event); err != nil {
		t.Fatal(err)
	}
	err = w.store.Put(t.Context(), connection.Connection{
		ID: w.event.RequestContext.ConnectionID, Tenant: "acme", User: "u1", Permissions: permissions,
		ConnectedAt: w.now, TokenExpiresAt: w.now.Add(time.Hour), ExpiresAt: w.now.Add(time.Hour + connection.TokenGrace),
	})
	if err != nil {
		t.Fatal(err)
	}
	return w
}

// send passes a frame and returns the frame that the client is answered with.
func (w *world) send(frame string) map[string]any {
	w.t.Helper()
	w.event.Body = frame
	resp, err := w.handler.handle(w.t.Context(), w.event)
	if err != nil || resp.StatusCode != 200 {
		w.t.Fatalf("answer %+v, error %v; want status 200 always", resp, err)
	}
	if resp.Body == "" {
		return nil
	}
	var answer map[string]any
	if err := json.Unmarshal([]byte(resp.Body), &answer); err != nil {
		w.t.Fatalf("answer %q is not JSON: %v", resp.Body, err)
	}
	return answer
}

func TestPing(t *testing.T) {
	w := newWorld(t)
	got := w.send(`{"action":"ping","id":"1"}`)
	if got["type"] != "pong" || got["id"] != "1" || got["time"] != float64(w.now.UnixMilli()) {
		t.Errorf("answer %v", got)
	}
}

func TestSubscribeAndUnsubscribe(t *testing.T) {
	w := newWorld(t, "subscribe:orders.*")
	id := w.event.RequestContext.ConnectionID
	if got := w.send(`{"action":"subscribe","channel":"orders.eu","id":"2"}`); got["type"] != "subscribed" || got["channel"] != "orders.eu" || got["id"] != "2" {
		t.Errorf("answer %v", got)
	}
	if c, err := w.store.Get(t.Context(), id); err != nil || len(c.Channels) != 1 {
		t.Errorf("channels %v, error %v", c.Channels, err)
	}
	if got := w.send(`{"action":"unsubscribe","channel":"orders.eu"}`); got["type"] != "unsubscribed" {
		t.Errorf("answer %v", got)
	}
	if c, err := w.store.Get(t.Context(), id); err != nil || len(c.Channels) != 0 {
		t.Errorf("channels %v, error %v", c.Channels, err)
	}
}

func TestABroadcastIsQueuedWithTheTokensTenantAndUser(t *testing.T) {
	w := newWorld(t, "broadcast:channel/orders")
	got := w.send(`{"action":"broadcast","to":{"channel":"orders"},"data":{"n":1},"ttl":30,"id":"3","tenant":"globex","from":{"user":"root"}}`)
	if got["type"] != "accepted" || got["messageId"] != "m1" || got["id"] != "3" || got["duplicate"] != nil {
		t.Errorf("answer %v", got)
	}
	if len(w.queue.sent) != 1 {
		t.Fatalf("queued %d messages, want 1", len(w.queue.sent))
	}
	m := w.queue.sent[0]
	if m.Tenant != "acme" || m.From.User != "u1" || m.MessageID != "m1" || string(m.Data) != `{"n":1}` || *m.TTL != 30 || m.Time != w.now.UnixMilli() {
		t.Errorf("queued %+v", m)
	}
}

func TestWhatIsRefusedGetsACodeAndQueuesNothing(t *testing.T) {
	large := strings.Repeat("x", protocol.MaxFrame)
	tests := []struct {
		name, frame string
		code        protocol.Code
		id          any
	}{
		{"broken JSON", `{"action":`, protocol.CodeInvalidMessage, nil},
		{"not an object", `[1]`, protocol.CodeInvalidMessage, nil},
		{"no action", `{"id":"7"}`, protocol.CodeInvalidMessage, "7"},
		{"unknown action", `{"action":"fly","id":"7"}`, protocol.CodeInvalidMessage, "7"},
		{"action of a wrong type", `{"action":5,"id":"7"}`, protocol.CodeInvalidMessage, "7"},
		{"id of a wrong type", `{"action":"ping","id":7}`, protocol.CodeInvalidMessage, nil},
		{"channel too long", `{"action":"subscribe","channel":"` + strings.Repeat("c", 129) + `","id":"7"}`, protocol.CodeInvalidMessage, "7"},
		{"channel of nothing", `{"action":"subscribe","channel":"","id":"7"}`, protocol.CodeInvalidMessage, "7"},
		{"no audience", `{"action":"broadcast","data":1,"id":"7"}`, protocol.CodeInvalidMessage, "7"},
		{"two audiences", `{"action":"broadcast","to":{"tenant":true,"user":"u"},"data":1,"id":"7"}`, protocol.CodeInvalidMessage, "7"},
		{"too many connections", `{"action":"broadcast","to":{"connections":["` + strings.Join(many(1001), `","`) + `"]},"data":1,"id":"7"}`, protocol.CodeInvalidMessage, "7"},
		{"no data", `{"action":"broadcast","to":{"tenant":true},"id":"7"}`, protocol.CodeInvalidMessage, "7"},
		{"ttl of nothing", `{"action":"broadcast","to":{"tenant":true},"data":1,"ttl":0,"id":"7"}`, protocol.CodeInvalidMessage, "7"},
		{"too large after the envelope", `{"action":"broadcast","to":{"tenant":true},"data":"` + large[:protocol.MaxFrame-60] + `","id":"7"}`, protocol.CodePayloadTooLarge, "7"},
		{"audience without permission", `{"action":"broadcast","to":{"user":"u2"},"data":1,"id":"7"}`, protocol.CodeForbidden, "7"},
		{"channel without permission", `{"action":"subscribe","channel":"secrets","id":"7"}`, protocol.CodeForbidden, "7"},
		{"authenticate with nonsense", `{"action":"authenticate","token":"abc","id":"7"}`, protocol.CodeTokenInvalid, "7"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w := newWorld(t, "broadcast:tenant", "broadcast:connections")
			got := w.send(tt.frame)
			if got["type"] != "error" || got["code"] != string(tt.code) || got["message"] == "" || got["id"] != tt.id {
				t.Errorf("answer %v, want an error %s with id %v", got, tt.code, tt.id)
			}
			if len(w.queue.sent) != 0 || w.socket.closed != 0 {
				t.Errorf("queued %d, closed %d; want neither", len(w.queue.sent), w.socket.closed)
			}
		})
	}
}

func many(n int) []string {
	ids := make([]string, n)
	for i := range ids {
		ids[i] = fmt.Sprintf("c%d", i)
	}
	return ids
}

func TestAClientThatBroadcastsTooOftenIsToldWhenToGoOn(t *testing.T) {
	w := newWorld(t, "broadcast:*")
	const frame = `{"action":"broadcast","to":{"tenant":true},"data":1,"id":"b"}`
	for range 9 {
		if got := w.send(frame); got["type"] != "accepted" {
			t.Fatalf("answer %v", got)
		}
	}
	w.now = w.now.Add(300 * time.Millisecond)
	if got := w.send(frame); got["code"] != string(protocol.CodeRateLimited) || got["id"] != "b" || got["retryAfterMs"] != 700.0 {
		t.Errorf("answer %v, want RATE_LIMITED for the 700 ms that are left of the second", got)
	}
	if got := w.send(`{"action":"broadcast","to":{"tenant":true},"id":"b"}`); got["code"] != string(protocol.CodeInvalidMessage) {
		t.Errorf("a malformed one: %v", got)
	}
	w.now = w.now.Add(700 * time.Millisecond)
	if got := w.send(frame); got["type"] != "accepted" {
		t.Errorf("in the next second: %v", got)
	}
	if len(w.queue.sent) != 10 {
		t.Errorf("%d queued, want 10", len(w.queue.sent))
	}
}

func TestAQueueThatFailsIsNotAccepted(t *testing.T) {
	w := newWorld(t, "broadcast:*")
	w.queue.err = errors.New("queue on fire")
	got := w.send(`{"action":"broadcast","to":{"tenant":true},"data":1,"id":"3"}`)
	if got["type"] != "error" || got["code"] != string(protocol.CodeInternal) || strings.Contains(got["message"].(string), "fire") {
		t.Errorf("answer %v, want INTERNAL_ERROR without the cause", got)
	}
	if !strings.Contains(w.log.String(), "queue on fire") {
		t.Errorf("the log lacks the cause: %s", w.log.String())
	}
}

func TestAnIdempotencyKeySendsOnce(t *testing.T) {
	w := newWorld(t, "broadcast:*")
	const frame = `{"action":"broadcast","to":{"tenant":true},"data":1,"idempotencyKey":"k","id":"3"}`
	first, again := w.send(frame), w.send(frame)
	if first["duplicate"] != nil || again["duplicate"] != true || again["messageId"] != first["messageId"] {
		t.Errorf("answers %v and %v", first, again)
	}
	if len(w.queue.sent) != 1 {
		t.Errorf("queued %d, want 1", len(w.queue.sent))
	}
	other := w.send(strings.Replace(frame, `"data":1`, `"data":2`, 1))
	if other["code"] != string(protocol.CodeIdempotencyMismatch) {
		t.Errorf("another body under the key: %v", other)
	}
}

func TestAKeyWhoseFirstRequestFailedIsSentByTheNext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, "broadcast:*")
		const frame = `{"action":"broadcast","to":{"tenant":true},"data":1,"idempotencyKey":"k"}`
		w.queue.err = errors.New("down")
		if got := w.send(frame); got["code"] != string(protocol.CodeInternal) {
			t.Fatalf("the first answer %v, want INTERNAL_ERROR", got)
		}
		w.queue.err = nil
		got := w.send(frame)
		if got["type"] != "accepted" || got["messageId"] != "m1" || got["duplicate"] != true {
			t.Errorf("answer %v, want the first messageId", got)
		}
		if len(w.queue.sent) != 1 || w.queue.sent[0].MessageID != "m1" {
			t.Errorf("queued %+v, want m1 once", w.queue.sent)
		}
	})
}

func TestAuthenticateRenewsTheSession(t *testing.T) {
	w := newWorld(t)
	token := w.key.Sign(authtest.Claims{Subject: "u1", Tenant: "acme", TTL: 5 * time.Hour, TokenID: "next"})
	got := w.send(`{"action":"authenticate","token":"` + token + `","id":"4"}`)
	if got["type"] != "authenticated" || got["id"] != "4" {
		t.Fatalf("answer %v", got)
	}
	c, err := w.store.Get(t.Context(), w.event.RequestContext.ConnectionID)
	if err != nil || c.TokenID != "next" || float64(c.TokenExpiresAt.UnixMilli()) != got["expiresAt"] {
		t.Errorf("stored %+v, error %v", c, err)
	}
	if strings.Contains(w.log.String(), token) {
		t.Error("the token is in the log")
	}
}

func TestAuthenticateTakesTheNewTokensPermissions(t *testing.T) {
	w := newWorld(t, "subscribe:*")
	for _, channel := range []string{"orders", "news"} {
		if got := w.send(`{"action":"subscribe","channel":"` + channel + `"}`); got["type"] != "subscribed" {
			t.Fatalf("answer %v", got)
		}
	}
	token := w.key.Sign(authtest.Claims{Subject: "u1", Tenant: "acme", Permissions: []string{"subscribe:news", "broadcast:tenant"}})
	if got := w.send(`{"action":"authenticate","token":"` + token + `"}`); got["type"] != "authenticated" {
		t.Fatalf("answer %v", got)
	}
	if got := w.send(`{"action":"broadcast","to":{"tenant":true},"data":1}`); got["type"] != "accepted" {
		t.Errorf("a permission that the new token grants: %v", got)
	}
	if got := w.send(`{"action":"subscribe","channel":"orders"}`); got["code"] != string(protocol.CodeForbidden) {
		t.Errorf("a permission that only the old token granted: %v", got)
	}
	c, err := w.store.Get(t.Context(), w.event.RequestContext.ConnectionID)
	if err != nil || !slices.Equal(c.Channels, []string{"news"}) {
		t.Errorf("subscribed to %v, want only what the new token grants; error %v", c.Channels, err)
	}
}

func TestAuthenticateTakesNoOtherUsersToken(t *testing.T) {
	for name, claims := range map[string]authtest.Claims{
		"another user":   {Subject: "u2", Tenant: "acme"},
		"another tenant": {Subject: "u1", Tenant: "globex"},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			got := w.send(`{"action":"authenticate","token":"` + w.key.Sign(claims) + `"}`)
			if got["code"] != string(protocol.CodeTokenInvalid) {
				t.Errorf("answer %v", got)
			}
		})
	}
}

func TestAnExpiredSessionIsToldAndClosed(t *testing.T) {
	w := newWorld(t, "broadcast:*")
	w.now = w.now.Add(time.Hour + connection.TokenGrace + time.Second)
	if got := w.send(`{"action":"broadcast","to":{"tenant":true},"data":1}`); got != nil {
		t.Errorf("answer %v, want none: it would come after the close", got)
	}
	if len(w.socket.posted) != 1 || !strings.Contains(string(w.socket.posted[0]), "TOKEN_EXPIRED") || w.socket.closed != 1 {
		t.Errorf("posted %s, closed %d", w.socket.posted, w.socket.closed)
	}
	if len(w.queue.sent) != 0 {
		t.Error("the broadcast of an expired session was queued")
	}
}

func TestAConnectionWithoutARowIsClosed(t *testing.T) {
	w := newWorld(t)
	w.event.RequestContext.ConnectionID = "unknown"
	if got := w.send(`{"action":"ping"}`); got != nil || w.socket.closed != 1 {
		t.Errorf("answer %v, closed %d; want none, 1", got, w.socket.closed)
	}
}
