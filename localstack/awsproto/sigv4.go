package awsproto

import (
	"cmp"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// The format of X-Amz-Date, and how far it may be from the service's clock.
const (
	sigV4Time = "20060102T150405Z"
	sigV4Skew = 5 * time.Minute
)

// maxPresigned is the longest life that X-Amz-Expires may ask for.
const maxPresigned = 7 * 24 * time.Hour

// Key is what the holder of an access key signs with.
type Key struct {
	SecretAccessKey string
	// SessionToken, if set, is what the request must carry. Long-term keys have
	// none, and a token that comes with one is not looked at.
	SessionToken string
}

// Verifier checks AWS Signature Version 4, in the Authorization header or in
// the query of a presigned URL ("AWS Signature Version 4 for API requests", IAM
// user guide). It remembers the signing keys that it has derived, so a signature
// costs the hash of the body and two HMACs. The zero value is ready, and safe
// for concurrent use.
type Verifier struct {
	mu   sync.RWMutex
	keys map[signingScope][]byte
}

// signingScope is what a signing key is derived from.
type signingScope struct{ secret, date, region, service string }

// maxSigningKeys bounds a Verifier's memory. A new day brings new keys, and the
// old ones are dropped all at once.
const maxSigningKeys = 1024

// Verify returns nil if r is signed with key for service, and otherwise the
// error that AWS answers, with its status 403:
//
//   - MissingAuthenticationTokenException: r is not signed
//   - IncompleteSignatureException: a part of the signature is missing or malformed
//   - UnrecognizedClientException: the session token is missing or another's
//   - InvalidSignatureException: the signature is another, too old or too new (5
//     minutes), or for another service or day
//
// body is r's whole body. The hash in the signature is always that of the body:
// only S3 takes unsigned payloads. An X-Amz-Content-Sha256 that says otherwise is refused.
// now is the service's time. Of several, that which is nearest to the
// signature's counts: in a cloud whose clock was moved, callers may go by its
// clock or by the machine's.
func (v *Verifier) Verify(r *http.Request, body []byte, service string, key Key, now ...time.Time) *Error {
	s, err := readChecked(r, service, now)
	if err != nil {
		return err
	}
	if key.SessionToken != "" && subtle.ConstantTimeCompare([]byte(key.SessionToken), []byte(s.token)) == 0 {
		return UnrecognizedClient()
	}
	sum := sha256.Sum256(body)
	payload := hex.EncodeToString(sum[:])
	if claimed := r.Header.Get("X-Amz-Content-Sha256"); claimed != "" && claimed != payload {
		return signatureMismatch()
	}
	signingKey := v.signingKey(signingScope{key.SecretAccessKey, s.Date, s.Region, s.Service})
	for path := range canonicalPaths(r.URL) {
		if hmac.Equal(s.signature, s.sign(signingKey, r, path, payload)) {
			return nil
		}
	}
	return signatureMismatch()
}

// CheckUnverified is Verify without a key: all of it but token, body and the
// signature itself. It is for keys whose secret nobody here knows.
func CheckUnverified(r *http.Request, service string, now ...time.Time) *Error {
	_, err := readChecked(r, service, now)
	return err
}

func readChecked(r *http.Request, service string, now []time.Time) (*sigV4, *Error) {
	s, err := readSignature(r)
	if err == nil {
		err = s.check(service, now)
	}
	return s, err
}

// signingKey derives the key of a day, region and service, or remembers it.
func (v *Verifier) signingKey(scope signingScope) []byte {
	v.mu.RLock()
	key, ok := v.keys[scope]
	v.mu.RUnlock()
	if ok {
		return key
	}
	key = []byte("AWS4" + scope.secret)
	for _, part := range []string{scope.date, scope.region, scope.service, scopeEnd} {
		key = hmacSHA256(key, []byte(part))
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.keys == nil || len(v.keys) >= maxSigningKeys {
		v.keys = map[signingScope][]byte{}
	}
	v.keys[scope] = key
	return key
}

func hmacSHA256(key, message []byte) []byte {
	h := hmac.New(sha256.New, key)
	h.Write(message)
	return h.Sum(nil)
}

// sigV4 is a signature with all that it says of itself.
type sigV4 struct {
	Credential
	date      string // X-Amz-Date, as it was sent
	at        time.Time
	expires   time.Duration // of a presigned URL, else 0
	headers   []string      // SignedHeaders
	signature []byte
	token     string // the session's
	query     string // canonical, without the signature
}

// check is all that needs no secret.
func (s *sigV4) check(service string, now []time.Time) *Error {
	switch {
	case !slices.Contains(s.headers, "host"):
		return invalidSignature("'Host' or ':authority' must be a 'SignedHeader' in the AWS Authorization.")
	case s.Service != service:
		return invalidSignature("Credential should be scoped to correct service: '%s'.", service)
	case s.Date != s.date[:len("20060102")]:
		return invalidSignature("Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: '%s' != '%s', from '%s'.",
			s.Date, s.date[:len("20060102")], s.date)
	}
	return s.checkAge(nearest(s.at, now))
}

func nearest(at time.Time, now []time.Time) time.Time {
	if len(now) == 0 {
		return time.Now()
	}
	return slices.MinFunc(now, func(a, b time.Time) int { return cmp.Compare(a.Sub(at).Abs(), b.Sub(at).Abs()) })
}

func (s *sigV4) checkAge(now time.Time) *Error {
	if early := s.at.Sub(now); early > sigV4Skew {
		return invalidSignature("Signature not yet current: %s is still later than %s (%s + 5 min.)",
			s.date, stamp(now.Add(sigV4Skew)), stamp(now))
	}
	age := now.Sub(s.at)
	switch {
	case s.expires > 0 && age > s.expires:
		return invalidSignature("Signature expired: %s is now earlier than %s", s.date, stamp(now.Add(-s.expires)))
	case s.expires == 0 && age > sigV4Skew:
		return invalidSignature("Signature expired: %s is now earlier than %s (%s - 5 min.)",
			s.date, stamp(now.Add(-sigV4Skew)), stamp(now))
	}
	return nil
}

func stamp(t time.Time) string { return t.UTC().Format(sigV4Time) }

// sign returns the signature that r has if its canonical path is path.
func (s *sigV4) sign(key []byte, r *http.Request, path, payload string) []byte {
	canonical := make([]byte, 0, 1024)
	for _, part := range []string{r.Method, "\n", path, "\n", s.query, "\n"} {
		canonical = append(canonical, part...)
	}
	for _, name := range s.headers {
		canonical = append(append(canonical, name...), ':')
		canonical = append(appendHeader(canonical, r, name), '\n')
	}
	canonical = append(canonical, '\n')
	canonical = append(append(canonical, strings.Join(s.headers, ";")...), '\n')
	canonical = append(canonical, payload...)
	hash := sha256.Sum256(canonical)
	text := make([]byte, 0, 256)
	for _, part := range []string{sigV4Algorithm, "\n", s.date, "\n", s.Date, "/", s.Region, "/", s.Service, "/", scopeEnd, "\n"} {
		text = append(text, part...)
	}
	return hmacSHA256(key, hex.AppendEncode(text, hash[:]))
}

// appendHeader appends a header's values as they are signed: without spaces
// around them, and with one where there are several in a row.
func appendHeader(b []byte, r *http.Request, name string) []byte {
	values := r.Header.Values(name)
	switch {
	case name == "host": // net/http has moved it
		values = []string{r.Host}
	case name == "content-length" && len(values) == 0:
		values = []string{strconv.FormatInt(r.ContentLength, 10)}
	}
	for i, value := range values {
		if i > 0 {
			b = append(b, ',')
		}
		space := false
		value = strings.TrimSpace(value)
		for i := range len(value) {
			c := value[i]
			if c != ' ' || !space {
				b = append(b, c)
			}
			space = c == ' '
		}
	}
	return b
}

// canonicalPaths yields the canonical URIs that clients sign for one and the
// same path. The rule is the path as it is sent, escaped once more, which makes
// '@' %40. Clients that send %40 themselves sign it in either of two other ways:
// as if they had sent '@', or escaped only once.
func canonicalPaths(u *url.URL) func(yield func(string) bool) {
	return func(yield func(string) bool) {
		sent := u.EscapedPath()
		if sent == "" {
			sent = "/"
		}
		if !yield(escapeSigV4(sent, true)) {
			return
		}
		if at := strings.Replace(sent, "%40", "@", 1); at != sent && !yield(escapeSigV4(at, true)) {
			return
		}
		if strings.Contains(sent, "%") {
			yield(escapeSigV4(u.Path, true))
		}
	}
}

const upperHex = "0123456789ABCDEF"

// escapeSigV4 escapes every byte that RFC 3986 does not call unreserved.
func escapeSigV4(s string, isPath bool) string {
	b := make([]byte, 0, len(s)+16)
	for i := range len(s) {
		c := s[i]
		switch {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9',
			c == '-', c == '_', c == '.', c == '~', c == '/' && isPath:
			b = append(b, c)
		default:
			b = append(b, '%', upperHex[c>>4], upperHex[c&15])
		}
	}
	return string(b)
}
