package awsproto

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// scopeEnd ends every credential scope.
const scopeEnd = "aws4_request"

// readSignature reads the signature in the Authorization header or, without
// one, in the query.
func readSignature(r *http.Request) (*sigV4, *Error) {
	query, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil { // what is not understood is not covered by the signature
		return nil, signatureMismatch()
	}
	header := r.Header.Get("Authorization")
	switch {
	case header != "":
		return fromHeader(r, header, query)
	case query.Has("X-Amz-Signature") || query.Has("X-Amz-Algorithm") || query.Has("X-Amz-Credential"):
		return fromQuery(query)
	}
	return nil, MissingAuthenticationToken()
}

func fromHeader(r *http.Request, header string, query url.Values) (*sigV4, *Error) {
	rest, isSigV4 := strings.CutPrefix(header, sigV4Algorithm)
	fields := map[string]string{}
	for field := range strings.SplitSeq(rest, ",") {
		name, value, ok := strings.Cut(strings.TrimSpace(field), "=")
		if !isSigV4 || !ok {
			return nil, incompleteSignature("Invalid key=value pair (missing equal-sign) in Authorization header %s.", hashed(header))
		}
		fields[name] = value
	}
	date := r.Header.Get("X-Amz-Date")
	if date == "" {
		date = r.Header.Get("Date")
	}
	var missing strings.Builder
	for _, name := range []string{"Credential", "Signature", "SignedHeaders"} {
		if fields[name] == "" {
			missing.WriteString("Authorization header requires '" + name + "' parameter. ")
		}
	}
	if date == "" {
		missing.WriteString("Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header. ")
	}
	if missing.Len() > 0 {
		return nil, incompleteSignature("%sAuthorization=%s", missing.String(), hashed(header))
	}
	s := &sigV4{token: r.Header.Get("X-Amz-Security-Token"), query: canonicalQuery(query)}
	return s, s.fill(fields["Credential"], date, fields["SignedHeaders"], fields["Signature"])
}

// hashed stands in for a header in an answer, as AWS writes it: it may hold
// what nobody else should see.
func hashed(header string) string {
	sum := sha256.Sum256([]byte(header))
	return "(hashed with SHA-256 and encoded with Base64): '" + base64.StdEncoding.EncodeToString(sum[:]) + "'"
}

func fromQuery(query url.Values) (*sigV4, *Error) {
	var missing strings.Builder
	for _, name := range []string{"X-Amz-Algorithm", "X-Amz-Credential", "X-Amz-Signature", "X-Amz-SignedHeaders", "X-Amz-Date"} {
		if query.Get(name) == "" {
			missing.WriteString("AWS query-string parameters must include '" + name + "'. ")
		}
	}
	if missing.Len() > 0 {
		return nil, incompleteSignature("%sRe-examine the query-string parameters.", missing.String())
	}
	if algorithm := query.Get("X-Amz-Algorithm"); algorithm != sigV4Algorithm {
		return nil, incompleteSignature("Unsupported AWS 'algorithm': '%s'.", algorithm)
	}
	expires := sigV4Skew
	if text := query.Get("X-Amz-Expires"); text != "" {
		seconds, err := strconv.ParseUint(text, 10, 32)
		expires = time.Duration(seconds) * time.Second
		if err != nil || expires < time.Second || expires > maxPresigned {
			return nil, incompleteSignature("X-Amz-Expires must be between 1 and %d seconds", int(maxPresigned.Seconds()))
		}
	}
	signature := query.Get("X-Amz-Signature")
	query.Del("X-Amz-Signature")
	s := &sigV4{token: query.Get("X-Amz-Security-Token"), expires: expires, query: canonicalQuery(query)}
	return s, s.fill(query.Get("X-Amz-Credential"), query.Get("X-Amz-Date"), query.Get("X-Amz-SignedHeaders"), signature)
}

// fill reads what header and query have in common.
func (s *sigV4) fill(scope, date, headers, signature string) *Error {
	var ok bool
	if s.Credential, ok = parseScope(scope); !ok {
		return incompleteSignature("Credential must have exactly 5 slash-delimited elements, e.g. keyid/date/region/service/term, got '%s'", scope)
	}
	at, err := time.Parse(sigV4Time, date)
	if err != nil { // the Date header may have HTTP's own form
		if at, err = http.ParseTime(date); err != nil {
			return incompleteSignature("Date must be in ISO-8601 'basic format'. Got '%s'. See http://en.wikipedia.org/wiki/ISO_8601", date)
		}
	}
	s.at, s.date = at, stamp(at)
	s.headers = strings.Split(headers, ";")
	// Whatever a signer wrote into it would never have matched.
	if s.signature, err = hex.DecodeString(signature); err != nil {
		return signatureMismatch()
	}
	return nil
}

// canonicalQuery escapes names and values, and sorts them after that.
func canonicalQuery(query url.Values) string {
	if len(query) == 0 {
		return ""
	}
	var pairs [][2]string
	for name, values := range query {
		for _, value := range values {
			pairs = append(pairs, [2]string{escapeSigV4(name, false), escapeSigV4(value, false)})
		}
	}
	slices.SortFunc(pairs, func(a, b [2]string) int { return slices.Compare(a[:], b[:]) })
	var b strings.Builder
	for i, pair := range pairs {
		if i > 0 {
			b.WriteByte('&')
		}
		b.WriteString(pair[0] + "=" + pair[1])
	}
	return b.String()
}

// MissingAuthenticationToken is the answer to a request without a signature.
func MissingAuthenticationToken() *Error {
	return Errorf(http.StatusForbidden, "MissingAuthenticationTokenException", "Missing Authentication Token")
}

// UnrecognizedClient is the answer to a key that nobody has issued, or to a
// session token that does not belong to it.
func UnrecognizedClient() *Error {
	return Errorf(http.StatusForbidden, "UnrecognizedClientException", "The security token included in the request is invalid.")
}

// ExpiredToken is the answer to temporary credentials whose time is over.
func ExpiredToken() *Error {
	return Errorf(http.StatusForbidden, "ExpiredTokenException", "The security token included in the request is expired")
}

func incompleteSignature(format string, args ...any) *Error {
	return Errorf(http.StatusForbidden, "IncompleteSignatureException", format, args...)
}

func invalidSignature(format string, args ...any) *Error {
	return Errorf(http.StatusForbidden, "InvalidSignatureException", format, args...)
}

func signatureMismatch() *Error {
	return invalidSignature("The request signature we calculated does not match the signature you provided. " +
		"Check your AWS Secret Access Key and signing method. Consult the service documentation for details.")
}
