package suite

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/coder/websocket"

	"fanfare/shared/telemetry"
)

// frame is what clients look at of the frames that they get.
type frame struct {
	Type      string `json:"type"`
	ID        string `json:"id"`
	Code      string `json:"code"`
	MessageID string `json:"messageId"`
	Duplicate bool   `json:"duplicate"`
	// API Gateway's own frames have no type.
	Message      string `json:"message"`
	ConnectionID string `json:"connectionId"`
	RequestID    string `json:"requestId"`
	Channel      string `json:"channel"`
	From         *struct{ User string }
	Data         json.RawMessage `json:"data"`
	raw          string
}

// client is a connected WebSocket client.
type client struct {
	t        testing.TB
	name     string
	rec      *record
	conn     *websocket.Conn
	write    func(text string) error
	replies  chan frame
	messages chan frame
	closed   chan struct{} // closed when the socket has ended
	mu       sync.Mutex
	end      error // why it ended
}

// dial opens the socket with a token of the user; broadcast and subscribe are
// allowed.
func (s *scenario) dial(user, tenant string) *client {
	s.Helper()
	c, err := s.tryDial(user, tenant)
	if err != nil {
		s.Fatalf("connect %s of %s: %v", user, tenant, err)
	}
	return c
}

func (s *scenario) tryDial(user, tenant string) (*client, error) {
	return s.dialToken(user, s.stack.Token(user, tenant, "broadcast:*", "subscribe:*"))
}

func (s *scenario) dialToken(user, token string) (*client, error) {
	conn, _, err := dialURL(s.Context(), s.stack.Outputs.WebSocketURL+"?token="+token, nil)
	if err != nil {
		s.rec.note("%s ← refused: %v", user, err)
		return nil, err
	}
	return s.adopt(user, conn), nil
}

// dialURL is websocket.Dial, whose errors name the URL, without the token in it:
// they end in what the tests print.
func dialURL(ctx context.Context, url string, options *websocket.DialOptions) (*websocket.Conn, *http.Response, error) {
	conn, resp, err := websocket.Dial(ctx, url, options)
	if err != nil {
		err = errors.New(telemetry.Redact(err.Error()))
	}
	return conn, resp, err
}

// adopt reads a socket until it ends.
func (s *scenario) adopt(user string, conn *websocket.Conn) *client {
	conn.SetReadLimit(1 << 20)
	c := &client{
		t: s.TB, name: s.rec.name(user), rec: s.rec, conn: conn,
		replies: make(chan frame, 64), messages: make(chan frame, 1024), closed: make(chan struct{}),
	}
	c.rec.note("%s connected", c.name)
	c.write = func(text string) error { return conn.Write(s.Context(), websocket.MessageText, []byte(text)) }
	go c.read()
	s.Cleanup(func() { _ = conn.CloseNow() }) // may be closed already
	return c
}

func (c *client) read() {
	defer close(c.closed)
	for {
		_, data, err := c.conn.Read(context.Background())
		if err != nil {
			c.mu.Lock()
			c.end = err
			c.mu.Unlock()
			c.rec.note("%s's socket ended: %v", c.name, err)
			return
		}
		c.arrived(string(data))
	}
}

func (c *client) arrived(text string) {
	f := frame{raw: text}
	if err := json.Unmarshal([]byte(text), &f); err != nil {
		f.Type = "not JSON"
	}
	c.rec.note("%s ← %s", c.name, text)
	c.rec.saw(f.MessageID, f.ConnectionID, f.RequestID)
	if f.Type == "message" {
		c.messages <- f
	} else {
		c.replies <- f
	}
}

func (c *client) send(text string) {
	c.t.Helper()
	c.rec.note("%s → %s", c.name, text)
	if err := c.write(text); err != nil {
		c.t.Fatalf("send %.80s: %v", text, err)
	}
}

// ask sends a frame and returns the reply, which must be of the given type.
func (c *client) ask(text, wantType string) frame {
	c.t.Helper()
	c.send(text)
	f := c.take(c.replies, "a reply to "+text[:min(len(text), 80)])
	if f.Type != wantType {
		c.t.Fatalf("%.120s was answered with %s, want type %s", text, f.raw, wantType)
	}
	return f
}

// message returns the next message frame.
func (c *client) message() frame {
	c.t.Helper()
	return c.take(c.messages, "a message")
}

func (c *client) take(from chan frame, what string) frame {
	c.t.Helper()
	select {
	case f := <-from:
		return f
	case <-c.closed:
		select { // it may have come before the end
		case f := <-from:
			return f
		default:
		}
		c.t.Fatalf("the socket ended (%v) before %s", c.reason(), what)
	case <-time.After(patience):
		c.t.Fatalf("no %s within %v", what, patience)
	}
	return frame{}
}

// silent fails if a message comes.
func (c *client) silent(who string) {
	c.t.Helper()
	select {
	case f := <-c.messages:
		c.t.Errorf("%s got %s, want nothing", who, f.raw)
	case <-time.After(quiet):
	}
}

// allSilent fails if a message comes to any of the clients.
func allSilent(t testing.TB, clients map[string]*client) {
	t.Helper()
	time.Sleep(quiet)
	for who, c := range clients {
		select {
		case f := <-c.messages:
			t.Errorf("%s got %s, want nothing", who, f.raw)
		default:
		}
	}
}

func (c *client) reason() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.end
}

// closeStatus waits for the server's end of the socket.
func (c *client) closeStatus() websocket.StatusCode {
	c.t.Helper()
	select {
	case <-c.closed:
		return websocket.CloseStatus(c.reason())
	case <-time.After(patience):
		c.t.Fatalf("the socket is open after %v", patience)
		return -1
	}
}

// refused opens a socket that must be refused, and returns the HTTP answer.
func (s *scenario) refused(url string, header http.Header, subprotocols ...string) (status int, body string) {
	s.Helper()
	conn, resp, err := dialURL(s.Context(), url, &websocket.DialOptions{HTTPHeader: header, Subprotocols: subprotocols})
	if err == nil {
		s.Fatal(errors.Join(errors.New("the socket was opened"), conn.CloseNow()))
	}
	if resp == nil {
		s.Fatalf("no HTTP answer: %v", err)
	}
	data, err := io.ReadAll(resp.Body)
	if err != nil {
		s.Fatal(err)
	}
	var answer struct{ RequestID string }
	if json.Unmarshal(data, &answer) == nil {
		s.rec.saw(answer.RequestID)
	}
	s.rec.note("← HTTP %d %s", resp.StatusCode, data)
	return resp.StatusCode, string(data)
}
