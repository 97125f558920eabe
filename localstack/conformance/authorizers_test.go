package conformance

import (
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/apigatewayv2"
	"github.com/aws/aws-sdk-go-v2/service/apigatewayv2/types"
)

func TestAuthorizers(t *testing.T) { check(t, authorizerClaims) }

var authorizerClaims = []claim{
	{says: "an authorizer that allows lets $connect run", sources: "[DG:apigateway-websocket-api-lambda-auth]", test: authorizerAllows},
	{says: "the authorizer's event has AWS's fields, no more and no fewer", sources: "[DG:apigateway-websocket-api-lambda-auth]", test: authorizerEvent},
	{says: "a Deny is 403, and $connect does not run", sources: "[DG:apigateway-websocket-api-lambda-auth]", test: authorizerDenies},
	{says: "an Allow for another route or stage is 403", sources: "[DG:apigateway-websocket-api-lambda-auth]", test: authorizerOfAnother},
	{says: "a REST-style resource with one segment too many does not match: 403", sources: "[ISS:powertools-lambda-python#5800]", test: authorizerREST},
	{says: "a Deny beside an Allow wins", sources: "[DG:apigateway-websocket-api-lambda-auth]", test: authorizerDenyWins},
	{says: "an error Unauthorized is 401", sources: "[DG:apigateway-websocket-api-lambda-auth]", test: authorizerUnauthorized},
	{says: "another error, and a result that is none, are 500", sources: "[ISS:serverless-examples#557]", test: authorizerMalformed},
	{says: "an identity source that is missing is 401 without a call", sources: "[DG:apigateway-websocket-api-lambda-auth]", test: authorizerIdentity},
	{says: "an authorizer that API Gateway may not invoke is 500", sources: "[WEB:services-apigateway-errors]", unverified: true, test: authorizerNotPermitted},
	{says: "the authorizer runs once for each connection, and is not cached", sources: "[BOTO:apigatewayv2 CreateAuthorizer]", test: authorizerOnce},
	{says: "context and principalId are in every event, integrationLatency on CONNECT", sources: "[OBS-evt] [ISS:boto3#3789]", test: authorizerContext},
	{says: "authorizer types other than REQUEST are refused", sources: "[BOTO:apigatewayv2 CreateAuthorizer]", test: authorizerTypes},
}

// authorized deploys an API whose $connect has a REQUEST authorizer, played by
// answer. The shared function plays both.
func authorized(t *testing.T, identity []string, answer func(call) order) *api {
	t.Helper()
	if identity == nil {
		identity = []string{} // the SDK wants a list
	}
	return shared(t).deploy(t, spec{
		authorize: func(a *api, route *apigatewayv2.CreateRouteInput) {
			out := must(a.gateway.CreateAuthorizer(t.Context(), &apigatewayv2.CreateAuthorizerInput{
				ApiId: &a.id, Name: aws.String("gatekeeper"), AuthorizerType: types.AuthorizerTypeRequest,
				AuthorizerUri: aws.String(invokeARN(a.function)), IdentitySource: identity,
			}))(t)
			route.AuthorizationType, route.AuthorizerId = types.AuthorizationTypeCustom, out.AuthorizerId
		},
		do: func(c call) order {
			if c.Type == "REQUEST" {
				return answer(c)
			}
			return ok("here")
		},
	})
}

// statement is one of a policy; resource follows the API's ARN.
type statement struct{ effect, resource string }

// policy answers with these statements for the call's API.
func policy(c call, statements ...statement) order {
	var list []map[string]string
	for _, s := range statements {
		list = append(list, map[string]string{
			"Action": "execute-api:Invoke", "Effect": s.effect,
			"Resource": "arn:aws:execute-api:" + region + ":" + account + ":" + c.Context.APIID + s.resource,
		})
	}
	return order{Answer: map[string]any{
		"principalId": "user-1", "policyDocument": map[string]any{"Version": "2012-10-17", "Statement": list},
		"context": map[string]any{"tenant": "t1"},
	}}
}

func says(statements ...statement) func(call) order {
	return func(c call) order { return policy(c, statements...) }
}

var allow = says(statement{"Allow", "/live/$connect"})

func authorizerAllows(t *testing.T) {
	for _, resource := range []string{"/live/$connect", "/*", "/*/$connect", "/live/*"} {
		a := authorized(t, nil, says(statement{"Allow", resource}))
		if got := a.dial().ask("x"); got != "here" {
			t.Errorf("%s: answer %q", resource, got)
		}
	}
}

func authorizerEvent(t *testing.T) {
	a := authorized(t, []string{"route.request.querystring.token"}, allow)
	a.request("?token=t", handshakeLines+"User-Agent: conformance\r\n")
	golden(t, "authorizer.json", a.next("authorizer").Event)
}

// forbids checks that the upgrade is refused with 403 and $connect not called.
func (a *api) forbids() {
	a.t.Helper()
	a.refused("", 403, "")
	a.never("$connect")
}

func authorizerDenies(t *testing.T) { authorized(t, nil, says(statement{"Deny", "/*"})).forbids() }

func authorizerOfAnother(t *testing.T) {
	for _, resource := range []string{"/live/$default", "/other/$connect", "x/live/$connect"} {
		authorized(t, nil, says(statement{"Allow", resource})).forbids()
	}
}

func authorizerREST(t *testing.T) {
	authorized(t, nil, says(statement{"Allow", "/live/*/*"})).forbids()
}

func authorizerDenyWins(t *testing.T) {
	authorized(t, nil, says(statement{"Allow", "/*"}, statement{"Deny", "/live/$connect"})).forbids()
}

func authorizerUnauthorized(t *testing.T) {
	a := authorized(t, nil, func(call) order { return order{Error: "Unauthorized"} })
	a.refused("", 401, "")
	a.never("$connect")
}

func authorizerMalformed(t *testing.T) {
	for _, o := range []order{{Error: "the database is down"}, status(401, ""), {Answer: "yes"}, {Answer: map[string]any{"principalId": "u"}}} {
		a := authorized(t, nil, func(call) order { return o })
		a.refused("", 500, "")
		a.never("$connect")
	}
}

func authorizerIdentity(t *testing.T) {
	a := authorized(t, []string{"route.request.querystring.token", "route.request.header.X-Tenant"}, allow)
	a.refused("", 401, "")
	a.refused("?token=t", 401, "")
	a.refused("?token=", 401, "")
	a.never("authorizer")
	if c := a.request("?token=t", handshakeLines+"X-Tenant: t1\r\n"); c.resp.StatusCode != 101 {
		t.Errorf("with both: HTTP %d", c.resp.StatusCode)
	}
}

func authorizerNotPermitted(t *testing.T) {
	c := shared(t)
	other, _ := c.newFunction(t, nil, nil, nil)
	a := c.deploy(t, spec{authorize: func(a *api, route *apigatewayv2.CreateRouteInput) {
		out := must(a.gateway.CreateAuthorizer(t.Context(), &apigatewayv2.CreateAuthorizerInput{
			ApiId: &a.id, Name: aws.String("gatekeeper"), AuthorizerType: types.AuthorizerTypeRequest, IdentitySource: []string{},
			AuthorizerUri: aws.String(invokeARN("arn:aws:lambda:" + region + ":" + account + ":function:" + other)),
		}))(t)
		route.AuthorizationType, route.AuthorizerId = types.AuthorizationTypeCustom, out.AuthorizerId
	}})
	a.refused("", 500, "")
	a.never("$connect")
}

func authorizerOnce(t *testing.T) {
	a := authorized(t, nil, allow)
	for range 2 {
		a.dial().ask("x")
		a.next("authorizer")
		a.never("authorizer")
	}
}

func authorizerContext(t *testing.T) {
	a := authorized(t, nil, allow)
	conn, _ := a.handshake("", nil)
	s := &socket{t: t, c: conn}
	s.ask("x")
	if err := conn.CloseNow(); err != nil {
		t.Fatal(err)
	}
	for _, kind := range []string{"$connect", "$default", "$disconnect"} {
		got := a.next(kind).Context.Authorizer
		if got["principalId"] != "user-1" || got["tenant"] != "t1" {
			t.Errorf("%s: authorizer %v", kind, got)
		}
		if _, isNumber := got["integrationLatency"].(float64); kind == "$connect" && !isNumber {
			t.Errorf("integrationLatency is %#v", got["integrationLatency"])
		}
	}
}

func authorizerTypes(t *testing.T) {
	a := shared(t).deploy(t, spec{})
	for _, in := range []*apigatewayv2.CreateAuthorizerInput{
		{AuthorizerType: types.AuthorizerTypeJwt, JwtConfiguration: &types.JWTConfiguration{Issuer: aws.String("https://issuer.example"), Audience: []string{"x"}}},
		{AuthorizerType: types.AuthorizerTypeRequest, AuthorizerPayloadFormatVersion: aws.String("2.0"), AuthorizerUri: aws.String(invokeARN(a.function))},
	} {
		in.ApiId, in.Name, in.IdentitySource = &a.id, aws.String("x"), []string{"route.request.header.Authorization"}
		_, err := a.gateway.CreateAuthorizer(t.Context(), in)
		if httpStatus(err) != 400 || !strings.Contains(err.Error(), "BadRequestException") {
			t.Errorf("%s: error %v", in.AuthorizerType, err)
		}
	}
}
