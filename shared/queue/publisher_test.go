package queue_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"fanfare/shared/broadcast"
	"fanfare/shared/protocol"
	"fanfare/shared/queue"
)

const queueURL = "https://sqs.eu-west-1.amazonaws.com/123456789012/fanfare-delivery"

// maxBody is the queues' maximum message size, as Terraform leaves it.
const maxBody = 256 << 10

// fakeSQS records what is sent, or fails.
type fakeSQS struct {
	urls, bodies, groups []string
	err                  error
}

func (f *fakeSQS) SendMessage(_ context.Context, in *sqs.SendMessageInput, _ ...func(*sqs.Options)) (*sqs.SendMessageOutput, error) {
	if f.err != nil {
		return nil, f.err
	}
	f.urls, f.bodies = append(f.urls, *in.QueueUrl), append(f.bodies, *in.MessageBody)
	f.groups = append(f.groups, *in.MessageGroupId)
	return &sqs.SendMessageOutput{}, nil
}

func (f *fakeSQS) wantBody(t *testing.T, err error, want string) {
	t.Helper()
	if err != nil || len(f.bodies) != 1 {
		t.Fatalf("sent %d messages, error %v", len(f.bodies), err)
	}
	if f.urls[0] != queueURL || f.bodies[0] != want {
		t.Errorf("to   %s: %s\nwant %s: %s", f.urls[0], f.bodies[0], queueURL, want)
	}
}

func TestABroadcastOnTheWire(t *testing.T) {
	ttl := 30
	var api fakeSQS
	err := queue.NewPublisher(&api, queueURL).SendBroadcast(t.Context(), broadcast.Message{
		Tenant: "acme", To: protocol.Audience{Channel: "orders"}, Data: json.RawMessage(`{"html": "<b>&</b>"}`),
		From: &protocol.From{User: "u1"}, TTL: &ttl, MessageID: "m1", Time: 1700000000000,
	})
	api.wantBody(t, err, `{"tenant":"acme","to":{"channel":"orders"},"data":{"html":"<b>&</b>"},"from":{"user":"u1"},"ttl":30,"messageId":"m1","time":1700000000000}`)
}

func TestAUnitOnTheWire(t *testing.T) {
	var api fakeSQS
	err := queue.NewPublisher(&api, queueURL).SendUnit(t.Context(), broadcast.Unit{
		MessageID: "m1", Tenant: "acme", N: 3, Connections: []string{"R1kmxc2VNjMCFIA=", "b"},
		Frame: json.RawMessage(`{"type":"message","data":"<>"}`), AcceptedAt: 1700000000000, ExpiresAt: 1700000030000,
	})
	api.wantBody(t, err, `{"messageId":"m1","tenant":"acme","n":3,"connections":["R1kmxc2VNjMCFIA=","b"],"frame":{"type":"message","data":"<>"},"acceptedAt":1700000000000,"expiresAt":1700000030000}`)
}

func TestATenantsMessagesAreOneGroup(t *testing.T) {
	var api fakeSQS
	p := queue.NewPublisher(&api, queueURL)
	names := []string{"acme", "acme", "Müller & Söhne", "Müller & Söhne", "with space", "", strings.Repeat("x", 129), strings.Repeat("x", 130)}
	for i, tenant := range names {
		m := broadcast.Message{Tenant: tenant, MessageID: "m", Data: json.RawMessage(`1`)}
		if err := p.SendBroadcast(t.Context(), m); err != nil {
			t.Fatal(err)
		}
		if err := p.SendUnit(t.Context(), broadcast.Unit{Tenant: tenant, Frame: json.RawMessage(`1`)}); err != nil {
			t.Fatal(err)
		}
		group := api.groups[2*i]
		if group != api.groups[2*i+1] {
			t.Errorf("%q: group %q of its broadcasts and %q of its units", tenant, group, api.groups[2*i+1])
		}
		if len(group) == 0 || len(group) > 128 || strings.ContainsFunc(group, func(r rune) bool { return r <= ' ' || r > '~' }) {
			t.Errorf("%q: SQS does not take %q", tenant, group)
		}
		for j := range i {
			if (names[j] == tenant) != (api.groups[2*j] == group) {
				t.Errorf("%q and %q: groups %q and %q", names[j], tenant, api.groups[2*j], group)
			}
		}
	}
	if api.groups[0] != "acme" {
		t.Errorf("group %q, want the name where SQS takes it", api.groups[0])
	}
}

// largest is a broadcast whose frame has 128 KB to the byte.
func largest(t *testing.T, char string, to protocol.Audience) broadcast.Message {
	t.Helper()
	m := broadcast.Message{
		Tenant: strings.Repeat(`"`, protocol.MaxName), To: to, From: &protocol.From{User: strings.Repeat(`"`, protocol.MaxUser)},
		MessageID: strings.Repeat(`"`, protocol.MaxName), Time: 1700000000000, Data: json.RawMessage(`""`),
	}
	envelope, err := m.Frame()
	if err != nil {
		t.Fatal(err)
	}
	room := protocol.MaxFrame - len(envelope)
	data := strings.Repeat(char, room/len(char))
	m.Data = json.RawMessage(`"` + data + strings.Repeat("x", room-len(data)) + `"`)
	if frame, err := m.Frame(); err != nil || len(frame) != protocol.MaxFrame {
		t.Fatalf("frame of %d bytes, error %v", len(frame), err)
	}
	return m
}

// What was accepted by its size must fit everywhere after that. '<' grows
// sixfold where JSON is written for HTML; '"' is the name that grows most.
func TestTheLargestBroadcastFitsBothQueues(t *testing.T) {
	ids := make([]string, broadcast.UnitSize)
	for i := range ids {
		ids[i] = strings.Repeat(`"`, protocol.MaxName-3) + fmt.Sprintf("%03d", i)
	}
	for _, char := range []string{"x", "<", "\u2028", "é"} {
		m := largest(t, char, protocol.Audience{Tenant: true})
		frame, err := m.Frame()
		if err != nil {
			t.Fatal(err)
		}
		var api fakeSQS
		p := queue.NewPublisher(&api, queueURL)
		if err := p.SendBroadcast(t.Context(), m); err != nil {
			t.Fatal(err)
		}
		back, err := broadcast.ParseMessage([]byte(api.bodies[0]), "", time.Now())
		if err != nil {
			t.Fatal(err)
		}
		if second, err := back.Frame(); err != nil || string(second) != string(frame) {
			t.Errorf("%q: the frame has changed on the queue, error %v", char, err)
		}
		u := broadcast.Unit{MessageID: m.MessageID, Tenant: m.Tenant, N: 1 << 30, Connections: ids, Frame: frame, ExpiresAt: 1 << 50}
		if err := p.SendUnit(t.Context(), u); err != nil {
			t.Fatal(err)
		}
		if back, err := broadcast.ParseUnit([]byte(api.bodies[1])); err != nil || string(back.Frame) != string(frame) || len(back.Connections) != len(ids) {
			t.Errorf("%q: the unit has changed on the queue, error %v", char, err)
		}
		for i, body := range api.bodies {
			if len(body) > maxBody {
				t.Errorf("%q: body %d has %d bytes, SQS takes %d", char, i, len(body), maxBody)
			}
		}
	}
}

func TestWhatSQSDoesNotTakeIsAnError(t *testing.T) {
	throttled := errors.New("ThrottlingException")
	p := queue.NewPublisher(&fakeSQS{err: throttled}, queueURL)
	for what, err := range map[string]error{
		"broadcast m1":           p.SendBroadcast(t.Context(), broadcast.Message{MessageID: "m1", Data: json.RawMessage(`"secret"`)}),
		"unit 3 of broadcast m1": p.SendUnit(t.Context(), broadcast.Unit{MessageID: "m1", N: 3, Frame: json.RawMessage(`"secret"`)}),
	} {
		if !errors.Is(err, throttled) || !strings.Contains(err.Error(), what) || strings.Contains(err.Error(), "secret") {
			t.Errorf("error %v, want one that names %s and no more", err, what)
		}
	}
}

func TestWhatIsNoJSONIsNotSent(t *testing.T) {
	var api fakeSQS
	err := queue.NewPublisher(&api, queueURL).SendBroadcast(t.Context(), broadcast.Message{Data: json.RawMessage(`{`)})
	if err == nil || len(api.bodies) != 0 {
		t.Errorf("sent %v, error %v", api.bodies, err)
	}
}

func ExamplePublisher() {
	var api fakeSQS // sqs.NewFromConfig(cfg)
	p := queue.NewPublisher(&api, "https://sqs.eu-west-1.amazonaws.com/123456789012/fanfare-broadcast")
	err := p.SendBroadcast(context.Background(), broadcast.Message{
		Tenant: "acme", To: protocol.Audience{User: "u1"}, Data: json.RawMessage(`{"total":5}`),
	})
	fmt.Println(api.bodies[0], err)
	// Output: {"tenant":"acme","to":{"user":"u1"},"data":{"total":5}} <nil>
}
