package main

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"fanfare/shared/connection"
)

// remover forgets a connection with all its memberships.
type remover interface {
	Remove(ctx context.Context, id string) (connection.Connection, error)
}

// handler removes a closed connection. API Gateway ignores its answer and may
// call it twice or never: 410 and expiry do the same job.
type handler struct {
	store   remover
	metrics metrics
	log     *slog.Logger
	now     func() time.Time
}

// metrics counts what was removed.
type metrics interface {
	Disconnected(open time.Duration)
}

func (h *handler) handle(ctx context.Context, e events.APIGatewayWebsocketProxyRequest) (events.APIGatewayProxyResponse, error) {
	rc := e.RequestContext
	log := h.log.With("connection", rc.ConnectionID, "closeCode", rc.DisconnectStatusCode)
	if rc.DisconnectReason != nil {
		log = log.With("reason", *rc.DisconnectReason)
	}
	c, err := h.store.Remove(ctx, rc.ConnectionID)
	switch {
	case errors.Is(err, connection.ErrNotFound):
		log.InfoContext(ctx, "disconnected: removed before")
	case err != nil:
		log.ErrorContext(ctx, "connection not removed: its rows stay until they expire", "error", err)
		return events.APIGatewayProxyResponse{}, err
	default:
		open := h.now().Sub(c.ConnectedAt)
		h.metrics.Disconnected(open)
		log.InfoContext(ctx, "disconnected", "tenant", c.Tenant, "user", c.User, "seconds", open.Seconds())
	}
	return events.APIGatewayProxyResponse{StatusCode: http.StatusOK}, nil
}
