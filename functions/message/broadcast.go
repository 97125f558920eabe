package main

import (
	"context"
	"time"

	"fanfare/shared/broadcast"
	"fanfare/shared/connection"
	"fanfare/shared/protocol"
)

// broadcast puts the client's broadcast on the queue. Everything that can be
// refused is refused before: what was accepted will be sent.
func (h *handler) broadcast(ctx context.Context, c connection.Connection, r protocol.Request) (any, error) {
	if wanted := r.To.Permission(); !protocol.Allowed(c.Permissions, wanted) {
		return nil, forbidden(wanted)
	}
	m := broadcast.Message{
		Tenant: c.Tenant, To: r.To, Data: r.Data, From: &protocol.From{User: c.User}, TTL: r.TTL,
		MessageID: h.newID(), Time: h.now().UnixMilli(),
	}
	if _, err := m.Frame(); err != nil {
		return nil, err
	}
	if err := h.withinLimits(ctx, c); err != nil {
		return nil, err
	}
	if r.IdempotencyKey != "" {
		return h.broadcastOnce(ctx, c, r, m)
	}
	if err := h.queue.SendBroadcast(ctx, m); err != nil {
		return nil, err
	}
	return protocol.Accepted{Type: "accepted", ID: r.ID, MessageID: m.MessageID}, nil
}

// withinLimits counts the broadcast against its connection's and its tenant's
// limit. It is the last thing that can refuse it: what is malformed or forbidden
// costs nothing.
func (h *handler) withinLimits(ctx context.Context, c connection.Connection) error {
	wait, err := h.limiter.Admit(ctx, c.Tenant, c.ID)
	if err != nil || wait == 0 {
		return err
	}
	return &protocol.Error{
		Code: protocol.CodeRateLimited, RetryAfter: max(wait, time.Millisecond),
		Message: "too many broadcasts in this second: go on after retryAfterMs milliseconds",
	}
}

// settling is how long, in steps, a repetition waits for the first request with
// its key to be confirmed: one that is under way is done within milliseconds.
var settling = []time.Duration{50 * time.Millisecond, 200 * time.Millisecond, 750 * time.Millisecond}

// settled waits until somebody else's claim is confirmed, or as long as that
// makes sense.
func (h *handler) settled(ctx context.Context, claim broadcast.IdempotencyClaim) (broadcast.IdempotencyClaim, error) {
	for _, wait := range settling {
		if claim.Confirmed {
			return claim, nil
		}
		select {
		case <-time.After(wait):
		case <-ctx.Done():
			return claim, ctx.Err()
		}
		var err error
		if claim, err = h.claims.ClaimKey(ctx, claim); err != nil {
			return claim, err
		}
	}
	return claim, nil
}

// broadcastOnce sends m unless the user's key has been used. The claim comes
// first and settles the messageId; it is confirmed once SQS has the broadcast.
// A repetition waits a moment for that and then queues it itself, under the same
// messageId: accepted means that SQS has it, also when the first request died.
func (h *handler) broadcastOnce(ctx context.Context, c connection.Connection, r protocol.Request, m broadcast.Message) (any, error) {
	now := h.now()
	claim, err := h.claims.ClaimKey(ctx, broadcast.IdempotencyClaim{
		Tenant: c.Tenant, User: c.User, Key: r.IdempotencyKey, MessageID: m.MessageID, Digest: m.Digest(),
		ClaimedAt: now, ExpiresAt: now.Add(broadcast.IdempotencyTTL),
	})
	if err != nil {
		return nil, err
	}
	if claim.Digest != m.Digest() {
		return nil, &protocol.Error{Code: protocol.CodeIdempotencyMismatch, Message: "the idempotencyKey was used for another broadcast in the last 24 hours"}
	}
	accepted := protocol.Accepted{
		Type: "accepted", ID: r.ID, MessageID: claim.MessageID, Duplicate: claim.MessageID != m.MessageID,
	}
	if accepted.Duplicate {
		if claim, err = h.settled(ctx, claim); err != nil {
			return nil, err
		}
	}
	if claim.Confirmed {
		return accepted, nil
	}
	m.MessageID = claim.MessageID
	if err := h.queue.SendBroadcast(ctx, m); err != nil {
		return nil, err
	}
	if err := h.claims.ConfirmKey(ctx, claim); err != nil {
		// It is queued. Unconfirmed, a repetition would only be queued again
		// under the same messageId.
		h.log.WarnContext(ctx, "idempotency key not confirmed", "messageId", m.MessageID, "error", err)
	}
	return accepted, nil
}
