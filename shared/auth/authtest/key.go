package authtest

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"

	"github.com/lestrrat-go/jwx/v2/jwa"
	"github.com/lestrrat-go/jwx/v2/jwk"
)

// Key is a private key that signs tokens. It does not change and is safe for
// concurrent use.
type Key struct {
	private   crypto.Signer
	algorithm jwa.SignatureAlgorithm
	id        string
}

// NewKey returns a new RSA key of 2,048 bits for RS256. Making it takes some
// tenths of a second.
func NewKey() *Key { return NewKeyFor(jwa.RS256.String()) }

// NewKeyFor returns a new key for RS, PS or ES 256, 384 or 512, or EdDSA.
func NewKeyFor(algorithm string) *Key {
	var private crypto.Signer
	var err error
	switch alg := jwa.SignatureAlgorithm(algorithm); alg {
	case jwa.RS256, jwa.RS384, jwa.RS512, jwa.PS256, jwa.PS384, jwa.PS512:
		private, err = rsa.GenerateKey(rand.Reader, 2048)
	case jwa.ES256:
		private, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	case jwa.ES384:
		private, err = ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	case jwa.ES512:
		private, err = ecdsa.GenerateKey(elliptic.P521(), rand.Reader)
	case jwa.EdDSA:
		_, private, err = ed25519.GenerateKey(rand.Reader)
	default:
		err = fmt.Errorf("no keys are made for algorithm %q", algorithm)
	}
	return must(newKey(private, jwa.SignatureAlgorithm(algorithm), err))
}

// ParseKeyPEM reads what PrivatePEM wrote, or any PKCS #8 private key: RSA for
// RS256, ECDSA for the algorithm of its curve, Ed25519 for EdDSA. The error
// holds nothing of the key.
func ParseKeyPEM(text string) (*Key, error) {
	block, _ := pem.Decode([]byte(text))
	if block == nil || block.Type != "PRIVATE KEY" {
		return nil, errors.New("authtest: not a PKCS #8 private key in PEM")
	}
	parsed, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		return nil, errors.New("authtest: the private key cannot be read")
	}
	switch private := parsed.(type) {
	case *rsa.PrivateKey:
		return newKey(private, jwa.RS256, nil)
	case *ecdsa.PrivateKey:
		algorithm := map[int]jwa.SignatureAlgorithm{256: jwa.ES256, 384: jwa.ES384, 521: jwa.ES512}
		return newKey(private, algorithm[private.Params().BitSize], nil)
	case ed25519.PrivateKey:
		return newKey(private, jwa.EdDSA, nil)
	}
	return nil, errors.New("authtest: the private key is neither RSA nor ECDSA nor Ed25519")
}

func newKey(private crypto.Signer, algorithm jwa.SignatureAlgorithm, err error) (*Key, error) {
	if err != nil {
		return nil, err
	}
	if algorithm == "" {
		return nil, errors.New("authtest: no algorithm fits the key's curve")
	}
	public, err := jwk.FromRaw(private.Public())
	if err != nil {
		return nil, err
	}
	// RFC 7638: a key that was written and read again keeps its id.
	thumbprint, err := public.Thumbprint(crypto.SHA256)
	if err != nil {
		return nil, err
	}
	id := base64.RawURLEncoding.EncodeToString(thumbprint)
	return &Key{private: private, algorithm: algorithm, id: id}, nil
}

// ID returns the kid, the key's SHA-256 thumbprint (RFC 7638).
func (k *Key) ID() string { return k.id }

// Algorithm returns what the key signs with, such as "RS256".
func (k *Key) Algorithm() string { return k.algorithm.String() }

// Public returns the public key: *rsa.PublicKey, *ecdsa.PublicKey or
// ed25519.PublicKey.
func (k *Key) Public() crypto.PublicKey { return k.private.Public() }

// PublicPEM returns the public key as JWT_PUBLIC_KEY takes it.
func (k *Key) PublicPEM() string {
	return encodePEM("PUBLIC KEY", must(x509.MarshalPKIXPublicKey(k.private.Public())))
}

// PrivatePEM returns the private key in PKCS #8, for ParseKeyPEM.
func (k *Key) PrivatePEM() string {
	return encodePEM("PRIVATE KEY", must(x509.MarshalPKCS8PrivateKey(k.private)))
}

// PublicJWK returns the public key as a JWK with kid, alg and use.
func (k *Key) PublicJWK() string {
	public := must(jwk.FromRaw(k.private.Public()))
	for name, value := range map[string]any{
		jwk.KeyIDKey: k.id, jwk.AlgorithmKey: k.algorithm, jwk.KeyUsageKey: jwk.ForSignature,
	} {
		if err := public.Set(name, value); err != nil {
			panic("authtest: " + err.Error())
		}
	}
	return string(must(json.Marshal(public)))
}

// JWKS returns the public halves of keys as a JWK Set (RFC 7517 §5).
func JWKS(keys ...*Key) string {
	set := struct {
		Keys []json.RawMessage `json:"keys"`
	}{Keys: []json.RawMessage{}}
	for _, k := range keys {
		set.Keys = append(set.Keys, json.RawMessage(k.PublicJWK()))
	}
	return string(must(json.Marshal(set)))
}

func encodePEM(kind string, der []byte) string {
	return string(pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}))
}

// must is for what can only fail if the test is wrong.
func must[T any](v T, err error) T {
	if err != nil {
		panic("authtest: " + err.Error())
	}
	return v
}
