package gateway

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"testing"

	sdk "github.com/aws/aws-sdk-go-v2/service/apigatewayv2"
)

// permission is an authorizer's result with one statement for a resource
// after the API's id, and with a context.
func permission(effect, resource, values string) function {
	return func(_ context.Context, inv Invocation) (Result, error) {
		var e authorizerEvent
		if err := json.Unmarshal(inv.Payload, &e); err != nil {
			return Result{}, err
		}
		api, _, _ := strings.Cut(e.MethodARN, "/")
		return Result{Payload: fmt.Appendf(nil,
			`{"principalId":"user-1","policyDocument":{"Version":"2012-10-17","Statement":[{"Action":"execute-api:Invoke","Effect":%q,"Resource":%q}]},"context":%s}`,
			effect, api+resource, values)}, nil
	}
}

var allows = permission("Allow", "/live/$connect", "null")

// refuses is a function that fails with a message, as aws-lambda-go does for
// errors.New(message).
func refuses(message string) function {
	return func(context.Context, Invocation) (Result, error) {
		return Result{Payload: fmt.Appendf(nil, `{"errorMessage":%q,"errorType":"errorString"}`, message), Failed: true}, nil
	}
}

// guarded is a chat whose $connect asks the function "auth".
func guarded(t *testing.T, auth function, sources ...string) *deployed {
	t.Helper()
	d := &deployed{cloud: newCloud(t)}
	d.id = d.createAPI(t)
	d.set("echo", echo)
	d.set("auth", auth)
	for key, name := range chat {
		d.route(t, key, d.integrate(t, name, 29000), true)
	}
	d.guard(t, d.routeID(t, "$connect"), d.authorizer(t, "auth", sources...))
	d.release(t, &sdk.CreateStageInput{StageVariables: map[string]string{"table": "connections", "void": ""}})
	return d
}

// Outcomes: [DG:apigateway-websocket-api-lambda-auth; ISS:serverless/examples#557].
// Bodies and error types are those of REST APIs' authorizers (unverified here).
func TestTheAuthorizerDecides(t *testing.T) {
	const (
		unauthorized = `401 UnauthorizedException {"message":"Unauthorized"}`
		denied       = `403 AccessDeniedException {"Message":"User is not authorized to access this resource with an explicit deny in an identity-based policy"}`
		notAllowed   = `403 AccessDeniedException {"Message":"User is not authorized to access this resource"}`
		broken       = `500 AuthorizerConfigurationException {"message":"Internal server error"}`
	)
	result := func(members string) function { return returns(`{"principalId":"u",` + members + `}`) }
	const everything = `"policyDocument":{"Version":"2012-10-17","Statement":[{"Action":"execute-api:Invoke","Effect":"Allow","Resource":"*"}]}`
	statements := func(list string) function {
		return result(`"policyDocument":{"Version":"2012-10-17","Statement":[` + list + `]}`)
	}
	tests := map[string]struct {
		auth function
		want string // "" opens
	}{
		"an Allow of the method opens":                       {allows, ""},
		"an Allow of all of the stage opens":                 {permission("Allow", "/live/*", "{}"), ""},
		"an Allow of everything opens":                       {statements(`{"Action":"*","Effect":"Allow","Resource":"*"}`), ""},
		"an Allow of any API opens":                          {statements(`{"Action":["execute-api:invoke"],"Effect":"Allow","Resource":["arn:aws:execute-api:*:*:*"]}`), ""},
		"a condition that holds":                             {statements(`{"Action":"*","Effect":"Allow","Resource":"*","Condition":{"IpAddress":{"aws:SourceIp":"127.0.0.0/8"}}}`), ""},
		"a condition that does not":                          {statements(`{"Action":"*","Effect":"Allow","Resource":"*","Condition":{"IpAddress":{"aws:SourceIp":"203.0.113.0/24"}}}`), notAllowed},
		"a Deny":                                             {permission("Deny", "/live/$connect", "{}"), denied},
		"a Deny beats an Allow":                              {statements(`{"Action":"*","Effect":"Allow","Resource":"*"},{"Action":"*","Effect":"Deny","Resource":"*"}`), denied},
		"an Allow of another stage":                          {permission("Allow", "/test/$connect", "{}"), notAllowed},
		"an Allow of another route":                          {permission("Allow", "/live/$default", "{}"), notAllowed},
		"REST's */* is no $connect [ISS:powertools-5800]":    {permission("Allow", "/live/*/*", "{}"), notAllowed},
		"a Deny of another route allows nothing":             {permission("Deny", "/live/$default", "{}"), notAllowed},
		"an Allow of another action":                         {statements(`{"Action":"execute-api:ManageConnections","Effect":"Allow","Resource":"*"}`), notAllowed},
		"an Allow without a resource":                        {statements(`{"Action":"execute-api:Invoke","Effect":"Allow"}`), notAllowed},
		"the error Unauthorized":                             {refuses("Unauthorized"), unauthorized},
		"another error":                                      {refuses("token expired"), broken},
		"an error that only begins so":                       {refuses("Unauthorized: expired"), broken},
		"an error in another case":                           {refuses("unauthorized"), broken},
		"an integration's answer [ISS:serverless/557]":       {answers(401, ""), broken},
		"a result that is no JSON":                           {returns(`ok`), broken},
		"a result of null":                                   {returns(`null`), broken},
		"no principal":                                       {returns(`{` + everything + `}`), broken},
		"a principal that is no string":                      {returns(`{"principalId":1,` + everything + `}`), broken},
		"a principal in another case":                        {returns(`{"principalID":"u",` + everything + `}`), broken},
		"no policy":                                          {result(`"context":{}`), broken},
		"a policy as text":                                   {result(`"policyDocument":"{}"`), broken},
		"a policy in lower case":                             {result(`"policyDocument":{"version":"2012-10-17","statement":[]}`), broken},
		"a context with a list":                              {result(everything + `,"context":{"groups":["a"]}`), broken},
		"a context with an object":                           {result(everything + `,"context":{"user":{}}`), broken},
		"a context that is a list":                           {result(everything + `,"context":[]`), broken},
		"a result of 8 KB":                                   {sized(8<<10, everything), ""},
		"a result of more than 8 KB":                         {sized(8<<10+1, everything), broken},
		"a function that API Gateway may not invoke":         {func(context.Context, Invocation) (Result, error) { return Result{}, ErrNotAllowed }, broken},
		"a function that takes too long (status unverified)": {func(context.Context, Invocation) (Result, error) { return Result{}, context.DeadlineExceeded }, broken},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			d := guarded(t, tt.auth)
			_, response, err := d.tryDial(t, "", nil)
			if tt.want == "" {
				must(t, err)
				return
			}
			if response == nil {
				t.Fatal(err)
			}
			body, _ := io.ReadAll(response.Body)
			if got := fmt.Sprintf("%d %s %s", response.StatusCode, response.Header.Get("x-amzn-ErrorType"), body); got != tt.want {
				t.Errorf("got  %s\nwant %s", got, tt.want)
			}
			d.close()
			if d.count("connect")+d.count("disconnect") != 0 {
				t.Error("a route ran for a client that was turned away")
			}
		})
	}
}

// sized is a result of so many bytes.
func sized(size int, policy string) function {
	head, tail := `{"principalId":"u",`+policy+`,"context":{"pad":"`, `"}}`
	return returns(head + strings.Repeat("x", size-len(head)-len(tail)) + tail)
}

// [DG:apigateway-websocket-api-lambda-auth]: all must be there, else 401
// without a call.
func TestIdentitySourcesMustAllBeThere(t *testing.T) {
	tests := map[string]struct {
		sources []string
		query   string
		header  []string
		open    bool
	}{
		"none are needed":                 {nil, "", nil, true},
		"a header":                        {[]string{"route.request.header.Auth"}, "", []string{"Auth: x"}, true},
		"a header in another case":        {[]string{"route.request.header.AUTH"}, "", []string{"auth: x"}, true},
		"a header that is empty":          {[]string{"route.request.header.Auth"}, "", []string{"Auth:"}, false},
		"a header that is missing":        {[]string{"route.request.header.Auth"}, "?Auth=x", nil, false},
		"a header that every client has":  {[]string{"route.request.header.Host", "route.request.header.Connection"}, "", nil, true},
		"a query parameter":               {[]string{"route.request.querystring.token"}, "?token=a.b-c", nil, true},
		"a query parameter's case counts": {[]string{"route.request.querystring.token"}, "?Token=x", nil, false},
		"a query parameter that is empty": {[]string{"route.request.querystring.token"}, "?token=", nil, false},
		"no query at all":                 {[]string{"route.request.querystring.token"}, "", nil, false},
		"one of two":                      {[]string{"route.request.header.Auth", "route.request.querystring.token"}, "?token=x", nil, false},
		"both":                            {[]string{"route.request.header.Auth", "route.request.querystring.token"}, "?token=x", []string{"Auth: x"}, true},
		"a stage variable":                {[]string{"stageVariables.table"}, "", nil, true},
		"a stage variable that is not":    {[]string{"stageVariables.nope"}, "", nil, false},
		"a stage variable that is empty":  {[]string{"stageVariables.void"}, "", nil, false},
		"the context":                     {[]string{"context.connectionId", "context.identity.sourceIp", "context.connectedAt"}, "", nil, true},
		"the context has no such thing":   {[]string{"context.identity.userAgent"}, "", nil, false},
		"nothing is below a text":         {[]string{"context.stage.name"}, "", nil, false},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			d := guarded(t, allows, tt.sources...)
			_, response := d.rawDial(t, tt.query, tt.header...)
			want := 401
			if tt.open {
				want = 101
			}
			if response.StatusCode != want || (d.count("auth") == 1) != tt.open {
				t.Errorf("got %d after %d calls, want %d", response.StatusCode, d.count("auth"), want)
			}
		})
	}
}

// The authorizer's event is that of [DG:apigateway-websocket-api-lambda-auth],
// the authorizer's members of the others those of [OBS-evt] and
// [ISS:boto3#3789]. That empty maps are there, that the context's values are
// strings and that integrationLatency stays after CONNECT is unverified.
func TestAuthorizedEventsAreThoseOfAWS(t *testing.T) {
	d := guarded(t, permission("Allow", "/live/*", `{"tenant":"acme","level":1.50,"admin":true,"empty":""}`))
	c, _ := d.rawDial(t, "?token=a.b.c", "User-Agent: Mozilla/5.0", "Connection: keep-alive")
	auth, connect := d.event(t, "auth"), d.event(t, "connect")
	c.write(frameFinal|frameText, `{"action":"hello"}`)
	c.read()
	message := d.event(t, "echo")
	c.write(frameFinal|frameClose, "")
	disconnect := d.event(t, "disconnect")
	for kind, e := range map[string]event{"authorizer": auth, "connect": connect, "message": message, "disconnect": disconnect} {
		payload := bytes.ReplaceAll(e.Payload, []byte(d.id), []byte("a1b2c3d4e5"))
		wantGolden(t, "authorized_"+kind+".json", stable(t, d, payload))
	}
	if a, b := auth.RequestContext, connect.RequestContext; a.RequestID != b.RequestID || a.ConnectionID != b.ConnectionID || a.ConnectedAt != b.ConnectedAt {
		t.Errorf("the authorizer got another request than $connect:\n%+v\n%+v", a, b)
	}
	if auth.TraceID != connect.TraceID || auth.Headers["X-Amzn-Trace-Id"] != auth.TraceID {
		t.Errorf("trace id %q, then %q", auth.TraceID, connect.TraceID)
	}
	id := d.state.APIs[d.id].Routes[d.routeID(t, "$connect")].AuthorizerID
	if want := "arn:aws:execute-api:eu-west-1:000000000000:" + d.id + "/authorizers/" + id; auth.SourceARN != want {
		t.Errorf("source ARN %s, want %s", auth.SourceARN, want)
	}
}

func TestAnAuthorizerWithoutAQueryGetsEmptyMaps(t *testing.T) {
	d := &deployed{cloud: newCloud(t)}
	d.id = d.createAPI(t)
	d.set("auth", allows)
	route := d.route(t, "$connect", d.integrate(t, "connect", 29000), false)
	d.guard(t, route, d.authorizer(t, "auth"))
	d.release(t, &sdk.CreateStageInput{})
	d.rawDial(t, "")
	payload := string(d.event(t, "auth").Payload)
	for _, member := range []string{`"queryStringParameters":{}`, `"multiValueQueryStringParameters":{}`, `"stageVariables":{}`} {
		if !strings.Contains(payload, member) {
			t.Errorf("%s is not in %s", member, payload)
		}
	}
}

func TestAStageVariableChoosesTheAuthorizer(t *testing.T) {
	d := &deployed{cloud: newCloud(t)}
	d.id = d.createAPI(t)
	d.set("auth-blue", allows)
	route := d.route(t, "$connect", d.integrate(t, "connect", 29000), false)
	d.guard(t, route, d.authorizer(t, "auth-${stageVariables.colour}"))
	d.release(t, &sdk.CreateStageInput{StageVariables: map[string]string{"colour": "blue"}})
	d.wantUpgrade(t, 101)
}

func TestAConnectRouteWithoutTargetIsAuthorizedAllTheSame(t *testing.T) {
	d := &deployed{cloud: newCloud(t)}
	d.id = d.createAPI(t)
	d.set("auth", refuses("Unauthorized"))
	out, err := d.CreateRoute(t.Context(), &sdk.CreateRouteInput{ApiId: &d.id, RouteKey: ptr("$connect")})
	must(t, err)
	d.guard(t, *out.RouteId, d.authorizer(t, "auth"))
	d.release(t, &sdk.CreateStageInput{})
	d.wantUpgrade(t, 401)
	d.set("auth", allows)
	d.wantUpgrade(t, 101)
}

func TestEachConnectAsksAnew(t *testing.T) { // no caching [BOTO:apigatewayv2 authorizerResultTtlInSeconds]
	d := guarded(t, allows)
	d.wantUpgrade(t, 101)
	d.set("auth", permission("Deny", "/live/*", "{}"))
	d.wantUpgrade(t, 403)
	if n := d.count("auth"); n != 2 {
		t.Errorf("the authorizer ran %d times", n)
	}
}

func FuzzAuthorizerResult(f *testing.F) {
	f.Add([]byte(`{"principalId":"u","policyDocument":{"Version":"2012-10-17","Statement":[{"Action":"execute-api:Invoke","Effect":"Allow","Resource":"*"}]},"context":{"a":1.50,"b":true,"c":"d"}}`))
	f.Add([]byte(`{"principalId":"u","policyDocument":{"Statement":{"Effect":"Deny"}},"context":null}`))
	f.Add([]byte(`{"statusCode":401}`))
	f.Add([]byte(`null`))
	f.Fuzz(func(t *testing.T, payload []byte) {
		r, err := parseAuthorizerResult(payload)
		if err != nil {
			return
		}
		if len(payload) > maxAuthorizerResult || r.policy == nil || r.context["principalId"] == "" {
			t.Fatalf("%q gives %+v", payload, r)
		}
		for key, value := range r.context {
			if _, ok := value.(string); !ok {
				t.Fatalf("%q: %q is %#v", payload, key, value)
			}
		}
	})
}
