package authtest_test

import (
	"context"
	"fmt"

	"fanfare/shared/auth"
	"fanfare/shared/auth/authtest"
)

// A test of your own: an issuer in memory, a verifier that trusts it, tokens
// good and bad, and a rotation in between.
func Example() {
	ctx := context.Background()
	issuer := authtest.NewIssuer()
	verifier, err := auth.NewVerifier(ctx, auth.Config{
		JWKSURL:    issuer.URL(),
		HTTPClient: issuer.Client(),
		Issuers:    []string{issuer.Name()},
		Audiences:  []string{"fanfare"},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	claims := authtest.Claims{
		Subject: "u1", Tenant: "t1", Audience: []string{"fanfare"},
		Permissions: []string{"broadcast:*"},
	}

	identity, err := verifier.Verify(ctx, issuer.Sign(claims))
	fmt.Println(identity.User, identity.Tenant, identity.Permissions, err)

	_, err = verifier.Verify(ctx, issuer.Sign(claims, authtest.Expired()))
	fmt.Println(auth.Code(err))

	issuer.Rotate()
	identity, err = verifier.Verify(ctx, issuer.Sign(claims))
	fmt.Println(identity.User, err)

	stranger := authtest.NewKey()
	_, err = verifier.Verify(ctx, stranger.Sign(claims))
	fmt.Println(auth.Code(err))
	// Output:
	// u1 t1 [broadcast:*] <nil>
	// TOKEN_EXPIRED
	// u1 <nil>
	// TOKEN_KEY_UNKNOWN
}

// A development key is written once and read again; its id stays the same.
func ExampleParseKeyPEM() {
	key := authtest.NewKeyFor("EdDSA")
	again, err := authtest.ParseKeyPEM(key.PrivatePEM())
	fmt.Println(again.ID() == key.ID(), again.Algorithm(), err)
	// Output: true EdDSA <nil>
}
