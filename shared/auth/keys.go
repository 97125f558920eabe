package auth

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"errors"
	"fmt"
	"slices"

	"github.com/lestrrat-go/jwx/v2/jwa"
	"github.com/lestrrat-go/jwx/v2/jws"
)

// Limits of RSA keys in bits. NIST SP 800-131A rules out shorter ones; longer
// ones would let a key decide how much time a signature costs us.
const (
	minRSABits = 2048
	maxRSABits = 8192
)

// maxTries bounds how many signatures one token makes us check.
const maxTries = 8

// errNotUsed marks a key that is none of our business, such as one for
// encryption, as opposed to one that is bad.
var errNotUsed = errors.New("is not for verifying tokens with the algorithms of JWT_ALGORITHMS")

// verifyKey is a public key with what it may be used for.
type verifyKey struct {
	id         string // kid, "" if it has none
	public     any    // *rsa.PublicKey, *ecdsa.PublicKey or ed25519.PublicKey
	algorithms []jwa.SignatureAlgorithm
}

// newVerifyKey refuses a weak key with an error that begins with a verb, and
// one that no accepted algorithm fits with errNotUsed. restrict is the key's own
// alg, "" for none.
func newVerifyKey(id string, public any, restrict string, accepted []jwa.SignatureAlgorithm) (verifyKey, error) {
	if len(id) > maxKeyID {
		return verifyKey{}, fmt.Errorf("has a kid of more than %d bytes", maxKeyID)
	}
	fitting, err := algorithmsOf(public)
	if err != nil {
		return verifyKey{}, err
	}
	usable := slices.DeleteFunc(slices.Clone(accepted), func(a jwa.SignatureAlgorithm) bool {
		return !slices.Contains(fitting, a) || restrict != "" && restrict != a.String()
	})
	if len(usable) == 0 {
		return verifyKey{}, errNotUsed
	}
	return verifyKey{id: id, public: public, algorithms: usable}, nil
}

// algorithmsOf returns what a key of this type and curve can verify (RFC 7518
// §3.1: each ES algorithm has one curve).
func algorithmsOf(public any) ([]jwa.SignatureAlgorithm, error) {
	switch key := public.(type) {
	case *rsa.PublicKey:
		if bits := key.N.BitLen(); bits < minRSABits || bits > maxRSABits {
			return nil, fmt.Errorf("has %d bits, RSA keys must have %d to %d", bits, minRSABits, maxRSABits)
		}
		if key.E < 3 || key.E%2 == 0 {
			return nil, errors.New("has an RSA exponent that is not an odd number over 2")
		}
		return []jwa.SignatureAlgorithm{jwa.RS256, jwa.RS384, jwa.RS512, jwa.PS256, jwa.PS384, jwa.PS512}, nil
	case *ecdsa.PublicKey:
		if _, err := key.ECDH(); err != nil { // the check that the point is on the curve
			return nil, errors.New("is not a point of P-256, P-384 or P-521")
		}
		return []jwa.SignatureAlgorithm{map[int]jwa.SignatureAlgorithm{
			256: jwa.ES256, 384: jwa.ES384, 521: jwa.ES512,
		}[key.Params().BitSize]}, nil
	case ed25519.PublicKey:
		if len(key) != ed25519.PublicKeySize {
			return nil, errors.New("has the wrong size for Ed25519")
		}
		return []jwa.SignatureAlgorithm{jwa.EdDSA}, nil
	}
	return nil, errors.New("is neither RSA nor ECDSA nor Ed25519")
}

// keyring is the keys of one source.
type keyring []verifyKey

// has reports whether a key has this kid.
func (ring keyring) has(keyID string) bool {
	return keyID != "" && slices.ContainsFunc(ring, func(k verifyKey) bool { return k.id == keyID })
}

// verify checks the token's signature against the keys that it may be of: those
// with its kid and those without one; all if it has none itself.
func (ring keyring) verify(t compact) *refused {
	candidates, tried := 0, 0
	for _, key := range ring {
		if t.keyID != "" && key.id != "" && key.id != t.keyID {
			continue
		}
		candidates++
		if !slices.Contains(key.algorithms, t.algorithm) {
			continue
		}
		if tried++; tried > maxTries {
			return refuse(ErrKeyUnknown, "token without kid, and too many keys that might fit")
		}
		if key.signed(t) {
			return nil
		}
	}
	switch {
	case candidates == 0:
		return refuse(ErrKeyUnknown, "no key with this kid")
	case tried == 0:
		return refuse(ErrAlgorithm, "alg is not the key's")
	}
	return refuse(ErrSignature, "signature does not match")
}

// signed reports whether the signature is the key's. What jwx says of one that
// is not goes nowhere.
func (k verifyKey) signed(t compact) bool {
	verifier, err := jws.NewVerifier(t.algorithm)
	return err == nil && verifier.Verify([]byte(t.signed), t.signature, k.public) == nil
}
