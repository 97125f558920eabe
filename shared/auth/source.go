package auth

import (
	"slices"
	"strings"
)

// Subprotocol is what a browser, which cannot set Authorization, offers before
// its token: new WebSocket(url, ["bearer", token]).
const Subprotocol = "bearer"

// TokenFromRequest finds the token of an upgrade request, in this order:
//
//	Authorization: Bearer <token>
//	Sec-WebSocket-Protocol: bearer, <token>
//	?token=<token>
//
// Names of headers match in any case, the query parameter only as written. An
// empty value, and an Authorization of another scheme, count as absent.
//
// subprotocol is Subprotocol if the client offered it, else "". It must then be
// the answer's Sec-WebSocket-Protocol, or browsers hang up (RFC 6455 §4.1).
//
// The errors are ErrTokenMissing, ErrTokenMalformed for more than MaxToken
// bytes, and ErrTokenConflict for tokens that differ: which of two counts must
// not depend on who looks, a proxy or us. The token is not verified.
func TokenFromRequest(headers, query map[string]string) (token, subprotocol string, err error) {
	var found []string
	for name, value := range headers {
		switch {
		case strings.EqualFold(name, "Authorization"):
			found = append(found, bearer(value))
		case strings.EqualFold(name, "Sec-WebSocket-Protocol"):
			tokens, offered := offeredTokens(value)
			found = append(found, tokens...)
			if offered {
				subprotocol = Subprotocol
			}
		}
	}
	token, err = agree(append(found, query["token"]))
	if err != nil {
		return "", "", err
	}
	return token, subprotocol, nil
}

// bearer returns the credentials of an Authorization header (RFC 6750 §2.1).
func bearer(value string) string {
	scheme, credentials, _ := strings.Cut(strings.TrimSpace(value), " ")
	if !strings.EqualFold(scheme, "Bearer") {
		return ""
	}
	return strings.TrimSpace(credentials)
}

// offeredTokens returns what follows each "bearer" in a list of subprotocols,
// and whether there is one.
func offeredTokens(value string) (tokens []string, offered bool) {
	protocols := strings.Split(value, ",")
	for i := 0; i < len(protocols); i++ {
		if strings.TrimSpace(protocols[i]) != Subprotocol {
			continue
		}
		offered = true
		if i++; i < len(protocols) {
			tokens = append(tokens, strings.TrimSpace(protocols[i]))
		}
	}
	return tokens, offered
}

// agree returns the one token that all places with a token name. Since they
// must agree, the order of the places makes no difference to the result.
func agree(candidates []string) (string, error) {
	if slices.ContainsFunc(candidates, func(c string) bool { return len(c) > MaxToken }) {
		return "", ErrTokenMalformed
	}
	token := ""
	for _, c := range candidates {
		switch {
		case c == "":
		case token == "":
			token = c
		case token != c:
			return "", ErrTokenConflict
		}
	}
	if token == "" {
		return "", ErrTokenMissing
	}
	return token, nil
}
