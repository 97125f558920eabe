package auth

import (
	"encoding/base64"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/lestrrat-go/jwx/v2/jwa"
)

// MaxToken is the longest token that is looked at, in bytes. API Gateway's own
// limits on headers and URLs are of this order.
const MaxToken = 8 << 10

// maxKeyID bounds a kid in bytes; thumbprints have 43, a KMS ARN under 100.
const maxKeyID = 256

// compact is a token in its three parts (RFC 7515 §7.1), not verified yet.
type compact struct {
	algorithm jwa.SignatureAlgorithm
	keyID     string // "" if the header has none
	claims    object
	signed    string // what the signature covers, as it came
	signature []byte
}

// refused is why a token is not admitted: the sentinel for the client, and our
// own words for the log.
type refused struct {
	err   error
	cause string
}

func refuse(err error, cause string) *refused { return &refused{err, cause} }

// parseCompact splits and decodes a token. On refusal it still returns what
// could be read, for the log.
func parseCompact(token string) (compact, *refused) {
	if token == "" {
		return compact{}, refuse(ErrTokenMissing, "no token")
	}
	if len(token) > MaxToken {
		return compact{}, refuse(ErrTokenMalformed, "token too long")
	}
	parts := strings.SplitN(token, ".", 6)
	switch len(parts) {
	case 3:
	case 5:
		return compact{}, refuse(ErrTokenMalformed, "token is encrypted")
	default:
		return compact{}, refuse(ErrTokenMalformed, "token has not three parts")
	}
	t := compact{signed: token[:len(parts[0])+1+len(parts[1])]}
	if r := t.readHeader(parts[0]); r != nil {
		return t, r
	}
	payload, ok := decodePart(parts[1])
	if !ok {
		return t, refuse(ErrTokenMalformed, "payload is not base64url")
	}
	claims, err := parseObject(payload)
	if err != nil {
		return t, refuse(ErrTokenMalformed, "payload is "+err.Error())
	}
	t.claims = claims
	if t.signature, ok = decodePart(parts[2]); !ok {
		return t, refuse(ErrTokenMalformed, "signature is missing or not base64url")
	}
	return t, nil
}

// readHeader reads the members that count. jku, x5u, jwk, x5c and whatever else
// names a key are left alone: a token does not choose who vouches for it.
func (t *compact) readHeader(part string) *refused {
	raw, ok := decodePart(part)
	if !ok {
		return refuse(ErrTokenMalformed, "header is not base64url")
	}
	header, err := parseObject(raw)
	if err != nil {
		return refuse(ErrTokenMalformed, "header is "+err.Error())
	}
	keyID, present, ok := header.text("kid")
	if !ok || present && !plain(keyID, maxKeyID) {
		return refuse(ErrTokenMalformed, "kid is not a short string")
	}
	t.keyID = keyID
	if r := refuseForm(header); r != nil {
		return r
	}
	algorithm, _, ok := header.text("alg")
	if !ok || algorithm == "" {
		return refuse(ErrTokenMalformed, "alg is missing or not a string")
	}
	t.algorithm = jwa.SignatureAlgorithm(algorithm)
	return nil
}

// refuseForm refuses what is not a plain signed JWT.
func refuseForm(header object) *refused {
	if _, has := header["crit"]; has {
		// RFC 7515 §4.1.11: an extension that is not understood must refuse the
		// token, and we understand none.
		return refuse(ErrTokenMalformed, "header has critical extensions")
	}
	if _, has := header["enc"]; has {
		return refuse(ErrTokenMalformed, "token is encrypted")
	}
	if _, has := header["cty"]; has {
		return refuse(ErrTokenMalformed, "token is nested")
	}
	// RFC 8725 §3.11: a logout token or a DPoP proof may come from the same
	// issuer under the same key, and is not an access token.
	typ, present, ok := header.text("typ")
	if !ok || present && !accessType(typ) {
		return refuse(ErrTokenMalformed, "typ is not a JWT's")
	}
	return nil
}

func accessType(typ string) bool {
	typ = strings.TrimPrefix(strings.ToLower(typ), "application/")
	return typ == "jwt" || typ == "at+jwt"
}

// decodePart decodes base64url without padding, in its one canonical form. The
// decoder skips line breaks and, if not strict, stray bits, so that many
// spellings would be the same token.
func decodePart(part string) ([]byte, bool) {
	if part == "" || strings.ContainsAny(part, "\r\n") {
		return nil, false
	}
	data, err := base64.RawURLEncoding.Strict().DecodeString(part)
	return data, err == nil
}

// plain reports whether s can be stored and logged as it is: not empty, at most
// limit bytes, no control characters, and no replacement character, to which
// different broken escapes such as \ud800 all decode.
func plain(s string, limit int) bool {
	return s != "" && len(s) <= limit && !strings.ContainsFunc(s, func(r rune) bool {
		return r == utf8.RuneError || unicode.IsControl(r)
	})
}
