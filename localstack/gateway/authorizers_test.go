package gateway

import (
	"context"
	"fmt"
	"strings"
	"testing"

	sdk "github.com/aws/aws-sdk-go-v2/service/apigatewayv2"
	"github.com/aws/aws-sdk-go-v2/service/apigatewayv2/types"
)

// authorizer makes one that calls the function of that name, and returns its id.
func (d *deployed) authorizer(t *testing.T, function string, sources ...string) string {
	t.Helper()
	out, err := d.CreateAuthorizer(t.Context(), &sdk.CreateAuthorizerInput{
		ApiId: &d.id, Name: &function, AuthorizerType: types.AuthorizerTypeRequest,
		AuthorizerUri: invokeARN(function), IdentitySource: append([]string{}, sources...),
	})
	must(t, err)
	return *out.AuthorizerId
}

// guard puts the authorizer before the $connect route.
func (d *deployed) guard(t *testing.T, route, authorizer string) {
	t.Helper()
	_, err := d.UpdateRoute(t.Context(), &sdk.UpdateRouteInput{
		ApiId: &d.id, RouteId: &route, AuthorizationType: types.AuthorizationTypeCustom, AuthorizerId: &authorizer,
	})
	must(t, err)
}

func TestAuthorizerLifecycle(t *testing.T) {
	d := &deployed{cloud: newCloud(t)}
	d.id = d.createAPI(t)
	id := d.authorizer(t, "auth", "route.request.header.Auth", "route.request.querystring.Name")
	_, err := d.UpdateAuthorizer(t.Context(), &sdk.UpdateAuthorizerInput{ApiId: &d.id, AuthorizerId: &id, IdentitySource: []string{"stageVariables.key"}})
	must(t, err)
	got, err := d.GetAuthorizer(t.Context(), &sdk.GetAuthorizerInput{ApiId: &d.id, AuthorizerId: &id})
	must(t, err)
	if *got.Name != "auth" || got.AuthorizerType != "REQUEST" || *got.AuthorizerUri != *invokeARN("auth") || len(got.IdentitySource) != 1 || got.IdentitySource[0] != "stageVariables.key" {
		t.Errorf("after PATCH: %+v", got)
	}
	list, err := d.GetAuthorizers(t.Context(), &sdk.GetAuthorizersInput{ApiId: &d.id})
	must(t, err)
	if len(list.Items) != 1 || *list.Items[0].AuthorizerId != id {
		t.Errorf("listed %v", list.Items)
	}

	route := d.route(t, "$connect", d.integrate(t, "connect", 29000), false)
	d.guard(t, route, id)
	remove := func() error {
		_, err := d.DeleteAuthorizer(t.Context(), &sdk.DeleteAuthorizerInput{ApiId: &d.id, AuthorizerId: &id})
		return err
	}
	wantFault(t, remove(), "ConflictException", 409, "$connect")
	opened, err := d.UpdateRoute(t.Context(), &sdk.UpdateRouteInput{ApiId: &d.id, RouteId: &route, AuthorizationType: types.AuthorizationTypeNone})
	must(t, err)
	if opened.AuthorizationType != "NONE" || opened.AuthorizerId != nil {
		t.Errorf("without authorization: %+v", opened)
	}
	must(t, remove())
	_, err = d.GetAuthorizer(t.Context(), &sdk.GetAuthorizerInput{ApiId: &d.id, AuthorizerId: &id})
	wantFault(t, err, "NotFoundException", 404, id)
	_, err = d.UpdateAuthorizer(t.Context(), &sdk.UpdateAuthorizerInput{ApiId: &d.id, AuthorizerId: &id})
	wantFault(t, err, "NotFoundException", 404, id)
	wantFault(t, remove(), "NotFoundException", 404, id)
}

// What WebSocket APIs do not have: [BOTO:apigatewayv2 CreateAuthorizer].
func TestAuthorizersThatAreRefused(t *testing.T) {
	d := &deployed{cloud: newCloud(t)}
	d.id = d.createAPI(t)
	d.authorizer(t, "taken")
	tests := map[string]struct {
		change func(*sdk.CreateAuthorizerInput)
		text   string
	}{
		"a JWT authorizer":            {func(in *sdk.CreateAuthorizerInput) { in.AuthorizerType = types.AuthorizerTypeJwt }, "REQUEST"},
		"a TOKEN authorizer":          {func(in *sdk.CreateAuthorizerInput) { in.AuthorizerType = "TOKEN" }, "REQUEST"},
		"a JWT's configuration":       {func(in *sdk.CreateAuthorizerInput) { in.JwtConfiguration = &types.JWTConfiguration{} }, "jwtConfiguration"},
		"a payload format":            {func(in *sdk.CreateAuthorizerInput) { in.AuthorizerPayloadFormatVersion = ptr("2.0") }, "authorizerPayloadFormatVersion"},
		"simple responses":            {func(in *sdk.CreateAuthorizerInput) { in.EnableSimpleResponses = ptr(true) }, "enableSimpleResponses"},
		"caching":                     {func(in *sdk.CreateAuthorizerInput) { in.AuthorizerResultTtlInSeconds = ptr(int32(300)) }, "authorizerResultTtlInSeconds"},
		"no caching, said so":         {func(in *sdk.CreateAuthorizerInput) { in.AuthorizerResultTtlInSeconds = ptr(int32(0)) }, "authorizerResultTtlInSeconds"},
		"credentials":                 {func(in *sdk.CreateAuthorizerInput) { in.AuthorizerCredentialsArn = ptr("arn:aws:iam::1:role/r") }, "authorizerCredentialsArn"},
		"a validation expression":     {func(in *sdk.CreateAuthorizerInput) { in.IdentityValidationExpression = ptr("x") }, "identityValidationExpression"},
		"no URI":                      {func(in *sdk.CreateAuthorizerInput) { in.AuthorizerUri = nil }, "Invalid Authorizer URI"},
		"a function's own ARN":        {func(in *sdk.CreateAuthorizerInput) { in.AuthorizerUri = ptr("arn:aws:lambda:eu-west-1:0:function:f") }, "Invalid Authorizer URI"},
		"an HTTP API's source":        {func(in *sdk.CreateAuthorizerInput) { in.IdentitySource = []string{"$request.header.Auth"} }, "Invalid mapping expression parameter specified: $request.header.Auth"},
		"a REST API's source":         {func(in *sdk.CreateAuthorizerInput) { in.IdentitySource = []string{"method.request.header.Auth"} }, "method.request.header.Auth"},
		"a source without a name":     {func(in *sdk.CreateAuthorizerInput) { in.IdentitySource = []string{"route.request.header."} }, "route.request.header."},
		"two sources in one":          {func(in *sdk.CreateAuthorizerInput) { in.IdentitySource = []string{"context.a, context.b"} }, "context.a, context.b"},
		"an empty name":               {func(in *sdk.CreateAuthorizerInput) { in.Name = ptr("") }, "name"},
		"a name that there is":        {func(in *sdk.CreateAuthorizerInput) { in.Name = ptr("taken") }, "Authorizer name must be unique"},
		"a function of the body only": {func(in *sdk.CreateAuthorizerInput) { in.IdentitySource = []string{"route.request.body.token"} }, "route.request.body.token"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			in := &sdk.CreateAuthorizerInput{
				ApiId: &d.id, Name: ptr("new"), AuthorizerType: types.AuthorizerTypeRequest,
				AuthorizerUri: invokeARN("auth"), IdentitySource: []string{"route.request.header.Auth"},
			}
			tt.change(in)
			_, err := d.CreateAuthorizer(t.Context(), in)
			wantFault(t, err, "BadRequestException", 400, tt.text)
		})
	}
}

func TestAnAPIHasAtMostTenAuthorizers(t *testing.T) { // [DG:limits]
	d := &deployed{cloud: newCloud(t)}
	d.id = d.createAPI(t)
	for i := range 10 {
		d.authorizer(t, fmt.Sprint("a", i))
	}
	_, err := d.CreateAuthorizer(t.Context(), &sdk.CreateAuthorizerInput{
		ApiId: &d.id, Name: ptr("a10"), AuthorizerType: types.AuthorizerTypeRequest, AuthorizerUri: invokeARN("f"), IdentitySource: []string{},
	})
	wantFault(t, err, "TooManyRequestsException", 429, "Maximum number of Authorizers")
}

// [DG:apigateway-websocket-api-route-keys-connect-disconnect]
func TestOnlyConnectIsAuthorized(t *testing.T) {
	d := &deployed{cloud: newCloud(t)}
	d.id = d.createAPI(t)
	id := d.authorizer(t, "auth")
	const elsewhere = "Currently, authorization is restricted to the $connect route only"
	tests := map[string]struct {
		key  string
		kind types.AuthorizationType
		id   *string
		text string
	}{
		"a message":                     {"join", types.AuthorizationTypeCustom, &id, elsewhere},
		"any message":                   {"$default", types.AuthorizationTypeCustom, &id, elsewhere},
		"$disconnect":                   {"$disconnect", types.AuthorizationTypeCustom, &id, elsewhere},
		"a message by IAM":              {"join", types.AuthorizationTypeAwsIam, nil, elsewhere},
		"$connect by IAM":               {"$connect", types.AuthorizationTypeAwsIam, nil, "AWS_IAM"},
		"$connect by JWT":               {"$connect", types.AuthorizationTypeJwt, &id, "JWT"},
		"without an id":                 {"$connect", types.AuthorizationTypeCustom, nil, "authorizer identifier"},
		"with an id that is not there":  {"$connect", types.AuthorizationTypeCustom, ptr("nope"), "nope"},
		"an id without authorization":   {"$connect", types.AuthorizationTypeNone, &id, "CUSTOM"},
		"an id, authorization not said": {"$connect", "", &id, "CUSTOM"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			_, err := d.CreateRoute(context.Background(), &sdk.CreateRouteInput{ApiId: &d.id, RouteKey: &tt.key, AuthorizationType: tt.kind, AuthorizerId: tt.id})
			wantFault(t, err, "BadRequestException", 400, tt.text)
		})
	}
}

func TestADeploymentPinsTheAuthorizer(t *testing.T) {
	d := newCloud(t).deploy(t, map[string]string{"$default": "echo"})
	d.set("auth", fails)
	route := d.route(t, "$connect", d.integrate(t, "connect", 29000), false)
	redeploy(t, d)
	id := d.authorizer(t, "auth")
	d.guard(t, route, id)
	d.wantUpgrade(t, 101) // still without it
	redeploy(t, d)
	d.wantUpgrade(t, 500)
	_, err := d.UpdateAuthorizer(t.Context(), &sdk.UpdateAuthorizerInput{ApiId: &d.id, AuthorizerId: &id, AuthorizerUri: invokeARN("other")})
	must(t, err)
	d.wantUpgrade(t, 500)
	if n := d.count("other"); n != 0 {
		t.Errorf("the new authorizer ran %d times before it was deployed", n)
	}
	redeploy(t, d)
	d.wantUpgrade(t, 500) // its fake answers like an integration
	if n := d.count("other"); n != 1 {
		t.Errorf("the new authorizer ran %d times", n)
	}
}

// wantUpgrade connects and checks how it is answered.
func (d *deployed) wantUpgrade(t *testing.T, status int) {
	t.Helper()
	if _, response, err := d.tryDial(t, "", nil); response == nil || response.StatusCode != status {
		t.Errorf("got %v, %v; want %d", response, err, status)
	}
}

func TestASnapshotWithoutItsAuthorizerLetsNobodyIn(t *testing.T) {
	d := newCloud(t).deploy(t, chat)
	d.set("auth", allows)
	d.guard(t, d.routeID(t, "$connect"), d.authorizer(t, "auth"))
	redeploy(t, d)
	saved, err := d.Snapshot()
	must(t, err)

	restored := &deployed{cloud: newCloud(t), id: d.id}
	restored.set("echo", echo)
	restored.set("auth", allows)
	must(t, restored.Restore(saved))
	restored.dial(t)

	must(t, restored.Restore([]byte(strings.Replace(string(saved), `"Authorizers":{`, `"Authorizers":{},"_":{`, 1))))
	_, err = restored.UpdateStage(t.Context(), &sdk.UpdateStageInput{ApiId: &d.id, StageName: ptr(testStage), AutoDeploy: ptr(true)})
	must(t, err)
	restored.wantUpgrade(t, 500)
}

func (d *deployed) routeID(t *testing.T, key string) string {
	t.Helper()
	list, err := d.GetRoutes(t.Context(), &sdk.GetRoutesInput{ApiId: &d.id})
	must(t, err)
	for _, rt := range list.Items {
		if *rt.RouteKey == key {
			return *rt.RouteId
		}
	}
	t.Fatalf("no route %s", key)
	return ""
}
