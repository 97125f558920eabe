package gateway

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	management "github.com/aws/aws-sdk-go-v2/service/apigatewaymanagementapi"
	"github.com/aws/aws-sdk-go-v2/service/apigatewaymanagementapi/types"
	"github.com/coder/websocket"
)

func TestPostsArriveInOrderAndWhole(t *testing.T) {
	d := newCloud(t).deploy(t, chat)
	c := d.dial(t)
	messages := []string{"one", `{"two":2}`, "", "drei ä", strings.Repeat("4", maxMessage), "five"}
	for _, m := range messages {
		must(t, d.post(c.id, m))
	}
	for _, m := range messages {
		c.want(m)
	}
}

func TestALargePostComesInFramesOf32KB(t *testing.T) {
	d := newCloud(t).deploy(t, chat)
	c, _ := d.rawDial(t, "")
	message := strings.Repeat("a", 3*maxFrame) + "tail"
	must(t, d.post(d.event(t, "connect").RequestContext.ConnectionID, message))
	var got strings.Builder
	for frame := 0; ; frame++ {
		head, payload := c.read()
		wantOpcode := byte(frameText)
		if frame > 0 {
			wantOpcode = frameContinuation
		}
		if head&0x0f != wantOpcode || len(payload) > maxFrame {
			t.Fatalf("frame %d: head %#x, %d bytes", frame, head, len(payload))
		}
		got.WriteString(payload)
		if head&frameFinal != 0 {
			break
		}
	}
	if got.String() != message {
		t.Errorf("%d bytes came of %d", got.Len(), len(message))
	}
}

func TestGetConnection(t *testing.T) {
	d := newCloud(t).deploy(t, chat)
	before := d.clock.Now().Truncate(time.Millisecond)
	c := d.dial(t)
	get := func() *management.GetConnectionOutput {
		out, err := d.management().GetConnection(t.Context(), &management.GetConnectionInput{ConnectionId: &c.id})
		must(t, err)
		return out
	}
	out := get()
	if *out.Identity.SourceIp != "127.0.0.1" || *out.Identity.UserAgent != "Go-http-client/1.1" {
		t.Errorf("identity %v %v", *out.Identity.SourceIp, *out.Identity.UserAgent)
	}
	if out.ConnectedAt.Before(before) || out.LastActiveAt.Before(*out.ConnectedAt) {
		t.Errorf("connected at %v, last active at %v", out.ConnectedAt, out.LastActiveAt)
	}
	d.clock.Advance(time.Minute)
	if again := get(); !again.LastActiveAt.Equal(*out.LastActiveAt) {
		t.Error("looking at a connection is no activity of it")
	}
	c.ping()
	if again := get(); again.LastActiveAt.Sub(*out.LastActiveAt) < time.Minute {
		t.Error("a message is activity")
	}
}

// The answers are pinned byte by byte, as recorded from AWS.
func TestManagementAnswers(t *testing.T) {
	d := newCloud(t).deploy(t, chat)
	quiet, _ := d.rawDial(t, "") // sends no User-Agent
	id := d.event(t, "connect").RequestContext.ConnectionID
	const unknown = "R1kmxc2VNjMCFIA="
	tests := map[string]struct {
		method, path string
		body         string
		unsigned     bool
		status       int
		errorType    string
		contentType  string
		want         string
	}{
		"post":                               {"POST", "@connections/" + id, "hi", false, 200, "", "application/json", ""},
		"an escaped @":                       {"POST", "%40connections/" + id, "hi", false, 200, "", "application/json", ""},
		"an escaped id":                      {"POST", "%40connections/" + url.QueryEscape(id), "hi", false, 200, "", "application/json", ""},
		"post to an unknown id":              {"POST", "@connections/" + unknown, "hi", false, 410, "GoneException", "", ""},
		"get an unknown id":                  {"GET", "@connections/" + unknown, "", false, 410, "GoneException", "", ""},
		"delete an unknown id":               {"DELETE", "@connections/" + unknown, "", false, 410, "GoneException", "", ""},
		"an unknown id with escaped slashes": {"POST", "@connections/R1kmx%2F2VNj%2bCFIA%3D", "hi", false, 410, "GoneException", "", ""},
		"a malformed id":                     {"POST", "@connections/nope", "hi", false, 400, "BadRequestException", "application/json", `{"message":"Invalid connectionId: nope"}`},
		"a malformed id is quoted as JSON":   {"GET", "@connections/%3C%22%07%3E", "", false, 400, "BadRequestException", "application/json", `{"message":"Invalid connectionId: <\"\u0007>"}`},
		"no id":                              {"DELETE", "@connections/", "", false, 400, "BadRequestException", "application/json", `{"message":"Invalid connectionId: "}`},
		"128 KB and one byte":                {"POST", "@connections/" + id, strings.Repeat("a", maxMessage+1), false, 413, "PayloadTooLargeException", "application/json", `{"message":"Message too long"}`},
		"another method":                     {"PUT", "@connections/" + id, "hi", false, 403, "ForbiddenException", "application/json", `{"message":"Forbidden"}`},
		"unsigned":                           {"POST", "@connections/" + id, "hi", true, 403, "MissingAuthenticationTokenException", "application/json", `{"message":"Missing Authentication Token"}`},
		"an unknown stage":                   {"POST", "../nope/@connections/" + id, "hi", false, 403, "ForbiddenException", "application/json", `{"message":"Forbidden"}`},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			address := d.endpoint() + "/" + tt.path
			if rest, ok := strings.CutPrefix(tt.path, "../"); ok {
				address = d.url + DataPath + d.id + "/" + rest
			}
			r, err := http.NewRequestWithContext(t.Context(), tt.method, address, strings.NewReader(tt.body))
			must(t, err)
			if !tt.unsigned {
				r.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential=test/20240120/eu-west-1/execute-api/aws4_request, SignedHeaders=host, Signature=0")
			}
			response, err := http.DefaultClient.Do(r)
			must(t, err)
			defer response.Body.Close()
			body, err := io.ReadAll(response.Body)
			must(t, err)
			h := response.Header
			if response.StatusCode != tt.status || string(body) != tt.want || h.Get("x-amzn-ErrorType") != tt.errorType || h.Get("Content-Type") != tt.contentType {
				t.Errorf("got %d %q %s, want %d %q %s %s", response.StatusCode, body, h, tt.status, tt.want, tt.errorType, tt.contentType)
			}
			if tt.status != 403 && (h.Get("x-amzn-requestid") == "" || h.Get("x-amz-apigw-id") == "") {
				t.Errorf("the request's ids are missing in %v", h)
			}
		})
	}
	t.Run("get and delete", func(t *testing.T) {
		status, body := d.manageRaw(t, "GET", id)
		if status != 200 || !strings.Contains(body, `"identity":{"sourceIp":"127.0.0.1","userAgent":null}`) {
			t.Errorf("GET: %d %s", status, body)
		}
		if status, body := d.manageRaw(t, "DELETE", id); status != 204 || body != "" {
			t.Errorf("DELETE: %d %q", status, body)
		}
		for range 3 {
			quiet.read() // what was posted above
		}
		quiet.wantClose(1000)
		quiet.write(frameFinal|frameClose, closePayload(1000, ""))
	})
}

func (d *deployed) manageRaw(t *testing.T, method, id string) (status int, body string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, d.endpoint()+"/@connections/"+id, nil)
	must(t, err)
	r.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential=test/20240120/eu-west-1/execute-api/aws4_request, SignedHeaders=host, Signature=0")
	response, err := http.DefaultClient.Do(r)
	must(t, err)
	defer response.Body.Close()
	raw, err := io.ReadAll(response.Body)
	must(t, err)
	return response.StatusCode, string(raw)
}

func TestAConnectionIsGoneBeforeAndAfterItsLife(t *testing.T) {
	d := newCloud(t).deploy(t, chat)
	during := make(chan error, 1)
	d.set("connect", func(ctx context.Context, inv Invocation) (Result, error) {
		during <- d.post((<-d.eventsOf("connect")).RequestContext.ConnectionID, "too early")
		return answers(200, "")(ctx, inv)
	})
	seen := make(chan string, 1)
	d.set("disconnect", func(ctx context.Context, inv Invocation) (Result, error) {
		seen <- (<-d.eventsOf("disconnect")).RequestContext.ConnectionID
		return answers(200, "")(ctx, inv)
	})
	c, _, err := d.tryDial(t, "", nil)
	must(t, err)
	wantGone(t, "while $connect runs", <-during)
	must(t, c.conn.Close(websocket.StatusNormalClosure, ""))
	wantGone(t, "after the close", d.post(<-seen, "too late"))
}

func wantGone(t *testing.T, when string, err error) {
	t.Helper()
	if _, ok := errors.AsType[*types.GoneException](err); !ok {
		t.Errorf("%s: got %v, want GoneException", when, err)
	}
}

func TestAPostIsTakenAsSoonAsConnectHasSucceeded(t *testing.T) {
	d := newCloud(t).deploy(t, chat)
	for range 50 { // the client hears of its 101 a moment before the gateway goes on
		c, _, err := d.tryDial(t, "", nil)
		must(t, err)
		must(t, d.post(d.event(t, "connect").RequestContext.ConnectionID, "welcome"))
		c.want("welcome")
	}
}

func TestWhatWasPostedBeforeADeleteArrives(t *testing.T) {
	d := newCloud(t).deploy(t, chat)
	c := d.dial(t)
	const n = 100
	for range n {
		must(t, d.post(c.id, "news"))
	}
	d.hangUp(t, c.id)
	wantGone(t, "after DELETE", d.post(c.id, "more"))
	for range n {
		c.want("news")
	}
	c.wantClose(1000, "")
}

func TestAClientThatDoesNotReadFillsItsBufferAndNoMore(t *testing.T) {
	d := newCloud(t).deploy(t, chat)
	c, _ := d.rawDial(t, "")
	id := d.event(t, "connect").RequestContext.ConnectionID
	message := strings.Repeat("a", maxMessage)
	posted := 0
	for {
		err := d.post(id, message)
		if err == nil {
			if posted++; posted > 1000 {
				t.Fatal("the buffer has no bound")
			}
			continue
		}
		if _, ok := errors.AsType[*types.LimitExceededException](err); !ok {
			t.Fatalf("got %v, want LimitExceededException", err)
		}
		break
	}
	k, _ := d.sockets.get(d.id, testStage, id)
	k.mu.Lock()
	if k.queued > maxBuffered {
		t.Errorf("%d bytes wait", k.queued)
	}
	k.mu.Unlock()

	// Once it reads again, nothing of what was taken is missing.
	for got := 0; got < posted*maxMessage; {
		_, payload := c.read()
		got += len(payload)
	}
	for d.post(id, "again") != nil { // until the writer has noticed
		continue
	}
}

func TestEmptyPostsAreBoundedToo(t *testing.T) {
	k := &socket{admitted: true, clock: newCloud(t).clock}
	n := 0
	for ; k.send(nil) == nil; n++ {
		if n > maxBuffered {
			t.Fatal("no bound")
		}
	}
	if n != maxBuffered/messageCost {
		t.Errorf("%d empty messages were taken", n)
	}
}
