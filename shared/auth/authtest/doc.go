// Package authtest mints what a test of authentication needs: keys, tokens good
// and bad, and an issuer that publishes its keys and rotates them.
//
//	issuer := authtest.NewIssuer()
//	verifier, err := auth.NewVerifier(ctx, auth.Config{
//		JWKSURL:    issuer.URL(),
//		HTTPClient: issuer.Client(),
//	})
//	token := issuer.Sign(authtest.Claims{Subject: "u1", Tenant: "t1"})
//
// It stands beside the message's path: nothing that is deployed imports it; the
// development token of scripts/token is made with it too.
//
// The keys are real, but nobody guards them. A mistake in a call, such as claims
// that have no JSON, panics: it is the test that is wrong.
package authtest
