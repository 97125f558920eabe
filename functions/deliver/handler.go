package main

import (
	"context"
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
}

func (h *handler) handle(ctx context.Context, e events.SQSEvent) (events.SQSEventResponse, error) {
	return h.batch.Handle(ctx, e, h.one)
}

func (h *handler) one(ctx context.Context, m events.SQSMessage) error {
	u, err := broadcast.ParseUnit([]byte(m.Body))
	if err != nil {
		return err
	}
	counts, err := h.deliverer.Deliver(ctx, u)
	h.log.InfoContext(ctx, "unit", "messageId", u.MessageID, "tenant", u.Tenant, "unit", u.N,
		"delivered", counts.Delivered, "gone", counts.Gone, "expired", counts.Expired,
		"failed", counts.Failed, "remaining", len(counts.Remaining))
	return err
}
