package gateway

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"hash"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
)

// emptySHA256 is the hash of no body.
const emptySHA256 = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

const (
	service   = "execute-api"
	algorithm = "AWS4-HMAC-SHA256"
	dayFormat = "20060102"
	timeStamp = "20060102T150405Z"
)

// signer puts an AWS Signature Version 4 on the one shape of request that this
// package sends. It does what the SDK's general signer does, and a fuzz test
// holds it to that; what changes once a second or once a day is kept.
type signer struct {
	region string
	second atomic.Pointer[second]
	key    atomic.Pointer[dayKey]
}

func newSigner(region string) signer { return signer{region: region} }

// second is a time stamp as header and text.
type second struct {
	unix   int64
	header []string // of X-Amz-Date; never changed
}

// dayKey is the signing key of one day and set of credentials.
type dayKey struct {
	day    string
	creds  aws.Credentials
	token  []string  // header of X-Amz-Security-Token; never changed
	prefix string    // of the Authorization header, up to the signed headers
	scope  string    // <day>/<region>/execute-api/aws4_request
	macs   sync.Pool // of hash.Hash, keyed
}

func (s *signer) sign(req *http.Request, bodySHA256 string, creds aws.Credentials, now time.Time) {
	date := s.stamp(now)
	stamp := date[0]
	key := s.dayKey(stamp[:len(dayFormat)], creds)
	req.Header["X-Amz-Date"] = date
	if creds.SessionToken != "" {
		req.Header["X-Amz-Security-Token"] = key.token
	}

	// The arrays stay on the stack: what is signed is below 2 KB.
	var canonical [2048]byte
	var toSign, auth [384]byte
	signed := signedHeaders(req, creds.SessionToken != "")
	sum := sha256.Sum256(appendCanonical(canonical[:0], req, signed, stamp, creds.SessionToken, bodySHA256))
	t := append(append(append(toSign[:0], algorithm+"\n"...), stamp...), '\n')
	t = append(append(t, key.scope...), '\n')
	t = hex.AppendEncode(t, sum[:])

	a := append(append(append(auth[:0], key.prefix...), signed...), ", Signature="...)
	a = key.appendMAC(a, t)
	req.Header["Authorization"] = []string{string(a)}
}

// stamp returns the X-Amz-Date header of now, made once a second.
func (s *signer) stamp(now time.Time) []string {
	unix := now.Unix()
	if last := s.second.Load(); last != nil && last.unix == unix {
		return last.header
	}
	next := &second{unix: unix, header: []string{now.UTC().Format(timeStamp)}}
	s.second.Store(next)
	return next.header
}

func signedHeaders(req *http.Request, session bool) string {
	switch hasBody := req.ContentLength > 0; {
	case hasBody && session:
		return "content-length;content-type;host;x-amz-date;x-amz-security-token"
	case hasBody:
		return "content-length;content-type;host;x-amz-date"
	case req.Header["Content-Type"] != nil && session:
		return "content-type;host;x-amz-date;x-amz-security-token"
	case req.Header["Content-Type"] != nil:
		return "content-type;host;x-amz-date"
	case session:
		return "host;x-amz-date;x-amz-security-token"
	}
	return "host;x-amz-date"
}

// appendCanonical writes the canonical request of "Create a signed AWS API
// request": there is no query, and the path, escaped already, is escaped again.
func appendCanonical(b []byte, req *http.Request, signed, stamp, token, bodySHA256 string) []byte {
	b = append(append(b, req.Method...), '\n')
	b = appendEscapedPath(b, req.URL.Opaque)
	b = append(b, "\n\n"...)
	if req.ContentLength > 0 {
		b = append(b, "content-length:"...)
		b = strconv.AppendInt(b, req.ContentLength, 10)
		b = append(b, '\n')
	}
	if ct := req.Header["Content-Type"]; ct != nil {
		b = append(append(append(b, "content-type:"...), ct[0]...), '\n')
	}
	b = append(append(append(b, "host:"...), req.Host...), '\n')
	b = append(append(append(b, "x-amz-date:"...), stamp...), '\n')
	if token != "" {
		b = append(append(append(b, "x-amz-security-token:"...), strings.TrimSpace(token)...), '\n')
	}
	b = append(b, '\n')
	b = append(append(b, signed...), '\n')
	return append(b, bodySHA256...)
}

// dayKey returns the signing key for the day, made once a day and set of
// credentials.
func (s *signer) dayKey(day string, creds aws.Credentials) *dayKey {
	if k := s.key.Load(); k != nil && k.day == day && k.creds.SecretAccessKey == creds.SecretAccessKey &&
		k.creds.AccessKeyID == creds.AccessKeyID && k.creds.SessionToken == creds.SessionToken {
		return k
	}
	secret := mac([]byte("AWS4"+creds.SecretAccessKey), []byte(day))
	for _, part := range []string{s.region, service, "aws4_request"} {
		secret = mac(secret, []byte(part))
	}
	scope := day + "/" + s.region + "/" + service + "/aws4_request"
	k := &dayKey{
		day: day, creds: creds, token: []string{creds.SessionToken}, scope: scope,
		prefix: algorithm + " Credential=" + creds.AccessKeyID + "/" + scope + ", SignedHeaders=",
	}
	k.macs.New = func() any { return hmac.New(sha256.New, secret) }
	s.key.Store(k)
	return k
}

// appendMAC appends the signature of data in hex.
func (k *dayKey) appendMAC(b, data []byte) []byte {
	h := k.macs.Get().(hash.Hash)
	defer k.macs.Put(h)
	h.Reset()
	h.Write(data)
	var sum [sha256.Size]byte
	return hex.AppendEncode(b, h.Sum(sum[:0]))
}

func mac(key, data []byte) []byte {
	h := hmac.New(sha256.New, key)
	h.Write(data)
	return h.Sum(nil)
}

// escape percent-encodes all but RFC 3986's unreserved characters.
func escape(s string) string { return string(appendEscaped(make([]byte, 0, 3*len(s)), s, false)) }

func appendEscapedPath(b []byte, path string) []byte { return appendEscaped(b, path, true) }

func appendEscaped(b []byte, s string, keepSlash bool) []byte {
	const hexDigits = "0123456789ABCDEF"
	for i := range len(s) {
		switch c := s[i]; {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9',
			c == '-', c == '.', c == '_', c == '~', c == '/' && keepSlash:
			b = append(b, c)
		default:
			b = append(b, '%', hexDigits[c>>4], hexDigits[c&15])
		}
	}
	return b
}
