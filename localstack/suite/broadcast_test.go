package suite

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"fanfare/shared/connection"
	"fanfare/shared/protocol"
)

// connectionID finds the id of the user's only connection in the table.
func (s *scenario) connectionID(c *client, user string) string {
	s.Helper()
	c.ask(`{"action":"ping"}`, "pong") // it is there by now
	page, err := s.table().Members(s.Context(), s.tenant, protocol.Audience{User: user}, "", 10)
	if err != nil || len(page.IDs) != 1 {
		s.Fatalf("connections of %s: %+v, error %v; want one", user, page, err)
	}
	s.rec.saw(page.IDs[0])
	return page.IDs[0]
}

func TestBroadcastToEachAudience(t *testing.T) {
	s := begin(t)
	ann, bob, ben := s.dial("ann", s.tenant), s.dial("bob", s.tenant), s.dial("bob", s.tenant)
	// Users and channels of the same names, in another tenant.
	eve := s.dial("bob", s.other)
	ann.ask(`{"action":"subscribe","channel":"orders"}`, "subscribed")
	eve.ask(`{"action":"subscribe","channel":"orders"}`, "subscribed")
	annID := s.connectionID(ann, "ann")
	foreign, err := s.table().Members(t.Context(), s.other, protocol.Audience{Tenant: true}, "", 10)
	if err != nil || len(foreign.IDs) != 1 {
		t.Fatalf("the other tenant's connections: %+v, error %v", foreign, err)
	}

	tests := []struct {
		name, to string
		want     []*client
	}{
		{"tenant", `{"tenant":true}`, []*client{ann, bob, ben}},
		{"user, on all their devices", `{"user":"bob"}`, []*client{bob, ben}},
		{"channel", `{"channel":"orders"}`, []*client{ann}},
		{"connections, without the other tenant's", fmt.Sprintf(`{"connections":[%q,%q,"L0SM9cOFvHcCIhw="]}`, annID, foreign.IDs[0]), []*client{ann}},
		{"nobody", `{"channel":"empty"}`, nil},
	}
	all := map[string]*client{"ann": ann, "bob": bob, "bob's other device": ben, "the other tenant": eve}
	for _, from := range []string{"client", "queue"} {
		for _, tt := range tests {
			t.Run(from+" to "+tt.name, func(t *testing.T) {
				for _, c := range all {
					c.t = t
				}
				data := fmt.Sprintf(`{"case":%q}`, t.Name())
				var id, sender string
				if from == "client" {
					id, sender = bob.ask(`{"action":"broadcast","to":`+tt.to+`,"data":`+data+`,"id":"b"}`, "accepted").MessageID, "bob"
				} else {
					id = s.publish(`{"tenant":"` + s.tenant + `","to":` + tt.to + `,"data":` + data + `}`)
				}
				for _, c := range tt.want {
					f := c.message()
					if f.MessageID != id || !jsonEqual(f.Data, data) || f.From != nil && f.From.User != sender || f.From == nil && sender != "" {
						t.Errorf("got %s, want message %s from %q", f.raw, id, sender)
					}
				}
				allSilent(t, all)
			})
		}
	}
}

func jsonEqual(a json.RawMessage, b string) bool { return string(a) == b }

func TestAChannelsLastSubscriberLeaves(t *testing.T) {
	s := begin(t)
	c := s.dial("u", s.tenant)
	c.ask(`{"action":"subscribe","channel":"news"}`, "subscribed")
	c.ask(`{"action":"broadcast","to":{"channel":"news"},"data":1}`, "accepted")
	c.message()
	c.ask(`{"action":"unsubscribe","channel":"news"}`, "unsubscribed")
	c.ask(`{"action":"broadcast","to":{"channel":"news"},"data":2}`, "accepted")
	c.silent("a client that has unsubscribed")
}

func TestTenantsWithHostileNamesStayApart(t *testing.T) {
	s := begin(t)
	a, b := s.dial("u", s.tenant+"/user"), s.dial("u", s.tenant)
	b.ask(`{"action":"subscribe","channel":"../x/0"}`, "subscribed")
	a.ask(`{"action":"broadcast","to":{"tenant":true},"data":1}`, "accepted")
	a.message()
	b.silent("the tenant whose name is a part of the other's")
}

func TestTheSameKeyBroadcastsOnce(t *testing.T) {
	s := begin(t)
	c := s.dial("u", s.tenant)
	const text = `{"action":"broadcast","to":{"tenant":true},"data":1,"idempotencyKey":"k"}`
	first := c.ask(text, "accepted")
	if again := c.ask(text, "accepted"); again.MessageID != first.MessageID || !again.Duplicate {
		t.Errorf("second answer %s after %s", again.raw, first.raw)
	}
	if f := c.ask(strings.Replace(text, "1", "2", 1), "error"); f.Code != "IDEMPOTENCY_MISMATCH" {
		t.Errorf("another body under the key: %s", f.raw)
	}
	c.message()
	c.silent("the receiver of a repeated broadcast")
}

func TestTheSameKeyOfABackEndBroadcastsOnce(t *testing.T) {
	s := begin(t)
	c := s.dial("u", s.tenant)
	body := `{"tenant":"` + s.tenant + `","to":{"tenant":true},"data":1,"idempotencyKey":"k"}`
	s.publish(body)
	c.message()
	s.publish(body)
	c.silent("the receiver of a repeated broadcast")
}

func TestABroadcastThatExpiredIsNotSent(t *testing.T) {
	s := begin(t)
	c := s.dial("u", s.tenant)
	old := time.Now().Add(-time.Minute).UnixMilli()
	id := s.publish(fmt.Sprintf(`{"tenant":%q,"to":{"tenant":true},"data":1,"ttl":30,"time":%d}`, s.tenant, old))
	s.eventually(func() string {
		r, err := s.table().Receipt(t.Context(), id)
		if err != nil || len(r.Units) != 1 || r.Units[0].Expired != 1 {
			return fmt.Sprintf("receipt %+v, error %v; want one expired", r, err)
		}
		return ""
	})
	c.silent("the receiver of an expired broadcast")
}

func TestAFrameThatGrowsOver128KBIsRefused(t *testing.T) {
	s := begin(t)
	c := s.dial("u", s.tenant)
	// The largest that still fits is delivered whole.
	c.sendInFrames(`{"action":"broadcast","to":{"tenant":true},"data":"` + strings.Repeat("x", protocol.MaxFrame-250) + `"}`)
	c.take(c.replies, "accepted")
	if f := c.message(); len(f.Data) != protocol.MaxFrame-250+2 {
		t.Errorf("delivered %d bytes of data", len(f.Data))
	}
	c.sendInFrames(`{"action":"broadcast","to":{"tenant":true},"data":"` + strings.Repeat("x", protocol.MaxFrame-70) + `"}`)
	if f := c.take(c.replies, "an error"); f.Code != "PAYLOAD_TOO_LARGE" {
		t.Errorf("got %.200s", f.raw)
	}
	c.silent("the receiver of a refused broadcast")
}

// sendInFrames sends a message in frames that API Gateway takes.
func (c *client) sendInFrames(text string) {
	c.t.Helper()
	c.rec.note("%s → %s", c.name, text)
	w, err := c.conn.Writer(c.t.Context(), 1)
	if err != nil {
		c.t.Fatal(err)
	}
	for len(text) > 0 {
		n := min(len(text), 32<<10)
		if _, err := w.Write([]byte(text[:n])); err != nil {
			c.t.Fatal(err)
		}
		text = text[n:]
	}
	if err := w.Close(); err != nil {
		c.t.Fatal(err)
	}
}

func TestAQueueMessageThatCannotBeReadGoesToTheDeadLetterQueue(t *testing.T) {
	s := begin(t)
	body := "no broadcast at all, of " + s.tenant
	s.publish(body)
	api := s.sqs()
	// The queues are named after those who read them (infra/main.tf).
	dead := strings.TrimSuffix(s.stack.Outputs.BroadcastQueueURL, "/") + "-dead-letters"
	s.eventually(func() string {
		out, err := api.ReceiveMessage(t.Context(), &sqs.ReceiveMessageInput{QueueUrl: &dead, MaxNumberOfMessages: 10, VisibilityTimeout: 1, WaitTimeSeconds: 1})
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range out.Messages {
			if aws.ToString(m.Body) == body {
				return ""
			}
		}
		return "not in the dead-letter queue"
	})
}

// ghost writes the rows of a connection that has no socket.
func (s *scenario) ghost(id string, age time.Duration) {
	s.Helper()
	now := time.Now()
	s.rec.saw(id)
	err := s.table().Put(s.Context(), connection.Connection{
		ID: id, Tenant: s.tenant, User: "ghost", ConnectedAt: now.Add(-age),
		TokenExpiresAt: now.Add(time.Hour), ExpiresAt: now.Add(time.Hour),
	})
	if err != nil {
		s.Fatal(err)
	}
}

func TestAConnectionThatIsGoneIsCleanedUpAndTheOthersGetTheirFrame(t *testing.T) {
	s := begin(t)
	const id = "GhostGhostGhost="
	s.ghost(id, 2*time.Minute)
	c := s.dial("u", s.tenant)
	c.ask(`{"action":"broadcast","to":{"tenant":true},"data":1}`, "accepted")
	c.message()
	s.eventually(func() string {
		if _, err := s.table().Get(t.Context(), id); !errors.Is(err, connection.ErrNotFound) {
			return fmt.Sprintf("its row is there (%v)", err)
		}
		page, err := s.table().Members(t.Context(), s.tenant, protocol.Audience{User: "ghost"}, "", 10)
		if err != nil || len(page.IDs)+len(page.Stale) > 0 {
			return fmt.Sprintf("its memberships are there: %+v, error %v", page, err)
		}
		return ""
	})
}

func TestAConnectionThatIsOpeningIsNotCleanedUp(t *testing.T) {
	s := begin(t)
	const id = "YoungYoungYoung="
	s.ghost(id, 0)
	c := s.dial("u", s.tenant)
	messageID := c.ask(`{"action":"broadcast","to":{"tenant":true},"data":1}`, "accepted").MessageID
	c.message()
	s.eventually(func() string {
		r, err := s.table().Receipt(t.Context(), messageID)
		if err != nil || !r.Progress.Done || len(r.Units) != 1 {
			return fmt.Sprintf("receipt %+v, error %v", r, err)
		}
		if u := r.Units[0]; u.Gone != 1 || u.Delivered != 1 {
			t.Errorf("unit %+v, want one delivered, one gone", u)
		}
		return ""
	})
	if _, err := s.table().Get(t.Context(), id); err != nil {
		t.Errorf("its row was removed, though it may have been opening: %v", err)
	}
}

func TestTheSecondPlanIsEmpty(t *testing.T) {
	s := begin(t, ownDeployment)
	empty, changes, err := s.stack.planIsEmpty(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if !empty {
		t.Errorf("a second apply would change:\n%s", strings.Join(changes, "\n"))
	}
}
