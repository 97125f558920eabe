package main

import (
	"context"
	"errors"
	"log/slog"

	"github.com/aws/aws-lambda-go/events"

	"fanfare/shared/broadcast"
	"fanfare/shared/queue"
)

// handler delivers the units of a batch.
type handler struct {
	batch     *queue.Batch
	deliverer *broadcast.Deliverer
	log       *slog.Logger
	report    func(context.Context) // writes what was sent since the last call
}

func (h *handler) handle(ctx context.Context, e events.SQSEvent) (events.SQSEventResponse, error) {
	defer h.report(ctx)
	return h.batch.Handle(ctx, e, h.one)
}

func (h *handler) one(ctx context.Context, m events.SQSMessage) error {
	u, err := broadcast.ParseUnit([]byte(m.Body))
	if err != nil {
		return err
	}
	counts, err := h.deliverer.Deliver(ctx, u)
	if err != nil && !errors.Is(err, broadcast.ErrUnfinished) {
		return err // nothing is known of the unit
	}
	h.log.InfoContext(ctx, "unit", "messageId", u.MessageID, "tenant", u.Tenant, "unit", u.N,
		"delivered", counts.Delivered, "gone", counts.Gone, "expired", counts.Expired,
		"failed", counts.Failed, "remaining", len(counts.Remaining))
	return err
}
