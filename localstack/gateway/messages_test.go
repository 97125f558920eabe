package gateway

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	sdk "github.com/aws/aws-sdk-go-v2/service/apigatewayv2"
	"github.com/aws/aws-sdk-go-v2/service/apigatewayv2/types"
)

func settings(rate float64, burst int32) *types.RouteSettings {
	return &types.RouteSettings{ThrottlingRateLimit: &rate, ThrottlingBurstLimit: &burst}
}

// routed is an API whose functions answer with their route's name, and without
// $default unless fallback is set.
func routed(t *testing.T, fallback bool) *deployed {
	c := newCloud(t)
	routes := map[string]string{"$connect": "connect", "$disconnect": "disconnect", "join": "join", "Join": "upper"}
	if fallback {
		routes["$default"] = "fallback"
	}
	for _, name := range []string{"join", "upper", "fallback"} {
		c.set(name, answers(200, "from "+name))
	}
	return c.deploy(t, routes)
}

func TestMessagesAreRoutedByTheirBody(t *testing.T) {
	tests := map[string]struct{ message, want string }{
		"by the selected member":         {`{"action":"join","id":1}`, "from join"},
		"case matters":                   {`{"action":"Join"}`, "from upper"},
		"no such route":                  {`{"action":"leave"}`, "from fallback"},
		"no such member":                 {`{}`, "from fallback"},
		"no JSON":                        {`join`, "from fallback"},
		"JSON and more":                  {`{"action":"join"}}`, "from fallback"},
		"an empty message":               {``, "from fallback"},
		"$connect cannot be reached":     {`{"action":"$connect"}`, "from fallback"},
		"$disconnect cannot be reached":  {`{"action":"$disconnect"}`, "from fallback"},
		"$default may be called by name": {`{"action":"$default"}`, "from fallback"},
	}
	d := routed(t, true)
	c, _, err := d.tryDial(t, "", nil)
	must(t, err)
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			c := &client{t: t, conn: c.conn}
			c.send(tt.message)
			c.want(tt.want)
		})
	}
}

func TestWhatNoRouteTakesIsForbidden(t *testing.T) {
	d := routed(t, false)
	c, _, err := d.tryDial(t, "", nil)
	must(t, err)
	id := d.event(t, "connect").RequestContext.ConnectionID
	for _, message := range []string{`{"action":"leave"}`, `no JSON`, `{"action":"$connect"}`, `{"action":"$disconnect"}`} {
		c.send(message)
		wantErrorFrame(t, c, "Forbidden", id)
	}
	c.send(`{"action":"join"}`) // the connection has stayed open
	c.want("from join")
	if d.count("connect") != 1 || d.count("disconnect") != 0 {
		t.Error("a message reached a route of the connection")
	}
}

// wantErrorFrame checks API Gateway's own frame byte by byte.
func wantErrorFrame(t *testing.T, c *client, text, connectionID string) {
	t.Helper()
	got, err := c.receive()
	must(t, err)
	var frame struct{ RequestID string }
	must(t, json.Unmarshal([]byte(got), &frame))
	if !isConnectionID(frame.RequestID) {
		t.Errorf("requestId %q", frame.RequestID)
	}
	want := `{"message": "` + text + `", "connectionId":"` + connectionID + `", "requestId":"` + frame.RequestID + `"}`
	if got != want {
		t.Errorf("got\n%s, want\n%s", got, want)
	}
}

func TestAFailedIntegrationAnswersWithAFrame(t *testing.T) {
	tests := map[string]struct {
		function function
		want     string
	}{
		"a function error":       {fails, "Internal server error"},
		"a malformed result":     {returns(`{}`), "Internal server error"},
		"a call that is refused": {func(context.Context, Invocation) (Result, error) { return Result{}, ErrNotAllowed }, "Internal server error"},
		"an answer that no message can carry": {
			answers(200, strings.Repeat("a", maxMessage+1)), "Internal server error"},
		"a time-out": {func(ctx context.Context, _ Invocation) (Result, error) { <-ctx.Done(); return Result{}, ctx.Err() },
			"Endpoint request timed out"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			d := newCloud(t).deploy(t, chat)
			d.route(t, "work", d.integrate(t, "work", 50), true)
			redeploy(t, d)
			d.set("work", tt.function)
			c := d.dial(t)
			c.send(`{"action":"work"}`)
			wantErrorFrame(t, c, tt.want, c.id)
			c.ping() // the connection has stayed open
		})
	}
}

// redeploy has the stage serve the routes as they are now.
func redeploy(t *testing.T, d *deployed) {
	t.Helper()
	stage := testStage
	_, err := d.CreateDeployment(t.Context(), &sdk.CreateDeploymentInput{ApiId: &d.id, StageName: &stage})
	must(t, err)
}

func TestTheErrorFrameComesOnOneWayRoutesToo(t *testing.T) {
	d := newCloud(t).deploy(t, chat)
	d.route(t, "work", d.integrate(t, "work", 29000), false)
	redeploy(t, d)
	d.set("work", fails)
	c := d.dial(t)
	c.send(`{"action":"work"}`)
	wantErrorFrame(t, c, "Internal server error", c.id)
}

func TestOnlyTwoWayRoutesAnswer(t *testing.T) {
	tests := map[string]struct {
		function   function
		expression bool // routeResponseSelectionExpression
		response   bool // a route response
		want       string
	}{
		"with expression and route response":     {answers(200, "answer"), true, true, "answer"},
		"whatever the status":                    {answers(501, "answer"), true, true, "answer"},
		"not without a route response":           {answers(200, "answer"), true, false, ""},
		"not without an expression":              {answers(200, "answer"), false, true, ""},
		"nothing for an empty body":              {answers(200, ""), true, true, ""},
		"nothing for no body":                    {returns(`{"statusCode":200}`), true, true, ""},
		"nothing for null":                       {returns(`{"statusCode":200,"body":null}`), true, true, ""},
		"nothing and no close for a one-way 401": {answers(401, "no"), false, false, ""},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			d := newCloud(t).deploy(t, chat)
			integration := "integrations/" + d.integrate(t, "work", 29000)
			in := &sdk.CreateRouteInput{ApiId: &d.id, RouteKey: ptr("work"), Target: &integration}
			if tt.expression {
				in.RouteResponseSelectionExpression = ptr("$default")
			}
			rt, err := d.CreateRoute(t.Context(), in)
			must(t, err)
			if tt.response {
				_, err := d.CreateRouteResponse(t.Context(), &sdk.CreateRouteResponseInput{ApiId: &d.id, RouteId: rt.RouteId, RouteResponseKey: ptr("$default")})
				must(t, err)
			}
			redeploy(t, d)
			d.set("work", tt.function)
			c := d.dial(t)
			c.send(`{"action":"work"}`)
			if tt.want != "" {
				c.want(tt.want)
				return
			}
			// An answer would have been queued when the function returned, and so
			// come before one that is posted after that.
			d.event(t, "work")
			d.wantIdle(t, c.id)
			must(t, d.post(c.id, "next"))
			c.want("next")
		})
	}
}

func ptr[T any](v T) *T { return &v }

// wantIdle waits until no message of the connection is being handled. The
// socket's own bookkeeping tells: there is nothing else to wait for.
func (d *deployed) wantIdle(t *testing.T, id string) {
	t.Helper()
	k, ok := d.sockets.get(d.id, testStage, id)
	if !ok {
		t.Fatalf("no socket %s", id)
	}
	k.work.Wait()
}

func TestTheMessagesOfOneClientAreHandledAtOnce(t *testing.T) {
	d := newCloud(t).deploy(t, chat)
	c := d.dial(t)
	var running atomic.Int32
	all := make(chan struct{})
	d.set("echo", func(ctx context.Context, inv Invocation) (Result, error) {
		if running.Add(1) == maxInFlight {
			close(all)
		}
		select {
		case <-all: // only opens if they run at the same time
		case <-ctx.Done():
		}
		return echo(ctx, inv)
	})
	const n = 4 * maxInFlight
	for i := range n {
		c.send(fmt.Sprintf(`{"n":%d}`, i))
	}
	got := map[string]bool{}
	for range n {
		message, err := c.receive()
		must(t, err)
		got[message] = true
	}
	if len(got) != n {
		t.Errorf("%d different answers to %d messages", len(got), n)
	}
}

func TestAMessageMayComeInFrames(t *testing.T) {
	d := newCloud(t).deploy(t, chat)
	c := d.dial(t)
	largest := strings.Repeat("a", maxMessage)
	sendInFrames(t, c, largest)
	c.want(largest)
	exact := strings.Repeat("b", maxFrame)
	c.send(exact)
	c.want(exact)
}

func TestAFrameThatCameBeforeTheAnswerIsCounted(t *testing.T) {
	// Such a client breaks RFC 6455, but its bytes must not slip past the limit.
	d := newCloud(t).deploy(t, chat)
	release := make(chan struct{})
	d.set("connect", func(ctx context.Context, inv Invocation) (Result, error) {
		<-release
		return answers(200, "")(ctx, inv)
	})
	c := d.rawHandshake(t, "")
	go func() { _, _ = c.conn.Write(maskedFrame(frameFinal|frameText, strings.Repeat("a", maxFrame+1))) }()
	close(release)
	for {
		line, err := c.in.ReadString('\n')
		must(t, err)
		if line == "\r\n" {
			break
		}
	}
	c.wantClose(1009)
	c.write(frameFinal|frameClose, closePayload(1009, ""))
}

func TestPingsArePongedAndHandledNoFurther(t *testing.T) {
	d := newCloud(t).deploy(t, chat)
	c, _ := d.rawDial(t, "")
	c.write(frameFinal|framePing, "are you there")
	if head, payload := c.read(); head != frameFinal|framePong || payload != "are you there" {
		t.Errorf("got %#x %q", head, payload)
	}
	if d.count("echo") != 0 {
		t.Error("a ping reached a function")
	}
}

func TestThrottledMessagesAreToldSo(t *testing.T) {
	c := newCloud(t)
	c.set("echo", echo)
	d := &deployed{cloud: c, id: c.createAPI(t)}
	integration := d.integrate(t, "echo", 29000)
	for _, key := range []string{"$default", "slow"} {
		d.route(t, key, integration, true)
	}
	d.route(t, "$connect", d.integrate(t, "connect", 29000), false)
	d.release(t, &sdk.CreateStageInput{
		DefaultRouteSettings: settings(1000, 1000),
		RouteSettings:        map[string]types.RouteSettings{"slow": *settings(1, 1)},
	})
	client := d.dial(t)
	const slow = `{"action":"slow"}`
	client.send(slow)
	client.want(slow)
	client.send(slow)
	wantErrorFrame(t, client, "Too Many Requests", client.id)
	client.ping() // other routes are not concerned
	d.clock.Advance(time.Second)
	client.send(slow)
	client.want(slow)

	stage := testStage
	_, err := d.DeleteRouteSettings(t.Context(), &sdk.DeleteRouteSettingsInput{ApiId: &d.id, StageName: &stage, RouteKey: ptr("slow")})
	must(t, err)
	client.send(slow)
	client.want(slow)
}
