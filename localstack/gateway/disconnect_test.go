package gateway

import (
	"context"
	"errors"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/apigatewayv2"
	"github.com/coder/websocket"
)

func TestDisconnectRunsOnceForEveryEnd(t *testing.T) {
	tests := map[string]struct {
		end    func(t *testing.T, d *deployed, c *client)
		code   int
		reason string
	}{
		"the client closes with a code and a reason": {func(t *testing.T, _ *deployed, c *client) {
			must(t, c.conn.Close(4001, "bye"))
		}, 4001, "bye"},
		"the client goes away": {func(t *testing.T, _ *deployed, c *client) {
			must(t, c.conn.Close(websocket.StatusGoingAway, ""))
		}, 1001, ""},
		"the client closes without a code": {func(t *testing.T, _ *deployed, c *client) {
			must(t, c.conn.Close(websocket.StatusNoStatusRcvd, ""))
		}, 1005, "Client-side close frame status not set"},
		"the client's TCP connection is cut": {func(t *testing.T, _ *deployed, c *client) {
			must(t, c.tcp.Close())
		}, 1006, ""},
		"the back end deletes the connection": {func(t *testing.T, d *deployed, c *client) {
			d.hangUp(t, c.id)
			c.wantClose(1000, "")
		}, 1000, "Connection Closed Normally"},
		"ten minutes without a message": {func(_ *testing.T, d *deployed, c *client) {
			d.clock.Advance(idleTimeout)
			c.wantClose(1001, "Going away")
		}, 1001, "Going away"},
		"two hours, however active": {func(_ *testing.T, d *deployed, c *client) {
			for range 13 {
				d.clock.Advance(9 * time.Minute)
				c.ping()
			}
			d.clock.Advance(3 * time.Minute)
			c.wantClose(1001, "Going away")
		}, 1001, "Going away"},
		"the client sends a binary message": {func(t *testing.T, _ *deployed, c *client) {
			must(t, c.conn.Write(t.Context(), websocket.MessageBinary, []byte("x")))
			c.wantClose(1003, "")
		}, 1003, ""},
		"the client sends text that is no UTF-8": {func(_ *testing.T, _ *deployed, c *client) {
			c.send("\xff")
			c.wantClose(1007, "")
		}, 1007, ""},
		"the client sends a frame of more than 32 KB": {func(_ *testing.T, _ *deployed, c *client) {
			c.send(strings.Repeat("a", maxFrame+1))
			c.wantClose(1009, "")
		}, 1009, ""},
		"the client sends a message of more than 128 KB": {func(t *testing.T, _ *deployed, c *client) {
			sendInFrames(t, c, strings.Repeat("a", maxMessage+1))
			c.wantClose(1009, "")
		}, 1009, ""},
		"the gateway stops": {func(_ *testing.T, d *deployed, c *client) {
			stopped := make(chan struct{})
			go func() { defer close(stopped); d.close() }()
			c.wantClose(1001, "Going away")
			<-stopped
		}, 1001, "Going away"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			d := newCloud(t).deploy(t, chat)
			c := d.dial(t)
			tt.end(t, d, c)
			d.wantDisconnect(t, tt.code, tt.reason)
		})
	}
}

// sendInFrames sends a message in frames that are not too large.
func sendInFrames(t *testing.T, c *client, message string) {
	t.Helper()
	w, err := c.conn.Writer(t.Context(), websocket.MessageText)
	must(t, err)
	for message != "" {
		n := min(len(message), maxFrame)
		if _, err := w.Write([]byte(message[:n])); err != nil {
			t.Fatal(err)
		}
		message = message[n:]
	}
	must(t, w.Close())
}

// RFC 6455, section 8.1, however the frame comes in.
func TestACloseReasonThatIsNoUTF8Fails1007(t *testing.T) {
	d := newCloud(t).deploy(t, chat)
	ends := func(frame []byte, cut int, code int, reason string) {
		t.Helper()
		c, _ := d.rawDial(t, "")
		for _, part := range [][]byte{frame[:cut], frame[cut:]} {
			_, err := c.conn.Write(part)
			must(t, err)
		}
		c.wantClose(websocket.StatusCode(code))
		e := d.event(t, "disconnect").RequestContext
		if e.DisconnectStatusCode != code || e.DisconnectReason == nil || *e.DisconnectReason != reason {
			t.Errorf("cut at %d, $disconnect got %d %v, want %d %q", cut, e.DisconnectStatusCode, e.DisconnectReason, code, reason)
		}
	}
	bad := maskedFrame(frameFinal|frameClose, closePayload(1000, "by\xffe"))
	for cut := range bad {
		ends(bad, cut, 1007, "by?e")
	}
	ends(maskedFrame(frameFinal|frameClose, closePayload(1000, "bye é")), 0, 1000, "bye é")
}

func TestSocketsEndWithTheirStageOrAPI(t *testing.T) {
	tests := map[string]func(*deployed) error{
		"stage": func(d *deployed) error {
			_, err := d.DeleteStage(context.Background(), &sdk.DeleteStageInput{ApiId: &d.id, StageName: aws.String(testStage)})
			return err
		},
		"API": func(d *deployed) error {
			_, err := d.DeleteApi(context.Background(), &sdk.DeleteApiInput{ApiId: &d.id})
			return err
		},
	}
	for name, remove := range tests {
		t.Run(name, func(t *testing.T) {
			d := newCloud(t).deploy(t, chat)
			c := d.dial(t)
			must(t, remove(d))
			c.wantClose(1001, "Going away")
		})
	}
}

func TestSocketsOutliveAnotherStage(t *testing.T) {
	d := newCloud(t).deploy(t, chat)
	d.release(t, &sdk.CreateStageInput{StageName: aws.String("other")})
	c := d.dial(t)
	_, err := d.DeleteStage(t.Context(), &sdk.DeleteStageInput{ApiId: &d.id, StageName: aws.String("other")})
	must(t, err)
	c.ping()
}

func TestAMessageRestartsTheIdleTime(t *testing.T) {
	d := newCloud(t).deploy(t, chat)
	c := d.dial(t)
	d.event(t, "echo") // of dial
	d.set("echo", answers(200, ""))
	for range 3 { // from the client, without an answer
		d.clock.Advance(idleTimeout - time.Second)
		c.send("news")
		d.event(t, "echo")
	}
	for range 3 { // and from the back end
		d.clock.Advance(idleTimeout - time.Second)
		must(t, d.post(c.id, "news"))
		c.want("news")
	}
	d.clock.Advance(idleTimeout)
	c.wantClose(1001, "Going away")
}

func TestAClientThatDoesNotAnswerACloseIsCutOff(t *testing.T) {
	d := newCloud(t).deploy(t, chat)
	c, _ := d.rawDial(t, "")
	d.hangUp(t, d.event(t, "connect").RequestContext.ConnectionID)
	c.wantClose(1000)
	// No answer. What the client sends instead is not handled.
	c.write(frameFinal|frameText, `"late"`)
	d.wantDisconnect(t, 1000, "Connection Closed Normally")
	if d.count("echo") != 0 {
		t.Error("a message after the close frame was handled")
	}
}

func TestStoppingWaitsForAConnectThatRuns(t *testing.T) {
	d := newCloud(t).deploy(t, chat)
	stopping := make(chan struct{})
	d.set("connect", func(ctx context.Context, inv Invocation) (Result, error) {
		<-stopping
		return answers(200, "")(ctx, inv)
	})
	c := d.rawHandshake(t, "")
	d.event(t, "connect")
	stopped := make(chan struct{})
	go func() { defer close(stopped); d.close() }()
	for !d.refusesSockets() {
		runtime.Gosched()
	}
	if _, response, _ := d.tryDial(t, "", nil); response == nil || response.StatusCode != 503 {
		t.Errorf("a new connection got %v", response)
	}
	close(stopping)
	for { // the 101, then the close frame
		line, err := c.in.ReadString('\n')
		must(t, err)
		if line == "\r\n" {
			break
		}
	}
	c.wantClose(1001)
	c.write(frameFinal|frameClose, closePayload(1001, ""))
	<-stopped
	d.wantDisconnect(t, 1001, "Going away")
}

func (c *cloud) refusesSockets() bool {
	c.sockets.mu.RLock()
	defer c.sockets.mu.RUnlock()
	return c.sockets.closed
}

func TestStoppingWaitsForMessagesWhoseClientHasGone(t *testing.T) {
	d := newCloud(t).deploy(t, chat)
	c := d.dial(t)
	d.event(t, "echo") // of dial
	release := make(chan struct{})
	var finished atomic.Bool
	d.set("echo", func(ctx context.Context, inv Invocation) (Result, error) {
		<-release
		finished.Store(true)
		return echo(ctx, inv)
	})
	c.send("x")
	d.event(t, "echo")
	must(t, c.conn.Close(websocket.StatusNormalClosure, ""))
	d.event(t, "disconnect") // does not wait for the message, but the end does
	closed := make(chan bool, 1)
	go func() {
		_ = d.Service.Close(context.Background()) // the clean-up closes again, and checks it
		closed <- finished.Load()
	}()
	for range 10_000 { // time for a Close that does not wait to show it
		runtime.Gosched()
	}
	close(release)
	if !<-closed {
		t.Error("Close returned while a message was being handled")
	}
}

func TestCloseGivesUpWithItsContext(t *testing.T) {
	d := newCloud(t).deploy(t, chat)
	c := d.dial(t)
	d.set("echo", func(ctx context.Context, _ Invocation) (Result, error) {
		<-ctx.Done()
		return Result{}, ctx.Err()
	})
	c.send("x")
	d.event(t, "echo") // of dial
	d.event(t, "echo")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := d.Service.Close(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("Close returned %v", err)
	}
	// The calls are cancelled, so that the Close of the clean-up finds an end.
	d.close()
}
