package gateway

import (
	"net/http"
	"testing"

	"fanfare/localstack/awsproto"
)

func TestCallsOfConnectionsAreAuthenticated(t *testing.T) {
	var bodies []string
	var answer *awsproto.Error
	d := newCloudWith(t, Options{Authenticate: func(_ *http.Request, body []byte) *awsproto.Error {
		bodies = append(bodies, string(body))
		return answer
	}}).deploy(t, chat)
	c := d.dial(t)
	must(t, d.post(c.id, "signed"))
	c.want("signed")
	if len(bodies) != 1 || bodies[0] != "signed" {
		t.Errorf("the bodies that were to be checked: %q", bodies)
	}
	answer = awsproto.ExpiredToken()
	wantFault(t, d.post(c.id, "too late"), "ExpiredTokenException", 403, "The security token included in the request is expired")
	// Who may not call does not learn which connections there are.
	wantFault(t, d.post("R1kmxc2VNjMCFIA=", "x"), "ExpiredTokenException", 403, "expired")
	wantFault(t, d.post("nope", "x"), "ExpiredTokenException", 403, "expired")
}
