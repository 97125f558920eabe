package conformance

import (
	"encoding/json"
	"maps"
	"testing"

	"github.com/coder/websocket"
)

func TestEvents(t *testing.T) { check(t, eventClaims) }

var eventClaims = []claim{
	{says: "the CONNECT event has AWS's fields, no more and no fewer", sources: "[WEB:apigateway-websocket-api-integration-requests] [OBS-evt]", test: eventConnect},
	{says: "the CONNECT event of a client without query and User-Agent lacks both, and all that is about them", sources: "[OBS-evt]", test: eventConnectBare},
	{says: "the MESSAGE event has only requestContext, body and isBase64Encoded", sources: "[LGO events testdata]", test: eventMessage},
	{says: "the DISCONNECT event has AWS's fields and its four headers", sources: "[LGO events testdata] [WEB:apigateway-websocket-api-integration-requests]", test: eventDisconnect},
	{says: "stageVariables are in every event of a stage that has some", sources: "[DG:apigateway-websocket-api-stage-variables]", unverified: true, test: eventStageVariables},
	{says: "connectionId and connectedAt are the same in all events of a connection, requestId differs", sources: "[DG:apigateway-websocket-api-mapping-template-reference]", test: eventIdentity},
}

func eventConnect(t *testing.T) {
	a := shared(t).deploy(t, spec{})
	a.request("?token=t&tag=one&tag=two", handshakeLines+
		"Origin: https://app.example\r\nUser-Agent: conformance\r\nSec-WebSocket-Protocol: chat\r\nSec-WebSocket-Extensions: permessage-deflate\r\n")
	golden(t, "connect.json", a.next("$connect").Event)
}

func eventConnectBare(t *testing.T) {
	a := shared(t).deploy(t, spec{})
	a.dialRaw()
	golden(t, "connect_bare.json", a.next("$connect").Event)
}

func eventMessage(t *testing.T) {
	a := shared(t).deploy(t, spec{})
	a.dialRaw().write(finalBit|opText, []byte(`{"action": "none",  "data":[1, 2]}`))
	golden(t, "message.json", a.next("$default").Event)
}

func eventDisconnect(t *testing.T) {
	a := shared(t).deploy(t, spec{})
	a.dialRaw().write(finalBit|opClose, nil)
	golden(t, "disconnect.json", a.next("$disconnect").Event)
}

func eventStageVariables(t *testing.T) {
	want := map[string]string{"colour": "blue"}
	a := shared(t).deploy(t, spec{variables: want})
	s := a.dialRaw()
	s.write(finalBit|opText, []byte("x"))
	a.next("$default") // came in, so the close does not overtake it
	s.write(finalBit|opText, []byte("x"))
	s.write(finalBit|opClose, nil)
	for _, kind := range []string{"$connect", "$default", "$disconnect"} {
		var event struct{ StageVariables map[string]string }
		if err := json.Unmarshal(a.next(kind).Event, &event); err != nil || !maps.Equal(event.StageVariables, want) {
			t.Errorf("%s: stageVariables %v, error %v", kind, event.StageVariables, err)
		}
	}
}

func eventIdentity(t *testing.T) {
	a := shared(t).deploy(t, spec{do: func(call) order { return ok("here") }})
	conn, _ := a.handshake("", nil)
	s := &socket{t: t, c: conn}
	s.ask("one")
	if err := conn.Close(websocket.StatusNormalClosure, ""); err != nil {
		t.Fatal(err)
	}
	connection, connectedAt, requests := map[string]bool{}, map[int64]bool{}, map[string]bool{}
	for _, kind := range []string{"$connect", "$default", "$disconnect"} {
		var event struct {
			RequestContext struct {
				ConnectionID, RequestID string
				ConnectedAt             int64
			}
		}
		if err := json.Unmarshal(a.next(kind).Event, &event); err != nil {
			t.Fatal(err)
		}
		c := event.RequestContext
		connection[c.ConnectionID], connectedAt[c.ConnectedAt], requests[c.RequestID] = true, true, true
	}
	if len(connection) != 1 || len(connectedAt) != 1 || len(requests) != 3 {
		t.Errorf("connection ids %v, connected at %v, request ids %v", connection, connectedAt, requests)
	}
}
