package connection

import "time"

// TokenGrace is how long a session outlives its token: time to renew it, and
// room for clocks that differ.
const TokenGrace = 30 * time.Second

// Expiry returns when a row written at now stops to count: after ttl, or with
// the token if that ends sooner.
func Expiry(now time.Time, ttl time.Duration, tokenExpiresAt time.Time) time.Time {
	latest := now.Add(ttl)
	if withToken := tokenExpiresAt.Add(TokenGrace); withToken.Before(latest) {
		return withToken
	}
	return latest
}

// SessionExpired reports whether the token that the connection was opened with,
// or renewed by, has expired.
func (c Connection) SessionExpired(now time.Time) bool {
	return !now.Before(c.TokenExpiresAt.Add(TokenGrace))
}
