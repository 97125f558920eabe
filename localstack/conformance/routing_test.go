package conformance

import (
	"fmt"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/apigatewayv2"
	"github.com/aws/aws-sdk-go-v2/service/apigatewayv2/types"
)

func TestRouting(t *testing.T) { check(t, routingClaims) }

var routingClaims = []claim{
	selects("$request.body.action selects by a member of the body", "$request.body.action", []string{"join"},
		`{"action":"join"}`, "join", `{"other":1,"action":"join"}`, "join"),
	selects("${request.body.a.b} selects by a nested member", "${request.body.a.b}", []string{"deep"},
		`{"a":{"b":"deep"}}`, "deep", `{"a":"deep"}`, "$default", `{"a.b":"deep"}`, "$default"),
	selects("several variables and literals make one key", "${request.body.service}/${request.body.action}", []string{"chat/join", "chat/"},
		`{"service":"chat","action":"join"}`, "chat/join", `{"service":"chat"}`, "chat/"),
	selects("a path that is missing or null is the empty string", "join-${request.body.room}", []string{"join-", "join-1"},
		`{}`, "join-", `{"room":null}`, "join-", `{"room":"1"}`, "join-1"),
	selects(`\$ is a literal dollar sign`, `\$default-${request.body.action}`, []string{"$default-x"},
		`{"action":"x"}`, "$default-x"),
	selects("an expression without variables is a literal", "fixed", []string{"fixed"},
		`{"action":"x"}`, "fixed"),
	selects("numbers, booleans and lists are written as text", "$request.body.action", []string{"1", "1.50", "true", "[item1, item2]"},
		`{"action":1}`, "1", `{"action":1.50}`, "1.50", `{"action":true}`, "true", `{"action":["item1","item2"]}`, "[item1, item2]"),
	selects("an element of a list can be selected", "${request.body.list[1]}", []string{"b"},
		`{"list":["a","b"]}`, "b", `{"list":["b"]}`, "$default"),
	selects("what a variable holds is not evaluated again", "$request.body.action", []string{"x", "$request.body.other"},
		`{"action":"$request.body.other","other":"x"}`, "$request.body.other"),
	selects("keys match whole and by case", "$request.body.action", []string{"join"},
		`{"action":"Join"}`, "$default", `{"action":"joi"}`, "$default", `{"action":"join "}`, "$default"),
	selects("what no route matches and what is no JSON goes to $default", "$request.body.action", []string{"join"},
		`{"action":"none"}`, "$default", `join`, "$default", `{"action":"join"`, "$default", `{"action":"join"} x`, "$default", ``, "$default"),
	{says: "$connect and $disconnect cannot be reached by a message", sources: "[DG:apigateway-websocket-api-route-keys-connect-disconnect]", unverified: true, test: routingOfLifecycleKeys},
	{says: "without a match and a $default the client gets the Forbidden frame, byte for byte, and stays", sources: "[OBS-wscat]", test: routingForbidden},
	{says: "a function that fails gives the Internal server error frame, byte for byte, on one-way routes too", sources: "[OBS-wscat]", test: routingFailure},
	{says: "any statusCode of a message's function sends and closes nothing", sources: "[OBS-wscat]", test: routingStatus},
	{says: "a function without invoke permission gives the Internal server error frame", sources: "[WEB:services-apigateway-errors]", test: routingNotPermitted},
	{says: "an integration that takes too long gives the frame Endpoint request timed out", sources: "[BOTO:apigatewayv2 timeoutInMillis]", unverified: true, test: routingTimeout},
	{says: "messages beyond a route's throttle give the frame Too Many Requests", sources: "[DG:websocket-api-protect]", unverified: true, test: routingThrottle},
	{says: "the function's body comes back only with a route response and its selection expression", sources: "[DG:apigateway-websocket-api-route-response]", test: routingTwoWay},
	{says: "the body that comes back is the text itself, whatever it is", sources: "[ISS:serverless-offline#1301]", test: routingBody},
	{says: "a two-way route whose function returns no body sends nothing", sources: "[ISS:serverless-offline#1301]", unverified: true, test: routingNoBody},
	{says: "messages of one connection run in parallel functions", sources: "[DG:apigateway-websocket-api-routes-integrations]", unverified: true, test: routingInParallel},
	{says: "a client's ping is ponged and reaches no route", sources: "[ISS:subscriptionless#3]", unverified: true, test: routingPing},
	{says: "a message in several frames is one event", sources: "[RFC 6455 5.4]", test: routingFragments},
}

// selects claims that with the expression and routes of these keys, and a
// $default, each message goes to the route that follows it.
func selects(says, expression string, keys []string, messages ...string) claim {
	return claim{says: says, sources: "[DG:apigateway-websocket-api-selection-expressions]", test: func(t *testing.T) {
		routes := []string{"$connect", twoWay("$default")}
		for _, key := range keys {
			routes = append(routes, twoWay(key))
		}
		a := shared(t).deploy(t, spec{selection: expression, routes: routes, do: func(c call) order { return ok(c.Context.RouteKey) }})
		s := a.dial()
		for i := 0; i < len(messages); i += 2 {
			if got := s.ask(messages[i]); got != messages[i+1] {
				t.Errorf("%s selected %s, want %s", messages[i], got, messages[i+1])
			}
		}
	}}
}

func routingOfLifecycleKeys(t *testing.T) {
	a := shared(t).deploy(t, spec{do: func(c call) order { return ok(c.Context.RouteKey) }})
	s := a.dial()
	for _, key := range []string{"$connect", "$disconnect"} {
		if got := s.ask(`{"action":"` + key + `"}`); got != "$default" {
			t.Errorf("%s was answered by %s", key, got)
		}
	}
	a.never("$connect")
	a.never("$disconnect")
}

// wantFrame checks API Gateway's own frame, whose requestId is the only thing
// that cannot be known.
func (s *socket) wantFrame(message, got string) {
	s.t.Helper()
	const begin = `"requestId":"`
	_, id, _ := strings.Cut(got, begin)
	id = strings.TrimSuffix(id, `"}`)
	if want := frameOf(message, s, id); got != want || !placeholders["id"].MatchString(id) {
		s.t.Errorf("frame %s, want %s with a request id", got, want)
	}
}

func routingForbidden(t *testing.T) {
	a := shared(t).deploy(t, spec{routes: []string{"$connect", twoWay("echo")}, do: func(call) order { return ok("here") }})
	s := a.dial()
	s.wantFrame("Forbidden", s.ask(`{"action":"other"}`))
	s.wantFrame("Forbidden", s.ask(`no JSON`))
	if got := s.ask(`{"action":"echo"}`); got != "here" {
		t.Errorf("afterwards: %s", got)
	}
}

func routingFailure(t *testing.T) {
	a := shared(t).deploy(t, spec{routes: []string{"$connect", "oneway", twoWay("both"), twoWay("$default")}, do: func(c call) order {
		switch c.Context.RouteKey {
		case "oneway":
			return order{Error: "as asked"}
		case "both":
			return order{Panic: "as asked"}
		}
		return ok("here")
	}})
	s := a.dial()
	for _, key := range []string{"oneway", "both"} {
		got := s.ask(`{"action":"` + key + `"}`)
		if want := frameOf("Internal server error", s, a.next(key).Context.RequestID); got != want {
			t.Errorf("%s: frame %s, want %s", key, got, want)
		}
	}
	if got := s.ask("x"); got != "here" {
		t.Errorf("afterwards: %s", got)
	}
}

func routingStatus(t *testing.T) {
	a := shared(t).deploy(t, spec{routes: []string{"$connect", "oneway", twoWay("$default")}, do: func(c call) order {
		switch {
		case strings.Contains(c.Body, "301"):
			return status(301, "redirect")
		case strings.Contains(c.Body, "401"):
			return status(401, "unauthorized")
		case strings.Contains(c.Body, "501"):
			return status(501, "not implemented")
		}
		return ok("here")
	}})
	s := a.dial()
	for _, code := range []string{"301", "401", "501"} {
		s.send(`{"action":"oneway","code":` + code + `}`)
		a.next("oneway")
	}
	if got := s.ask("x"); got != "here" {
		t.Errorf("the first frame is %s", got)
	}
}

func routingNotPermitted(t *testing.T) {
	a := shared(t).deploy(t, spec{sources: []string{"/*/$connect"}})
	s := a.dial()
	s.wantFrame("Internal server error", s.ask("x"))
	a.never("$default")
}

func routingTimeout(t *testing.T) {
	g := newGate(t)
	a := shared(t).deploy(t, spec{timeoutMS: 1000, do: func(c call) order {
		if c.Context.EventType == "MESSAGE" {
			g.hold(c)
		}
		return ok("")
	}})
	s := a.dial()
	got := s.ask("x")
	s.wantFrame("Endpoint request timed out", got)
}

func routingThrottle(t *testing.T) {
	a := shared(t).deploy(t, spec{throttle: &types.RouteSettings{ThrottlingRateLimit: aws.Float64(0.001), ThrottlingBurstLimit: aws.Int32(2)}, do: func(call) order { return ok("here") }})
	s := a.dial() // takes one
	if got := s.ask("x"); got != "here" {
		t.Errorf("within the limit: %s", got)
	}
	s.wantFrame("Too Many Requests", s.ask("x"))
}

func routingTwoWay(t *testing.T) {
	c := shared(t)
	a := c.deploy(t, spec{routes: []string{"$connect", "neither", twoWay("both")}, do: func(c call) order { return ok(c.Context.RouteKey) }})
	only := func(key string, in apigatewayv2.CreateRouteInput) string {
		in.ApiId, in.RouteKey, in.Target = &a.id, &key, aws.String("integrations/"+a.integration)
		return *must(c.gateway.CreateRoute(t.Context(), &in))(t).RouteId
	}
	only("expression", apigatewayv2.CreateRouteInput{RouteResponseSelectionExpression: aws.String("$default")})
	id := only("response", apigatewayv2.CreateRouteInput{})
	must(c.gateway.CreateRouteResponse(t.Context(), &apigatewayv2.CreateRouteResponseInput{ApiId: &a.id, RouteId: &id, RouteResponseKey: aws.String("$default")}))(t)
	must(c.gateway.CreateDeployment(t.Context(), &apigatewayv2.CreateDeploymentInput{ApiId: &a.id, StageName: aws.String("live")}))(t)
	s := a.dial()
	for _, key := range []string{"neither", "expression", "response"} {
		s.send(`{"action":"` + key + `"}`)
		a.next(key)
	}
	if got := s.ask(`{"action":"both"}`); got != "both" {
		t.Errorf("the first answer is %s's", got)
	}
}

func routingBody(t *testing.T) {
	a := shared(t).deploy(t, spec{do: func(c call) order { return ok(c.Body) }})
	s := a.dial()
	for _, body := range []string{"plain", `{"a": 1}`, "ünïcode ☃", "<&>", strings.Repeat("x", 100*kb/4)} {
		if got := s.ask(body); got != body {
			t.Errorf("sent %.60q, got %.60q", body, got)
		}
	}
}

func routingNoBody(t *testing.T) {
	a := shared(t).deploy(t, spec{do: func(c call) order {
		if c.Body == "quiet" {
			return order{Answer: map[string]any{"statusCode": 200}}
		}
		return ok("here")
	}})
	s := a.dial()
	s.send("quiet")
	a.next("$default")
	if got := s.ask("x"); got != "here" {
		t.Errorf("the first frame is %q", got)
	}
}

func routingInParallel(t *testing.T) {
	g := newGate(t)
	a := shared(t).deploy(t, spec{do: func(c call) order {
		if c.Context.EventType == "MESSAGE" {
			g.hold(c)
		}
		return ok(c.Body)
	}})
	s := a.dial()
	pids := map[int]bool{}
	for i := range 2 {
		s.send(fmt.Sprint(i))
		pids[g.wait(t).PID] = true
	}
	if len(pids) != 2 {
		t.Errorf("two messages at a time ran in the processes %v", pids)
	}
	g.open()
	s.read()
	s.read()
}

func routingPing(t *testing.T) {
	a := shared(t).deploy(t, spec{do: func(c call) order { return ok(c.Body) }})
	c := a.dialRaw()
	c.write(finalBit|opPing, []byte("are you there"))
	if first, payload := c.frame(); first != finalBit|opPong || string(payload) != "are you there" {
		t.Errorf("frame %#x %q", first, payload)
	}
	c.write(finalBit|opText, []byte("x"))
	if got := a.next("$default").Body; got != "x" {
		t.Errorf("the function got %q", got)
	}
}

func routingFragments(t *testing.T) {
	a := shared(t).deploy(t, spec{})
	c := a.dialRaw()
	c.write(opText, []byte("one "))
	c.write(finalBit|opPing, nil) // control frames may come between
	c.write(finalBit, []byte("message"))
	if got := a.next("$default").Body; got != "one message" {
		t.Errorf("the function got %q", got)
	}
}
