package authtest

import (
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"time"

	"github.com/lestrrat-go/jwx/v2/jwa"
	"github.com/lestrrat-go/jwx/v2/jws"
)

// Claims are what a token says. What is zero is left out, but for TTL and
// TokenID, which have defaults. iat is always now.
type Claims struct {
	Subject     string        // sub
	Tenant      string        // tenant_id
	Permissions []string      // permissions
	Issuer      string        // iss
	Audience    []string      // aud, a plain string if there is one
	TokenID     string        // jti, by default a random one
	TTL         time.Duration // until exp, by default an hour
}

func (c Claims) members(now time.Time) map[string]any {
	if c.TTL == 0 {
		c.TTL = time.Hour
	}
	if c.TokenID == "" {
		c.TokenID = rand.Text()
	}
	m := map[string]any{"iat": now.Unix(), "exp": now.Add(c.TTL).Unix(), "jti": c.TokenID}
	for name, value := range map[string]string{"sub": c.Subject, "tenant_id": c.Tenant, "iss": c.Issuer} {
		if value != "" {
			m[name] = value
		}
	}
	if len(c.Permissions) > 0 {
		m["permissions"] = c.Permissions
	}
	if len(c.Audience) == 1 {
		m["aud"] = c.Audience[0]
	} else if len(c.Audience) > 1 {
		m["aud"] = c.Audience
	}
	return m
}

// Option makes a token other than Sign would, for tests of its refusal.
type Option func(*draft)

// draft is a token before it is signed.
type draft struct {
	header, claims map[string]any
	raw            []byte // instead of claims
	algorithm      jwa.SignatureAlgorithm
}

// Expired makes a token that was issued two hours ago and expired one ago.
func Expired() Option {
	return func(d *draft) {
		now := time.Now()
		d.claims["iat"] = now.Add(-2 * time.Hour).Unix()
		d.claims["exp"] = now.Add(-time.Hour).Unix()
	}
}

// WithClaim sets a claim to anything that has a JSON; nil removes it.
func WithClaim(name string, value any) Option {
	return func(d *draft) { set(d.claims, name, value) }
}

// WithHeader sets a header; nil removes it. The signature is made as if it were
// not there, so WithHeader("alg", "none") is a lie.
func WithHeader(name string, value any) Option {
	return func(d *draft) { set(d.header, name, value) }
}

// WithAlgorithm signs with another algorithm of the same key: an RSA key with
// PS256, say.
func WithAlgorithm(algorithm string) Option {
	return func(d *draft) {
		d.algorithm = jwa.SignatureAlgorithm(algorithm)
		d.header["alg"] = algorithm
	}
}

// WithRawClaims signs these bytes instead of claims, JSON or not.
func WithRawClaims(payload string) Option {
	return func(d *draft) { d.raw = []byte(payload) }
}

// Sign returns a token of the key with its kid and the claims.
func (k *Key) Sign(claims Claims, options ...Option) string {
	d := draft{
		header:    map[string]any{"alg": k.algorithm, "kid": k.id, "typ": "JWT"},
		claims:    claims.members(time.Now()),
		algorithm: k.algorithm,
	}
	for _, option := range options {
		option(&d)
	}
	payload := d.raw
	if payload == nil {
		payload = must(json.Marshal(d.claims))
	}
	return k.SignRaw(string(must(json.Marshal(d.header))), string(payload), d.algorithm.String())
}

// SignRaw returns a token of exactly this header and payload, signed by the
// algorithm whatever the header says.
func (k *Key) SignRaw(header, payload, algorithm string) string {
	signer := must(jws.NewSigner(jwa.SignatureAlgorithm(algorithm)))
	input := encode([]byte(header)) + "." + encode([]byte(payload))
	return input + "." + encode(must(signer.Sign([]byte(input), k.private)))
}

func encode(data []byte) string { return base64.RawURLEncoding.EncodeToString(data) }

func set(members map[string]any, name string, value any) {
	if value == nil {
		delete(members, name)
		return
	}
	members[name] = value
}
