package awsproto

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
)

var (
	signedAt = time.Date(2024, 1, 20, 11, 55, 0, 0, time.UTC)
	testKey  = Key{SecretAccessKey: "secret", SessionToken: "token"}
)

const (
	postPath    = "/_aws/execute-api/abc/live/@connections/R0oX%2B%2FAdfD0kwCH6w%3D"
	escapedPath = "/_aws/execute-api/abc/live/%40connections/R0oX%2B%2FAdfD0kwCH6w%3D"
)

// outgoing is a request as a client makes it.
func outgoing(t testing.TB, method, target, body string) *http.Request {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, "http://localhost:4566"+target, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func hash(body string) string {
	sum := sha256.Sum256([]byte(body))
	return hex.EncodeToString(sum[:])
}

// sign signs as the SDK does.
func sign(t testing.TB, r *http.Request, key Key, body string) {
	t.Helper()
	creds := aws.Credentials{AccessKeyID: "AKID", SecretAccessKey: key.SecretAccessKey, SessionToken: key.SessionToken}
	if err := v4.NewSigner().SignHTTP(context.Background(), creds, r, hash(body), "execute-api", "eu-west-1", signedAt); err != nil {
		t.Fatal(err)
	}
}

// arrived is r as a server reads it from the wire.
func arrived(t testing.TB, r *http.Request) (*http.Request, []byte) {
	t.Helper()
	var got *http.Request
	var body []byte
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		got = r
		body, _ = io.ReadAll(r.Body)
	}))
	defer server.Close()
	r.Host = hostOf(r)
	r.URL.Host = strings.TrimPrefix(server.URL, "http://")
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	_ = response.Body.Close()
	return got, body
}

func hostOf(r *http.Request) string {
	if r.Host != "" {
		return r.Host
	}
	return r.URL.Host
}

func TestSignaturesOfTheSDKAreVerified(t *testing.T) {
	tests := map[string]struct {
		method, target, body string
		header               map[string][]string
	}{
		"a post":                     {"POST", postPath, "hello", map[string][]string{"Content-Type": {"application/octet-stream"}}},
		"no body":                    {"GET", postPath, "", nil},
		"an escaped @":               {"DELETE", escapedPath, "", nil},
		"the root":                   {"GET", "/", "", nil},
		"a query, sorted as escaped": {"GET", "/x?b=2&a=a/b&a=a-b&c=%20+%2B&d", "", nil},
		"a path beyond ASCII":        {"GET", "/caf%C3%A9/a%20b/~x", "", nil},
		"repeated and spaced values": {"POST", "/x", "b", map[string][]string{"X-List": {" a   b ", "c"}}},
		"the body's hash in a header": {"POST", "/x", "b", map[string][]string{
			"X-Amz-Content-Sha256": {hash("b")}}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			r := outgoing(t, tt.method, tt.target, tt.body)
			for name, values := range tt.header {
				r.Header[name] = values
			}
			sign(t, r, testKey, tt.body)
			got, body := arrived(t, r)
			var v Verifier
			for range 2 { // the second time with a remembered key
				if err := v.Verify(got, body, "execute-api", testKey, signedAt); err != nil {
					t.Fatal(err)
				}
			}
			wantRefused(t, v.Verify(got, body, "execute-api", Key{SecretAccessKey: "other", SessionToken: "token"}, signedAt),
				"InvalidSignatureException", "does not match the signature you provided")
		})
	}
}

// Clients that send %40 sign it as '@' or escaped only once (AWS.md, section 2:
// accept both spellings).
func TestBothSpellingsOfAnEscapedPathAreVerified(t *testing.T) {
	r := outgoing(t, "POST", escapedPath, "hi")
	r.Header.Set("X-Amz-Date", stamp(signedAt))
	s := sigV4{Credential: Credential{"AKID", "20240120", "eu-west-1", "execute-api"}, date: stamp(signedAt), headers: []string{"host", "x-amz-date"}}
	for _, path := range []string{
		"/_aws/execute-api/abc/live/%2540connections/R0oX%252B%252FAdfD0kwCH6w%253D",
		"/_aws/execute-api/abc/live/%40connections/R0oX%252B%252FAdfD0kwCH6w%253D",
		"/_aws/execute-api/abc/live/%40connections/R0oX%2B/AdfD0kwCH6w%3D",
	} {
		var v Verifier
		key := v.signingKey(signingScope{"secret", "20240120", "eu-west-1", "execute-api"})
		r.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential=AKID/20240120/eu-west-1/execute-api/aws4_request, SignedHeaders=host;x-amz-date, Signature="+
			hex.EncodeToString(s.sign(key, r, path, hash("hi"))))
		if err := v.Verify(r, []byte("hi"), "execute-api", Key{SecretAccessKey: "secret"}, signedAt); err != nil {
			t.Errorf("%s: %v", path, err)
		}
	}
}

func TestWhatWasChangedAfterSigningIsRefused(t *testing.T) {
	const mismatch = "does not match the signature you provided"
	tests := map[string]struct {
		change        func(r *http.Request)
		body          string
		code, message string
	}{
		"another body":           {func(*http.Request) {}, "bye", "InvalidSignatureException", mismatch},
		"another method":         {func(r *http.Request) { r.Method = "DELETE" }, "hi", "InvalidSignatureException", mismatch},
		"another path":           {func(r *http.Request) { r.URL.RawPath, r.URL.Path = "", "/other" }, "hi", "InvalidSignatureException", mismatch},
		"another query":          {func(r *http.Request) { r.URL.RawQuery = "a=1" }, "hi", "InvalidSignatureException", mismatch},
		"a query that is broken": {func(r *http.Request) { r.URL.RawQuery = "%zz" }, "hi", "InvalidSignatureException", mismatch},
		"a signed header":        {func(r *http.Request) { r.Header.Set("X-Signed", "2") }, "hi", "InvalidSignatureException", mismatch},
		"a header that nobody signed is nobody's business": {func(r *http.Request) { r.Header.Set("X-Other", "2") }, "hi", "", ""},
		"another host":                 {func(r *http.Request) { r.Host = "elsewhere" }, "hi", "InvalidSignatureException", mismatch},
		"an unsigned payload":          {func(r *http.Request) { r.Header.Set("X-Amz-Content-Sha256", "UNSIGNED-PAYLOAD") }, "hi", "InvalidSignatureException", mismatch},
		"another token":                {func(r *http.Request) { r.Header.Set("X-Amz-Security-Token", "x") }, "hi", "UnrecognizedClientException", "The security token included in the request is invalid."},
		"no token":                     {func(r *http.Request) { r.Header.Del("X-Amz-Security-Token") }, "hi", "UnrecognizedClientException", "invalid"},
		"no signature":                 {func(r *http.Request) { r.Header.Del("Authorization") }, "hi", "MissingAuthenticationTokenException", "Missing Authentication Token"},
		"another scheme":               {replaceAuth("AWS4-HMAC-SHA256 ", "Bearer "), "hi", "IncompleteSignatureException", "Invalid key=value pair (missing equal-sign) in Authorization header (hashed with SHA-256"},
		"no key":                       {replaceAuth("Credential", "X"), "hi", "IncompleteSignatureException", "Authorization header requires 'Credential' parameter."},
		"no signed headers":            {replaceAuth("SignedHeaders", "X"), "hi", "IncompleteSignatureException", "Authorization header requires 'SignedHeaders' parameter."},
		"no signature in the header":   {replaceAuth("Signature=", "X="), "hi", "IncompleteSignatureException", "Authorization header requires 'Signature' parameter."},
		"a signature that is no hex":   {replaceAuth("Signature=", "Signature=x"), "hi", "InvalidSignatureException", mismatch},
		"a host that nobody signed":    {replaceAuth(";host;", ";"), "hi", "InvalidSignatureException", "'Host' or ':authority' must be a 'SignedHeader'"},
		"a scope of too few parts":     {replaceAuth("/aws4_request", ""), "hi", "IncompleteSignatureException", "Credential must have exactly 5 slash-delimited elements"},
		"another service":              {replaceAuth("/execute-api/", "/sqs/"), "hi", "InvalidSignatureException", "Credential should be scoped to correct service: 'execute-api'."},
		"another region":               {replaceAuth("/eu-west-1/", "/eu-west-2/"), "hi", "InvalidSignatureException", mismatch},
		"another day":                  {replaceAuth("/20240120/", "/20240121/"), "hi", "InvalidSignatureException", "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: '20240121' != '20240120', from '20240120T115500Z'."},
		"no date":                      {func(r *http.Request) { r.Header.Del("X-Amz-Date") }, "hi", "IncompleteSignatureException", "existence of either a 'X-Amz-Date' or a 'Date' header"},
		"a date that is none":          {func(r *http.Request) { r.Header.Set("X-Amz-Date", "today") }, "hi", "IncompleteSignatureException", "Date must be in ISO-8601"},
		"the date in HTTP's own form":  {useDateHeader, "hi", "", ""},
		"all as it was, for the tests": {func(*http.Request) {}, "hi", "", ""},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			r := outgoing(t, "POST", postPath, "hi")
			r.Header.Set("X-Signed", "1")
			sign(t, r, testKey, "hi")
			r.Host = r.URL.Host
			tt.change(r)
			err := new(Verifier).Verify(r, []byte(tt.body), "execute-api", testKey, signedAt)
			wantRefused(t, err, tt.code, tt.message)
			if err != nil && strings.Contains(err.Message, "Signature=") {
				t.Errorf("the header is in the answer: %s", err.Message)
			}
		})
	}
}

func replaceAuth(old, with string) func(*http.Request) {
	return func(r *http.Request) {
		r.Header.Set("Authorization", strings.Replace(r.Header.Get("Authorization"), old, with, 1))
	}
}

// useDateHeader signs again without X-Amz-Date.
func useDateHeader(r *http.Request) {
	r.Header.Del("X-Amz-Date")
	r.Header.Set("Date", signedAt.Format(http.TimeFormat))
	s := sigV4{Credential: Credential{"AKID", "20240120", "eu-west-1", "execute-api"}, date: stamp(signedAt), headers: []string{"date", "host"}}
	key := new(Verifier).signingKey(signingScope{testKey.SecretAccessKey, "20240120", "eu-west-1", "execute-api"})
	for path := range canonicalPaths(r.URL) {
		r.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential=AKID/20240120/eu-west-1/execute-api/aws4_request, SignedHeaders=date;host, Signature="+
			hex.EncodeToString(s.sign(key, r, path, hash("hi"))))
		return
	}
}

func TestASignatureIsGoodForFiveMinutesOfTheNearestClock(t *testing.T) {
	tests := map[string]struct {
		now     []time.Duration // from the signature
		message string
	}{
		"at once":                        {[]time.Duration{0}, ""},
		"five minutes later":             {[]time.Duration{5 * time.Minute}, ""},
		"five minutes early":             {[]time.Duration{-5 * time.Minute}, ""},
		"later than that":                {[]time.Duration{5*time.Minute + time.Second}, "Signature expired: 20240120T115500Z is now earlier than 20240120T115501Z (20240120T120001Z - 5 min.)"},
		"earlier than that":              {[]time.Duration{-5*time.Minute - time.Second}, "Signature not yet current: 20240120T115500Z is still later than 20240120T115459Z (20240120T114959Z + 5 min.)"},
		"the cloud's clock was moved":    {[]time.Duration{2 * time.Hour, time.Second}, ""},
		"the caller goes by the cloud's": {[]time.Duration{time.Second, -2 * time.Hour}, ""},
		"far from both":                  {[]time.Duration{2 * time.Hour, -time.Hour}, "Signature not yet current"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			r := outgoing(t, "GET", postPath, "")
			sign(t, r, testKey, "")
			r.Host = r.URL.Host
			var now []time.Time
			for _, d := range tt.now {
				now = append(now, signedAt.Add(d))
			}
			code := "InvalidSignatureException"
			if tt.message == "" {
				code = ""
			}
			wantRefused(t, new(Verifier).Verify(r, nil, "execute-api", testKey, now...), code, tt.message)
		})
	}
}

func TestPresignedURLs(t *testing.T) {
	tests := map[string]struct {
		change        func(q url.Values)
		after         time.Duration
		code, message string
	}{
		"as it was signed":       {func(url.Values) {}, 0, "", ""},
		"within its life":        {func(url.Values) {}, time.Hour, "", ""},
		"after its life":         {func(url.Values) {}, time.Hour + time.Second, "InvalidSignatureException", "Signature expired: 20240120T115500Z is now earlier than 20240120T115501Z"},
		"a longer life":          {func(q url.Values) { q.Set("X-Amz-Expires", "7200") }, 0, "InvalidSignatureException", "does not match"},
		"a life beyond a week":   {func(q url.Values) { q.Set("X-Amz-Expires", "604801") }, 0, "IncompleteSignatureException", "X-Amz-Expires"},
		"no life":                {func(q url.Values) { q.Set("X-Amz-Expires", "0") }, 0, "IncompleteSignatureException", "X-Amz-Expires"},
		"no signature":           {func(q url.Values) { q.Del("X-Amz-Signature") }, 0, "IncompleteSignatureException", "AWS query-string parameters must include 'X-Amz-Signature'. Re-examine"},
		"another algorithm":      {func(q url.Values) { q.Set("X-Amz-Algorithm", "AWS4-X") }, 0, "IncompleteSignatureException", "Unsupported AWS 'algorithm'"},
		"a parameter more":       {func(q url.Values) { q.Set("x", "1") }, 0, "InvalidSignatureException", "does not match"},
		"another's token":        {func(q url.Values) { q.Set("X-Amz-Security-Token", "x") }, 0, "UnrecognizedClientException", "invalid"},
		"none of the parameters": {func(q url.Values) { clear(q) }, 0, "MissingAuthenticationTokenException", "Missing"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			r := outgoing(t, "GET", postPath+"?X-Amz-Expires=3600", "")
			creds := aws.Credentials{AccessKeyID: "AKID", SecretAccessKey: testKey.SecretAccessKey, SessionToken: testKey.SessionToken}
			address, _, err := v4.NewSigner().PresignHTTP(t.Context(), creds, r, hash(""), "execute-api", "eu-west-1", signedAt)
			if err != nil {
				t.Fatal(err)
			}
			u, err := url.Parse(address)
			if err != nil {
				t.Fatal(err)
			}
			q := u.Query()
			tt.change(q)
			u.RawQuery = q.Encode()
			got := httptest.NewRequest("GET", u.String(), nil)
			wantRefused(t, new(Verifier).Verify(got, nil, "execute-api", testKey, signedAt.Add(tt.after)), tt.code, tt.message)
		})
	}
}

func TestALongTermKeysTokenIsNotLookedAt(t *testing.T) {
	r := outgoing(t, "GET", postPath, "")
	sign(t, r, Key{SecretAccessKey: "secret", SessionToken: "anything"}, "")
	r.Host = r.URL.Host
	wantRefused(t, new(Verifier).Verify(r, nil, "execute-api", Key{SecretAccessKey: "secret"}, signedAt), "", "")
}

func TestAVerifierRemembersABoundedNumberOfKeys(t *testing.T) {
	var v Verifier
	for i := range 3 * maxSigningKeys {
		v.signingKey(signingScope{secret: string(rune('a' + i%26)), date: string(rune(i))})
		if len(v.keys) > maxSigningKeys {
			t.Fatalf("%d keys", len(v.keys))
		}
	}
}

// wantRefused checks the error; an empty code means that there is none.
func wantRefused(t *testing.T, err *Error, code, message string) {
	t.Helper()
	switch {
	case err == nil && code == "":
	case err == nil:
		t.Errorf("accepted, want %s", code)
	case err.Code != code || !strings.Contains(err.Message, message) || err.Status != http.StatusForbidden:
		t.Errorf("got %d %v, want %s about %q", err.Status, err, code, message)
	}
}

// Whatever comes, it is an answer, and never a yes to what the key did not sign.
func FuzzVerify(f *testing.F) {
	f.Add("AWS4-HMAC-SHA256 Credential=AKID/20240120/eu-west-1/execute-api/aws4_request, SignedHeaders=host;x-amz-date, Signature=00", "20240120T115500Z", "/x", "a=1")
	f.Add("AWS4-HMAC-SHA256 Credential=/, SignedHeaders=;;, Signature=", "Sat, 20 Jan 2024 11:55:00 GMT", "/%40connections/%2F", "")
	f.Add("", "", "/", "X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=a/20240120/r/execute-api/aws4_request&X-Amz-Date=20240120T115500Z&X-Amz-Signature=0&X-Amz-SignedHeaders=host&X-Amz-Expires=99999999999")
	var v Verifier
	f.Fuzz(func(t *testing.T, authorization, date, path, query string) {
		u, err := url.Parse("http://localhost" + path)
		if err != nil {
			return
		}
		u.RawQuery = query
		r := &http.Request{Method: "POST", URL: u, Host: "localhost", Header: http.Header{}}
		r.Header.Set("Authorization", authorization)
		r.Header.Set("X-Amz-Date", date)
		e := v.Verify(r, []byte(query), "execute-api", testKey, signedAt)
		if e == nil {
			t.Fatalf("%q with %q is taken for a signature", authorization, query)
		}
		if e.Status != http.StatusForbidden || e.Code == "" || e.Message == "" {
			t.Fatalf("answer %+v", e)
		}
	})
}

func BenchmarkVerify(b *testing.B) {
	r := outgoing(b, "POST", postPath, "hello")
	body := bytes.Repeat([]byte("a"), 256)
	sign(b, r, testKey, string(body))
	r.Host = r.URL.Host
	var v Verifier
	b.ReportAllocs()
	for b.Loop() {
		if err := v.Verify(r, body, "execute-api", testKey, signedAt); err != nil {
			b.Fatal(err)
		}
	}
}
