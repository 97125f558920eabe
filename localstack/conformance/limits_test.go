package conformance

import (
	"net/http"
	"testing"
)

func TestAccountLimits(t *testing.T) { check(t, accountLimitClaims) }

var accountLimitClaims = []claim{
	{says: "more than 500 new connections a second are 429", sources: "[WEB:apigateway-execution-service-websocket-limits-table]", test: limitConnections},
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
