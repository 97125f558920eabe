package gateway

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"strconv"
	"strings"
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
// holds it to that; the signing key, which changes once a day, is kept.
type signer struct {
	region string
	key    atomic.Pointer[dayKey]
}

// dayKey is the signing key of one day and secret.
type dayKey struct {
	day, secret string
	key         []byte
}

func (s *signer) sign(req *http.Request, bodySHA256 string, creds aws.Credentials, now time.Time) {
	now = now.UTC()
	stamp := now.Format(timeStamp)
	day := stamp[:len(dayFormat)]
	req.Header["X-Amz-Date"] = []string{stamp}
	if creds.SessionToken != "" {
		req.Header["X-Amz-Security-Token"] = []string{creds.SessionToken}
	}

	signed := signedHeaders(req, creds.SessionToken != "")
	canonical := sha256.Sum256(appendCanonical(make([]byte, 0, 1024), req, signed, stamp, creds.SessionToken, bodySHA256))
	scope := day + "/" + s.region + "/" + service + "/aws4_request"

	toSign := make([]byte, 0, 256)
	toSign = append(toSign, algorithm+"\n"...)
	toSign = append(append(toSign, stamp...), '\n')
	toSign = append(append(toSign, scope...), '\n')
	toSign = hex.AppendEncode(toSign, canonical[:])

	auth := make([]byte, 0, 256)
	auth = append(append(auth, algorithm+" Credential="...), creds.AccessKeyID...)
	auth = append(append(auth, '/'), scope...)
	auth = append(append(auth, ", SignedHeaders="...), signed...)
	auth = append(auth, ", Signature="...)
	auth = hex.AppendEncode(auth, mac(s.dayKey(day, creds.SecretAccessKey), toSign))
	req.Header["Authorization"] = []string{string(auth)}
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
	b = appendEscapedPath(b, req.URL.EscapedPath())
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

// dayKey returns the signing key for the day, computed once a day and secret.
func (s *signer) dayKey(day, secret string) []byte {
	if k := s.key.Load(); k != nil && k.day == day && k.secret == secret {
		return k.key
	}
	key := mac([]byte("AWS4"+secret), []byte(day))
	key = mac(key, []byte(s.region))
	key = mac(key, []byte(service))
	key = mac(key, []byte("aws4_request"))
	s.key.Store(&dayKey{day: day, secret: secret, key: key})
	return key
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
