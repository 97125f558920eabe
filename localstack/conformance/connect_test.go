package conformance

import (
	"net/http"
	"strconv"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/apigatewayv2"
	"github.com/aws/aws-sdk-go-v2/service/apigatewayv2/types"
	"github.com/coder/websocket"
)

func TestConnect(t *testing.T) { check(t, connectClaims) }

const internalError = `{"message":"Internal server error"}`

var connectClaims = []claim{
	{says: "any 2xx of $connect opens the socket", sources: "[OBS-wscat]", test: connectOpens},
	{says: "any other status of $connect is the client's answer, as it is", sources: "[OBS-wscat] [DG:websocket-connect-route-subprotocol]", test: connectRefuses},
	{says: "a $connect function that fails is 502 Internal server error", sources: "[OBS-wscat] [WEB:services-apigateway-errors]", test: connectFails},
	{says: "a malformed result of $connect is 502", sources: "[WEB:services-apigateway-errors]", test: connectMalformed},
	{says: "a $connect function that API Gateway may not invoke is 500", sources: "[WEB:services-apigateway-errors] [ISS:terraform-aws-apigateway-v2#8]", test: connectNotPermitted},
	{says: "a permission counts for its SourceArn only: another API's, stage's or route's is 500", sources: "[WEB:services-apigateway-errors]", test: connectSourceARN},
	{says: "a $connect integration that does not answer in time is 504 Endpoint request timed out", sources: "[BOTO:apigatewayv2 timeoutInMillis]", unverified: true, test: connectTimesOut},
	{says: "without a $connect route the upgrade succeeds", sources: "[DG:apigateway-websocket-api-route-keys-connect-disconnect]", test: connectOptional},
	{says: "the upgrade waits until $connect has answered", sources: "[DG:apigateway-websocket-api-route-keys-connect-disconnect]", test: connectIsAwaited},
	{says: "a subprotocol is in the 101 only if $connect returns it", sources: "[DG:websocket-connect-route-subprotocol]", test: connectSubprotocol},
	{says: "extensions that a client offers are not negotiated", unverified: true, sources: "[OBS-evt]", test: connectExtensions},
	{says: "a GET without Upgrade is 426", sources: "[SLSO ws.e2e.js]", test: connectPlainGET},
	{says: "a stage that does not exist is 403 Forbidden", sources: "[ISS:aws-sdk-js-v3#1830]", unverified: true, test: connectUnknownStage},
	{says: "connections beyond the stage's throttle are 429", sources: "[DG:websocket-api-protect] [ISS:ServerlessNetworkingClients#3]", test: connectThrottled},
	{says: "route settings of zero refuse every connection with 429", sources: "[ISS:terraform-provider-aws#14742]", test: connectThrottledToZero},
	{says: "a URL longer than 4096 bytes is refused", sources: "[WEB:apigateway-execution-service-websocket-limits-table]", test: connectURLTooLong},
	{says: "$disconnect does not run for a connection that $connect has refused", sources: "[DG:apigateway-websocket-api-route-keys-connect-disconnect]", unverified: true, test: connectRefusedHasNoDisconnect},
}

// byQuery answers $connect with the status that the query asks for.
func byQuery(c call) order {
	code, err := strconv.Atoi(c.Query["status"])
	if err != nil {
		code = 200
	}
	return status(code, "as asked")
}

func connectOpens(t *testing.T) {
	a := shared(t).deploy(t, spec{do: byQuery})
	for _, code := range []string{"200", "201", "204", "299"} {
		if conn, got := a.handshake("?status="+code, nil); conn == nil {
			t.Errorf("%s of $connect: HTTP %d", code, got.status)
		}
	}
}

func connectRefuses(t *testing.T) {
	a := shared(t).deploy(t, spec{do: byQuery})
	for _, code := range []int{301, 400, 401, 403, 404, 501} {
		a.refused("?status="+strconv.Itoa(code), code, "as asked")
	}
}

func connectFails(t *testing.T) {
	a := shared(t).deploy(t, spec{do: func(c call) order {
		return map[string]order{"error": {Error: "as asked"}, "panic": {Panic: "as asked"}, "exit": {Exit: 1}}[c.Query["how"]]
	}})
	for _, how := range []string{"error", "panic", "exit"} {
		a.refused("?how="+how, http.StatusBadGateway, internalError)
	}
}

func connectMalformed(t *testing.T) {
	results := map[string]any{
		"text": "connected", "null": nil, "nothing": map[string]any{}, "body": map[string]any{"body": "no status"},
		"status": map[string]any{"statusCode": "two hundred"},
	}
	a := shared(t).deploy(t, spec{do: func(c call) order { return order{Answer: results[c.Query["as"]]} }})
	for as := range results {
		a.refused("?as="+as, http.StatusBadGateway, internalError)
	}
}

func connectNotPermitted(t *testing.T) {
	a := shared(t).deploy(t, spec{sources: []string{}})
	a.refused("", http.StatusInternalServerError, internalError)
	a.never("$connect")
}

func connectSourceARN(t *testing.T) {
	for _, source := range []string{"x/*", "/other/$connect", "/live/$disconnect"} {
		a := shared(t).deploy(t, spec{sources: []string{source}})
		a.refused("", http.StatusInternalServerError, internalError)
		a.never("$connect")
	}
	a := shared(t).deploy(t, spec{sources: []string{"/live/$connect"}})
	s := a.dial()
	if got := s.ask(`{"action":"x"}`); !strings.HasPrefix(got, `{"message": "Internal server error"`) {
		t.Errorf("a message whose route has no permission: %s", got)
	}
	a.never("$default")
}

func connectTimesOut(t *testing.T) {
	g := newGate(t)
	a := shared(t).deploy(t, spec{timeoutMS: 300, do: func(c call) order { g.hold(c); return ok("") }})
	a.refused("", http.StatusGatewayTimeout, `{"message":"Endpoint request timed out"}`)
}

func connectOptional(t *testing.T) {
	a := shared(t).deploy(t, spec{routes: []string{twoWay("$default")}, do: func(call) order { return ok("here") }})
	conn, got := a.handshake("", nil)
	if conn == nil {
		t.Fatalf("HTTP %d %s", got.status, got.body)
	}
	s := &socket{t: t, c: conn}
	if got := s.ask("hello"); got != "here" {
		t.Errorf("answer %q", got)
	}
}

func connectIsAwaited(t *testing.T) {
	g := newGate(t)
	a := shared(t).deploy(t, spec{do: func(c call) order { g.hold(c); return ok("") }})
	opened := make(chan *raw)
	go func() { opened <- a.request("", handshakeLines) }()
	g.wait(t)
	select {
	case <-opened:
		t.Error("the upgrade was answered before $connect had")
	default:
	}
	g.open()
	within(t, "the upgrade", func() {
		if c := <-opened; c.resp.StatusCode != http.StatusSwitchingProtocols {
			t.Errorf("HTTP %d", c.resp.StatusCode)
		}
	})
}

func connectSubprotocol(t *testing.T) {
	a := shared(t).deploy(t, spec{do: func(c call) order {
		headers := map[string]string{}
		if p := c.Query["choose"]; p != "" {
			headers["Sec-WebSocket-Protocol"] = p
		}
		return order{Answer: map[string]any{"statusCode": 200, "headers": headers}}
	}})
	for _, choice := range []string{"", "second"} {
		_, got := a.handshake("?choose="+choice, &websocket.DialOptions{Subprotocols: []string{"first", "second"}})
		if protocol := got.header.Get("Sec-WebSocket-Protocol"); got.status != http.StatusSwitchingProtocols || protocol != choice {
			t.Errorf("function returns %q: HTTP %d with %q", choice, got.status, protocol)
		}
	}
}

func connectExtensions(t *testing.T) {
	a := shared(t).deploy(t, spec{})
	c := a.request("", handshakeLines+"Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n")
	if got := c.resp.Header.Values("Sec-WebSocket-Extensions"); c.resp.StatusCode != http.StatusSwitchingProtocols || len(got) > 0 {
		t.Errorf("HTTP %d with extensions %q", c.resp.StatusCode, got)
	}
}

func connectPlainGET(t *testing.T) {
	a := shared(t).deploy(t, spec{})
	if c := a.request("", ""); c.resp.StatusCode != http.StatusUpgradeRequired {
		t.Errorf("HTTP %d, want 426", c.resp.StatusCode)
	}
	a.never("$connect")
}

func connectUnknownStage(t *testing.T) {
	a := shared(t).deploy(t, spec{})
	for _, url := range []string{strings.TrimSuffix(a.url, "live") + "other", strings.TrimSuffix(a.url, "/live")} {
		other := &api{t: t, cloud: a.cloud, actor: a.actor, url: url}
		other.refused("", http.StatusForbidden, `{"message":"Forbidden"}`)
	}
}

func connectThrottled(t *testing.T) {
	// A token comes back in a thousand seconds: the test is done long before.
	a := shared(t).deploy(t, spec{throttle: &types.RouteSettings{ThrottlingRateLimit: aws.Float64(0.001), ThrottlingBurstLimit: aws.Int32(2)}})
	for range 2 {
		a.dial()
	}
	a.refused("", http.StatusTooManyRequests, "")
	a.never("$connect")
}

func connectThrottledToZero(t *testing.T) {
	a := shared(t).deploy(t, spec{throttle: &types.RouteSettings{ThrottlingRateLimit: aws.Float64(0), ThrottlingBurstLimit: aws.Int32(0)}})
	a.refused("", http.StatusTooManyRequests, "")
}

func connectURLTooLong(t *testing.T) {
	a := shared(t).deploy(t, spec{})
	if conn, got := a.handshake("?q="+strings.Repeat("x", 4096), nil); conn != nil || got.status < 400 {
		t.Errorf("HTTP %d", got.status)
	}
	a.never("$connect")
}

func connectRefusedHasNoDisconnect(t *testing.T) {
	a := shared(t).deploy(t, spec{do: byQuery})
	a.refused("?status=401", 401, "as asked")
	// A socket that opens and closes afterwards is the first that $disconnect hears of.
	conn, _ := a.handshake("", nil)
	a.next("$connect")
	open := a.next("$connect").Context.ConnectionID
	if err := conn.Close(websocket.StatusNormalClosure, ""); err != nil {
		t.Fatal(err)
	}
	if got := a.next("$disconnect").Context.ConnectionID; got != open {
		t.Errorf("$disconnect ran for %s, which was refused", got)
	}
}

func TestDeployments(t *testing.T) { check(t, deploymentClaims) }

var deploymentClaims = []claim{
	{says: "a route added after the deployment is not served until the next one", sources: "[DG:set-up-websocket-deployment]", test: deploymentIsPinned},
	{says: "a stage with auto-deploy serves a route at once", sources: "[BOTO:apigatewayv2 AutoDeploy]", test: deploymentIsAutomatic},
	{says: "a stage variable in the integration's URI chooses the function", sources: "[DG:apigateway-websocket-api-stage-variables]", test: stageVariableChooses},
}

func deploymentIsPinned(t *testing.T) {
	a := shared(t).deploy(t, spec{do: func(c call) order { return ok(c.Context.RouteKey) }})
	a.route(twoWay("late"), nil)
	s := a.dial()
	if got := s.ask(`{"action":"late"}`); got != "$default" {
		t.Errorf("before the next deployment the route %s served", got)
	}
	d := must(a.gateway.CreateDeployment(t.Context(), &apigatewayv2.CreateDeploymentInput{ApiId: &a.id}))(t)
	if got := s.ask(`{"action":"late"}`); got != "$default" {
		t.Errorf("a deployment that the stage does not point to served %s", got)
	}
	must(a.gateway.UpdateStage(t.Context(), &apigatewayv2.UpdateStageInput{ApiId: &a.id, StageName: aws.String("live"), DeploymentId: d.DeploymentId}))(t)
	if got := a.dial().ask(`{"action":"late"}`); got != "late" {
		t.Errorf("after the deployment %s served", got)
	}
}

func deploymentIsAutomatic(t *testing.T) {
	a := shared(t).deploy(t, spec{autoDeploy: true, do: func(c call) order { return ok(c.Context.RouteKey) }})
	a.route(twoWay("late"), nil)
	if got := a.dial().ask(`{"action":"late"}`); got != "late" {
		t.Errorf("the route %s served", got)
	}
}

func stageVariableChooses(t *testing.T) {
	c := shared(t)
	a := c.deploy(t, spec{
		uri:       invokeARN("arn:aws:lambda:" + region + ":" + account + ":function:${stageVariables.function}"),
		variables: map[string]string{"function": lastPart(c.function)},
		do:        func(call) order { return ok("chosen") },
	})
	if got := a.dial().ask("x"); got != "chosen" {
		t.Errorf("answer %q", got)
	}
}
