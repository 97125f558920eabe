package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"time"

	"fanfare/shared/broadcast"
	"fanfare/shared/protocol"
)

// table is what is read of the store.
type table interface {
	broadcast.Audience
	Receipt(ctx context.Context, messageID string) (broadcast.Receipt, error)
	Key(ctx context.Context, tenant, user, name string) (broadcast.IdempotencyClaim, error)
}

// tool is one call of the command.
type tool struct {
	options
	target target
	table  table
	queue  interface {
		SendBroadcast(ctx context.Context, m broadcast.Message) error
	}
	out  io.Writer
	view view
	now  func() time.Time
}

// message returns the broadcast as it goes to the queue, and the frame that
// clients get. What the service would refuse is refused here.
func (t *tool) message() (broadcast.Message, []byte, error) {
	m := broadcast.Message{
		Tenant: t.tenant, To: t.to, Data: t.data, TTL: t.ttl, IdempotencyKey: t.key,
		MessageID: rand.Text(), Time: t.now().UnixMilli(),
	}
	// Reading it back is what the broadcast function does: the same checks, and
	// the same bytes where a digest is taken.
	body, err := protocol.Encode(m)
	if err == nil {
		m, err = broadcast.ParseMessage(body, "", t.now())
	}
	var frame []byte
	if err == nil {
		frame, err = m.Frame()
	}
	if err != nil {
		return m, nil, fmt.Errorf("refused, and nothing was queued: %s", refusal(err))
	}
	m.Time = 0 // SQS's own clock says when it was accepted
	return m, frame, nil
}

// refusal is the sentence of a refusal, without what wraps it.
func refusal(err error) string {
	if e, ok := errors.AsType[*protocol.Error](err); ok {
		return e.Message
	}
	return err.Error()
}

// publish queues the broadcast and follows it.
func (t *tool) publish(ctx context.Context) error {
	m, frame, err := t.message()
	if err != nil {
		return err
	}
	var claimed broadcast.IdempotencyClaim
	if t.key != "" && t.follow {
		if claimed, err = t.claim(ctx, m); err != nil {
			return err
		}
	}
	if err := t.queue.SendBroadcast(ctx, m); err != nil {
		return fmt.Errorf("not queued at %s: %w%s", t.target.name, err, t.remedy(err))
	}
	fmt.Fprintf(t.out, "queued     %s at %s\n", m.MessageID, t.target.name)
	fmt.Fprintf(t.out, "to         %s of %s, %s bytes each\n", describe(m.To), m.Tenant, count(len(frame)))
	if !t.follow {
		receipt := "receipt    " + t.statusCommand(m.MessageID)
		if t.key != "" {
			receipt += " (or under the first messageId with the key)"
		}
		fmt.Fprintln(t.out, receipt)
		return nil
	}
	ctx, cancel := context.WithTimeoutCause(ctx, t.timeout, errTimeout)
	defer cancel()
	id, err := t.first(ctx, m, claimed)
	if err != nil {
		return err
	}
	return t.followed(ctx, id)
}

// claim looks up who holds the key. Another broadcast's key is an error, and
// nothing is queued: the broadcast function could only throw the message away.
func (t *tool) claim(ctx context.Context, m broadcast.Message) (broadcast.IdempotencyClaim, error) {
	c, err := t.table.Key(ctx, m.Tenant, "", m.IdempotencyKey)
	if errors.Is(err, broadcast.ErrNotFound) {
		return broadcast.IdempotencyClaim{}, nil
	}
	if err == nil && c.Digest != m.Digest() {
		err = fmt.Errorf("refused, and nothing was queued: the key %q was used for another broadcast, %s, at %s; it is free again at %s",
			m.IdempotencyKey, c.MessageID, clock(c.ClaimedAt), clock(c.ExpiresAt))
	} else if err != nil {
		err = fmt.Errorf("nothing was queued: %w%s", err, t.remedy(err))
	}
	return c, err
}

// first returns the messageId under which the receipt is: that of the first
// broadcast with the key. The broadcast function claims the key before
// anything else, so the claim is waited for.
func (t *tool) first(ctx context.Context, m broadcast.Message, claimed broadcast.IdempotencyClaim) (string, error) {
	for m.IdempotencyKey != "" && claimed.MessageID == "" {
		t.view.show(state{})
		err := pause(ctx, interval)
		if err == nil {
			claimed, err = t.table.Key(ctx, m.Tenant, "", m.IdempotencyKey)
		}
		if err != nil && !errors.Is(err, broadcast.ErrNotFound) {
			return "", t.unknown(m.MessageID, orCause(ctx, err))
		}
	}
	switch {
	case m.IdempotencyKey == "" || claimed.MessageID == m.MessageID:
		return m.MessageID, nil
	case claimed.Digest != m.Digest():
		return "", fmt.Errorf("another broadcast, %s, took the key %q in the same moment: this one is not sent, and ends in the dead-letter queue",
			claimed.MessageID, m.IdempotencyKey)
	}
	t.view.clear()
	fmt.Fprintf(t.out, "repeated   the key %q is held by the same broadcast %s of %s: it is not sent twice; this is the first one's receipt\n",
		m.IdempotencyKey, claimed.MessageID, clock(claimed.ClaimedAt))
	return claimed.MessageID, nil
}

// status looks at a receipt again, and follows what is open.
func (t *tool) status(ctx context.Context) error {
	r, err := t.table.Receipt(ctx, t.options.status)
	if errors.Is(err, broadcast.ErrNotFound) {
		return fmt.Errorf("%s has no receipt of %s: it is still on the queue, or more than 7 days old, or published elsewhere; with a key, the receipt is the first one's", t.target.name, t.options.status)
	}
	if err != nil {
		return fmt.Errorf("%w%s", err, t.remedy(err))
	}
	if !t.follow || t.over(r) {
		return t.conclude(r, nil)
	}
	ctx, cancel := context.WithTimeoutCause(ctx, t.timeout, errTimeout)
	defer cancel()
	return t.followed(ctx, t.options.status)
}

// statusCommand is how to look at a receipt again.
func (t *tool) statusCommand(id string) string {
	return "go run ./scripts/broadcast -status " + id + t.target.flags
}
