package protocol_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"

	"fanfare/shared/protocol"
)

// The frames as DESIGN.md has them, byte for byte.
func TestFramesOnTheWire(t *testing.T) {
	tests := []struct {
		name  string
		frame any
		want  string
	}{
		{"pong", protocol.Pong{Type: "pong", ID: "1", Time: 1700000000000}, `{"type":"pong","id":"1","time":1700000000000}`},
		{"pong without id", protocol.Pong{Type: "pong", Time: 1}, `{"type":"pong","time":1}`},
		{"subscribed", protocol.Subscription{Type: "subscribed", ID: "2", Channel: "orders"}, `{"type":"subscribed","id":"2","channel":"orders"}`},
		{"accepted", protocol.Accepted{Type: "accepted", ID: "3", MessageID: "m"}, `{"type":"accepted","id":"3","messageId":"m"}`},
		{"accepted again", protocol.Accepted{Type: "accepted", ID: "3", MessageID: "m", Duplicate: true}, `{"type":"accepted","id":"3","messageId":"m","duplicate":true}`},
		{"authenticated", protocol.Authenticated{Type: "authenticated", ID: "4", ExpiresAt: 1700000000000}, `{"type":"authenticated","id":"4","expiresAt":1700000000000}`},
		{"error", protocol.NewError("5", &protocol.Error{Code: protocol.CodeForbidden, Message: "no"}), `{"type":"error","id":"5","code":"FORBIDDEN","message":"no"}`},
		{"error without id", protocol.NewError("", &protocol.Error{Code: protocol.CodeForbidden, Message: "no"}), `{"type":"error","code":"FORBIDDEN","message":"no"}`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) { wantFrame(t, tt.frame, tt.want) })
	}
}

func TestMessageFramesOnTheWire(t *testing.T) {
	for want, to := range map[string]protocol.Audience{
		`{"channel":"orders"}`:      {Channel: "orders"},
		`{"user":"u2"}`:             {User: "u2"},
		`{"tenant":true}`:           {Tenant: true},
		`{"connections":["a","b"]}`: {Connections: []string{"a", "b"}},
	} {
		frame, err := protocol.EncodeMessage(protocol.MessageFrame{
			MessageID: "m", From: &protocol.From{User: "u1"}, To: to, Data: raw(`{ "n": 1 }`), Time: 1700000000000,
		})
		want := `{"type":"message","messageId":"m","from":{"user":"u1"},"to":` + want + `,"data":{"n":1},"time":1700000000000}`
		if err != nil || string(frame) != want {
			t.Errorf("got  %s, error %v\nwant %s", frame, err, want)
		}
	}
	frame, err := protocol.EncodeMessage(protocol.MessageFrame{MessageID: "m", To: protocol.Audience{Tenant: true}, Data: raw(`1`), Time: 1})
	if want := `{"type":"message","messageId":"m","to":{"tenant":true},"data":1,"time":1}`; err != nil || string(frame) != want {
		t.Errorf("from a back end: got %s, error %v, want %s", frame, err, want)
	}
}

func TestDataKeepsItsLength(t *testing.T) {
	wantFrame(t, map[string]json.RawMessage{"data": raw(`"<b>&amp;</b>\u003c` + "\u2028" + `é"`)}, `{"data":"<b>&amp;</b>\u003c`+"\u2028"+`é"}`)
}

func TestCharactersThatSQSRefusesAreEscaped(t *testing.T) {
	wantFrame(t, protocol.Subscription{Channel: "a\uFFFEb\uFFFF\uFFFD"}, `{"type":"","channel":"a\ufffeb\uffff`+"\uFFFD"+`"}`)
}

func TestWhatIsNoJSONCannotBeEncoded(t *testing.T) {
	if got, err := protocol.Encode(json.RawMessage(`{`)); err == nil {
		t.Errorf("encoded %s", got)
	}
}

func TestAMessageMayHave128KBAndNotAByteMore(t *testing.T) {
	empty := protocol.MessageFrame{MessageID: "m", From: &protocol.From{User: "u"}, To: protocol.Audience{Tenant: true}, Data: raw(`""`), Time: 1}
	envelope, err := protocol.EncodeMessage(empty)
	if err != nil {
		t.Fatal(err)
	}
	for _, char := range []string{"x", "<"} {
		full := empty
		full.Data = raw(`"` + strings.Repeat(char, protocol.MaxFrame-len(envelope)) + `"`)
		if frame, err := protocol.EncodeMessage(full); err != nil || len(frame) != 131072 {
			t.Errorf("%d bytes, error %v; want 131072, none", len(frame), err)
		}
		full.Data = raw(string(full.Data[:len(full.Data)-1]) + char + `"`)
		frame, err := protocol.EncodeMessage(full)
		if frame != nil || !errors.Is(err, &protocol.Error{Code: protocol.CodePayloadTooLarge}) {
			t.Errorf("%d bytes, error %v; want PAYLOAD_TOO_LARGE", len(frame), err)
		}
		if !strings.Contains(fmt.Sprint(err), "131073") {
			t.Errorf("error %v does not tell the size", err)
		}
	}
}

func TestOnlyAnErrorForClientsIsTold(t *testing.T) {
	refusal := &protocol.Error{Code: protocol.CodeForbidden, Message: "the token's permissions do not include broadcast:tenant"}
	internal := protocol.ErrorFrame{Type: "error", ID: "1", Code: protocol.CodeInternal, Message: "internal error, please try again"}
	for name, tt := range map[string]struct {
		err  error
		want protocol.ErrorFrame
	}{
		"a refusal":         {refusal, protocol.ErrorFrame{Type: "error", ID: "1", Code: refusal.Code, Message: refusal.Message}},
		"a wrapped refusal": {fmt.Errorf("table fanfare-prod: %w", refusal), protocol.ErrorFrame{Type: "error", ID: "1", Code: refusal.Code, Message: refusal.Message}},
		"anything else":     {errors.New("dial tcp 10.0.0.7: refused"), internal},
		"nothing":           {nil, internal},
	} {
		if got := protocol.NewError("1", tt.err); got != tt.want {
			t.Errorf("%s: got %+v, want %+v", name, got, tt.want)
		}
	}
}

func TestErrorsMatchByCode(t *testing.T) {
	err := fmt.Errorf("broadcast: %w", &protocol.Error{Code: protocol.CodeForbidden, Message: "no"})
	if !errors.Is(err, &protocol.Error{Code: protocol.CodeForbidden}) {
		t.Error("the same code does not match")
	}
	if errors.Is(err, &protocol.Error{Code: protocol.CodeInternal}) || errors.Is(err, errors.New("FORBIDDEN: no")) {
		t.Error("another error matches")
	}
	if got := err.Error(); got != "broadcast: FORBIDDEN: no" {
		t.Errorf("text %q", got)
	}
}

func TestDecodeQuotesNothingOfTheData(t *testing.T) {
	var v struct {
		N    int    `json:"n"`
		Text string `json:"text"`
	}
	for _, data := range []string{`{"n":"secret"}`, `{"n":31337.5}`, `secret`, `{"text":31337}`, `{"to":{"secret":31337}}`, `{"n":1,"secret`} {
		err := protocol.Decode([]byte(data), &v)
		if err == nil || strings.Contains(err.Error(), "31337") || strings.Contains(err.Error(), "secret") || strings.Contains(err.Error(), "invalid character") {
			t.Errorf("%s: error %v", data, err)
		}
	}
}

func wantFrame(t *testing.T, frame any, want string) {
	t.Helper()
	got, err := protocol.Encode(frame)
	if err != nil || string(got) != want {
		t.Errorf("got  %s, error %v\nwant %s", got, err, want)
	}
}
