package gateway

import (
	"errors"
	"io"
	"testing"
	"time"

	management "github.com/aws/aws-sdk-go-v2/service/apigatewaymanagementapi"
	"github.com/aws/aws-sdk-go-v2/service/apigatewaymanagementapi/types"
	"github.com/coder/websocket"

	"fanfare/localstack/faults"
)

// faulty is a deployed API with one rule for faults.
func faulty(t *testing.T, r faults.Rule) (*deployed, *faults.Set) {
	t.Helper()
	set := faults.New(1)
	d := newCloudWith(t, Options{Faults: set}).deploy(t, chat)
	r.Service = "execute-api"
	_, err := set.Add(r)
	must(t, err)
	return d, set
}

func TestFaultsOfConnections(t *testing.T) {
	t.Run("410 for a live connection", func(t *testing.T) {
		d, _ := faulty(t, faults.Rule{Operation: "PostToConnection", Count: 1, Fault: faults.Fault{Status: 410}})
		c := d.dial(t)
		wantGone(t, "a live connection", d.post(c.id, "lost"))
		must(t, d.post(c.id, "kept"))
		c.want("kept")
	})
	t.Run("429", func(t *testing.T) {
		d, _ := faulty(t, faults.Rule{Operation: "PostToConnection", Fault: faults.Fault{Status: 429}})
		err := d.post("R1kmxc2VNjMCFIA=", "x")
		if _, ok := errors.AsType[*types.LimitExceededException](err); !ok {
			t.Errorf("got %v", err)
		}
	})
	t.Run("a code and a message of its own", func(t *testing.T) {
		d, _ := faulty(t, faults.Rule{Operation: "GetConnection", Fault: faults.Fault{Status: 500, Code: "Oops", Message: `a "reason"`}})
		_, err := d.management().GetConnection(t.Context(), &management.GetConnectionInput{ConnectionId: ptr("R1kmxc2VNjMCFIA=")})
		wantFault(t, err, "Oops", 500, `a "reason"`)
	})
}

func TestAFaultMayDropTheSocketOfAPost(t *testing.T) {
	d, _ := faulty(t, faults.Rule{Operation: "PostToConnection", Fault: faults.Fault{Drop: true}})
	c := d.dial(t)
	wantGone(t, "a dropped socket", d.post(c.id, "x"))
	wantLostQuietly(t, d, c)
}

// wantLostQuietly checks that the client gets no close frame, and the back end
// no $disconnect.
func wantLostQuietly(t *testing.T, d *deployed, c *client) {
	t.Helper()
	message, err := c.receive()
	if _, ok := errors.AsType[websocket.CloseError](err); ok || err == nil {
		t.Errorf("got %q, %v; want a lost connection", message, err)
	}
	d.close()
	if d.count("disconnect") != 0 {
		t.Error("$disconnect ran")
	}
}

func TestFaultsOfConnect(t *testing.T) {
	t.Run("a status refuses before $connect runs", func(t *testing.T) {
		d, _ := faulty(t, faults.Rule{Operation: "$connect", Resource: "*/" + testStage, Fault: faults.Fault{Status: 503}})
		_, response, _ := d.tryDial(t, "", nil)
		if body, _ := io.ReadAll(response.Body); response.StatusCode != 503 || string(body) != `{"message":"Internal server error"}` {
			t.Errorf("got %d %s", response.StatusCode, body)
		}
		if d.count("connect") != 0 {
			t.Error("$connect ran")
		}
	})
	t.Run("a drop loses the socket after $connect has run", func(t *testing.T) {
		d, _ := faulty(t, faults.Rule{Operation: "$connect", Fault: faults.Fault{Drop: true}})
		if _, response, err := d.tryDial(t, "", nil); err == nil || response != nil {
			t.Errorf("got %v, %v", response, err)
		}
		wantGone(t, "the lost one", d.post(d.connected(t), "x"))
		d.close()
		if d.count("connect") != 1 || d.count("disconnect") != 0 {
			t.Errorf("$connect ran %d times, $disconnect %d", d.count("connect"), d.count("disconnect"))
		}
	})
}

func TestFaultsOfMessages(t *testing.T) {
	for status, text := range map[int]string{429: "Too Many Requests", 403: "Forbidden", 500: "Internal server error", 504: "Endpoint request timed out"} {
		t.Run(text, func(t *testing.T) {
			d, set := faulty(t, faults.Rule{ID: "it", Operation: "$default", Fault: faults.Fault{Status: status}})
			c, _, err := d.tryDial(t, "", nil)
			must(t, err)
			c.send("x")
			wantErrorFrame(t, c, text, d.connected(t))
			if d.count("echo") != 0 {
				t.Error("the function ran")
			}
			set.Remove("it")
			c.ping()
		})
	}
	t.Run("a drop", func(t *testing.T) {
		d, _ := faulty(t, faults.Rule{Operation: "$default", After: 1, Fault: faults.Fault{Drop: true}})
		c := d.dial(t)
		c.send("x")
		wantLostQuietly(t, d, c)
	})
}

func TestAFaultOfDisconnectIsOneThatIsLost(t *testing.T) {
	d, set := faulty(t, faults.Rule{Operation: "$disconnect", Fault: faults.Fault{Drop: true}})
	c := d.dial(t)
	must(t, c.conn.Close(websocket.StatusNormalClosure, ""))
	d.close()
	if set.List()[0].Faulted != 1 || d.count("disconnect") != 0 {
		t.Errorf("%+v; $disconnect ran %d times", set.List(), d.count("disconnect"))
	}
}

func TestLatencyOfAFaultPassesFirst(t *testing.T) {
	const latency = 30 * time.Millisecond
	d, _ := faulty(t, faults.Rule{Operation: "PostToConnection", Fault: faults.Fault{Latency: latency}})
	c := d.dial(t)
	begin := time.Now()
	must(t, d.post(c.id, "late"))
	if took := time.Since(begin); took < latency {
		t.Errorf("it took %v", took)
	}
	c.want("late")
}
