package conformance

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
)

func TestSignatures(t *testing.T) { check(t, signatureClaims) }

var signatureClaims = []claim{
	{says: "@connections without a signature is 403 Missing Authentication Token", sources: "[DG:apigateway-websocket-control-access-iam]", test: signatureMissing},
	{says: "@connections signed with another secret is 403 InvalidSignatureException", sources: "[DG:apigateway-websocket-control-access-iam]", unverified: true, test: signatureWrong},
	{says: "@connections whose body is not the one that was signed is 403", sources: "[DG:apigateway-websocket-control-access-iam]", unverified: true, test: signatureBody},
	{says: "@connections signed for another service is 403", sources: "[GORUN]", unverified: true, test: signatureService},
	{says: "a function's own credentials sign @connections", sources: "[LDG:configuration-envvars]", test: signatureOfFunction},
	{says: "credentials that nobody has issued are 403", sources: "[DG:apigateway-websocket-control-access-iam]", unverified: true, test: signatureForged},
}

func (a *api) wantForbidden(got answer, errorType string) {
	a.t.Helper()
	if got.status != http.StatusForbidden || (errorType != "" && got.header.Get("x-amzn-errortype") != errorType) {
		a.t.Errorf("HTTP %d %s %s, want 403 %s", got.status, got.header.Get("x-amzn-errortype"), got.body, errorType)
	}
}

func (a *api) unsigned(id, body string) *http.Request {
	a.t.Helper()
	return must(http.NewRequestWithContext(a.t.Context(), http.MethodPost, a.connectionURL(id), strings.NewReader(body)))(a.t)
}

func signatureMissing(t *testing.T) {
	a := shared(t).deploy(t, spec{})
	id := a.dial().id
	got := send(t, a.unsigned(id, "x"))
	a.wantForbidden(got, "MissingAuthenticationTokenException")
	if got.body != `{"message":"Missing Authentication Token"}` {
		t.Errorf("body %s", got.body)
	}
}

func signatureWrong(t *testing.T) {
	a := shared(t).deploy(t, spec{})
	id := a.dial().id
	got := manage(t, "POST", a.connectionURL(id), "x", aws.Credentials{AccessKeyID: "test", SecretAccessKey: "another"})
	a.wantForbidden(got, "InvalidSignatureException")
}

func signatureBody(t *testing.T) {
	a := shared(t).deploy(t, spec{})
	id := a.dial().id
	req := a.unsigned(id, "what is sent")
	sign(t, req, "what is signed", "execute-api", deployer)
	a.wantForbidden(send(t, req), "InvalidSignatureException")
}

func signatureService(t *testing.T) {
	a := shared(t).deploy(t, spec{})
	id := a.dial().id
	req := a.unsigned(id, "x")
	sign(t, req, "x", "lambda", deployer)
	a.wantForbidden(send(t, req), "")
}

func signatureOfFunction(t *testing.T) {
	a := shared(t).deploy(t, spec{})
	conn, _ := a.handshake("", nil)
	c := a.next("$connect")
	keys := aws.Credentials{
		AccessKeyID: c.Environment["AWS_ACCESS_KEY_ID"], SecretAccessKey: c.Environment["AWS_SECRET_ACCESS_KEY"], SessionToken: c.Environment["AWS_SESSION_TOKEN"],
	}
	if got := manage(t, "POST", a.connectionURL(c.Context.ConnectionID), "x", keys); got.status != 200 {
		t.Errorf("HTTP %d %s", got.status, got.body)
	}
	if got := (&socket{t: t, c: conn}).read(); got != "x" {
		t.Errorf("the client got %q", got)
	}
	keys.SecretAccessKey += "x"
	a.wantForbidden(manage(t, "POST", a.connectionURL(c.Context.ConnectionID), "x", keys), "InvalidSignatureException")
}

func signatureForged(t *testing.T) {
	a := shared(t).deploy(t, spec{})
	id := a.dial().id
	forged := aws.Credentials{AccessKeyID: "ASIAFORGEDFORGEDFORG", SecretAccessKey: "secret", SessionToken: "token", Expires: time.Now().Add(time.Hour)}
	a.wantForbidden(manage(t, "POST", a.connectionURL(id), "x", forged), "")
}
