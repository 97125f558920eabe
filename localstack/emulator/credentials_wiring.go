package emulator

import (
	"net/http"
	"strings"
	"time"

	"fanfare/localstack/awsproto"
)

// deployerKey is the key, and the secret, that everything here hands out to
// whoever deploys or posts from outside.
const deployerKey = "test"

// authenticate checks who signs a call of @connections:
//
//   - keys that sts issued, which functions have, with their secret and token;
//     they are refused once they have expired
//   - the key "test" with the secret "test"
//   - other temporary keys (ASIA…) are nobody's here, as sts says, too
//   - any other key is the deployer's own. Its secret is not known to this cloud,
//     so the signature is not verified, but it must be whole, recent and for
//     execute-api.
func (e *Emulator) authenticate(r *http.Request, body []byte) *awsproto.Error {
	const service = "execute-api"
	// Functions and people may go by either clock.
	now, machine := e.clock.Now(), time.Now()
	id := awsproto.CallFrom(r.Context()).Credential.AccessKeyID
	who, issued := e.sts.Lookup(id)
	switch {
	case issued && who.Expired(now):
		return awsproto.ExpiredToken()
	case issued:
		key := awsproto.Key{SecretAccessKey: who.SecretAccessKey.Reveal(), SessionToken: who.SessionToken.Reveal()}
		return e.verifier.Verify(r, body, service, key, now, machine)
	case id == deployerKey:
		return e.verifier.Verify(r, body, service, awsproto.Key{SecretAccessKey: deployerKey}, now, machine)
	case strings.HasPrefix(id, "ASIA"):
		return awsproto.UnrecognizedClient()
	}
	return awsproto.CheckUnverified(r, service, now, machine)
}
