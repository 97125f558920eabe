package auth_test

import (
	"context"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"strings"
	"testing"

	"fanfare/shared/auth"
	"fanfare/shared/auth/authtest"
)

func TestPublicKeyMayHaveMoreThanOneForm(t *testing.T) {
	rsa := ours()
	rsaBlock, _ := pem.Decode([]byte(rsa.PublicPEM()))
	certificate := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: selfSigned(t)}) // of theirs()
	for name, text := range map[string]string{
		"PEM":                           rsa.PublicPEM(),
		"PEM in one line":               strings.ReplaceAll(rsa.PublicPEM(), "\n", `\n`),
		"PEM with space around":         "\n  " + rsa.PublicPEM() + "\n\n",
		"PEM with CRLF":                 strings.ReplaceAll(rsa.PublicPEM(), "\n", "\r\n"),
		"PKCS #1":                       pkcs1(t, rsaBlock.Bytes),
		"two PEMs":                      theirs().PublicPEM() + rsa.PublicPEM(),
		"a certificate and a PEM":       string(certificate) + rsa.PublicPEM(),
		"JWK":                           rsa.PublicJWK(),
		"JWKS":                          authtest.JWKS(theirs(), rsa),
		"JWKS with an encryption key":   `{"keys":[{"use":"enc","kty":"RSA"},` + rsa.PublicJWK() + `]}`,
		"JWKS with a key of other algs": authtest.JWKS(elliptic(), rsa),
		"JWK with key_ops":              `{"key_ops":["verify"],` + rsa.PublicJWK()[1:],
		"JWK with x5u and a broken x5c": `{"x5u":"https://attacker.test","x5c":["?"],` + rsa.PublicJWK()[1:],
	} {
		t.Run(name, func(t *testing.T) {
			cfg := strict(rsa)
			cfg.PublicKey = text
			mustAdmit(t, newVerifier(t, cfg), rsa.Sign(alice()), "our token")
		})
	}
	cfg := strict(rsa)
	cfg.PublicKey = string(certificate)
	mustAdmit(t, newVerifier(t, cfg), theirs().Sign(alice()), "a token of the certificate's key")
}

func TestNewVerifierNamesTheVariableAtFault(t *testing.T) {
	good := ours().PublicPEM()
	key := func(text string) auth.Config { return auth.Config{PublicKey: text} }
	body := strings.Split(good, "\n")
	tests := []struct {
		name     string
		cfg      auth.Config
		variable string
		problem  string
	}{
		{"no key at all", auth.Config{}, "JWT_PUBLIC_KEY", "JWT_JWKS_URL"},
		{"blank key", key(" \n"), "JWT_PUBLIC_KEY", "missing"},
		{"noise", key("hunter2"), "JWT_PUBLIC_KEY", "is not a PEM"},
		{"a PEM cut short", key(body[0] + "\n" + body[1]), "JWT_PUBLIC_KEY", "is not a PEM"},
		{"noise after the PEM", key(good + "hunter2"), "JWT_PUBLIC_KEY", "is not a PEM"},
		{"a broken PEM before a good one", key("-----BEGIN PUBLIC KEY-----\n?\n" + good), "JWT_PUBLIC_KEY", "is not a PEM"},
		{"a PEM of noise", key("-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n"), "JWT_PUBLIC_KEY", "cannot be read"},
		{"a certificate request", key("-----BEGIN CERTIFICATE REQUEST-----\nAAAA\n-----END CERTIFICATE REQUEST-----\n"), "JWT_PUBLIC_KEY", "neither a public key nor a certificate"},
		{"a private key", key(ours().PrivatePEM()), "JWT_PUBLIC_KEY", "private key"},
		{"a private JWK", key(`{"d":"AQAB",` + ours().PublicJWK()[1:]), "JWT_PUBLIC_KEY", "private"},
		{"a symmetric JWK", key(`{"kty":"oct","k":"aHVudGVyMg"}`), "JWT_PUBLIC_KEY", "symmetric"},
		{"a weak JWK", key(weakJWK()), "JWT_PUBLIC_KEY", "has 1024 bits"},
		{"a weak JWK beside a good one", key(`{"keys":[` + weakJWK() + `,` + ours().PublicJWK() + `]}`), "JWT_PUBLIC_KEY", "key 1 has 1024 bits"},
		{"an even exponent", key(strings.Replace(ours().PublicJWK(), "AQAB", "AQAA", 1)), "JWT_PUBLIC_KEY", "exponent"},
		{"an exponent of one", key(strings.Replace(ours().PublicJWK(), "AQAB", "AQ", 1)), "JWT_PUBLIC_KEY", "exponent"},
		{"an exponent that 64 bits would cut to 65537", key(strings.Replace(ours().PublicJWK(), "AQAB", "AQAAAAAAAQAB", 1)), "JWT_PUBLIC_KEY", "exponent"},
		{"a point off the curve", key(`{"kty":"EC","crv":"P-256","x":"AQ","y":"AQ"}`), "JWT_PUBLIC_KEY", "P-256"},
		{"an X25519 key", key(`{"kty":"OKP","crv":"X25519","x":"` + strings.Repeat("A", 43) + `"}`), "JWT_PUBLIC_KEY", "neither RSA"},
		{"a short Ed25519 key", key(`{"kty":"OKP","crv":"Ed25519","x":"AAAA"}`), "JWT_PUBLIC_KEY", "Ed25519"},
		{"a JWKS of nothing", key(`{"keys":[]}`), "JWT_PUBLIC_KEY", "holds no key"},
		{"a JWKS that is no list", key(`{"keys":"hunter2"}`), "JWT_PUBLIC_KEY", "not a list"},
		{"a JWK with a member twice", key(`{"kid":"x",` + ours().PublicJWK()[1:]), "JWT_PUBLIC_KEY", "distinct"},
		{"a kid of 257 bytes", key(strings.Replace(ours().PublicJWK(), ours().ID(), strings.Repeat("k", 257), 1)), "JWT_PUBLIC_KEY", "kid"},
		{"a key for encryption", key(`{"key_ops":["encrypt"],` + ours().PublicJWK()[1:]), "JWT_PUBLIC_KEY", "holds no key"},
		{"a key of another algorithm", key(elliptic().PublicPEM()), "JWT_PUBLIC_KEY", "JWT_ALGORITHMS"},

		{"none", auth.Config{PublicKey: good, Algorithms: []string{"none"}}, "JWT_ALGORITHMS", `"none"`},
		{"HS256", auth.Config{PublicKey: good, Algorithms: []string{"RS256", "HS256"}}, "JWT_ALGORITHMS", `"HS256"`},
		{"ES256K", auth.Config{PublicKey: good, Algorithms: []string{"ES256K"}}, "JWT_ALGORITHMS", "ES256K"},
		{"lower case", auth.Config{PublicKey: good, Algorithms: []string{"rs256"}}, "JWT_ALGORITHMS", "rs256"},
		{"a blank algorithm", auth.Config{PublicKey: good, Algorithms: []string{""}}, "JWT_ALGORITHMS", "empty"},
		{"a blank issuer", auth.Config{PublicKey: good, Issuers: []string{""}}, "JWT_ISSUER", "empty"},
		{"a blank audience", auth.Config{PublicKey: good, Audiences: []string{"a", ""}}, "JWT_AUDIENCE", "empty"},
		{"a blank tenant", auth.Config{PublicKey: good, AllowedTenants: []string{""}}, "ALLOWED_TENANTS", "empty"},
		{"a tenant with a space", auth.Config{PublicKey: good, AllowedTenants: []string{"a", " b"}}, "ALLOWED_TENANTS", "spaces"},
		{"a claim with a space", auth.Config{PublicKey: good, TenantClaim: "org "}, "JWT_TENANT_CLAIM", "spaces"},
		{"one claim for both", auth.Config{PublicKey: good, PermissionsClaim: "tenant_id"}, "JWT_PERMISSIONS_CLAIM", "JWT_TENANT_CLAIM"},

		{"plain http", auth.Config{JWKSURL: "http://issuer.test/"}, "JWT_JWKS_URL", "https"},
		{"a file", auth.Config{JWKSURL: "file:///etc/keys"}, "JWT_JWKS_URL", "not a URL"},
		{"a file on a host", auth.Config{JWKSURL: "file://localhost/keys"}, "JWT_JWKS_URL", "https"},
		{"plain http to a name that begins like this machine", auth.Config{JWKSURL: "http://localhost.issuer.test/"}, "JWT_JWKS_URL", "https"},
		{"plain http to a name that begins like its address", auth.Config{JWKSURL: "http://127.0.0.1.issuer.test/"}, "JWT_JWKS_URL", "https"},
		{"plain http to the metadata service", auth.Config{JWKSURL: "http://169.254.169.254/"}, "JWT_JWKS_URL", "https"},
		{"no host", auth.Config{JWKSURL: "issuer.test"}, "JWT_JWKS_URL", "not a URL"},
		{"a password", auth.Config{JWKSURL: "https://u:hunter2@issuer.test/"}, "JWT_JWKS_URL", "user"},
		{"no URL", auth.Config{JWKSURL: "https://hunter2\x7f/"}, "JWT_JWKS_URL", "not a URL"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := auth.NewVerifier(t.Context(), tt.cfg)
			configError, ok := errors.AsType[*auth.ConfigError](err)
			if !ok || configError.Variable != tt.variable || !strings.Contains(configError.Problem, tt.problem) {
				t.Fatalf("error is %v, want one of %s that says %q", err, tt.variable, tt.problem)
			}
			line := err.Error()
			if strings.ContainsAny(line, "\r\n") || strings.Contains(line, "hunter2") || !strings.HasPrefix(line, tt.variable+": ") {
				t.Errorf("not one line that names the variable and holds no secret: %q", line)
			}
		})
	}
}

func TestNewVerifierWarnsOfOpenSettings(t *testing.T) {
	var log journal
	newVerifier(t, auth.Config{PublicKey: ours().PublicPEM(), Logger: log.logger()})
	for _, variable := range []string{"JWT_ISSUER", "JWT_AUDIENCE"} {
		if strings.Count(log.String(), variable+" is empty") != 1 {
			t.Errorf("no warning of %s: %s", variable, log.String())
		}
	}
	log = journal{}
	cfg := strict(ours())
	cfg.Logger = log.logger()
	newVerifier(t, cfg)
	if log.String() != "" {
		t.Errorf("a strict configuration is warned of: %s", log.String())
	}
}

func TestNewVerifierKeepsNothingOfTheCallersLists(t *testing.T) {
	cfg := strict(ours())
	v := newVerifier(t, cfg)
	clear(cfg.Issuers)
	clear(cfg.Audiences)
	mustAdmit(t, v, ours().Sign(alice()), "after the caller changed its lists")
}

func pkcs1(t *testing.T, pkix []byte) string {
	t.Helper()
	// A PKIX key ends with the PKCS #1 one, in a bit string after 24 bytes.
	der := pkix[24:]
	if _, err := x509.ParsePKCS1PublicKey(der); err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "RSA PUBLIC KEY", Bytes: der}))
}

func Example() {
	ctx := context.Background()
	key := authtest.NewKey()
	verifier, err := auth.NewVerifier(ctx, auth.Config{
		PublicKey: key.PublicPEM(),
		Issuers:   []string{"https://issuer.example/"},
		Audiences: []string{"fanfare"},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	token := key.Sign(authtest.Claims{
		Subject: "u1", Tenant: "t1", Permissions: []string{"subscribe:*"},
		Issuer: "https://issuer.example/", Audience: []string{"fanfare"},
	})
	identity, err := verifier.Verify(ctx, token)
	fmt.Println(identity.User, identity.Tenant, identity.Permissions, err)

	_, err = verifier.Verify(ctx, token+"x")
	fmt.Println(auth.Code(err), "-", auth.Message(err))
	// Output:
	// u1 t1 [subscribe:*] <nil>
	// TOKEN_MALFORMED - the token is not a valid JSON Web Token
}
