package auth

import (
	"errors"
	"fmt"
)

// refusal is a sentinel with what a client may know of it. Its words are fixed:
// nothing of the token, and nothing that a library said, can get into them.
type refusal struct{ code, message string }

func (r *refusal) Error() string { return "auth: " + r.message }

func newRefusal(code, message string) error { return &refusal{code, message} }

// Why TokenFromRequest or Verify refuses. The comment is the client's code.
// All are 401 to the client but ErrKeysUnavailable, which is not its fault: 500.
var (
	// TOKEN_MISSING: no token in any of the three places.
	ErrTokenMissing = newRefusal("TOKEN_MISSING", "a token is required")
	// TOKEN_CONFLICT: the request carries two tokens that differ.
	ErrTokenConflict = newRefusal("TOKEN_CONFLICT", "the request carries two different tokens")
	// TOKEN_MALFORMED: not a signed JWT in compact form, too long, encrypted,
	// nested, of a foreign type, or with a critical header.
	ErrTokenMalformed = newRefusal("TOKEN_MALFORMED", "the token is not a valid JSON Web Token")
	// TOKEN_ALGORITHM_INVALID: an algorithm that is not configured or not the
	// key's.
	ErrAlgorithm = newRefusal("TOKEN_ALGORITHM_INVALID", "the token's algorithm is not accepted")
	// TOKEN_KEY_UNKNOWN: no key with the token's kid.
	ErrKeyUnknown = newRefusal("TOKEN_KEY_UNKNOWN", "the token's key is not known")
	// TOKEN_SIGNATURE_INVALID
	ErrSignature = newRefusal("TOKEN_SIGNATURE_INVALID", "the token's signature is not valid")
	// TOKEN_EXPIRED: exp is now or past; there is no leeway.
	ErrTokenExpired = newRefusal("TOKEN_EXPIRED", "the token has expired")
	// TOKEN_NOT_YET_VALID: nbf or iat is more than Leeway ahead.
	ErrTokenNotYetValid = newRefusal("TOKEN_NOT_YET_VALID", "the token is not valid yet")
	// TOKEN_ISSUER_INVALID: iss is not among Config.Issuers.
	ErrIssuer = newRefusal("TOKEN_ISSUER_INVALID", "the token's issuer is not accepted")
	// TOKEN_AUDIENCE_INVALID: aud has none of Config.Audiences.
	ErrAudience = newRefusal("TOKEN_AUDIENCE_INVALID", "the token is not meant for this service")
	// TOKEN_CLAIMS_INVALID: a claim is missing, of the wrong type or out of
	// bounds.
	ErrClaims = newRefusal("TOKEN_CLAIMS_INVALID", "the token lacks a claim or has one of the wrong form")
	// TENANT_NOT_ALLOWED: the tenant is not among Config.AllowedTenants.
	ErrTenantNotAllowed = newRefusal("TENANT_NOT_ALLOWED", "the token's tenant is not served here")
	// KEYS_UNAVAILABLE: the issuer cannot be reached and no key of it is left
	// that may still be trusted. Trying again may help.
	ErrKeysUnavailable = newRefusal("KEYS_UNAVAILABLE", "tokens cannot be verified at the moment, please try again")
)

// Unauthorized is the code of an error that is not from this package.
const Unauthorized = "UNAUTHORIZED"

// Code returns what a client's program reads of err: one of the codes above,
// Unauthorized for any other error, "" for nil.
func Code(err error) string {
	if err == nil {
		return ""
	}
	if r, ok := errors.AsType[*refusal](err); ok {
		return r.code
	}
	return Unauthorized
}

// Message returns a sentence for people, safe to be sent to the client; it may
// change. It is "" for nil.
func Message(err error) string {
	if err == nil {
		return ""
	}
	if r, ok := errors.AsType[*refusal](err); ok {
		return r.message
	}
	return "not authorized"
}

// ConfigError says which setting stops NewVerifier. It never holds the
// setting's value.
type ConfigError struct {
	Variable string // of the environment, such as "JWT_PUBLIC_KEY"
	Problem  string // one line
}

func (e *ConfigError) Error() string { return e.Variable + ": " + e.Problem }

func configErrorf(variable, format string, args ...any) error {
	return &ConfigError{Variable: variable, Problem: fmt.Sprintf(format, args...)}
}
