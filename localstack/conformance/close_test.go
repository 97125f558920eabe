package conformance

import (
	"bytes"
	"testing"
	"time"

	"github.com/coder/websocket"
)

func TestClose(t *testing.T) { check(t, closeClaims) }

var closeClaims = []claim{
	{says: "a client that closes without a code: $disconnect gets 1005 Client-side close frame status not set", sources: "[WEB:apigateway-websocket-api-integration-requests] [OBS-evt]", test: closeWithoutCode},
	{says: "a client that goes away: $disconnect gets 1001 with an empty reason", sources: "[LGO events testdata]", test: closeGoingAway},
	{says: "10 minutes idle: both sides get 1001 Going away", sources: "[OBS-evt]", test: closeIdle},
	{says: "a message in either direction restarts the idle time", sources: "[WEB:apigateway-execution-service-websocket-limits-table]", test: closeIdleRestarts},
	{says: "2 hours old: the client gets 1001 Going away", sources: "[SLSO WebSocketClients.js]", test: closeAge},
	{says: "2 hours old: $disconnect gets 1001 Going away", sources: "[OBS-evt]", unverified: true, test: closeAgeDisconnect},
	{says: "DELETE of a connection: the client gets 1000, $disconnect 1000 Connection Closed Normally", sources: "[ISS:boto3#3789] [ISS:chalice#2060]", test: closeDelete},
	{says: "a TCP connection that is lost: $disconnect gets 1006", sources: "[RFC 6455 7.1.5]", unverified: true, test: closeLost},
	{says: "a frame of more than 32 KB closes with 1009", sources: "[WEB:apigateway-execution-service-websocket-limits-table]", test: closeLargeFrame},
	{says: "a message of more than 128 KB closes with 1009", sources: "[WEB:apigateway-execution-service-websocket-limits-table]", test: closeLargeMessage},
	{says: "a message of 128 KB in frames of 32 KB is taken", sources: "[WEB:apigateway-execution-service-websocket-limits-table]", test: closeNotLarge},
	{says: "a binary message closes with 1003", sources: "[DG:websocket-api-develop-binary-media-types]", test: closeBinary},
	{says: "$disconnect runs once, and what it answers changes nothing", sources: "[DG:apigateway-websocket-api-route-keys-connect-disconnect]", test: closeDisconnectFails},
}

func closeWithoutCode(t *testing.T) {
	a := shared(t).deploy(t, spec{})
	a.dialRaw().write(finalBit|opClose, nil)
	a.wantDisconnect(1005, "Client-side close frame status not set")
}

func closeGoingAway(t *testing.T) {
	a := shared(t).deploy(t, spec{})
	if err := a.dial().c.Close(websocket.StatusGoingAway, ""); err != nil {
		t.Fatal(err)
	}
	a.wantDisconnect(1001, "")
}

func closeIdle(t *testing.T) {
	a := fresh(t).deploy(t, spec{do: func(call) order { return ok("here") }})
	s := a.dial()
	s.ask("x") // it is open on both sides
	a.Clock().Advance(10*time.Minute - time.Second)
	s.ask("x") // one second before
	a.Clock().Advance(10*time.Minute + time.Second)
	s.wantClosed(websocket.StatusGoingAway, "Going away")
	a.wantDisconnect(1001, "Going away")
}

func closeIdleRestarts(t *testing.T) {
	a := fresh(t).deploy(t, spec{do: func(call) order { return ok("here") }})
	s := a.dial()
	s.ask("x")
	for range 2 {
		a.Clock().Advance(6 * time.Minute)
		a.wantManaged("POST", s.id, "from outside", 200)
		if got := s.read(); got != "from outside" {
			t.Errorf("got %q", got)
		}
		a.Clock().Advance(6 * time.Minute)
		s.ask("from the client")
	}
}

// age lets two hours pass in steps that no idle time ends.
func age(t *testing.T) (*api, *socket) {
	a := fresh(t).deploy(t, spec{do: func(call) order { return ok("here") }})
	s := a.dial()
	for range 13 {
		s.ask("x")
		a.Clock().Advance(9 * time.Minute)
	}
	s.ask("x") // at 1:57
	a.Clock().Advance(3*time.Minute + time.Second)
	return a, s
}

func closeAge(t *testing.T) {
	_, s := age(t)
	s.wantClosed(websocket.StatusGoingAway, "Going away")
}

func closeAgeDisconnect(t *testing.T) {
	a, s := age(t)
	s.closed()
	a.wantDisconnect(1001, "Going away")
}

func closeDelete(t *testing.T) {
	a := shared(t).deploy(t, spec{})
	s := a.dial()
	a.wantManaged("DELETE", s.id, "", 204)
	s.wantClosed(websocket.StatusNormalClosure, "")
	a.wantDisconnect(1000, "Connection Closed Normally")
}

func closeLost(t *testing.T) {
	a := shared(t).deploy(t, spec{})
	if err := a.dialRaw().conn.Close(); err != nil {
		t.Fatal(err)
	}
	a.wantDisconnect(1006, "")
}

const kb = 1 << 10

func closeLargeFrame(t *testing.T) {
	a := shared(t).deploy(t, spec{})
	c := a.dialRaw()
	c.write(finalBit|opText, bytes.Repeat([]byte("x"), 32*kb+1))
	c.wantClose(1009)
	if d := a.next("$disconnect"); d.Context.StatusCode != 1009 {
		t.Errorf("$disconnect was told %d", d.Context.StatusCode)
	}
	a.never("$default")
}

func closeLargeMessage(t *testing.T) {
	a := shared(t).deploy(t, spec{})
	c := a.dialRaw()
	c.writeFragments(128*kb + 1)
	c.wantClose(1009)
	a.next("$disconnect")
	a.never("$default")
}

// writeFragments sends one text message of so many bytes in frames of 32 KB.
func (c *raw) writeFragments(size int) {
	c.t.Helper()
	first := byte(opText)
	for size > 0 {
		n := min(size, 32*kb)
		if size -= n; size == 0 {
			first |= finalBit
		}
		c.write(first, bytes.Repeat([]byte("x"), n))
		first = 0 // a continuation
	}
}

func closeNotLarge(t *testing.T) {
	a := shared(t).deploy(t, spec{})
	a.dialRaw().writeFragments(128 * kb)
	if got := a.next("$default").Body; len(got) != 128*kb {
		t.Errorf("the function got %d bytes", len(got))
	}
}

func closeBinary(t *testing.T) {
	a := shared(t).deploy(t, spec{})
	c := a.dialRaw()
	c.write(finalBit|opBinary, []byte("x"))
	c.wantClose(1003)
	if d := a.next("$disconnect"); d.Context.StatusCode != 1003 {
		t.Errorf("$disconnect was told %d", d.Context.StatusCode)
	}
	a.never("$default")
}

func closeDisconnectFails(t *testing.T) {
	a := shared(t).deploy(t, spec{do: func(c call) order {
		if c.Context.EventType == "DISCONNECT" {
			return order{Error: "as asked"}
		}
		return ok("here")
	}})
	if err := a.dial().c.Close(websocket.StatusNormalClosure, ""); err != nil {
		t.Fatal(err)
	}
	a.next("$disconnect")
	if got := a.dial().ask("x"); got != "here" { // the API works on
		t.Errorf("answer %q", got)
	}
	a.never("$disconnect")
}
