package suite

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"fanfare/shared/auth/authtest"
)

// The issuer's keys change while everything runs: a new one is fetched when its
// first token comes, the old one goes on until it is withdrawn, and then falls out
// with the age of what was fetched.
func TestKeysAreRotated(t *testing.T) {
	s := beginAlone(t, ownCloud, ownIssuer, movingClock)
	issuer := authtest.NewIssuer()
	server := httptest.NewServer(issuer)
	t.Cleanup(server.Close)
	for _, function := range []string{"fanfare-connect", "fanfare-message"} {
		err := s.stack.reconfigure(t.Context(), function, func(env map[string]string) {
			delete(env, "JWT_PUBLIC_KEY")
			env["JWT_JWKS_URL"] = server.URL + "/.well-known/jwks.json"
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	old := issuer.Key()
	sign := func(key *authtest.Key) string {
		claims := s.stack.claims("u", s.tenant, "broadcast:*")
		claims.TTL = s.ahead + time.Hour
		return key.Sign(claims)
	}
	admitted := func(what string, key *authtest.Key) *client {
		t.Helper()
		c, err := s.dialToken("u", sign(key))
		if err != nil {
			t.Fatalf("%s: %v", what, err)
		}
		c.ask(`{"action":"authenticate","token":"`+sign(key)+`"}`, "authenticated")
		return c
	}
	refused := func(what string, key *authtest.Key) {
		t.Helper()
		status, body := s.refused(s.stack.Outputs.WebSocketURL+"?token="+sign(key), nil)
		if status != http.StatusUnauthorized || !strings.Contains(body, "TOKEN_KEY_UNKNOWN") {
			t.Errorf("%s: HTTP %d %s, want 401", what, status, body)
		}
	}

	open := admitted("the first key", old)
	fetched := issuer.Fetches()
	fresh := issuer.Rotate()
	admitted("the new key", fresh)
	if n := issuer.Fetches(); n == fetched {
		t.Error("the new key was admitted without a fetch")
	}
	admitted("the old key, which is still published", old)

	issuer.Withdraw(old)
	s.advance(5 * time.Minute) // sockets live through it
	open.ask(`{"action":"ping"}`, "pong")
	s.advance(9 * time.Minute)
	open.ask(`{"action":"ping"}`, "pong") // opened with a key that is no more
	s.advance(2 * time.Minute)            // a quarter of an hour in all: keys are that old at most
	refused("the key that was withdrawn", old)
	if f := open.ask(`{"action":"authenticate","token":"`+sign(old)+`"}`, "error"); f.Code != "TOKEN_INVALID" {
		t.Errorf("renewed with the key that was withdrawn: %s", f.raw)
	}
	open.ask(`{"action":"authenticate","token":"`+sign(fresh)+`"}`, "authenticated")
	refused("the key that was deployed with the stack", s.stack.Key)
}
