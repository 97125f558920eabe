package protocol_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"

	"fanfare/shared/protocol"
)

// frames that a client may send, one for each thing that can be asked.
var accepted = map[string]struct {
	frame string
	want  protocol.Request
}{
	"ping":            {`{"action":"ping","id":"1"}`, protocol.Request{Action: protocol.ActionPing, ID: "1"}},
	"ping without id": {`{"action":"ping"}`, protocol.Request{Action: protocol.ActionPing}},
	"subscribe": {`{"action":"subscribe","channel":"orders","id":"2"}`,
		protocol.Request{Action: protocol.ActionSubscribe, Channel: "orders", ID: "2"}},
	"unsubscribe": {`{"action":"unsubscribe","channel":"orders"}`,
		protocol.Request{Action: protocol.ActionUnsubscribe, Channel: "orders"}},
	"authenticate": {`{"action":"authenticate","token":"a.b.c","id":"4"}`,
		protocol.Request{Action: protocol.ActionAuthenticate, Token: "a.b.c", ID: "4"}},
	"broadcast to a channel": {`{"action":"broadcast","to":{"channel":"orders"},"data":{"n": 1},"id":"3"}`,
		protocol.Request{Action: protocol.ActionBroadcast, To: protocol.Audience{Channel: "orders"}, Data: raw(`{"n": 1}`), ID: "3"}},
	"broadcast to a user": {`{"action":"broadcast","to":{"user":"u1"},"data":"x"}`,
		protocol.Request{Action: protocol.ActionBroadcast, To: protocol.Audience{User: "u1"}, Data: raw(`"x"`)}},
	"broadcast to the tenant": {`{"action":"broadcast","to":{"tenant":true},"data":null}`,
		protocol.Request{Action: protocol.ActionBroadcast, To: protocol.Audience{Tenant: true}, Data: raw(`null`)}},
	"broadcast to connections": {`{"action":"broadcast","to":{"connections":["a=","b="]},"data":[]}`,
		protocol.Request{Action: protocol.ActionBroadcast, To: protocol.Audience{Connections: []string{"a=", "b="}}, Data: raw(`[]`)}},
	"broadcast once, for half a minute": {`{"action":"broadcast","to":{"tenant":true},"data":1,"ttl":30,"idempotencyKey":"k"}`,
		protocol.Request{Action: protocol.ActionBroadcast, To: protocol.Audience{Tenant: true}, Data: raw(`1`), TTL: ptr(30), IdempotencyKey: "k"}},
	"broadcast for as long as SQS keeps it": {`{"action":"broadcast","to":{"tenant":true},"data":1,"ttl":345600}`,
		protocol.Request{Action: protocol.ActionBroadcast, To: protocol.Audience{Tenant: true}, Data: raw(`1`), TTL: ptr(345600)}},
	"a member that is not of the action": {`{"action":"ping","channel":"","data":1,"ttl":-1}`,
		protocol.Request{Action: protocol.ActionPing, Data: raw(`1`), TTL: ptr(-1)}},
	"a member that nobody knows": {`{"action":"ping","tenant":"globex","v":{"to":1}}`,
		protocol.Request{Action: protocol.ActionPing}},
	"names as long as they may be": {`{"action":"subscribe","channel":"` + strings.Repeat("c", 128) + `","id":"` + strings.Repeat("i", 128) + `"}`,
		protocol.Request{Action: protocol.ActionSubscribe, Channel: strings.Repeat("c", 128), ID: strings.Repeat("i", 128)}},
}

func TestAFrameIsReadByItsAction(t *testing.T) {
	for name, tt := range accepted {
		t.Run(name, func(t *testing.T) {
			got, err := protocol.ParseRequest([]byte(tt.frame))
			if err != nil || !reflect.DeepEqual(got, tt.want) {
				t.Errorf("got %+v, error %v\nwant %+v", got, err, tt.want)
			}
		})
	}
}

func TestARefusalSaysWhatIsWrongAndKeepsTheID(t *testing.T) {
	long := strings.Repeat("x", 129)
	tests := []struct {
		name, frame, id string
		says            string // a word of the message, for the person who reads it
	}{
		{"nothing", ``, "", "JSON object"},
		{"broken JSON", `{"action":"ping","id":"7"`, "", "JSON object"},
		{"something after the object", `{"action":"ping","id":"7"} {}`, "", "JSON object"},
		{"a list", `[{"action":"ping","id":"7"}]`, "", "JSON object"},
		{"a string", `"ping"`, "", "JSON object"},
		{"null", `null`, "", "action"},
		{"not UTF-8", "{\"action\":\"ping\",\"id\":\"\xff\"}", "", "UTF-8"},

		{"no action", `{"id":"7"}`, "7", "ping, subscribe, unsubscribe"},
		{"unknown action", `{"action":"fly","id":"7"}`, "7", "one of authenticate, broadcast"},
		{"action in another case", `{"action":"Ping","id":"7"}`, "7", "one of"},
		{"action of a wrong type", `{"action":5,"id":"7"}`, "7", `"action" must be a string`},
		{"id of a wrong type", `{"action":"ping","id":7}`, "", `"id" must be a string`},
		{"id after a wrong type", `{"ttl":{},"action":"ping","id":"7"}`, "7", `"ttl" must be a whole number`},
		{"id too long", `{"action":"ping","id":"` + long + `"}`, "", "129 bytes"},
		{"id with a control character", `{"action":"ping","id":"a\nb"}`, "", "control"},

		{"subscribe without channel", `{"action":"subscribe","id":"7"}`, "7", "missing or empty"},
		{"subscribe to nothing", `{"action":"subscribe","channel":"","id":"7"}`, "7", "missing or empty"},
		{"channel too long", `{"action":"subscribe","channel":"` + long + `","id":"7"}`, "7", "129 bytes"},
		{"channel with a control character", `{"action":"unsubscribe","channel":"a\u0000","id":"7"}`, "7", "control"},
		{"channel of a wrong type", `{"action":"subscribe","channel":["a"],"id":"7"}`, "7", `"channel" must be a string`},
		{"authenticate without token", `{"action":"authenticate","id":"7"}`, "7", `"token"`},
		{"token of a wrong type", `{"action":"authenticate","token":true,"id":"7"}`, "7", `"token"`},

		{"no audience", `{"action":"broadcast","data":1,"id":"7"}`, "7", "exactly one"},
		{"audience of null", `{"action":"broadcast","to":null,"data":1,"id":"7"}`, "7", "exactly one"},
		{"audience that is no object", `{"action":"broadcast","to":"all","data":1,"id":"7"}`, "7", `"to" must be an object`},
		{"two audiences", `{"action":"broadcast","to":{"tenant":true,"user":"u"},"data":1,"id":"7"}`, "7", "exactly one"},
		{"two audiences in two tries", `{"action":"broadcast","to":{"tenant":true},"to":{"user":"u"},"data":1,"id":"7"}`, "7", "exactly one"},
		{"an audience with a condition nobody knows", `{"action":"broadcast","to":{"tenant":true,"except":["a"]},"data":1,"id":"7"}`, "7", "nothing else"},
		{"tenant is no flag", `{"action":"broadcast","to":{"tenant":"globex"},"data":1,"id":"7"}`, "7", `"to.tenant" must be true or false`},
		{"connections of a wrong type", `{"action":"broadcast","to":{"connections":[1]},"data":1,"id":"7"}`, "7", "list of strings"},
		{"no data", `{"action":"broadcast","to":{"tenant":true},"id":"7"}`, "7", `"data" is missing`},
		{"ttl of nothing", `{"action":"broadcast","to":{"tenant":true},"data":1,"ttl":0,"id":"7"}`, "7", "between 1 and 345600"},
		{"ttl over what SQS keeps", `{"action":"broadcast","to":{"tenant":true},"data":1,"ttl":345601,"id":"7"}`, "7", "between 1 and 345600"},
		{"ttl with a fraction", `{"action":"broadcast","to":{"tenant":true},"data":1,"ttl":1.5,"id":"7"}`, "7", "whole number"},
		{"ttl with a mile of digits", `{"action":"broadcast","to":{"tenant":true},"data":1,"ttl":` + strings.Repeat("9", 1<<16) + `,"id":"7"}`, "7", "whole number"},
		{"key too long", `{"action":"broadcast","to":{"tenant":true},"data":1,"idempotencyKey":"` + long + `","id":"7"}`, "7", "idempotencyKey"},
		{"key of a wrong type", `{"action":"broadcast","to":{"tenant":true},"data":1,"idempotencyKey":1,"id":"7"}`, "7", "idempotencyKey"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := protocol.ParseRequest([]byte(tt.frame))
			refusal, ok := errors.AsType[*protocol.Error](err)
			if !ok || refusal.Code != protocol.CodeInvalidMessage {
				t.Fatalf("error %v, want INVALID_MESSAGE", err)
			}
			if !strings.Contains(refusal.Message, tt.says) {
				t.Errorf("message %q says nothing of %q", refusal.Message, tt.says)
			}
			if len(refusal.Message) > 300 {
				t.Errorf("the message repeats the frame: %d bytes", len(refusal.Message))
			}
			if got.ID != tt.id {
				t.Errorf("id %q, want %q", got.ID, tt.id)
			}
		})
	}
}

func TestEveryActionIsListedAndAccepted(t *testing.T) {
	seen := map[protocol.Action]bool{}
	for _, tt := range accepted {
		seen[tt.want.Action] = true
	}
	for _, a := range protocol.Actions {
		if !seen[a] {
			t.Errorf("no frame in the table for %q", a)
		}
		delete(seen, a)
	}
	if len(seen) > 0 {
		t.Errorf("accepted but not in Actions: %v", seen)
	}
}

// What is accepted must survive being written down: broadcasts are, on their
// way through the queues.
func FuzzParseRequest(f *testing.F) {
	for _, tt := range accepted {
		f.Add([]byte(tt.frame))
	}
	for _, frame := range []string{``, `{`, `[]`, `null`, `{"to":{"x":1}}`, `{"action":"ping","ID":"a","id":"b"}`, "{\"action\":\"ping\",\"id\":\"\xff\"}"} {
		f.Add([]byte(frame))
	}
	f.Fuzz(func(t *testing.T, frame []byte) {
		r, err := protocol.ParseRequest(frame)
		if err != nil {
			if refusal, ok := errors.AsType[*protocol.Error](err); !ok || len(refusal.Message) > 2000 {
				t.Fatalf("error %v, want a short *protocol.Error", err)
			}
			return
		}
		again, err := protocol.Encode(r)
		if err != nil {
			t.Fatal(err)
		}
		back, err := protocol.ParseRequest(again)
		if err != nil {
			t.Fatalf("accepted %q, but not as %q: %v", frame, again, err)
		}
		if !back.To.Equal(r.To) || back.Action != r.Action || back.ID != r.ID || back.Channel != r.Channel || back.Token != r.Token {
			t.Fatalf("%+v became %+v", r, back)
		}
	})
}

func ExampleParseRequest() {
	for _, frame := range []string{
		`{"action":"subscribe","channel":"orders","id":"1"}`,
		`{"action":"subscribe","id":"2"}`,
	} {
		request, err := protocol.ParseRequest([]byte(frame))
		var answer any = protocol.Subscription{Type: "subscribed", ID: request.ID, Channel: request.Channel}
		if err != nil {
			answer = protocol.NewError(request.ID, err)
		}
		text, _ := protocol.Encode(answer)
		fmt.Println(string(text))
	}
	// Output:
	// {"type":"subscribed","id":"1","channel":"orders"}
	// {"type":"error","id":"2","code":"INVALID_MESSAGE","message":"\"channel\" is missing or empty"}
}

func raw(s string) json.RawMessage { return json.RawMessage(s) }

func ptr(n int) *int { return &n }
