package conformance

import (
	"context"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/apigatewayv2"
	"github.com/aws/aws-sdk-go-v2/service/apigatewayv2/types"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/coder/websocket"
)

// spec is a WebSocket API to deploy. The zero value has $connect, $disconnect
// and a two-way $default in front of the shared function, and the stage live.
type spec struct {
	selection string   // default $request.body.action
	routes    []string // a key, with twoWay's mark if its answer goes back
	function  string   // ARN; default the shared one
	uri       string   // the integration's, instead of function's
	sources   []string // SourceArns that may invoke, below the API's; default one, "/*"
	timeoutMS int32
	// The stage: pinned to a deployment unless autoDeploy.
	autoDeploy bool
	variables  map[string]string
	throttle   *types.RouteSettings
	// authorize, if set, is called before the routes are made, and says how
	// $connect is authorized.
	authorize func(a *api, route *apigatewayv2.CreateRouteInput)
	do        func(call) order // plays the function
}

const twoWayMark = " and back"

func twoWay(key string) string { return key + twoWayMark }

// api is a deployed API with its actor.
type api struct {
	*actor
	*cloud
	t           *testing.T
	id          string
	url         string // ws://…/live
	integration string
	deployment  string
}

func (c *cloud) deploy(t *testing.T, s spec) *api {
	t.Helper()
	ctx := t.Context()
	if s.selection == "" {
		s.selection = "$request.body.action"
	}
	if s.routes == nil {
		s.routes = []string{"$connect", "$disconnect", twoWay("$default")}
	}
	if s.function == "" {
		s.function = c.function
	}
	if s.uri == "" {
		s.uri = invokeARN(s.function)
	}
	made := must(c.gateway.CreateApi(ctx, &apigatewayv2.CreateApiInput{
		Name: aws.String(t.Name()), ProtocolType: types.ProtocolTypeWebsocket, RouteSelectionExpression: &s.selection,
	}))(t)
	a := &api{cloud: c, t: t, id: *made.ApiId, url: *made.ApiEndpoint + "/live", actor: director.cast(t, *made.ApiId, s.do)}
	c.permit(t, a.id, s.function, s.sources)
	in := &apigatewayv2.CreateIntegrationInput{
		ApiId: &a.id, IntegrationType: types.IntegrationTypeAwsProxy, IntegrationUri: &s.uri, IntegrationMethod: aws.String("POST"),
	}
	if s.timeoutMS != 0 {
		in.TimeoutInMillis = &s.timeoutMS
	}
	a.integration = *must(c.gateway.CreateIntegration(ctx, in))(t).IntegrationId
	for _, key := range s.routes {
		a.route(key, s.authorize)
	}
	a.deployment = *must(c.gateway.CreateDeployment(ctx, &apigatewayv2.CreateDeploymentInput{ApiId: &a.id}))(t).DeploymentId
	st := &apigatewayv2.CreateStageInput{
		ApiId: &a.id, StageName: aws.String("live"), StageVariables: s.variables, DefaultRouteSettings: s.throttle,
	}
	if s.autoDeploy {
		st.AutoDeploy = aws.Bool(true)
	} else {
		st.DeploymentId = &a.deployment
	}
	must(c.gateway.CreateStage(ctx, st))(t)
	return a
}

func invokeARN(function string) string {
	return "arn:aws:apigateway:" + region + ":lambda:path/2015-03-31/functions/" + function + "/invocations"
}

// permit lets API Gateway invoke the function for the API, and takes that back
// at the test's end: a policy has 20 KB.
func (c *cloud) permit(t *testing.T, apiID, function string, sources []string) {
	t.Helper()
	if sources == nil {
		sources = []string{"/*"}
	}
	for _, source := range sources {
		id := unique("api")
		must(c.lambda.AddPermission(t.Context(), &lambda.AddPermissionInput{
			FunctionName: &function, StatementId: &id, Action: aws.String("lambda:InvokeFunction"),
			Principal: aws.String("apigateway.amazonaws.com"),
			SourceArn: aws.String("arn:aws:execute-api:" + region + ":" + account + ":" + apiID + source),
		}))(t)
		t.Cleanup(func() {
			_, err := c.lambda.RemovePermission(context.Background(), &lambda.RemovePermissionInput{FunctionName: &function, StatementId: &id})
			if err != nil {
				t.Errorf("take the permission back: %v", err)
			}
		})
	}
}

// route adds a route to the API, not to what is deployed.
func (a *api) route(key string, authorize func(*api, *apigatewayv2.CreateRouteInput)) {
	a.t.Helper()
	key, back := strings.CutSuffix(key, twoWayMark)
	in := &apigatewayv2.CreateRouteInput{ApiId: &a.id, RouteKey: &key, Target: aws.String("integrations/" + a.integration)}
	if back {
		in.RouteResponseSelectionExpression = aws.String("$default")
	}
	if authorize != nil && key == "$connect" {
		authorize(a, in)
	}
	r := must(a.gateway.CreateRoute(a.t.Context(), in))(a.t)
	if back {
		must(a.gateway.CreateRouteResponse(a.t.Context(), &apigatewayv2.CreateRouteResponseInput{
			ApiId: &a.id, RouteId: r.RouteId, RouteResponseKey: aws.String("$default"),
		}))(a.t)
	}
}

// answer is what a refused upgrade got.
type answer struct {
	status int
	header http.Header
	body   string
}

// handshake opens a socket, or returns the HTTP answer that refused it.
func (a *api) handshake(query string, o *websocket.DialOptions) (*websocket.Conn, answer) {
	a.t.Helper()
	ctx, cancel := context.WithTimeout(a.t.Context(), patience)
	defer cancel()
	conn, resp, err := websocket.Dial(ctx, a.url+query, o)
	if resp == nil {
		a.t.Fatalf("no HTTP answer: %v", err)
	}
	if err == nil {
		a.t.Cleanup(func() { _ = conn.CloseNow() }) // closed already, mostly
		return conn, answer{status: resp.StatusCode, header: resp.Header}
	}
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		a.t.Fatal(err)
	}
	return nil, answer{resp.StatusCode, resp.Header, string(body)}
}

// refused checks what an upgrade is answered with.
func (a *api) refused(query string, want int, body string) {
	a.t.Helper()
	conn, got := a.handshake(query, nil)
	if conn != nil || got.status != want || (body != "" && got.body != body) {
		a.t.Errorf("upgrade%s: HTTP %d %s, want %d %s", query, got.status, got.body, want, body)
	}
}

// socket is an open WebSocket client.
type socket struct {
	t  *testing.T
	c  *websocket.Conn
	id string
}

// dial opens a socket that must open. The API needs a $connect route.
func (a *api) dial() *socket {
	a.t.Helper()
	conn, got := a.handshake("", nil)
	if conn == nil {
		a.t.Fatalf("upgrade: HTTP %d %s", got.status, got.body)
	}
	conn.SetReadLimit(1 << 20)
	return &socket{a.t, conn, a.next("$connect").Context.ConnectionID}
}

func (s *socket) send(text string) {
	s.t.Helper()
	if err := s.c.Write(s.t.Context(), websocket.MessageText, []byte(text)); err != nil {
		s.t.Fatalf("send %.80s: %v", text, err)
	}
}

// read returns the next text frame.
func (s *socket) read() string {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(s.t.Context(), patience)
	defer cancel()
	kind, data, err := s.c.Read(ctx)
	if err != nil {
		s.t.Fatalf("read: %v", err)
	}
	if kind != websocket.MessageText {
		s.t.Errorf("a binary frame: %q", data)
	}
	return string(data)
}

func (s *socket) ask(text string) string {
	s.t.Helper()
	s.send(text)
	return s.read()
}

// closed waits for the server's close and returns its code and reason.
func (s *socket) closed() (websocket.StatusCode, string) {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(s.t.Context(), patience)
	defer cancel()
	for {
		_, _, err := s.c.Read(ctx)
		if err == nil {
			continue
		}
		e, _ := asClose(err)
		return e.Code, e.Reason
	}
}

// wantClosed checks both.
func (s *socket) wantClosed(code websocket.StatusCode, reason string) {
	s.t.Helper()
	if gotCode, gotReason := s.closed(); gotCode != code || gotReason != reason {
		s.t.Errorf("the client saw close %d %q, want %d %q", gotCode, gotReason, code, reason)
	}
}

// wantDisconnect checks what $disconnect was told.
func (a *api) wantDisconnect(code int, reason string) {
	a.t.Helper()
	c := a.next("$disconnect")
	if c.Context.Reason == nil {
		a.t.Fatalf("$disconnect has no disconnectReason: %s", c.Event)
	}
	if c.Context.StatusCode != code || *c.Context.Reason != reason {
		a.t.Errorf("$disconnect was told %d %q, want %d %q", c.Context.StatusCode, *c.Context.Reason, code, reason)
	}
}

// frameOf is API Gateway's own frame, with its spacing.
func frameOf(message string, s *socket, requestID string) string {
	return `{"message": "` + message + `", "connectionId":"` + s.id + `", "requestId":"` + requestID + `"}`
}

// within fails unless f returns soon.
func within(t *testing.T, what string, f func()) {
	t.Helper()
	done := make(chan struct{})
	go func() { defer close(done); f() }()
	select {
	case <-done:
	case <-time.After(patience):
		t.Fatalf("%s took longer than %v", what, patience)
	}
}
