package suite

import (
	"context"
	"fmt"
	"testing"
	"time"

	"fanfare/localstack/faults"
	"fanfare/shared/broadcast"
	"fanfare/shared/protocol"
	"fanfare/shared/queue"
)

// backlog is how many messages of the large tenant wait before the small one's.
const backlog = 40

// A small tenant's message that comes last is served long before the last of a
// large tenant's, on both queues. That is judged by what the functions recorded,
// in the order in which they did, and not by how long it took.
func TestASmallTenantOvertakesALargeOnesQueuedBroadcasts(t *testing.T) {
	s := beginAlone(t, faultRules)
	s.dial("u", s.tenant)
	s.dial("u", s.other)
	large, small := s.onlyConnection(s.tenant), s.onlyConnection(s.other)
	// The large tenant's posts take long enough for its backlog to last.
	s.fault(faults.Rule{Service: "execute-api", Operation: "PostToConnection", Resource: "*" + large + "*", Fault: faults.Fault{Latency: 100 * time.Millisecond}})

	tests := []struct {
		function string
		send     func(p *queue.Publisher, ctx context.Context, messageID, tenant, connectionID string) error
	}{
		{broadcaster, func(p *queue.Publisher, ctx context.Context, messageID, tenant, _ string) error {
			return p.SendBroadcast(ctx, broadcast.Message{MessageID: messageID, Tenant: tenant, To: protocol.Audience{Tenant: true}, Data: []byte("1"), Time: time.Now().UnixMilli()})
		}},
		{deliverer, func(p *queue.Publisher, ctx context.Context, messageID, tenant, connectionID string) error {
			return p.SendUnit(ctx, broadcast.Unit{MessageID: messageID, Tenant: tenant, Connections: []string{connectionID}, Frame: []byte(`{"type":"message"}`), AcceptedAt: time.Now().UnixMilli()})
		}},
	}
	for _, tt := range tests {
		t.Run(tt.function, func(t *testing.T) {
			sub := s.sub(t)
			p := queue.NewPublisher(s.sqs(), s.queueOf(tt.function))
			resume := s.pause(t, tt.function)
			name := func(i int) string { return fmt.Sprintf("%s-%s-%d", s.tenant, tt.function, i) }
			for i := range backlog + 1 {
				tenant, id := s.tenant, large
				if i == backlog {
					tenant, id = s.other, small
				}
				if err := tt.send(p, t.Context(), name(i), tenant, id); err != nil {
					t.Fatal(err)
				}
			}
			resume()
			last := sub.served(name(backlog))
			before := 0
			for i := range backlog {
				if sub.served(name(i)).Before(last) {
					before++
				}
			}
			if before > backlog/2 {
				t.Errorf("%d of the large tenant's %d messages were served before the small one's", before, backlog)
			}
		})
	}
}

// onlyConnection is the id of the tenant's only connection.
func (s *scenario) onlyConnection(tenant string) (id string) {
	s.Helper()
	s.eventually(func() string {
		page, err := s.table().Members(s.Context(), tenant, protocol.Audience{Tenant: true}, "", 10)
		if err != nil || len(page.IDs) != 1 {
			return fmt.Sprintf("connections of %s: %+v, error %v; want one", tenant, page, err)
		}
		id = page.IDs[0]
		return ""
	})
	return id
}

// served waits until the message's first unit is recorded, and returns when it
// was.
func (s *scenario) served(messageID string) (at time.Time) {
	s.Helper()
	s.eventually(func() string {
		u, err := s.table().Unit(s.Context(), messageID, 0)
		if err != nil || u.Delivered != 1 {
			return fmt.Sprintf("unit of %s: %+v, error %v; want it delivered", messageID, u, err)
		}
		at = u.At
		return ""
	})
	return at
}
