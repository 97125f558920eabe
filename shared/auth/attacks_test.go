package auth_test

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/asn1"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"math/big"
	"net/http"
	"strings"
	"testing"
	"time"

	"fanfare/shared/auth"
	"fanfare/shared/auth/authtest"
)

// The tests of this file are the ways in which tokens have been forged. Each
// attack is made on a verifier that admits the honest token beside it.

type attack struct {
	name  string
	token string
	want  error
}

func run(t *testing.T, honest *authtest.Key, cfg auth.Config, attacks []attack) {
	t.Helper()
	if _, err := newVerifier(t, cfg).Verify(t.Context(), honest.Sign(alice())); err != nil {
		t.Fatalf("the honest token: %v", err)
	}
	for _, a := range attacks {
		t.Run(a.name, func(t *testing.T) { mustRefuse(t, cfg, a.token, a.want) })
	}
}

func b64(s string) string { return base64.RawURLEncoding.EncodeToString([]byte(s)) }

// parts of alice's honest token: header, payload, signature.
func parts(key *authtest.Key) (header, payload, signature string) {
	p := strings.Split(key.Sign(alice()), ".")
	return p[0], p[1], p[2]
}

func payloadOf(t *testing.T, token string) string {
	t.Helper()
	payload, err := base64.RawURLEncoding.DecodeString(strings.Split(token, ".")[1])
	if err != nil {
		t.Fatal(err)
	}
	return string(payload)
}

func TestAttackAlgorithmNone(t *testing.T) {
	_, payload, signature := parts(ours())
	for i := range 16 {
		alg := []byte("none")
		for bit := range alg {
			if i>>bit&1 == 1 {
				alg[bit] -= 'a' - 'A'
			}
		}
		header := b64(fmt.Sprintf(`{"alg":%q,"typ":"JWT"}`, alg))
		run(t, ours(), strict(ours()), []attack{
			{string(alg) + " without signature", header + "." + payload + ".", auth.ErrTokenMalformed},
			{string(alg) + " without the last dot", header + "." + payload, auth.ErrTokenMalformed},
			{string(alg) + " with an honest signature", header + "." + payload + "." + signature, auth.ErrAlgorithm},
		})
	}
}

func TestAttackAlgorithm(t *testing.T) {
	_, payload, signature := parts(ours())
	with := func(header string) string { return b64(header) + "." + payload + "." + signature }
	run(t, ours(), strict(ours()), []attack{
		{"no alg", with(`{"typ":"JWT"}`), auth.ErrTokenMalformed},
		{"empty alg", with(`{"alg":""}`), auth.ErrTokenMalformed},
		{"null alg", with(`{"alg":null}`), auth.ErrTokenMalformed},
		{"alg as a list", with(`{"alg":["RS256"]}`), auth.ErrTokenMalformed},
		{"alg under another case", with(`{"ALG":"RS256"}`), auth.ErrTokenMalformed},
		{"alg in lower case", with(`{"alg":"rs256"}`), auth.ErrAlgorithm},
		{"alg with a NUL", with(`{"alg":"RS256\u0000"}`), auth.ErrAlgorithm},
		{"an algorithm of the key that is not configured", ours().Sign(alice(), authtest.WithAlgorithm("PS256")), auth.ErrAlgorithm},
		{"RS256 in the header over a PS256 signature", ours().Sign(alice(), authtest.WithAlgorithm("PS256"), authtest.WithHeader("alg", "RS256")), auth.ErrSignature},
		{"ES256 with our kid", elliptic().Sign(alice(), authtest.WithHeader("kid", ours().ID())), auth.ErrAlgorithm},
	})

	both := strict(ours())
	both.Algorithms = []string{"RS256", "PS256", "ES256"}
	run(t, ours(), both, []attack{
		{"a configured algorithm that the JWK's alg rules out", ours().Sign(alice(), authtest.WithAlgorithm("PS256")), auth.ErrAlgorithm},
		{"ES256 in the header for an RSA key", ours().Sign(alice(), authtest.WithHeader("alg", "ES256")), auth.ErrAlgorithm},
	})
}

// The classic: the public key, which everyone has, taken for an HMAC secret.
func TestAttackHMACWithThePublicKey(t *testing.T) {
	block, _ := pem.Decode([]byte(ours().PublicPEM()))
	secrets := map[string]string{
		"PEM": ours().PublicPEM(), "PEM without the line break": strings.TrimSpace(ours().PublicPEM()),
		"DER": string(block.Bytes), "JWK": ours().PublicJWK(), "nothing": "",
	}
	_, payload, _ := parts(ours())
	for name, secret := range secrets {
		for _, config := range []string{ours().PublicPEM(), ours().PublicJWK()} {
			cfg := strict(ours())
			cfg.PublicKey = config
			input := b64(fmt.Sprintf(`{"alg":"HS256","kid":%q}`, ours().ID())) + "." + payload
			mac := hmac.New(sha256.New, []byte(secret))
			mac.Write([]byte(input))
			run(t, ours(), cfg, []attack{{name, input + "." + b64(string(mac.Sum(nil))), auth.ErrAlgorithm}})
		}
	}
}

func TestAttackSignature(t *testing.T) {
	header, payload, signature := parts(ours())
	other := ours().Sign(authtest.Claims{Subject: "mallory", Tenant: "t1"})
	otherParts := strings.Split(other, ".")
	raw, err := base64.RawURLEncoding.DecodeString(signature)
	if err != nil {
		t.Fatal(err)
	}
	flipped := append([]byte{}, raw...)
	flipped[100] ^= 1
	sign := func(s []byte) string { return header + "." + payload + "." + b64(string(s)) }
	run(t, ours(), strict(ours()), []attack{
		{"stripped", header + "." + payload + ".", auth.ErrTokenMalformed},
		{"stripped with its dot", header + "." + payload, auth.ErrTokenMalformed},
		{"of another token", header + "." + payload + "." + otherParts[2], auth.ErrSignature},
		{"kept under another payload", header + "." + otherParts[1] + "." + signature, auth.ErrSignature},
		{"one bit flipped", sign(flipped), auth.ErrSignature},
		{"cut short", sign(raw[:255]), auth.ErrSignature},
		{"with a byte more", sign(append(raw[:256:256], 0)), auth.ErrSignature},
		{"all zero", sign(make([]byte, 256)), auth.ErrSignature},
		{"all ones", sign([]byte(strings.Repeat("\xff", 256))), auth.ErrSignature},
		{"of a stranger's key with our kid", theirs().Sign(alice(), authtest.WithHeader("kid", ours().ID())), auth.ErrSignature},
		{"of a stranger's key", theirs().Sign(alice()), auth.ErrKeyUnknown},
		{"of a stranger's key without kid", theirs().Sign(alice(), authtest.WithHeader("kid", nil)), auth.ErrSignature},
	})
}

// CVE-2022-21449, the "psychic signature", and its relatives.
func TestAttackECDSASignature(t *testing.T) {
	header, payload, signature := parts(elliptic())
	raw, err := base64.RawURLEncoding.DecodeString(signature)
	if err != nil || len(raw) != 64 {
		t.Fatalf("signature of %d bytes, %v", len(raw), err)
	}
	order, _ := new(big.Int).SetString("ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551", 16)
	n, zero, r, s := string(order.Bytes()), strings.Repeat("\x00", 32), string(raw[:32]), string(raw[32:])
	der, err := asn1.Marshal(struct{ R, S *big.Int }{new(big.Int).SetBytes(raw[:32]), new(big.Int).SetBytes(raw[32:])})
	if err != nil {
		t.Fatal(err)
	}
	sign := func(s string) string { return header + "." + payload + "." + b64(s) }
	run(t, elliptic(), strict(elliptic()), []attack{
		{"r and s zero", sign(zero + zero), auth.ErrSignature},
		{"r zero", sign(zero + s), auth.ErrSignature},
		{"s zero", sign(r + zero), auth.ErrSignature},
		{"r and s the order", sign(n + n), auth.ErrSignature},
		{"s the order", sign(r + n), auth.ErrSignature},
		{"63 bytes", sign(r + s[:31]), auth.ErrSignature},
		{"65 bytes", sign(r + s + "\x00"), auth.ErrSignature},
		{"zeros put before both halves", sign("\x00" + r + "\x00" + s), auth.ErrSignature},
		{"one byte", sign("\x00"), auth.ErrSignature},
		{"in ASN.1", sign(string(der)), auth.ErrSignature},
		{"of P-384", authtest.NewKeyFor("ES384").Sign(alice(), authtest.WithHeader("alg", "ES256"), authtest.WithHeader("kid", elliptic().ID())), auth.ErrSignature},
	})
}

func TestAttackKeyID(t *testing.T) {
	noise := make([]byte, 8<<10)
	_, _ = rand.Read(noise)
	kid := func(v any) string { return theirs().Sign(alice(), authtest.WithHeader("kid", v)) }
	run(t, ours(), strict(ours()), []attack{
		{"path traversal", kid("../../../../dev/null"), auth.ErrKeyUnknown},
		{"a file URL", kid("file:///proc/self/environ"), auth.ErrKeyUnknown},
		{"SQL", kid("x' UNION SELECT 'secret' -- "), auth.ErrKeyUnknown},
		{"a shell command", kid("|/bin/true"), auth.ErrKeyUnknown},
		{"another's kid in other case", kid(strings.ToUpper(ours().ID())), auth.ErrKeyUnknown},
		{"8 KB of noise", kid(base64.StdEncoding.EncodeToString(noise)), auth.ErrTokenMalformed},
		{"4 KB of noise", kid(base64.StdEncoding.EncodeToString(noise[:3<<10])), auth.ErrTokenMalformed},
		{"257 bytes", kid(strings.Repeat("k", 257)), auth.ErrTokenMalformed},
		{"a forged log line", kid("x\n{\"level\":\"INFO\",\"msg\":\"token admitted\"}"), auth.ErrTokenMalformed},
		{"a NUL", kid(ours().ID() + "\x00"), auth.ErrTokenMalformed},
		{"empty", kid(""), auth.ErrTokenMalformed},
		{"a number", kid(1), auth.ErrTokenMalformed},
		{"a list", kid([]string{ours().ID()}), auth.ErrTokenMalformed},
	})
}

// A token must not bring, nor name, the key that it is to be verified with.
func TestAttackKeyInTheHeader(t *testing.T) {
	asked := 0
	cfg := strict(ours())
	cfg.HTTPClient = &http.Client{Transport: roundTrip(func(*http.Request) (*http.Response, error) {
		asked++
		return nil, fmt.Errorf("no network here")
	})}
	certificate := base64.StdEncoding.EncodeToString(selfSigned(t))
	for _, kid := range []any{nil, ours().ID()} {
		with := func(name string, value any) string {
			return theirs().Sign(alice(), authtest.WithHeader(name, value), authtest.WithHeader("kid", kid))
		}
		run(t, ours(), cfg, []attack{
			{"jwk", with("jwk", json.RawMessage(theirs().PublicJWK())), auth.ErrSignature},
			{"jku", with("jku", "https://attacker.test/jwks.json"), auth.ErrSignature},
			{"x5u", with("x5u", "https://attacker.test/cert.pem"), auth.ErrSignature},
			{"x5c", with("x5c", []string{certificate}), auth.ErrSignature},
		})
	}
	if asked != 0 {
		t.Errorf("%d requests went out", asked)
	}
}

func TestAttackForm(t *testing.T) {
	header, payload, signature := parts(ours())
	honest := header + "." + payload + "." + signature
	raw := func(header, payload string) string { return ours().SignRaw(header, payload, "RS256") }
	const rs256 = `{"alg":"RS256"}`
	claims := payloadOf(t, honest)
	standard := base64.StdEncoding.EncodeToString
	run(t, ours(), strict(ours()), []attack{
		{"nothing", "", auth.ErrTokenMissing},
		{"no dots", "token", auth.ErrTokenMalformed},
		{"only dots", "..", auth.ErrTokenMalformed},
		{"a thousand dots", strings.Repeat(".", 1000), auth.ErrTokenMalformed},
		{"a part more", honest + ".x", auth.ErrTokenMalformed},
		{"encrypted", "a.b.c.d.e", auth.ErrTokenMalformed},
		{"enc in the header", ours().Sign(alice(), authtest.WithHeader("enc", "A128GCM")), auth.ErrTokenMalformed},
		{"nested", ours().Sign(alice(), authtest.WithHeader("cty", "JWT"), authtest.WithRawClaims(honest)), auth.ErrTokenMalformed},
		{"JSON serialization", fmt.Sprintf(`{"payload":%q,"protected":%q,"signature":%q}`, payload, header, signature), auth.ErrTokenMalformed},
		{"over 8 KB", ours().Sign(alice(), authtest.WithClaim("x", strings.Repeat("x", 8<<10))), auth.ErrTokenMalformed},
		{"a logout token", ours().Sign(alice(), authtest.WithHeader("typ", "logout+jwt")), auth.ErrTokenMalformed},
		{"a DPoP proof", ours().Sign(alice(), authtest.WithHeader("typ", "dpop+jwt")), auth.ErrTokenMalformed},
		{"typ as a number", ours().Sign(alice(), authtest.WithHeader("typ", 1)), auth.ErrTokenMalformed},

		{"an unknown critical header", ours().Sign(alice(), authtest.WithHeader("crit", []string{"x"}), authtest.WithHeader("x", 1)), auth.ErrTokenMalformed},
		{"an unencoded payload", ours().Sign(alice(), authtest.WithHeader("crit", []string{"b64"}), authtest.WithHeader("b64", false)), auth.ErrTokenMalformed},
		{"an empty crit", ours().Sign(alice(), authtest.WithHeader("crit", []string{})), auth.ErrTokenMalformed},

		{"alg twice", raw(`{"alg":"none","alg":"RS256"}`, claims), auth.ErrTokenMalformed},
		{"alg twice by escapes", raw(`{"alg":"none","\u0061lg":"RS256"}`, claims), auth.ErrTokenMalformed},
		{"sub twice", raw(rs256, `{"sub":"root",`+claims[1:]), auth.ErrTokenMalformed},
		{"tenant twice by escapes", raw(rs256, `{"ten\u0061nt_id":"t9",`+claims[1:]), auth.ErrTokenMalformed},
		{"data after the header", raw(rs256+`{}`, claims), auth.ErrTokenMalformed},
		{"data after the payload", raw(rs256, claims+`{"sub":"root"}`), auth.ErrTokenMalformed},
		{"a NUL after the payload", raw(rs256, claims+"\x00"), auth.ErrTokenMalformed},
		{"header is a list", raw(`["RS256"]`, claims), auth.ErrTokenMalformed},
		{"header is null", raw(`null`, claims), auth.ErrTokenMalformed},
		{"payload is a list", raw(rs256, `[`+claims+`]`), auth.ErrTokenMalformed},
		{"payload is a string", raw(rs256, `"alice"`), auth.ErrTokenMalformed},
		{"payload is not JSON", raw(rs256, claims[:len(claims)-1]), auth.ErrTokenMalformed},
		{"payload is not UTF-8", raw(rs256, `{"x":"`+"\xff"+`",`+claims[1:]), auth.ErrTokenMalformed},
		{"payload is deep", raw(rs256, strings.Repeat("[", 3000)), auth.ErrTokenMalformed},

		{"padding after the signature", honest + "==", auth.ErrTokenMalformed},
		{"padding after the payload", header + "." + payload + "=." + signature, auth.ErrTokenMalformed},
		{"a line break in the payload", header + "." + payload[:20] + "\n" + payload[20:] + "." + signature, auth.ErrTokenMalformed},
		{"a line break in the signature", honest[:len(honest)-9] + "\r\n" + honest[len(honest)-9:], auth.ErrTokenMalformed},
		{"a line break after the token", honest + "\n", auth.ErrTokenMalformed},
		{"a space before the token", " " + honest, auth.ErrTokenMalformed},
		{"a space after the token", honest + " ", auth.ErrTokenMalformed},
		{"the standard alphabet", header + "." + payload + "." + standard([]byte("\xfb\xff\xfe")), auth.ErrTokenMalformed},
		{"stray bits in the last character", honest[:len(honest)-1] + sibling(honest[len(honest)-1]), auth.ErrTokenMalformed},
		{"percent escapes", strings.ReplaceAll(honest, ".", "%2e"), auth.ErrTokenMalformed},
	})
}

// sibling returns a character that a lax decoder reads like c at the end of 256
// bytes: it differs in bits that are cut off.
func sibling(c byte) string {
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	return string(alphabet[strings.IndexByte(alphabet, c)|1])
}

func TestAttackTimes(t *testing.T) {
	with := func(name, value string) string {
		return ours().Sign(alice(), authtest.WithClaim(name, json.RawMessage(value)))
	}
	// By hand, so that each number gets into the token as it is written here.
	raw := func(exp string) string {
		return ours().Sign(alice(), authtest.WithRawClaims(fmt.Sprintf(
			`{"sub":"alice","tenant_id":"t1","iss":%q,"aud":%q,"exp":%s}`, issuerName, audience, exp)))
	}
	future := time.Now().Add(time.Hour).Unix()
	if _, err := newVerifier(t, strict(ours())).Verify(t.Context(), raw(fmt.Sprint(future))); err != nil {
		t.Fatalf("the honest raw token: %v", err)
	}
	run(t, ours(), strict(ours()), []attack{
		{"expired", ours().Sign(alice(), authtest.Expired()), auth.ErrTokenExpired},
		{"no exp", ours().Sign(alice(), authtest.WithClaim("exp", nil)), auth.ErrClaims},
		{"exp as a string", raw(fmt.Sprintf("%q", fmt.Sprint(future))), auth.ErrClaims},
		{"exp as a date", raw(`"2999-01-01T00:00:00Z"`), auth.ErrClaims},
		{"exp null", raw(`null`), auth.ErrClaims},
		{"exp true", raw(`true`), auth.ErrClaims},
		{"exp as a list", raw(fmt.Sprintf("[%d]", future)), auth.ErrClaims},
		{"exp 1e400", raw(`1e400`), auth.ErrClaims},
		{"exp 1e300", raw(`1e300`), auth.ErrClaims},
		{"exp past the year 9999", raw(`253402300800`), auth.ErrClaims},
		{"exp in milliseconds", raw(fmt.Sprint(future * 1000)), auth.ErrClaims},
		{"exp beyond 64 bits", raw(`18446744073709551616`), auth.ErrClaims},
		{"exp negative", raw(fmt.Sprint(-future)), auth.ErrClaims},
		{"exp minus zero", raw(`-0`), auth.ErrClaims},
		{"exp zero", raw(`0`), auth.ErrTokenExpired},
		{"exp a float of the past", raw(`1.5e9`), auth.ErrTokenExpired},
		{"exp tiny", raw(`1e-400`), auth.ErrTokenExpired},
		{"exp NaN", raw(`NaN`), auth.ErrTokenMalformed},
		{"exp in hexadecimal", raw(`0x7fffffff`), auth.ErrTokenMalformed},
		{"nbf ahead", with("nbf", fmt.Sprint(time.Now().Add(time.Minute).Unix())), auth.ErrTokenNotYetValid},
		{"iat ahead", with("iat", fmt.Sprint(time.Now().Add(time.Minute).Unix())), auth.ErrTokenNotYetValid},
		{"nbf as a string", with("nbf", `"0"`), auth.ErrClaims},
		{"nbf null", with("nbf", `null`), auth.ErrClaims},
		{"iat negative", with("iat", `-1`), auth.ErrClaims},
	})
}

func TestAttackIssuerAndAudience(t *testing.T) {
	with := func(name string, value any) string { return ours().Sign(alice(), authtest.WithClaim(name, value)) }
	foreign := alice()
	foreign.Issuer, foreign.Tenant = "https://tenant-b.test/", "t1"
	run(t, ours(), strict(ours()), []attack{
		{"a foreign iss", with("iss", "https://attacker.test/"), auth.ErrIssuer},
		{"an iss that only begins like ours", with("iss", issuerName+"x"), auth.ErrIssuer},
		{"an iss without its slash", with("iss", strings.TrimSuffix(issuerName, "/")), auth.ErrIssuer},
		{"no iss", with("iss", nil), auth.ErrIssuer},
		{"iss as a list", with("iss", []string{issuerName}), auth.ErrClaims},
		{"a foreign aud as a string", with("aud", "shop"), auth.ErrAudience},
		{"a foreign aud as a list", with("aud", []string{"shop", "fan", "fanfare2"}), auth.ErrAudience},
		{"an empty list as aud", with("aud", []string{}), auth.ErrAudience},
		{"no aud", with("aud", nil), auth.ErrAudience},
		{"aud as an object", with("aud", map[string]string{"fanfare": "fanfare"}), auth.ErrClaims},
		{"aud with a number in it", with("aud", []any{audience, 1}), auth.ErrClaims},
		{"aud of 101 entries", with("aud", append(make([]string, 100), audience)), auth.ErrClaims},
		{"a valid token of another tenant's issuer", theirs().Sign(foreign), auth.ErrKeyUnknown},
		{"the same with our kid", theirs().Sign(foreign, authtest.WithHeader("kid", ours().ID())), auth.ErrSignature},
		{"the same under our own key", ours().Sign(foreign), auth.ErrIssuer},
	})
}

func TestAttackIdentity(t *testing.T) {
	with := func(name string, value any) string { return ours().Sign(alice(), authtest.WithClaim(name, value)) }
	var attacks []attack
	for claim, limit := range map[string]int{"sub": auth.MaxUser, "tenant_id": auth.MaxTenant, "jti": 256} {
		attacks = append(attacks,
			attack{claim + " empty", with(claim, ""), auth.ErrClaims},
			attack{claim + " a number", with(claim, 7), auth.ErrClaims},
			attack{claim + " null", with(claim, json.RawMessage("null")), auth.ErrClaims},
			attack{claim + " a list", with(claim, []string{"a"}), auth.ErrClaims},
			attack{claim + " too long", with(claim, strings.Repeat("a", limit+1)), auth.ErrClaims},
			attack{claim + " with a line break", with(claim, "a\nb"), auth.ErrClaims},
			attack{claim + " with a NUL", with(claim, "a\x00"), auth.ErrClaims},
			attack{claim + " a lone surrogate", with(claim, json.RawMessage(`"\ud800"`)), auth.ErrClaims},
		)
	}
	run(t, ours(), strict(ours()), append(attacks, []attack{
		{"no sub", with("sub", nil), auth.ErrClaims},
		{"no tenant", with("tenant_id", nil), auth.ErrClaims},
		{"sub under another case", ours().Sign(alice(), authtest.WithClaim("sub", nil), authtest.WithClaim("SUB", "root")), auth.ErrClaims},
		{"permissions a number", with("permissions", 1), auth.ErrClaims},
		{"permissions null", with("permissions", json.RawMessage("null")), auth.ErrClaims},
		{"permissions an object", with("permissions", map[string]bool{"broadcast:*": true}), auth.ErrClaims},
		{"permissions with a number in them", with("permissions", []any{"a", 1}), auth.ErrClaims},
		{"permissions with an empty one", with("permissions", []string{""}), auth.ErrClaims},
		{"permissions with a tab", with("permissions", "a\tb"), auth.ErrClaims},
		{"101 permissions", with("permissions", strings.Fields(strings.Repeat("a ", 101))), auth.ErrClaims},
		{"101 permissions in a string", with("permissions", strings.Repeat("a ", 101)), auth.ErrClaims},
		{"a permission of 257 bytes", with("permissions", strings.Repeat("a", 257)), auth.ErrClaims},
	}...))
}

// selfSigned returns a certificate of the attacker's key.
func selfSigned(t *testing.T) []byte {
	t.Helper()
	block, _ := pem.Decode([]byte(theirs().PrivatePEM()))
	private, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	template := x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(-time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, &template, &template, theirs().Public(), private)
	if err != nil {
		t.Fatal(err)
	}
	return der
}

type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }
