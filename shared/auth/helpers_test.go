package auth_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"testing"

	"fanfare/shared/auth"
	"fanfare/shared/auth/authtest"
)

// Keys are shared by the tests: an RSA key takes a while to make.
var (
	ours     = sync.OnceValue(authtest.NewKey)
	theirs   = sync.OnceValue(authtest.NewKey)
	next     = sync.OnceValue(authtest.NewKey)
	elliptic = sync.OnceValue(func() *authtest.Key { return authtest.NewKeyFor("ES256") })
)

const (
	issuerName = "https://issuer.test/"
	audience   = "fanfare"
)

// alice is a caller that every verifier here admits.
func alice() authtest.Claims {
	return authtest.Claims{
		Subject: "alice", Tenant: "t1", Issuer: issuerName, Audience: []string{audience},
		Permissions: []string{"broadcast:*", "subscribe:orders.*"}, TokenID: "id-1",
	}
}

// strict is a configuration in which every check is on.
func strict(key *authtest.Key) auth.Config {
	return auth.Config{
		PublicKey:  key.PublicJWK(),
		Algorithms: []string{key.Algorithm()},
		Issuers:    []string{"https://other.test/", issuerName},
		Audiences:  []string{audience, "other"},
	}
}

func newVerifier(t testing.TB, cfg auth.Config) *auth.Verifier {
	t.Helper()
	v, err := auth.NewVerifier(context.Background(), cfg)
	if err != nil {
		t.Fatalf("NewVerifier: %v", err)
	}
	return v
}

// journal is a log that can be read; safe for concurrent use.
type journal struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (j *journal) Write(p []byte) (int, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.b.Write(p)
}

func (j *journal) String() string {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.b.String()
}

func (j *journal) logger() *slog.Logger {
	return slog.New(slog.NewJSONHandler(j, &slog.HandlerOptions{Level: slog.LevelDebug}))
}

// mustRefuse verifies token and holds the refusal to all that is promised of
// one: the sentinel, no identity, and nothing of the token anywhere.
func mustRefuse(t *testing.T, cfg auth.Config, token string, want error) {
	t.Helper()
	var log journal
	cfg.Logger = log.logger()
	id, err := newVerifier(t, cfg).Verify(t.Context(), token)
	if !errors.Is(err, want) {
		t.Errorf("error is %v, want %v", err, want)
	}
	if err == nil {
		return
	}
	if id.User != "" || id.Tenant != "" || id.Permissions != nil || !id.ExpiresAt.IsZero() {
		t.Errorf("identity %+v beside an error", id)
	}
	if !strings.Contains(log.String(), auth.Code(err)) {
		t.Errorf("the log lacks the code: %s", log.String())
	}
	mustNotHold(t, "the log", log.String(), token)
	mustNotHold(t, "the error", err.Error()+auth.Message(err), token)
}

// mustNotHold looks for the token and for each of its parts that is long
// enough to be a secret.
func mustNotHold(t *testing.T, what, text, token string) {
	t.Helper()
	for _, secret := range append(strings.Split(token, "."), token) {
		if len(secret) >= 16 && strings.Contains(text, secret) {
			t.Errorf("%s holds a part of the token: %q", what, secret)
		}
	}
}
