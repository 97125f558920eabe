package auth_test

import (
	"errors"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"fanfare/shared/auth"
	"fanfare/shared/auth/authtest"
)

// FuzzTokenFromRequest: a token that is found stands in one of the places, and
// no place names another.
func FuzzTokenFromRequest(f *testing.F) {
	f.Add("Bearer a.b.c", "bearer, a.b.c", "a.b.c")
	f.Add("Basic dTpw", "chat", "")
	f.Add("bearer  x", ",bearer,,bearer", "\x00")
	f.Fuzz(func(t *testing.T, authorization, protocols, query string) {
		token, subprotocol, err := auth.TokenFromRequest(
			map[string]string{"authorization": authorization, "Sec-WebSocket-Protocol": protocols},
			map[string]string{"token": query})
		if err != nil {
			if token != "" || subprotocol != "" || auth.Code(err) == auth.Unauthorized {
				t.Errorf("%q, %q beside %v", token, subprotocol, err)
			}
			return
		}
		if token == "" || len(token) > auth.MaxToken {
			t.Errorf("token of %d bytes", len(token))
		}
		if query != "" && query != token {
			t.Errorf("took %q although the query says %q", token, query)
		}
		if !strings.Contains(authorization, token) && !strings.Contains(protocols, token) && query != token {
			t.Errorf("token %q came from nowhere", token)
		}
		if subprotocol != "" && !strings.Contains(protocols, subprotocol) {
			t.Errorf("echo of %q, which was not offered", subprotocol)
		}
	})
}

// FuzzPublicKey: no text makes NewVerifier panic, and one that is refused gets
// one line that names the variable.
func FuzzPublicKey(f *testing.F) {
	key := elliptic()
	for _, seed := range []string{
		key.PublicPEM(), key.PublicJWK(), authtest.JWKS(key), key.PrivatePEM(), weakJWK(), `{"keys":[{}]}`,
		"-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----", `{"kty":"EC","crv":"P-256","x":"","y":""}`,
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		v, err := auth.NewVerifier(t.Context(), auth.Config{PublicKey: text, Algorithms: []string{"RS256", "ES256", "EdDSA"}})
		if err == nil {
			// Whatever key it was, it must be usable without a panic.
			_, _ = v.Verify(t.Context(), key.Sign(alice(), authtest.WithHeader("kid", nil)))
			return
		}
		configError, ok := errors.AsType[*auth.ConfigError](err)
		if !ok || configError.Variable != "JWT_PUBLIC_KEY" || strings.ContainsAny(err.Error(), "\r\n") {
			t.Errorf("refused with %q", err)
		}
	})
}

// FuzzClaims signs any payload: what is admitted keeps every bound.
func FuzzClaims(f *testing.F) {
	key := elliptic()
	v := newVerifier(f, auth.Config{PublicKey: key.PublicPEM(), Algorithms: []string{"ES256"}})
	f.Add(`{"sub":"u","tenant_id":"t","exp":4102444800,"permissions":["a"]}`)
	f.Add(`{"sub":"u","tenant_id":"t","exp":4102444800.5,"permissions":"a b","aud":["x"],"iss":"i","jti":"j","nbf":0}`)
	f.Add(`{"sub":"u","sub":"v","tenant_id":"\ud800","exp":1e400}`)
	f.Fuzz(func(t *testing.T, payload string) {
		id, err := v.Verify(t.Context(), key.SignRaw(`{"alg":"ES256"}`, payload, "ES256"))
		if err != nil {
			if auth.Code(err) == auth.Unauthorized || id.User != "" {
				t.Errorf("%+v, %v", id, err)
			}
			return
		}
		for _, name := range append([]string{id.User, id.Tenant}, id.Permissions...) {
			if name == "" || len(name) > auth.MaxUser || !utf8.ValidString(name) || strings.ContainsAny(name, "\x00\r\n\t") {
				t.Errorf("admitted the name %q", name)
			}
		}
		if len(id.Tenant) > auth.MaxTenant || len(id.Permissions) > auth.MaxPermissions || !id.ExpiresAt.After(time.Now()) {
			t.Errorf("admitted %+v", id)
		}
	})
}

// FuzzVerify: without the key no text is admitted, and none gets into the log.
func FuzzVerify(f *testing.F) {
	stranger := authtest.NewKeyFor("ES256")
	f.Add(stranger.Sign(alice()))
	f.Add(stranger.Sign(alice(), authtest.WithHeader("kid", elliptic().ID())))
	f.Add(b64(`{"alg":"none"}`) + "." + b64(`{"sub":"root"}`) + ".")
	f.Add("a.b.c.d.e")
	f.Fuzz(func(t *testing.T, token string) {
		var log journal
		cfg := strict(elliptic())
		cfg.Logger = log.logger()
		id, err := newVerifier(t, cfg).Verify(t.Context(), token)
		if err == nil {
			t.Fatalf("admitted %+v", id)
		}
		if strings.Count(log.String(), "\n") != 1 {
			t.Errorf("not one line: %q", log.String())
		}
		if len(token) >= 64 && strings.Contains(log.String(), token) {
			t.Error("the log holds the token")
		}
	})
}
