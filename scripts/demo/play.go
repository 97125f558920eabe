package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/coder/websocket"

	"fanfare/scripts/stack"
	"fanfare/shared/auth/authtest"
	"fanfare/shared/protocol"
	"fanfare/shared/telemetry"
)

// settle is how long nothing more may arrive after a scene for it to be over:
// long enough for a frame that should not come.
const settle = 1500 * time.Millisecond

// patience is how long a frame that should come may take.
const patience = 20 * time.Second

// scene is one broadcast: who sends what, and who is to get it.
type scene struct {
	title string
	send  func(ctx context.Context, p *players) error
	want  []string // names of those who get the message
	frame message  // what they get
}

// message is what counts of a message frame. Its id and time are the
// service's.
type message struct {
	Type string          `json:"type"`
	From *protocol.From  `json:"from"`
	To   json.RawMessage `json:"to"`
	Data json.RawMessage `json:"data"`
}

func (m message) is(frame string) bool {
	var got message
	if json.Unmarshal([]byte(frame), &got) != nil {
		return false
	}
	sameSender := m.From == nil && got.From == nil || m.From != nil && got.From != nil && *m.From == *got.From
	return got.Type == "message" && sameSender && string(got.To) == string(m.To) && string(got.Data) == string(m.Data)
}

// players are the clients on stage.
type players struct {
	stack         *stack.Stack
	ann, bob, gil *client
}

func (p *players) all() []*client { return []*client{p.ann, p.bob, p.gil} }

func play(ctx context.Context, s *stack.Stack) (err error) {
	fmt.Println("\n▸ connect two clients of acme and one of globex")
	p := &players{stack: s}
	for _, c := range []struct {
		slot         **client
		user, tenant string
	}{{&p.ann, "ann", "acme"}, {&p.bob, "bob", "acme"}, {&p.gil, "gil", "globex"}} {
		if *c.slot, err = connect(ctx, s, c.user, c.tenant); err != nil {
			return err
		}
		defer (*c.slot).close()
	}
	if err := refusesForeigners(ctx, s); err != nil {
		return err
	}
	// Both tenants have a channel of that name: it is not the same channel.
	for _, c := range []*client{p.ann, p.gil} {
		if err := c.ask(ctx, `{"action":"subscribe","channel":"orders","id":"s"}`, "subscribed"); err != nil {
			return err
		}
	}
	var failed []error
	for _, sc := range scenes() {
		failed = append(failed, sc.play(ctx, p))
		if ctx.Err() != nil {
			return ctx.Err()
		}
	}
	return errors.Join(failed...)
}

func scenes() []scene {
	const tenant, channel = `{"tenant":true}`, `{"channel":"orders"}`
	return []scene{
		byClient("bob of acme broadcasts to his tenant", "bob", tenant, "ann", "bob"),
		byClient("bob of acme broadcasts to a user", "bob", `{"user":"ann"}`, "ann"),
		byClient("bob of acme broadcasts to a channel", "bob", channel, "ann"),
		byBackEnd("a back end broadcasts to acme, by the queue", tenant, "ann", "bob"),
		byBackEnd("a back end broadcasts to a user of acme, by the queue", `{"user":"bob"}`, "bob"),
		byBackEnd("a back end broadcasts to a channel of acme, by the queue", channel, "ann"),
		// The other tenant has heard nothing so far, and not because it is deaf.
		byClient("gil of globex broadcasts to the channel of the same name", "gil", channel, "gil"),
	}
}

func byClient(title, sender, to string, want ...string) scene {
	const data = `{"text":"hello"}`
	return scene{
		title: title, want: want,
		frame: message{From: &protocol.From{User: sender}, To: json.RawMessage(to), Data: json.RawMessage(data)},
		send: func(ctx context.Context, p *players) error {
			for _, c := range p.all() {
				if c.name == sender {
					return c.ask(ctx, `{"action":"broadcast","to":`+to+`,"data":`+data+`,"id":"b"}`, "accepted")
				}
			}
			return fmt.Errorf("%s is not on stage", sender)
		},
	}
}

func byBackEnd(title, to string, want ...string) scene {
	const data = `{"text":"from the back end"}`
	return scene{
		title: title, want: want,
		frame: message{To: json.RawMessage(to), Data: json.RawMessage(data)},
		send: func(ctx context.Context, p *players) error {
			return publish(ctx, p.stack, `{"tenant":"acme","to":`+to+`,"data":`+data+`}`)
		},
	}
}

// play sends, waits for what should arrive and then for what should not.
func (sc scene) play(ctx context.Context, p *players) error {
	fmt.Println("\n▸", sc.title)
	for _, c := range p.all() {
		c.forget()
	}
	begin := time.Now()
	if err := sc.send(ctx, p); err != nil {
		return fmt.Errorf("%s: %w", sc.title, err)
	}
	for _, c := range p.all() {
		if slices.Contains(sc.want, c.name) {
			c.await(ctx, begin.Add(patience))
		}
	}
	select {
	case <-time.After(settle):
	case <-ctx.Done():
		return ctx.Err()
	}
	var failed []error
	for _, c := range p.all() {
		want := 0
		if slices.Contains(sc.want, c.name) {
			want = 1
		}
		got := c.messages()
		if len(got) != want || want == 1 && !sc.frame.is(got[0]) {
			failed = append(failed, fmt.Errorf("%s: %s of %s got %d messages, want %d that is right: %s", sc.title, c.name, c.tenant, len(got), want, strings.Join(got, " ")))
		}
		if err := c.lost(); err != nil {
			failed = append(failed, fmt.Errorf("%s: the socket of %s of %s ended: %w", sc.title, c.name, c.tenant, err))
		}
	}
	if err := errors.Join(failed...); err != nil {
		return err
	}
	fmt.Printf("  ✓ exactly %s\n", strings.Join(sc.want, " and "))
	return nil
}

// refusesForeigners shows who does not get in.
func refusesForeigners(ctx context.Context, s *stack.Stack) error {
	forged := stack.DevToken(authtest.NewKey(), "eve", "acme", []string{"broadcast:*"}, time.Hour)
	for _, c := range []struct{ name, query string }{
		{"no token", ""},
		{"a token signed by another key", "?token=" + forged},
		{"an expired token", "?token=" + stack.DevToken(s.Key, "eve", "acme", nil, -time.Hour)},
	} {
		_, resp, err := websocket.Dial(ctx, s.Outputs.WebSocketURL+c.query, nil)
		if err == nil || resp == nil || resp.StatusCode != http.StatusUnauthorized {
			return fmt.Errorf("a client with %s was not refused with 401: %w", c.name, err)
		}
		fmt.Printf("  %s: HTTP %d\n", c.name, resp.StatusCode)
	}
	return nil
}

// publish does what a back end does.
func publish(ctx context.Context, s *stack.Stack, body string) error {
	api := sqs.New(sqs.Options{
		Region: "us-east-1", BaseEndpoint: aws.String(s.Cloud.URL()),
		Credentials: credentials.NewStaticCredentialsProvider("test", "test", ""),
	})
	_, err := api.SendMessage(ctx, &sqs.SendMessageInput{QueueUrl: &s.Outputs.BroadcastQueueURL, MessageBody: &body})
	return err
}

// client is one WebSocket client. Everything it gets is shown.
type client struct {
	name, tenant string
	conn         *websocket.Conn
	mu           sync.Mutex
	got          []string // message frames
	err          error    // why the socket ended
	replies      chan string
	arrived      chan struct{} // one for each message frame
}

func connect(ctx context.Context, s *stack.Stack, user, tenant string) (*client, error) {
	conn, _, err := websocket.Dial(ctx, s.Outputs.WebSocketURL+"?token="+s.Token(user, tenant, "broadcast:*", "subscribe:*"), nil)
	if err != nil {
		return nil, fmt.Errorf("connect %s of %s: %s", user, tenant, telemetry.Redact(err.Error())) // which names the URL
	}
	c := &client{name: user, tenant: tenant, conn: conn, replies: make(chan string, 16), arrived: make(chan struct{}, 64)}
	fmt.Printf("  %s of %s is connected\n", user, tenant)
	go c.read(ctx)
	return c, nil
}

func (c *client) read(ctx context.Context) {
	for {
		_, frame, err := c.conn.Read(ctx)
		if err != nil { // by us, at the end, or before its time
			c.mu.Lock()
			c.err = err
			c.mu.Unlock()
			return
		}
		fmt.Printf("  %s ← %s\n", c.name, frame)
		var f struct{ Type string }
		if json.Unmarshal(frame, &f) == nil && f.Type == "message" {
			c.mu.Lock()
			c.got = append(c.got, string(frame))
			c.mu.Unlock()
			c.arrived <- struct{}{}
			continue
		}
		c.replies <- string(frame)
	}
}

// ask sends a frame and waits for a reply of the given type.
func (c *client) ask(ctx context.Context, frame, wantType string) error {
	fmt.Printf("  %s → %s\n", c.name, frame)
	if err := c.conn.Write(ctx, websocket.MessageText, []byte(frame)); err != nil {
		return err
	}
	select {
	case reply := <-c.replies:
		var f struct{ Type string }
		if json.Unmarshal([]byte(reply), &f) != nil || f.Type != wantType {
			return fmt.Errorf("%s got %s, want a reply of type %s", c.name, reply, wantType)
		}
		return nil
	case <-time.After(patience):
		return fmt.Errorf("%s got no %s within %v", c.name, wantType, patience)
	case <-ctx.Done():
		return ctx.Err()
	}
}

// await waits until a message has arrived, or the deadline.
func (c *client) await(ctx context.Context, deadline time.Time) {
	select {
	case <-c.arrived:
	case <-time.After(time.Until(deadline)):
	case <-ctx.Done():
	}
}

func (c *client) forget() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.got = nil
	for len(c.arrived) > 0 {
		<-c.arrived
	}
}

// lost returns why the socket has ended, if it has.
func (c *client) lost() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.err
}

func (c *client) messages() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.got)
}

func (c *client) close() { _ = c.conn.Close(websocket.StatusNormalClosure, "") } // ours to drop
