package main

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"fanfare/shared/broadcast"
	"fanfare/shared/connection"
	"fanfare/shared/queue"
)

// handler splits the broadcasts of a batch.
type handler struct {
	batch    *queue.Batch
	splitter *broadcast.Splitter
	log      *slog.Logger
	report   func(context.Context) // writes what was sent since the last call
}

func (h *handler) handle(ctx context.Context, e events.SQSEvent) (events.SQSEventResponse, error) {
	defer h.report(ctx)
	return h.batch.Handle(ctx, e, h.one)
}

func (h *handler) one(ctx context.Context, m events.SQSMessage) error {
	message, err := broadcast.ParseMessage([]byte(m.Body), m.MessageId, queue.SentAt(m))
	if err != nil {
		return err
	}
	out, err := h.splitter.Run(ctx, message)
	if err != nil {
		return err
	}
	h.log.InfoContext(ctx, "broadcast", "messageId", out.MessageID, "tenant", message.Tenant,
		"recipients", out.Recipients, "units", out.Units, "stale", out.Stale,
		"duplicate", out.Duplicate, "resumed", out.Resumed)
	return nil
}

// retirer ends what a stale row stands for: the socket, if one is left, and the
// rows.
type retirer struct {
	socket interface {
		Delete(ctx context.Context, id string) error
	}
	store connection.Store
	now   func() time.Time
}

// Retire implements broadcast.Retirer.
func (r retirer) Retire(ctx context.Context, id string) error {
	if err := r.socket.Delete(ctx, id); err != nil && !errors.Is(err, connection.ErrGone) {
		return err
	}
	err := r.store.RemoveGone(ctx, id, r.now())
	if errors.Is(err, connection.ErrNotFound) {
		return nil
	}
	return err
}
