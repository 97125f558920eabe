package suite

import (
	"errors"
	"fmt"
	"testing"

	"github.com/coder/websocket"

	"fanfare/shared/connection"
	"fanfare/shared/protocol"
)

// forgotten waits until nothing of the connection is left in the table.
func (s *scenario) forgotten(id string) {
	s.Helper()
	s.eventually(func() string {
		if _, err := s.table().Get(s.Context(), id); !errors.Is(err, connection.ErrNotFound) {
			return fmt.Sprintf("the connection's row is there (%v)", err)
		}
		for _, to := range []protocol.Audience{{Tenant: true}, {User: "leaver"}, {Channel: "orders"}} {
			page, err := s.table().Members(s.Context(), s.tenant, to, "", 10)
			if err != nil || len(page.IDs)+len(page.Stale) > 0 {
				return fmt.Sprintf("memberships of %+v: %+v, error %v", to, page, err)
			}
		}
		return ""
	})
}

func TestEveryEndOfASocketRemovesItsRows(t *testing.T) {
	s := begin(t)
	tests := []struct {
		name string
		end  func(*scenario, *client, string)
	}{
		{"the client closes", func(_ *scenario, c *client, _ string) {
			_ = c.conn.Close(websocket.StatusNormalClosure, "bye") // the table tells whether it worked
		}},
		{"the client vanishes", func(_ *scenario, c *client, _ string) {
			_ = c.conn.CloseNow() // no close frame
		}},
		{"a back end deletes the connection", func(s *scenario, c *client, id string) {
			if err := s.management().Delete(s.Context(), id); err != nil {
				s.Fatal(err)
			}
			if got := c.closeStatus(); got != websocket.StatusNormalClosure {
				s.Errorf("the client saw %d, want 1000", got)
			}
		}},
		{"the client sends a binary frame", func(s *scenario, c *client, _ string) {
			if err := c.conn.Write(s.Context(), websocket.MessageBinary, []byte{1}); err != nil {
				s.Fatal(err)
			}
			if got := c.closeStatus(); got != websocket.StatusUnsupportedData {
				s.Errorf("the client saw %d, want 1003", got)
			}
		}},
		{"the client sends a frame over 32 KB", func(s *scenario, c *client, _ string) {
			_ = c.conn.Write(s.Context(), websocket.MessageText, make([]byte, 32<<10+1)) // it may be closed before its end
			if got := c.closeStatus(); got != websocket.StatusMessageTooBig {
				s.Errorf("the client saw %d, want 1009", got)
			}
		}},
	}
	for i, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			sub := s.sub(t)
			sub.tenant = fmt.Sprintf("%s-%d", s.tenant, i)
			c := sub.dial("leaver", sub.tenant)
			c.ask(`{"action":"subscribe","channel":"orders"}`, "subscribed")
			id := sub.connectionID(c, "leaver")
			tt.end(sub, c, id)
			sub.forgotten(id)
			if err := sub.management().Post(t.Context(), id, connection.NewMessage([]byte("x"))); !errors.Is(err, connection.ErrGone) {
				t.Errorf("a post afterwards: %v, want gone", err)
			}
		})
	}
}

func TestAClientThatLeavesDuringABroadcastHoldsNobodyUp(t *testing.T) {
	s := begin(t)
	stay := s.dial("stay", s.tenant)
	for range 20 {
		leaver := s.dial("leaver", s.tenant)
		stay.send(`{"action":"broadcast","to":{"tenant":true},"data":1}`)
		_ = leaver.conn.CloseNow() // at the same moment
	}
	for range 20 {
		stay.take(stay.replies, "accepted")
		stay.message()
	}
	stay.silent("the client that stays")
}
