package auth_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"fanfare/shared/auth"
	"fanfare/shared/auth/authtest"
)

func TestVerifyAdmits(t *testing.T) {
	tests := []struct {
		name  string
		token func(*authtest.Key) string
	}{
		{"a good token", func(k *authtest.Key) string { return k.Sign(alice()) }},
		{"a token without kid", func(k *authtest.Key) string { return k.Sign(alice(), authtest.WithHeader("kid", nil)) }},
		{"a token without typ", func(k *authtest.Key) string { return k.Sign(alice(), authtest.WithHeader("typ", nil)) }},
		{"an access token by RFC 9068", func(k *authtest.Key) string {
			return k.Sign(alice(), authtest.WithHeader("typ", "application/at+jwt"))
		}},
		{"headers that mean nothing to us", func(k *authtest.Key) string { return k.Sign(alice(), authtest.WithHeader("foo", []int{1})) }},
		{"permissions as one string", func(k *authtest.Key) string {
			return k.Sign(alice(), authtest.WithClaim("permissions", "broadcast:*  subscribe:orders.*"))
		}},
		{"aud as a list with ours in it", func(k *authtest.Key) string {
			return k.Sign(alice(), authtest.WithClaim("aud", []string{"x", audience}))
		}},
		{"exp with a fraction", func(k *authtest.Key) string {
			return k.Sign(alice(), authtest.WithClaim("exp", float64(time.Now().Unix())+3600.25))
		}},
		{"no iat", func(k *authtest.Key) string { return k.Sign(alice(), authtest.WithClaim("iat", nil)) }},
		{"nbf and iat ahead by less than the leeway", func(k *authtest.Key) string {
			soon := time.Now().Add(25 * time.Second).Unix()
			return k.Sign(alice(), authtest.WithClaim("nbf", soon), authtest.WithClaim("iat", soon))
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			id, err := newVerifier(t, strict(ours())).Verify(t.Context(), tt.token(ours()))
			if err != nil {
				t.Fatal(err)
			}
			if id.User != "alice" || id.Tenant != "t1" || id.TokenID != "id-1" || id.Issuer != issuerName ||
				!slices.Equal(id.Permissions, []string{"broadcast:*", "subscribe:orders.*"}) {
				t.Errorf("identity is %+v", id)
			}
			if left := time.Until(id.ExpiresAt); left < 59*time.Minute || left > 61*time.Minute {
				t.Errorf("expires in %v, want an hour", left)
			}
		})
	}
}

func TestVerifyAcceptsEveryConfigurableAlgorithm(t *testing.T) {
	for _, algorithm := range []string{"RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"} {
		t.Run(algorithm, func(t *testing.T) {
			key := ours()
			var options []authtest.Option
			if algorithm[0] == 'E' {
				key = authtest.NewKeyFor(algorithm)
			} else {
				options = append(options, authtest.WithAlgorithm(algorithm))
			}
			cfg := strict(key)
			cfg.PublicKey, cfg.Algorithms = key.PublicPEM(), []string{algorithm}
			if _, err := newVerifier(t, cfg).Verify(t.Context(), key.Sign(alice(), options...)); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestVerifyUsesTheConfiguredClaims(t *testing.T) {
	cfg := strict(ours())
	cfg.TenantClaim, cfg.PermissionsClaim = "https://example.test/org", "scope"
	token := ours().Sign(alice(), authtest.WithClaim("https://example.test/org", "acme"), authtest.WithClaim("scope", "a b"))
	id, err := newVerifier(t, cfg).Verify(t.Context(), token)
	if err != nil || id.Tenant != "acme" || !slices.Equal(id.Permissions, []string{"a", "b"}) {
		t.Errorf("got %+v, %v", id, err)
	}
}

func TestVerifyWithoutOptionalClaims(t *testing.T) {
	cfg := auth.Config{PublicKey: ours().PublicPEM()}
	token := ours().Sign(authtest.Claims{Subject: "u", Tenant: "t"}, authtest.WithClaim("jti", nil))
	id, err := newVerifier(t, cfg).Verify(t.Context(), token)
	if err != nil || id.Permissions != nil || id.TokenID != "" || id.Issuer != "" {
		t.Errorf("got %+v, %v", id, err)
	}
}

func TestVerifyAllowedTenants(t *testing.T) {
	cfg := strict(ours())
	cfg.AllowedTenants = []string{"t0", "t1"}
	if _, err := newVerifier(t, cfg).Verify(t.Context(), ours().Sign(alice())); err != nil {
		t.Errorf("tenant t1: %v", err)
	}
	for _, tenant := range []string{"t2", "T1", "t", "t1 "} {
		mustRefuse(t, cfg, ours().Sign(alice(), authtest.WithClaim("tenant_id", tenant)), auth.ErrTenantNotAllowed)
	}
}

// The session ends at exp to the second: Identity.ExpiresAt is what the other
// functions go by, and a leeway here would admit what they close at once.
func TestVerifyExpiryHasNoLeeway(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v := newVerifier(t, strict(ours()))
		token := ours().Sign(alice())
		time.Sleep(time.Hour - time.Nanosecond) // the bubble's time
		if _, err := v.Verify(t.Context(), token); err != nil {
			t.Errorf("just before exp: %v", err)
		}
		time.Sleep(time.Nanosecond)
		if _, err := v.Verify(t.Context(), token); !errors.Is(err, auth.ErrTokenExpired) {
			t.Errorf("at exp: %v", err)
		}
	})
}

func TestVerifyLogsTheCauseTheKeyAndTheIssuer(t *testing.T) {
	var log journal
	cfg := strict(ours())
	cfg.Logger = log.logger()
	token := ours().Sign(alice(), authtest.WithClaim("iss", "https://foreign.test/"))
	_, _ = newVerifier(t, cfg).Verify(t.Context(), token)
	for _, want := range []string{
		`"code":"TOKEN_ISSUER_INVALID"`, `"cause":"iss is not in JWT_ISSUER"`,
		`"kid":"` + ours().ID() + `"`, `"issuer":"https://foreign.test/"`,
	} {
		if !strings.Contains(log.String(), want) {
			t.Errorf("the log lacks %s: %s", want, log.String())
		}
	}
}

func TestEveryRefusalHasACodeAndAMessage(t *testing.T) {
	codes := map[string]error{
		"TOKEN_MISSING": auth.ErrTokenMissing, "TOKEN_CONFLICT": auth.ErrTokenConflict,
		"TOKEN_MALFORMED": auth.ErrTokenMalformed, "TOKEN_ALGORITHM_INVALID": auth.ErrAlgorithm,
		"TOKEN_KEY_UNKNOWN": auth.ErrKeyUnknown, "TOKEN_SIGNATURE_INVALID": auth.ErrSignature,
		"TOKEN_EXPIRED": auth.ErrTokenExpired, "TOKEN_NOT_YET_VALID": auth.ErrTokenNotYetValid,
		"TOKEN_ISSUER_INVALID": auth.ErrIssuer, "TOKEN_AUDIENCE_INVALID": auth.ErrAudience,
		"TOKEN_CLAIMS_INVALID": auth.ErrClaims, "TENANT_NOT_ALLOWED": auth.ErrTenantNotAllowed,
		"KEYS_UNAVAILABLE": auth.ErrKeysUnavailable,
	}
	for want, err := range codes {
		wrapped := fmt.Errorf("while connecting: %w", err)
		if got := auth.Code(wrapped); got != want {
			t.Errorf("Code is %q, want %q", got, want)
		}
		if strings.Contains(auth.Message(wrapped), "while connecting") || auth.Message(wrapped) == "" {
			t.Errorf("Message of %s is %q", want, auth.Message(wrapped))
		}
	}
	if auth.Code(nil) != "" || auth.Message(nil) != "" {
		t.Error("nil has a code or a message")
	}
	if foreign := errors.New("secret"); auth.Code(foreign) != "UNAUTHORIZED" || auth.Message(foreign) != "not authorized" {
		t.Error("a foreign error's words got out")
	}
}

func TestVerifierIsSafeForConcurrentUse(t *testing.T) {
	v := newVerifier(t, strict(elliptic()))
	token := elliptic().Sign(alice())
	done := make(chan error, 8)
	for range cap(done) {
		go func() { _, err := v.Verify(context.Background(), token); done <- err }()
	}
	for range cap(done) {
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
}
