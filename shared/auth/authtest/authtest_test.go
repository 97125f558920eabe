package authtest_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"fanfare/shared/auth"
	"fanfare/shared/auth/authtest"
)

var algorithms = []string{"RS256", "PS384", "ES256", "ES384", "ES512", "EdDSA"}

func TestKeysOfEveryAlgorithmAreReadAgain(t *testing.T) {
	for _, algorithm := range algorithms {
		t.Run(algorithm, func(t *testing.T) {
			key := authtest.NewKeyFor(algorithm)
			again, err := authtest.ParseKeyPEM(key.PrivatePEM())
			if err != nil || again.ID() != key.ID() || again.PublicPEM() != key.PublicPEM() {
				t.Fatalf("read %v, %v", again, err)
			}
			for form, text := range map[string]string{"PEM": key.PublicPEM(), "JWK": key.PublicJWK(), "JWKS": authtest.JWKS(key)} {
				verifier, err := auth.NewVerifier(t.Context(), auth.Config{PublicKey: text, Algorithms: []string{algorithm}})
				if err != nil {
					t.Fatalf("%s: %v", form, err)
				}
				if _, err := verifier.Verify(t.Context(), key.Sign(authtest.Claims{Subject: "u", Tenant: "t"})); err != nil {
					t.Errorf("%s: %v", form, err)
				}
			}
		})
	}
}

func TestParseKeyPEMRefusesWhatIsNoPrivateKey(t *testing.T) {
	key := authtest.NewKeyFor("ES256")
	for name, text := range map[string]string{
		"nothing": "", "a public key": key.PublicPEM(), "noise": "hunter2",
		"a broken one": "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n",
	} {
		if _, err := authtest.ParseKeyPEM(text); err == nil || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestJWKSHoldsNoPrivateHalf(t *testing.T) {
	for _, algorithm := range algorithms {
		if set := authtest.JWKS(authtest.NewKeyFor(algorithm)); strings.Contains(set, `"d":`) {
			t.Errorf("%s: %s", algorithm, set)
		}
	}
}

func TestIssuerOverARealSocket(t *testing.T) {
	issuer := authtest.NewIssuer(authtest.NewKeyFor("ES256"))
	server := httptest.NewTLSServer(issuer)
	defer server.Close()
	verifier, err := auth.NewVerifier(t.Context(), auth.Config{
		JWKSURL: server.URL, HTTPClient: server.Client(), Algorithms: []string{"ES256"},
	})
	if err != nil {
		t.Fatal(err)
	}
	claims := authtest.Claims{Subject: "u", Tenant: "t"}
	old := issuer.Key()
	issuer.Withdraw(issuer.Rotate()) // published for no time at all
	for _, token := range []string{issuer.Sign(claims), old.Sign(claims)} {
		if _, err := verifier.Verify(t.Context(), token); err != nil {
			t.Error(err)
		}
	}
	if issuer.Fetches() != 1 {
		t.Errorf("the issuer was asked %d times", issuer.Fetches())
	}
}

func TestIssuerFailsAndHeals(t *testing.T) {
	issuer := authtest.NewIssuer(authtest.NewKeyFor("EdDSA"))
	for fail, want := range map[int]int{http.StatusTeapot: http.StatusTeapot, 0: http.StatusOK} {
		issuer.Fail(fail)
		response, err := issuer.Client().Get(issuer.URL())
		if err != nil {
			t.Fatal(err)
		}
		_ = response.Body.Close()
		if response.StatusCode != want {
			t.Errorf("status %d, want %d", response.StatusCode, want)
		}
	}
}

func TestMistakesOfATestPanic(t *testing.T) {
	key := authtest.NewKeyFor("ES256")
	for name, mistake := range map[string]func(){
		"an unknown algorithm":     func() { authtest.NewKeyFor("HS256") },
		"a claim without JSON":     func() { key.Sign(authtest.Claims{}, authtest.WithClaim("x", func() {})) },
		"another key's algorithm":  func() { key.Sign(authtest.Claims{}, authtest.WithAlgorithm("RS256")) },
		"the last key's departure": func() { i := authtest.NewIssuer(key); i.Withdraw(key) },
	} {
		t.Run(name, func(t *testing.T) {
			defer func() {
				if recover() == nil {
					t.Error("no panic")
				}
			}()
			mistake()
		})
	}
}
