package suite

import (
	"encoding/json"
	"net/http"
	"testing"
	"time"

	"github.com/coder/websocket"

	"fanfare/shared/auth/authtest"
)

func TestConnectByEachTokenSource(t *testing.T) {
	s := begin(t)
	token := s.stack.Token("u", s.tenant, "broadcast:*")
	url := s.stack.Outputs.WebSocketURL
	tests := []struct {
		name    string
		url     string
		options websocket.DialOptions
		echo    string
	}{
		{"query", url + "?token=" + token, websocket.DialOptions{}, ""},
		{"authorization header", url, websocket.DialOptions{HTTPHeader: http.Header{"Authorization": {"Bearer " + token}}}, ""},
		{"subprotocol, as a browser", url, websocket.DialOptions{Subprotocols: []string{"bearer", token}}, "bearer"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			conn, _, err := dialURL(t.Context(), tt.url, &tt.options)
			if err != nil {
				t.Fatal(err)
			}
			if conn.Subprotocol() != tt.echo {
				t.Errorf("subprotocol %q, want %q", conn.Subprotocol(), tt.echo)
			}
			c := s.sub(t).adopt("u", conn)
			if f := c.ask(`{"action":"ping","id":"p"}`, "pong"); f.ID != "p" {
				t.Errorf("pong %s", f.raw)
			}
		})
	}
}

func TestConnectRefusals(t *testing.T) {
	s := begin(t)
	good := s.stack.Token("u", s.tenant, "broadcast:*")
	claims := s.stack.claims("u", s.tenant)
	foreignIssuer, noTenant := claims, claims
	foreignIssuer.Issuer, noTenant.Tenant = "https://elsewhere.example", ""
	url := s.stack.Outputs.WebSocketURL
	tests := []struct {
		name, url string
		header    http.Header
		code      string
	}{
		{"no token", url, nil, "TOKEN_MISSING"},
		{"malformed token", url + "?token=abc", nil, "TOKEN_MALFORMED"},
		{"expired token", url + "?token=" + s.stack.Key.Sign(claims, authtest.Expired()), nil, "TOKEN_EXPIRED"},
		{"token of a foreign key", url + "?token=" + authtest.NewKey().Sign(claims), nil, "TOKEN_SIGNATURE_INVALID"},
		{"token of a foreign issuer", url + "?token=" + s.stack.Key.Sign(foreignIssuer), nil, "TOKEN_ISSUER_INVALID"},
		{"token without a tenant", url + "?token=" + s.stack.Key.Sign(noTenant), nil, "TOKEN_CLAIMS_INVALID"},
		{"two tokens that differ", url + "?token=" + good, http.Header{"Authorization": {"Bearer " + s.stack.Token("v", s.tenant)}}, "TOKEN_CONFLICT"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			status, body := s.sub(t).refused(tt.url, tt.header)
			var answer struct{ Code, Message, RequestID string }
			if err := json.Unmarshal([]byte(body), &answer); err != nil {
				t.Fatalf("body %q: %v", body, err)
			}
			if status != http.StatusUnauthorized || answer.Message == "" || answer.RequestID == "" || answer.Code != tt.code {
				t.Errorf("HTTP %d %s, want 401 with code %s", status, body, tt.code)
			}
		})
	}
}

func TestTheConnectionsRowSaysWhoConnected(t *testing.T) {
	s := begin(t)
	c := s.dial("u", s.tenant)
	id := s.connectionID(c, "u")
	row, err := s.table().Get(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	if row.User != "u" || row.Tenant != s.tenant || !s.stack.isOurs(row.SourceIP) || time.Since(row.ConnectedAt) > time.Minute || row.TokenID == "" {
		t.Errorf("row %+v", row)
	}
}

func TestAFrameThatIsWrongLeavesTheSocketOpen(t *testing.T) {
	s := begin(t)
	c := s.dial("u", s.tenant)
	for name, text := range map[string]string{
		"unknown action": `{"action":"fly","id":"1"}`,
		"broken JSON":    `{"action":`,
		"wrong type":     `{"action":"subscribe","channel":7,"id":"1"}`,
		"two audiences":  `{"action":"broadcast","to":{"tenant":true,"user":"u"},"data":1}`,
		"empty":          ` `,
	} {
		if f := c.ask(text, "error"); f.Code != "INVALID_MESSAGE" {
			t.Errorf("%s: %s", name, f.raw)
		}
	}
	c.ask(`{"action":"ping"}`, "pong")
	c.silent("the sender")
}

func TestPermissionsAreTheTokens(t *testing.T) {
	s := begin(t)
	token := s.stack.Token("u", s.tenant, "subscribe:orders.*", "broadcast:channel/orders.*")
	conn, _, err := dialURL(t.Context(), s.stack.Outputs.WebSocketURL+"?token="+token, nil)
	if err != nil {
		t.Fatal(err)
	}
	c := s.adopt("u", conn)
	c.ask(`{"action":"subscribe","channel":"orders.eu"}`, "subscribed")
	for _, text := range []string{
		`{"action":"subscribe","channel":"salaries"}`,
		`{"action":"broadcast","to":{"tenant":true},"data":1}`,
		`{"action":"broadcast","to":{"channel":"salaries"},"data":1}`,
	} {
		if f := c.ask(text, "error"); f.Code != "FORBIDDEN" {
			t.Errorf("%s: %s", text, f.raw)
		}
	}
	c.ask(`{"action":"broadcast","to":{"channel":"orders.eu"},"data":1}`, "accepted")
	c.message()
}

func TestAMessageOver128KBClosesWith1009(t *testing.T) {
	s := begin(t)
	c := s.dial("u", s.tenant)
	w, err := c.conn.Writer(t.Context(), websocket.MessageText)
	if err != nil {
		t.Fatal(err)
	}
	chunk := make([]byte, 16<<10) // frames below API Gateway's 32 KB
	for i := range chunk {
		chunk[i] = ' '
	}
	for range 9 { // it may be closed before the last
		if _, err := w.Write(chunk); err != nil {
			break
		}
	}
	if got := c.closeStatus(); got != websocket.StatusMessageTooBig {
		t.Errorf("closed with %d, want 1009", got)
	}
}

func TestASessionIsRenewedInPlace(t *testing.T) {
	s := begin(t)
	c := s.dial("u", s.tenant)
	c.ask(`{"action":"authenticate","token":"`+s.stack.Token("u", s.tenant)+`","id":"a"}`, "authenticated")
	if f := c.ask(`{"action":"authenticate","token":"`+s.stack.Token("v", s.tenant)+`"}`, "error"); f.Code != "TOKEN_INVALID" {
		t.Errorf("another user's token: %s", f.raw)
	}
}
