// Package auth decides whether a token may open, or renew, a connection. It
// stands at the very start of a message's path: functions/connect calls it
// before a row is written, functions/message when a client authenticates anew.
//
//	verifier, err := auth.NewVerifier(ctx, auth.Config{
//		JWKSURL:   "https://issuer.example/.well-known/jwks.json",
//		Issuers:   []string{"https://issuer.example/"},
//		Audiences: []string{"fanfare"},
//	})
//	…
//	token, subprotocol, err := auth.TokenFromRequest(event.Headers, event.QueryStringParameters)
//	identity, err := verifier.Verify(ctx, token)
//	if err != nil {
//		return refuse(auth.Code(err), auth.Message(err))
//	}
//
// A token is a JWT (RFC 7519) in JWS compact serialization (RFC 7515), judged
// by the rules of RFC 8725. What it may be signed with is said by the
// configuration and by the key, never by the token: its jku, x5u, jwk and x5c
// headers are not looked at. Parsing is done here, strictly, because a lax
// parser is where most attacks on tokens begin; jwx reads the keys and checks
// the signatures.
//
// Keys of a JWKS URL are fetched while the Verifier is made and inside a call
// of Verify, never in the background: Lambda freezes a goroutine between two
// invocations.
//
// The package does not promise that a token is used once only, does not ask
// the issuer whether it was revoked, and does not follow a session after it was
// admitted: Identity.ExpiresAt is for the caller to enforce. Claims are taken
// from the top level of the payload only. A certificate is a container for its
// key; its dates and its chain are not judged.
package auth
