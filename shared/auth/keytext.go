package auth

import (
	"bytes"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/lestrrat-go/jwx/v2/jwa"
	"github.com/lestrrat-go/jwx/v2/jwk"
)

// maxKeys bounds a JWKS; the largest public ones have about ten keys.
const maxKeys = 100

// parseKeyText reads Config.PublicKey. Its errors complete a sentence about the
// setting and hold nothing of it.
func parseKeyText(text string, accepted []jwa.SignatureAlgorithm) (keyring, error) {
	text = strings.TrimSpace(text)
	var keys []keyOrError
	var err error
	if strings.HasPrefix(text, "{") {
		keys, err = parseJSONKeys([]byte(text), accepted)
	} else {
		keys, err = parsePEM(text, accepted)
	}
	if err != nil {
		return nil, err
	}
	var ring keyring
	for i, k := range keys {
		switch {
		case errors.Is(k.err, errNotUsed):
		case k.err != nil:
			return nil, fmt.Errorf("key %d %w", i+1, k.err)
		default:
			ring = append(ring, k.key)
		}
	}
	if len(ring) == 0 {
		return nil, errors.New("holds no key for the algorithms of JWT_ALGORITHMS")
	}
	return ring, nil
}

// keyOrError keeps one bad key from spoiling a set: who reads the set decides.
type keyOrError struct {
	key verifyKey
	err error
}

// parsePEM reads public keys and certificates that follow one another.
func parsePEM(text string, accepted []jwa.SignatureAlgorithm) ([]keyOrError, error) {
	// Environment files and Terraform variables often carry a PEM in one line.
	rest := []byte(strings.ReplaceAll(text, `\n`, "\n"))
	var keys []keyOrError
	for len(rest) > 0 {
		block, after := pem.Decode(rest)
		// pem.Decode skips what it cannot read; nothing is to be skipped here.
		if read := rest[:len(rest)-len(after)]; block == nil ||
			!bytes.HasPrefix(read, []byte("-----BEGIN ")) || bytes.Count(read, []byte("-----BEGIN ")) != 1 {
			return nil, errors.New("is not a PEM public key or certificate, JWK or JWKS")
		}
		public, err := parsePEMBlock(block)
		if err != nil {
			return nil, err
		}
		key, err := newVerifyKey("", public, "", accepted)
		keys = append(keys, keyOrError{key, err})
		rest = bytes.TrimSpace(after)
	}
	return keys, nil
}

func parsePEMBlock(block *pem.Block) (public any, err error) {
	switch block.Type {
	case "PUBLIC KEY":
		public, err = x509.ParsePKIXPublicKey(block.Bytes)
	case "RSA PUBLIC KEY":
		public, err = x509.ParsePKCS1PublicKey(block.Bytes)
	case "CERTIFICATE":
		var certificate *x509.Certificate
		if certificate, err = x509.ParseCertificate(block.Bytes); err == nil {
			public = certificate.PublicKey
		}
	default:
		if strings.HasSuffix(block.Type, "PRIVATE KEY") {
			return nil, errors.New("holds a private key; only the public half belongs here, and this one should be replaced")
		}
		return nil, errors.New("holds a PEM block that is neither a public key nor a certificate")
	}
	if err != nil {
		return nil, errors.New("holds a PEM block that cannot be read")
	}
	return public, nil
}

// parseJSONKeys reads a JWKS or a single JWK.
func parseJSONKeys(data []byte, accepted []jwa.SignatureAlgorithm) ([]keyOrError, error) {
	o, err := parseObject(data)
	if err != nil {
		return nil, errors.New("is " + err.Error())
	}
	if _, isSet := o["keys"]; isSet {
		return parseSet(data, accepted)
	}
	key, err := parseJWK(o, accepted)
	return []keyOrError{{key, err}}, nil
}

// parseSet reads a JWKS (RFC 7517 §5).
func parseSet(data []byte, accepted []jwa.SignatureAlgorithm) ([]keyOrError, error) {
	set, err := parseObject(data)
	if err != nil {
		return nil, errors.New("is " + err.Error())
	}
	list, ok := set["keys"]
	var members []json.RawMessage
	if !ok || list[0] != '[' || json.Unmarshal(list, &members) != nil {
		return nil, errors.New(`is not a JWKS: its "keys" is not a list`)
	}
	if len(members) > maxKeys {
		return nil, fmt.Errorf("is a JWKS of more than %d keys", maxKeys)
	}
	keys := make([]keyOrError, len(members))
	for i, member := range members {
		if o, err := parseObject(member); err != nil {
			keys[i].err = errors.New("is " + err.Error())
		} else {
			keys[i].key, keys[i].err = parseJWK(o, accepted)
		}
	}
	return keys, nil
}

// parseJWK reads one key (RFC 7517 §4).
func parseJWK(o object, accepted []jwa.SignatureAlgorithm) (verifyKey, error) {
	for _, secret := range []string{"d", "p", "q", "k"} {
		if _, has := o[secret]; has {
			return verifyKey{}, errors.New("is private or symmetric; only public keys belong here, and this one should be replaced")
		}
	}
	use, id, alg, err := keyPurpose(o)
	if err != nil {
		return verifyKey{}, err
	}
	if !use {
		return verifyKey{}, errNotUsed
	}
	public, err := publicOf(o)
	if err != nil {
		return verifyKey{}, err
	}
	return newVerifyKey(id, public, alg, accepted)
}

// keyPurpose reads the members that say what a key is for (RFC 7517 §4.2-4.5).
func keyPurpose(o object) (forVerifying bool, id, alg string, err error) {
	use, hasUse, ok1 := o.text("use")
	id, _, ok2 := o.text("kid")
	alg, _, ok3 := o.text("alg")
	if !ok1 || !ok2 || !ok3 {
		return false, "", "", errors.New("has a use, kid or alg that is not a string")
	}
	forVerifying = !hasUse || use == jwk.ForSignature.String()
	if raw, has := o["key_ops"]; has {
		ops, ok := listValue(raw)
		if !ok {
			return false, "", "", errors.New("has key_ops that are not a list of strings")
		}
		forVerifying = forVerifying && slices.Contains(ops, string(jwk.KeyOpVerify))
	}
	return forVerifying, id, alg, nil
}

// publicOf lets jwx read the key's numbers, and nothing but these: its x5u and
// x5c stay out of it.
func publicOf(o object) (any, error) {
	numbers := object{}
	for _, name := range []string{"kty", "n", "e", "crv", "x", "y"} {
		if raw, has := o[name]; has {
			numbers[name] = raw
		}
	}
	unreadable := errors.New("is not an RSA, EC or OKP key that can be read")
	data, err := json.Marshal(numbers)
	if err != nil {
		return nil, unreadable
	}
	key, err := jwk.ParseKey(data)
	if err != nil {
		return nil, unreadable
	}
	// jwx would cut an exponent off at 64 bits, and use what is left.
	if r, ok := key.(jwk.RSAPublicKey); ok && len(bytes.TrimLeft(r.E(), "\x00")) > 4 {
		return nil, errors.New("has an RSA exponent of more than 32 bits")
	}
	public, err := jwk.PublicRawKeyOf(key)
	if err != nil {
		return nil, unreadable
	}
	return public, nil
}
