package conformance

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"fanfare/localstack/emulator"
	"fanfare/localstack/gateway"
)

func TestAccountLimits(t *testing.T) { check(t, accountLimitClaims) }

var accountLimitClaims = []claim{
	{says: "more than 500 new connections a second are 429", sources: "[WEB:apigateway-execution-service-websocket-limits-table]", test: limitConnections},
	{says: "messages and @connections share the account's requests a second, above them both are throttled", sources: "[WEB:apigateway-limits]", test: limitRequests},
}

// limitRequests lowers the account's rate, as its owner may ask AWS to raise it.
func limitRequests(t *testing.T) {
	const burst = 10
	a := freshWith(t, emulator.Options{GatewayLimits: gateway.Limits{RequestRate: 0.01, RequestBurst: burst}}).deploy(t, spec{})
	s := a.dial()
	posts := 0
	for a.manage("POST", s.id, "x").status == http.StatusOK && posts < burst {
		posts++
	}
	if posts == 0 || posts == burst {
		t.Fatalf("%d posts were taken after a connect, of %d requests", posts, burst)
	}
	for range posts {
		s.read()
	}
	if got := a.manage("POST", s.id, "x"); got.status != http.StatusTooManyRequests {
		t.Errorf("another post: HTTP %d", got.status)
	}
	if got := s.ask("x"); !strings.Contains(got, `"message": "Too Many Requests"`) {
		t.Errorf("a message: %s", got)
	}
	a.Clock().Advance(100 * time.Second)
	a.wantManaged("POST", s.id, "x", http.StatusOK)
}

// limitConnections asks for connections as fast as it can. The allowance of one
// second is there at once, so the first 429 comes by the time when that and what
// came back meanwhile are used up.
func limitConnections(t *testing.T) {
	a := fresh(t).deploy(t, spec{routes: []string{twoWay("$default")}})
	for n := range 5000 {
		c := a.request("", handshakeLines)
		_ = c.conn.Close() // only the answer counts
		if c.resp.StatusCode == http.StatusTooManyRequests {
			if n < 500 {
				t.Errorf("the %dth connection was refused", n+1)
			}
			return
		}
	}
	t.Error("5,000 connections, and none was refused")
}
