package auth

import (
	"encoding/json"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Leeway is how far ahead nbf and iat may be, for clocks that differ. exp has
// none: the session's end is counted from it everywhere.
const Leeway = 30 * time.Second

// Limits of what is taken from a token. Lengths are in bytes.
const (
	MaxUser        = 256
	MaxTenant      = 128
	MaxPermission  = 256
	MaxPermissions = 100 // entries
	maxTokenID     = 256
	maxIssuer      = 1024
	maxAudiences   = 100 // entries
)

// maxDate is the last second of the year 9999, the end of what RFC 3339 and
// JSON can write.
const maxDate = 253402300799

// Identity is who a verified token speaks for.
type Identity struct {
	User        string    // sub
	Tenant      string    // Config.TenantClaim
	Permissions []string  // Config.PermissionsClaim in its order, nil if absent
	ExpiresAt   time.Time // exp; from then on the session is over
	TokenID     string    // jti, "" if absent
	Issuer      string    // iss, "" if absent
}

// identity judges the claims of a token whose signature holds (RFC 7519 §4.1).
func (v *Verifier) identity(claims object, now time.Time) (Identity, *refused) {
	c := claimReader{claims: claims}
	id := Identity{ExpiresAt: c.times(now)}
	id.Issuer = c.issuer(v.issuers)
	c.audience(v.audiences)
	id.User = c.required("sub", MaxUser)
	id.Tenant = c.required(v.tenantClaim, MaxTenant)
	id.Permissions = c.permissions(v.permissionsClaim)
	id.TokenID = c.optional("jti", maxTokenID)
	if len(v.tenants) > 0 && !slices.Contains(v.tenants, id.Tenant) {
		c.refuse(ErrTenantNotAllowed, "tenant is not in ALLOWED_TENANTS")
	}
	if c.refused != nil {
		return Identity{}, c.refused
	}
	return id, nil
}

// claimReader reads claims one by one and keeps the first refusal.
type claimReader struct {
	claims  object
	refused *refused
}

func (c *claimReader) refuse(err error, cause string) {
	if c.refused == nil {
		c.refused = refuse(err, cause)
	}
}

// times returns exp.
func (c *claimReader) times(now time.Time) time.Time {
	expires, ok := date(c.claims["exp"])
	if !ok {
		c.refuse(ErrClaims, "exp is missing or not a date")
	} else if !now.Before(expires) {
		c.refuse(ErrTokenExpired, "exp is past")
	}
	for _, name := range []string{"nbf", "iat"} {
		raw, present := c.claims[name]
		if !present {
			continue
		}
		if t, ok := date(raw); !ok {
			c.refuse(ErrClaims, name+" is not a date")
		} else if t.After(now.Add(Leeway)) {
			c.refuse(ErrTokenNotYetValid, name+" is ahead")
		}
	}
	return expires
}

// date reads a NumericDate: seconds since 1970, a fraction allowed. A string, a
// negative number, and one that overflows are refused.
func date(raw json.RawMessage) (time.Time, bool) {
	if len(raw) == 0 || raw[0] < '0' || raw[0] > '9' {
		return time.Time{}, false
	}
	seconds, err := strconv.ParseFloat(string(raw), 64)
	if err != nil || seconds > maxDate {
		return time.Time{}, false
	}
	whole, fraction := math.Modf(seconds)
	return time.Unix(int64(whole), int64(fraction*1e9)), true
}

func (c *claimReader) issuer(accepted []string) string {
	issuer := c.optional("iss", maxIssuer)
	if len(accepted) > 0 && !slices.Contains(accepted, issuer) {
		c.refuse(ErrIssuer, "iss is not in JWT_ISSUER")
	}
	return issuer
}

// audience reads one string or a list of them.
func (c *claimReader) audience(accepted []string) {
	raw, present := c.claims["aud"]
	audiences, ok := listValue(raw)
	if one, isText := stringValue(raw); isText {
		audiences, ok = []string{one}, true
	}
	if present && (!ok || len(audiences) > maxAudiences) {
		c.refuse(ErrClaims, "aud is neither a string nor a short list of them")
	}
	if len(accepted) > 0 && !slices.ContainsFunc(audiences, func(a string) bool { return slices.Contains(accepted, a) }) {
		c.refuse(ErrAudience, "aud has none of JWT_AUDIENCE")
	}
}

func (c *claimReader) required(name string, limit int) string {
	if _, present := c.claims[name]; !present {
		c.refuse(ErrClaims, name+" is missing")
	}
	return c.optional(name, limit)
}

func (c *claimReader) optional(name string, limit int) string {
	s, present, ok := c.claims.text(name)
	if !ok || present && !plain(s, limit) {
		c.refuse(ErrClaims, name+" is not a string, is empty, too long or holds a control character")
	}
	return s
}

// permissions reads a list of strings, or one string with spaces between, as
// OAuth's scope is (RFC 6749 §3.3).
func (c *claimReader) permissions(name string) []string {
	raw, present := c.claims[name]
	if !present {
		return nil
	}
	list, ok := listValue(raw)
	if s, isText := stringValue(raw); isText {
		list = slices.DeleteFunc(strings.Split(s, " "), func(p string) bool { return p == "" })
		ok = true
	}
	if !ok || len(list) > MaxPermissions {
		c.refuse(ErrClaims, name+" is neither a string nor a list of at most 100 strings")
	}
	for _, p := range list {
		if !plain(p, MaxPermission) {
			c.refuse(ErrClaims, "an entry of "+name+" is empty, too long or holds a control character")
		}
	}
	return list
}
