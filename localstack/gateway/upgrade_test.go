package gateway

import (
	"context"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	sdk "github.com/aws/aws-sdk-go-v2/service/apigatewayv2"
	"github.com/coder/websocket"

	"fanfare/localstack/clock"
)

func TestConnectDecidesTheUpgrade(t *testing.T) {
	const internal = `{"message":"Internal server error"}`
	tests := map[string]struct {
		connect function
		status  int // 101: the socket opens
		body    string
	}{
		"200 opens":                                 {answers(200, "ignored"), 101, ""},
		"201 opens":                                 {answers(201, ""), 101, ""},
		"any 2xx opens":                             {answers(299, ""), 101, ""},
		"a redirect is passed through":              {answers(301, "moved"), 301, "moved"},
		"400 is passed through":                     {answers(400, `{"code":"BAD"}`), 400, `{"code":"BAD"}`},
		"401 is passed through":                     {answers(401, "who?"), 401, "who?"},
		"an empty body stays empty":                 {answers(403, ""), 403, ""},
		"501 is passed through":                     {answers(501, "no"), 501, "no"},
		"a function error is 502":                   {fails, 502, internal},
		"a result that is no JSON is 502":           {returns(`ok`), 502, internal},
		"a result of null is 502":                   {returns(`null`), 502, internal},
		"no statusCode is 502":                      {returns(`{"body":"x"}`), 502, internal},
		"a statusCode that HTTP cannot send is 502": {returns(`{"statusCode":99}`), 502, internal},
		"a body that is no string is 502":           {returns(`{"statusCode":200,"body":{}}`), 502, internal},
		"a call that is refused is 500": {
			func(context.Context, Invocation) (Result, error) { return Result{}, ErrNotAllowed }, 500, internal},
		"a function that takes too long is 504": {
			func(ctx context.Context, _ Invocation) (Result, error) { <-ctx.Done(); return Result{}, ctx.Err() },
			504, `{"message":"Endpoint request timed out"}`},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			d := &deployed{cloud: newCloud(t)}
			d.id = d.createAPI(t)
			d.set("connect", tt.connect)
			d.route(t, "$connect", d.integrate(t, "connect", 50), false)
			d.route(t, "$disconnect", d.integrate(t, "disconnect", 29000), false)
			d.release(t, &sdk.CreateStageInput{})

			c, response, err := d.tryDial(t, "", nil)
			if response == nil || response.StatusCode != tt.status {
				t.Fatalf("got %v, %v; want %d", response, err, tt.status)
			}
			if tt.status == 101 {
				must(t, c.conn.Close(websocket.StatusNormalClosure, ""))
				d.wantDisconnect(t, 1000, "")
				return
			}
			if body, err := io.ReadAll(response.Body); string(body) != tt.body || err != nil {
				t.Errorf("body %q, %v; want %q", body, err, tt.body)
			}
			d.close()
			if d.count("disconnect") != 0 {
				t.Error("$disconnect ran for a connection that was refused")
			}
		})
	}
}

func TestWithoutAConnectRouteTheUpgradeSucceeds(t *testing.T) {
	d := newCloud(t).deploy(t, map[string]string{"$default": "echo"})
	c, _, err := d.tryDial(t, "", nil)
	must(t, err)
	c.ping()
}

func TestARefusedUpgradeKeepsItsContentType(t *testing.T) {
	d := newCloud(t).deploy(t, chat)
	d.set("connect", returns(`{"statusCode":403,"headers":{"content-type":"text/plain"},"body":"no"}`))
	_, response, _ := d.tryDial(t, "", nil)
	if got := response.Header.Get("Content-Type"); got != "text/plain" {
		t.Errorf("Content-Type %q", got)
	}
}

func TestWhatIsNoHandshakeReachesNoFunction(t *testing.T) {
	d := newCloud(t).deploy(t, chat)
	full := map[string]string{
		"Connection": "keep-alive, Upgrade", "Upgrade": "WebSocket",
		"Sec-WebSocket-Version": "13", "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
	}
	tests := map[string]struct {
		method, url string
		drop        string
		status      int
		body        string
	}{
		"a plain GET":                {"GET", d.endpoint(), "Upgrade", 426, `{"message":"Upgrade Required"}`},
		"an upgrade of nothing":      {"GET", d.endpoint(), "Connection", 426, `{"message":"Upgrade Required"}`},
		"another method":             {"POST", d.endpoint(), "", 400, `{"message":"Bad Request"}`},
		"another version":            {"GET", d.endpoint(), "Sec-WebSocket-Version", 400, `{"message":"Bad Request"}`},
		"no key":                     {"GET", d.endpoint(), "Sec-WebSocket-Key", 400, `{"message":"Bad Request"}`},
		"a URL of more than 4 KB":    {"GET", d.endpoint() + "?q=" + strings.Repeat("a", 4096), "", 414, `{"message":"Request URI Too Long"}`},
		"an unknown stage":           {"GET", d.endpoint() + "2", "", 403, `{"message":"Forbidden"}`},
		"an unknown API":             {"GET", d.url + DataPath + "nope/live", "", 403, `{"message":"Forbidden"}`},
		"no stage":                   {"GET", d.url + DataPath + d.id, "", 403, `{"message":"Forbidden"}`},
		"a path below the stage":     {"GET", d.endpoint() + "/chat", "", 403, `{"message":"Forbidden"}`},
		"a path that is not escaped": {"GET", d.endpoint() + "/@connections/x/y", "", 403, `{"message":"Forbidden"}`},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			r, err := http.NewRequestWithContext(t.Context(), tt.method, tt.url, nil)
			must(t, err)
			for name, value := range full {
				if name != tt.drop {
					r.Header.Set(name, value)
				}
			}
			response, err := http.DefaultClient.Do(r)
			must(t, err)
			defer response.Body.Close()
			body, _ := io.ReadAll(response.Body)
			if response.StatusCode != tt.status || string(body) != tt.body {
				t.Errorf("got %d %q, want %d %q", response.StatusCode, body, tt.status, tt.body)
			}
		})
	}
	if d.count("connect") != 0 {
		t.Error("$connect ran")
	}
}

// A body that never comes would hold up the 101 for ever, after $connect has run.
func TestAHandshakeWithABodyIsRefused(t *testing.T) {
	d := newCloud(t).deploy(t, chat)
	for _, header := range []string{"Content-Length: 100", "Transfer-Encoding: chunked"} {
		_, response := d.rawDial(t, "", header)
		if response.StatusCode != 400 {
			t.Errorf("%s: got %d, want 400", header, response.StatusCode)
		}
	}
	if d.count("connect") != 0 {
		t.Error("$connect ran")
	}
	if _, response := d.rawDial(t, "", "Content-Length: 0"); response.StatusCode != 101 {
		t.Errorf("an empty body: got %d, want 101", response.StatusCode)
	}
}

// From $connect on a socket has its time-outs, whether or not the client reads
// its 101.
func TestAnAdmittedSocketHasItsTimeouts(t *testing.T) {
	for what, tt := range map[string]struct {
		after time.Duration
		want  closing
	}{"idle": {idleTimeout, closedByIdle}, "age": {maxAge, closedByAge}} {
		synctest.Test(t, func(t *testing.T) {
			k := &socket{clock: clock.New()}
			k.admit()
			k.clock.Advance(tt.after)
			synctest.Wait()
			if k.isOpen() || *k.end != tt.want {
				t.Errorf("%s: still open, or ended by %v", what, k.end)
			}
			k.ended(errClosed)
		})
	}
}

func TestTheSubprotocolIsTheFunctionsChoice(t *testing.T) {
	tests := map[string]struct {
		connect string
		want    string
	}{
		"none without a header":               {`{"statusCode":200}`, ""},
		"the one that the function returns":   {`{"statusCode":200,"headers":{"Sec-WebSocket-Protocol":"v2"}}`, "v2"},
		"whatever the header's case":          {`{"statusCode":200,"headers":{"sec-websocket-protocol":"v1"}}`, "v1"},
		"from the multi-value headers":        {`{"statusCode":200,"multiValueHeaders":{"Sec-WebSocket-Protocol":["v1"]}}`, "v1"},
		"never one that nobody has asked for": {`{"statusCode":200,"headers":{"Sec-WebSocket-Protocol":"v3"}}`, ""},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			d := newCloud(t).deploy(t, chat)
			d.set("connect", returns(tt.connect))
			c, response, err := d.tryDial(t, "", &websocket.DialOptions{Subprotocols: []string{"v1", "v2"}})
			must(t, err)
			_, sent := response.Header["Sec-Websocket-Protocol"]
			if c.conn.Subprotocol() != tt.want || sent != (tt.want != "") {
				t.Errorf("got %q in %v, want %q", c.conn.Subprotocol(), response.Header, tt.want)
			}
		})
	}
}

func TestExtensionsAreNotNegotiated(t *testing.T) {
	d := newCloud(t).deploy(t, chat)
	_, response := d.rawDial(t, "", "Sec-WebSocket-Extensions: permessage-deflate")
	if response.StatusCode != 101 || response.Header.Get("Sec-WebSocket-Extensions") != "" {
		t.Errorf("got %d %v", response.StatusCode, response.Header)
	}
}

func TestAClientThatLeavesWhileConnectRunsIsDisconnected(t *testing.T) {
	d := newCloud(t).deploy(t, chat)
	left := make(chan struct{})
	d.set("connect", func(ctx context.Context, inv Invocation) (Result, error) {
		<-left
		if ctx.Err() != nil {
			t.Error("the client took the function's time with it")
		}
		return answers(200, "")(ctx, inv)
	})
	c := d.rawHandshake(t, "")
	d.event(t, "connect")
	must(t, c.conn.Close())
	close(left)
	d.wantDisconnect(t, 1006, "")
}

func TestThrottledConnectsAre429(t *testing.T) {
	d := &deployed{cloud: newCloud(t)}
	d.id = d.createAPI(t)
	d.route(t, "$connect", d.integrate(t, "connect", 29000), false)
	rate, burst := 1.0, int32(2)
	d.release(t, &sdk.CreateStageInput{DefaultRouteSettings: settings(rate, burst)})
	for i, want := range []int{101, 101, 429} {
		_, response, _ := d.tryDial(t, "", nil)
		if response.StatusCode != want {
			t.Fatalf("connect %d got %d, want %d", i, response.StatusCode, want)
		}
		if want == 429 {
			if body, _ := io.ReadAll(response.Body); string(body) != `{"message":"Too Many Requests"}` {
				t.Errorf("body %q", body)
			}
		}
	}
	d.clock.Advance(time.Second)
	if _, response, _ := d.tryDial(t, "", nil); response.StatusCode != 101 {
		t.Errorf("a second later: %d", response.StatusCode)
	}
	if n := d.count("connect"); n != 3 {
		t.Errorf("$connect ran %d times, but not for the one that was refused", n)
	}
}

func TestZeroThrottlingRefusesEverything(t *testing.T) {
	d := &deployed{cloud: newCloud(t)}
	d.id = d.createAPI(t)
	d.route(t, "$default", d.integrate(t, "echo", 29000), false)
	d.release(t, &sdk.CreateStageInput{DefaultRouteSettings: settings(0, 0)})
	if _, response, _ := d.tryDial(t, "", nil); response.StatusCode != 429 {
		t.Errorf("got %d: the provider's zeros must show as they do in AWS", response.StatusCode)
	}
}
