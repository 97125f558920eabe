package awsproto

import (
	"net/http"
	"strings"
)

// Credential is the scope of a SigV4 signature: whose key signed it, and for
// which day, region and service.
type Credential struct {
	AccessKeyID string
	Date        string // yyyymmdd
	Region      string
	Service     string
}

const sigV4Algorithm = "AWS4-HMAC-SHA256"

// ParseCredential reads the scope from the Authorization header or, for a
// presigned URL, from the query. It does not verify the signature.
func ParseCredential(r *http.Request) (Credential, bool) {
	if rest, ok := strings.CutPrefix(r.Header.Get("Authorization"), sigV4Algorithm); ok {
		for field := range strings.SplitSeq(rest, ",") {
			if scope, ok := strings.CutPrefix(strings.TrimSpace(field), "Credential="); ok {
				return parseScope(scope)
			}
		}
		return Credential{}, false
	}
	if strings.Contains(r.URL.RawQuery, "X-Amz-Credential") {
		return parseScope(r.URL.Query().Get("X-Amz-Credential"))
	}
	return Credential{}, false
}

// parseScope splits <key>/<date>/<region>/<service>/aws4_request. The key id
// itself may hold slashes, so it is read from the right.
func parseScope(scope string) (Credential, bool) {
	parts := strings.Split(scope, "/")
	n := len(parts)
	if n < 5 || parts[n-1] != scopeEnd {
		return Credential{}, false
	}
	c := Credential{
		AccessKeyID: strings.Join(parts[:n-4], "/"),
		Date:        parts[n-4], Region: parts[n-3], Service: parts[n-2],
	}
	return c, c.AccessKeyID != "" && c.Region != "" && c.Service != ""
}
