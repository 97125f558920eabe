package broadcast_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"fanfare/shared/broadcast"
	"fanfare/shared/protocol"
)

var sentAt = time.UnixMilli(1700000000123)

func TestAMessageIsReadWithTheQueuesIDAndTime(t *testing.T) {
	ttl := 30
	for body, want := range map[string]broadcast.Message{
		`{"tenant":"acme","to":{"tenant":true},"data":{"n":1}}`: {
			Tenant: "acme", To: protocol.Audience{Tenant: true}, Data: json.RawMessage(`{"n":1}`), MessageID: "sqs-1", Time: 1700000000123,
		},
		`{"tenant":"acme","to":{"channel":"c"},"data":null,"from":{"user":"u"},"ttl":30,"idempotencyKey":"k","messageId":"m","time":7,"unknown":1}`: {
			Tenant: "acme", To: protocol.Audience{Channel: "c"}, Data: json.RawMessage(`null`), From: &protocol.From{User: "u"},
			TTL: &ttl, IdempotencyKey: "k", MessageID: "m", Time: 7,
		},
	} {
		got, err := broadcast.ParseMessage([]byte(body), "sqs-1", sentAt)
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s:\ngot  %+v, error %v\nwant %+v", body, got, err, want)
		}
	}
}

func TestAMessageThatCannotBeUnderstoodIsMalformed(t *testing.T) {
	long := strings.Repeat("x", 129)
	for name, body := range map[string]string{
		"nothing":                    ``,
		"not JSON":                   `tenant`,
		"a list":                     `[]`,
		"null":                       `null`,
		"not UTF-8":                  "{\"tenant\":\"\xff\",\"to\":{\"tenant\":true},\"data\":1}",
		"no tenant":                  `{"to":{"tenant":true},"data":1}`,
		"tenant too long":            `{"tenant":"` + long + `","to":{"tenant":true},"data":1}`,
		"tenant with a control":      `{"tenant":"a\n","to":{"tenant":true},"data":1}`,
		"no audience":                `{"tenant":"acme","data":1}`,
		"two audiences":              `{"tenant":"acme","to":{"tenant":true,"user":"u"},"data":1}`,
		"an unknown condition":       `{"tenant":"acme","to":{"tenant":true,"except":"u"},"data":1}`,
		"no data":                    `{"tenant":"acme","to":{"tenant":true}}`,
		"ttl of nothing":             `{"tenant":"acme","to":{"tenant":true},"data":1,"ttl":0}`,
		"endless ttl":                `{"tenant":"acme","to":{"tenant":true},"data":1,"ttl":345601}`,
		"from nobody":                `{"tenant":"acme","to":{"tenant":true},"data":1,"from":{}}`,
		"from a name of 257 bytes":   `{"tenant":"acme","to":{"tenant":true},"data":1,"from":{"user":"` + strings.Repeat("u", 257) + `"}}`,
		"key too long":               `{"tenant":"acme","to":{"tenant":true},"data":1,"idempotencyKey":"` + long + `"}`,
		"id too long":                `{"tenant":"acme","to":{"tenant":true},"data":1,"messageId":"` + long + `"}`,
		"a time before 1970":         `{"tenant":"acme","to":{"tenant":true},"data":1,"time":-1}`,
		"a time after the year 9999": `{"tenant":"acme","to":{"tenant":true},"data":1,"time":9223372036854775807}`,
		"a tenant that is a number":  `{"tenant":31337,"to":{"tenant":true},"data":1}`,
	} {
		t.Run(name, func(t *testing.T) {
			m, err := broadcast.ParseMessage([]byte(body), "sqs-1", sentAt)
			if !errors.Is(err, broadcast.ErrMalformed) || m.Tenant != "" {
				t.Errorf("got %+v, error %v; want ErrMalformed alone", m, err)
			}
			if err != nil && (strings.Contains(err.Error(), "31337") || strings.Contains(err.Error(), long)) {
				t.Errorf("error %v repeats the body", err)
			}
		})
	}
}

func TestAMessageExpiresByItsTTL(t *testing.T) {
	ttl := 30
	m := broadcast.Message{Time: 1_000, TTL: &ttl}
	if got := m.ExpiresAt(); got.UnixMilli() != 31_000 {
		t.Errorf("expires at %d, want 31000", got.UnixMilli())
	}
	m.TTL = nil
	if got := m.ExpiresAt(); !got.IsZero() {
		t.Errorf("expires at %v, want never", got)
	}
}

// Of each pair the second would be the first if the parts ran together.
func TestDigestTellsEveryPartApart(t *testing.T) {
	message := func(data string, to protocol.Audience) broadcast.Message {
		return broadcast.Message{To: to, Data: json.RawMessage(data)}
	}
	all := []broadcast.Message{
		message(`1`, protocol.Audience{Channel: "a"}),
		message(`2`, protocol.Audience{Channel: "a"}),
		message(`1`, protocol.Audience{User: "a"}),
		message(`1`, protocol.Audience{Tenant: true}),
		message(`1`, protocol.Audience{Channel: `a" "b`}),
		message(`1`, protocol.Audience{Channel: "a", User: "b"}),
		message(`1`, protocol.Audience{Channel: "ab"}),
		message(`1`, protocol.Audience{Connections: []string{"a", "b"}}),
		message(`1`, protocol.Audience{Connections: []string{"ab"}}),
		message(`1`, protocol.Audience{Connections: []string{`a" "b`}}),
		message(`1`, protocol.Audience{Connections: []string{"b", "a"}}),
		message(`1`, protocol.Audience{Connections: []string{"a"}}),
		message(`"b" 1`, protocol.Audience{Connections: []string{"a"}}),
		message(`1`, protocol.Audience{Channel: "\uFFFD"}),
		message(`1`, protocol.Audience{Channel: "\xff"}),
		message(`1`, protocol.Audience{Channel: "true"}),
	}
	seen := map[string]int{}
	for i, m := range all {
		if j, there := seen[m.Digest()]; there {
			t.Errorf("%+v and %+v have the same digest", all[j], m)
		}
		seen[m.Digest()] = i
	}
	again := all[0]
	ttl := 5
	again.MessageID, again.Time, again.TTL = "m2", 99, &ttl
	if again.Digest() != all[0].Digest() {
		t.Error("a repetition must have the same digest")
	}
}

func TestAUnitIsRead(t *testing.T) {
	u, err := broadcast.ParseUnit([]byte(`{"messageId":"m","tenant":"acme","n":3,"connections":["a","b"],"frame":{"type":"message"},"expiresAt":7}`))
	want := broadcast.Unit{MessageID: "m", Tenant: "acme", N: 3, Connections: []string{"a", "b"}, Frame: json.RawMessage(`{"type":"message"}`), ExpiresAt: 7}
	if err != nil || !reflect.DeepEqual(u, want) {
		t.Errorf("got %+v, error %v", u, err)
	}
}

func TestAUnitThatIsNotWholeIsMalformed(t *testing.T) {
	ids := strings.Repeat(`"a",`, broadcast.UnitSize) + `"a"`
	for name, body := range map[string]string{
		"nothing":             ``,
		"not JSON":            `unit`,
		"no id":               `{"n":0,"connections":["a"],"frame":{}}`,
		"a negative number":   `{"messageId":"m","n":-1,"connections":["a"],"frame":{}}`,
		"no connections":      `{"messageId":"m","n":0,"frame":{}}`,
		"a nameless one":      `{"messageId":"m","n":0,"connections":["a",""],"frame":{}}`,
		"501 connections":     `{"messageId":"m","n":0,"connections":[` + ids + `],"frame":{}}`,
		"no frame":            `{"messageId":"m","n":0,"connections":["a"]}`,
		"a frame over 128 KB": `{"messageId":"m","n":0,"connections":["a"],"frame":"` + strings.Repeat("x", protocol.MaxFrame-1) + `"}`,
		"wrong types":         `{"messageId":1}`,
	} {
		if u, err := broadcast.ParseUnit([]byte(body)); !errors.Is(err, broadcast.ErrMalformed) || u.MessageID != "" {
			t.Errorf("%s: got %+v, error %v; want ErrMalformed alone", name, u, err)
		}
	}
}

func FuzzParseMessage(f *testing.F) {
	f.Add([]byte(`{"tenant":"acme","to":{"tenant":true},"data":{"n":1},"ttl":30}`))
	f.Add([]byte(`{"tenant":"acme","to":{"connections":["a","b"]},"data":"\uffff","from":{"user":"u"},"idempotencyKey":"k","time":253402300799999}`))
	f.Add([]byte(`{"to":{"x":1}}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		m, err := broadcast.ParseMessage(body, "sqs-1", sentAt)
		if err != nil {
			if !errors.Is(err, broadcast.ErrMalformed) {
				t.Fatalf("error %v is not ErrMalformed", err)
			}
			return
		}
		if m.MessageID == "" || m.Time == 0 || !m.ExpiresAt().IsZero() && m.ExpiresAt().UnixMilli() <= m.Time {
			t.Fatalf("incomplete: %+v", m)
		}
		frame, frameErr := m.Frame()
		again, err := protocol.Encode(m)
		if err != nil {
			t.Fatal(err)
		}
		back, err := broadcast.ParseMessage(again, "another", time.Time{})
		if err != nil {
			t.Fatalf("accepted %q, but not as %q: %v", body, again, err)
		}
		// What was accepted is delivered as it was measured.
		if second, err := back.Frame(); string(second) != string(frame) || (err == nil) != (frameErr == nil) {
			t.Fatalf("frame %s, after the queue %s", frame, second)
		}
	})
}

func FuzzParseUnit(f *testing.F) {
	f.Add([]byte(`{"messageId":"m","tenant":"acme","n":3,"connections":["a","b"],"frame":{"type":"message"},"expiresAt":7}`))
	f.Add([]byte(`{"messageId":"m","n":0,"connections":["a"],"frame":null}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		u, err := broadcast.ParseUnit(body)
		if err != nil {
			if !errors.Is(err, broadcast.ErrMalformed) {
				t.Fatalf("error %v is not ErrMalformed", err)
			}
			return
		}
		again, err := protocol.Encode(u)
		if err != nil {
			t.Fatal(err)
		}
		if back, err := broadcast.ParseUnit(again); err != nil || back.MessageID != u.MessageID || back.N != u.N || len(back.Connections) != len(u.Connections) {
			t.Fatalf("%+v became %+v, error %v", u, back, err)
		}
	})
}

func ExampleMessage_Frame() {
	m, err := broadcast.ParseMessage([]byte(`{"tenant":"acme","to":{"channel":"orders"},"data":{"total": 5}}`), "059f36b4", time.UnixMilli(1700000000000))
	if err != nil {
		fmt.Println(err)
		return
	}
	frame, err := m.Frame()
	fmt.Println(string(frame), err)
	// Output: {"type":"message","messageId":"059f36b4","to":{"channel":"orders"},"data":{"total":5},"time":1700000000000} <nil>
}
