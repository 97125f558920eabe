package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"fanfare/shared/auth"
	"fanfare/shared/auth/authtest"
	"fanfare/shared/connection"
	"fanfare/shared/store"
	"fanfare/shared/telemetry"
)

// testKey is one for all tests: making an RSA key takes a second under -race.
var testKey = sync.OnceValue(authtest.NewKey)

// world is a connect function with all that it talks to.
type world struct {
	handler *handler
	key     *authtest.Key
	store   *store.Memory
	log     bytes.Buffer
}

func newWorld(t *testing.T, change func(*auth.Config)) *world {
	t.Helper()
	w := &world{key: testKey(), store: store.NewMemory(store.Options{})}
	cfg := auth.Config{PublicKey: w.key.PublicPEM(), Issuers: []string{"issuer"}, Audiences: []string{"fanfare"}}
	if change != nil {
		change(&cfg)
	}
	verifier, err := auth.NewVerifier(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	w.handler = &handler{
		verifier: verifier, store: w.store, ttl: 24 * time.Hour, now: time.Now, metrics: telemetry.NewMetrics(&w.log, "connect"),
		log: telemetry.NewLogger(&w.log, slog.LevelDebug, "connect"),
	}
	return w
}

func claims() authtest.Claims {
	return authtest.Claims{
		Subject: "u1", Tenant: "acme", Permissions: []string{"broadcast:*"}, Issuer: "issuer", Audience: []string{"fanfare"}, TTL: time.Hour,
	}
}

// event is the real event with a token in its query; none if it is empty.
func event(t *testing.T, token string) events.APIGatewayWebsocketProxyRequest {
	t.Helper()
	data, err := os.ReadFile("testdata/connect.json")
	if err != nil {
		t.Fatal(err)
	}
	var e events.APIGatewayWebsocketProxyRequest
	if err := json.Unmarshal(data, &e); err != nil {
		t.Fatal(err)
	}
	e.QueryStringParameters, e.MultiValueQueryStringParameters = nil, nil
	if token != "" {
		e.QueryStringParameters = map[string]string{"token": token}
	}
	e.RequestContext.ConnectedAt = time.Now().UnixMilli()
	return e
}

func TestAValidTokenOpensTheSocketAndWritesTheConnection(t *testing.T) {
	w := newWorld(t, nil)
	e := event(t, w.key.Sign(claims()))
	resp, err := w.handler.handle(t.Context(), e)
	if err != nil || resp.StatusCode != 200 {
		t.Fatalf("answer %+v, error %v; want 200", resp, err)
	}
	c, err := w.store.Get(t.Context(), e.RequestContext.ConnectionID)
	if err != nil {
		t.Fatal(err)
	}
	if c.User != "u1" || c.Tenant != "acme" || c.UserAgent != "wscat/6" || c.SourceIP != "192.0.2.17" || len(c.Permissions) != 1 {
		t.Errorf("stored %+v", c)
	}
	if c.ConnectedAt.UnixMilli() != e.RequestContext.ConnectedAt {
		t.Errorf("connected at %v, want API Gateway's own time", c.ConnectedAt)
	}
	if want := c.TokenExpiresAt.Add(connection.TokenGrace); !c.ExpiresAt.Equal(want) {
		t.Errorf("expires at %v, want with the token, %v", c.ExpiresAt, want)
	}
	if !strings.Contains(w.log.String(), `"Connected":1`) {
		t.Errorf("not counted: %s", w.log.String())
	}
}

func TestALongTokenIsHeldToTheConnectionTTL(t *testing.T) {
	w := newWorld(t, nil)
	long := claims()
	long.TTL = 100 * time.Hour
	e := event(t, w.key.Sign(long))
	if _, err := w.handler.handle(t.Context(), e); err != nil {
		t.Fatal(err)
	}
	c, err := w.store.Get(t.Context(), e.RequestContext.ConnectionID)
	if err != nil {
		t.Fatal(err)
	}
	if left := time.Until(c.ExpiresAt); left > 24*time.Hour || left < 23*time.Hour {
		t.Errorf("expires in %v, want 24h", left)
	}
}

func TestWhoIsRefusedAndHow(t *testing.T) {
	stranger := authtest.NewKey()
	tests := []struct {
		name  string
		token func(*authtest.Key) string
		code  string
	}{
		{"no token", func(*authtest.Key) string { return "" }, "TOKEN_MISSING"},
		{"not a token", func(*authtest.Key) string { return "abc" }, "TOKEN_MALFORMED"},
		{"expired", func(k *authtest.Key) string { return k.Sign(claims(), authtest.Expired()) }, "TOKEN_EXPIRED"},
		{"signed by another key", func(*authtest.Key) string { return stranger.Sign(claims()) }, "TOKEN_SIGNATURE_INVALID"},
		{"of another issuer", func(k *authtest.Key) string {
			c := claims()
			c.Issuer = "somebody"
			return k.Sign(c)
		}, "TOKEN_ISSUER_INVALID"},
		{"for another service", func(k *authtest.Key) string {
			c := claims()
			c.Audience = []string{"billing"}
			return k.Sign(c)
		}, "TOKEN_AUDIENCE_INVALID"},
		{"without a tenant", func(k *authtest.Key) string {
			c := claims()
			c.Tenant = ""
			return k.Sign(c)
		}, "TOKEN_CLAIMS_INVALID"},
		{"of a tenant that is not served", func(k *authtest.Key) string {
			c := claims()
			c.Tenant = "globex"
			return k.Sign(c)
		}, "TENANT_NOT_ALLOWED"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w := newWorld(t, func(c *auth.Config) { c.AllowedTenants = []string{"acme"} })
			token := tt.token(w.key)
			e := event(t, token)
			resp, err := w.handler.handle(t.Context(), e)
			if err != nil || resp.StatusCode != 401 {
				t.Fatalf("answer %+v, error %v; want 401", resp, err)
			}
			var body refusal
			if err := json.Unmarshal([]byte(resp.Body), &body); err != nil {
				t.Fatal(err)
			}
			if body.Code != tt.code || body.Message == "" || body.RequestID != e.RequestContext.RequestID {
				t.Errorf("body %s, want code %s", resp.Body, tt.code)
			}
			if _, err := w.store.Get(t.Context(), e.RequestContext.ConnectionID); !errors.Is(err, connection.ErrNotFound) {
				t.Errorf("a refused connection was stored: %v", err)
			}
			if len(token) > 20 && (strings.Contains(w.log.String(), token) || strings.Contains(resp.Body, token)) {
				t.Errorf("the token is in the log or the answer")
			}
			if !strings.Contains(w.log.String(), body.Code) {
				t.Errorf("the log does not tell why: %s", w.log.String())
			}
			if !strings.Contains(w.log.String(), `"Refused":1`) || !strings.Contains(w.log.String(), `"FailedConnects":0`) {
				t.Errorf("not counted as refused: %s", w.log.String())
			}
		})
	}
}

func TestTwoTokensThatDifferAreRefused(t *testing.T) {
	w := newWorld(t, nil)
	good, other := w.key.Sign(claims()), w.key.Sign(claims()) // two ids
	tests := map[string]func(*events.APIGatewayWebsocketProxyRequest){
		"twice in the query": func(e *events.APIGatewayWebsocketProxyRequest) {
			e.MultiValueQueryStringParameters = map[string][]string{"token": {other, good}}
		},
		"two authorization headers": func(e *events.APIGatewayWebsocketProxyRequest) {
			e.MultiValueHeaders = map[string][]string{"authorization": {"Bearer " + other, "Bearer " + good}}
		},
		"query and header": func(e *events.APIGatewayWebsocketProxyRequest) { e.Headers["Authorization"] = "Bearer " + other },
	}
	for name, change := range tests {
		t.Run(name, func(t *testing.T) {
			e := event(t, good)
			change(&e)
			resp, err := w.handler.handle(t.Context(), e)
			if err != nil || resp.StatusCode != 401 || !strings.Contains(resp.Body, "TOKEN_CONFLICT") {
				t.Errorf("answer %+v, error %v; want 401 TOKEN_CONFLICT", resp, err)
			}
		})
	}
}

// brokenStore stands for a table that cannot be reached.
type brokenStore struct{}

func (brokenStore) Put(context.Context, connection.Connection) error {
	return errors.New("table eyJhbGciOiJSUzI1NiJ9.e30.x is on fire")
}

func TestATableThatFailsIsOurFault(t *testing.T) {
	w := newWorld(t, nil)
	w.handler.store = brokenStore{}
	resp, err := w.handler.handle(t.Context(), event(t, w.key.Sign(claims())))
	if err != nil || resp.StatusCode != 500 {
		t.Fatalf("answer %+v, error %v; want 500", resp, err)
	}
	if strings.Contains(resp.Body, "fire") {
		t.Errorf("the client is told the cause: %s", resp.Body)
	}
	if !strings.Contains(w.log.String(), `"FailedConnects":1`) {
		t.Errorf("not counted as our fault: %s", w.log.String())
	}
	if !strings.Contains(w.log.String(), "on fire") || strings.Contains(w.log.String(), "eyJ") {
		t.Errorf("the log must tell the cause, without what looks like a token: %s", w.log.String())
	}
}

func TestABrowsersSubprotocolIsEchoed(t *testing.T) {
	w := newWorld(t, nil)
	e := event(t, "")
	e.Headers["Sec-WebSocket-Protocol"] = "bearer, " + w.key.Sign(claims())
	resp, err := w.handler.handle(t.Context(), e)
	if err != nil || resp.StatusCode != 200 || resp.Headers["Sec-WebSocket-Protocol"] != "bearer" {
		t.Errorf("answer %+v, error %v; want 200 with the subprotocol bearer", resp, err)
	}
}
