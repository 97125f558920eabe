package main

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"fanfare/shared/auth"
	"fanfare/shared/connection"
)

// verifier tells whose a token is.
type verifier interface {
	Verify(ctx context.Context, token string) (auth.Identity, error)
}

// putter remembers a new connection with its memberships.
type putter interface {
	Put(ctx context.Context, c connection.Connection) error
}

// handler admits or refuses a client. Its answer decides the upgrade: 200 opens
// the socket, anything else is the client's HTTP status.
type handler struct {
	verifier verifier
	store    putter
	ttl      time.Duration
	metrics  metrics
	log      *slog.Logger
	now      func() time.Time
}

// metrics counts who came in and who did not.
type metrics interface {
	Connected()
	Refused(code string, ours bool)
}

// refusal is the body of a refused upgrade. Browsers show a page neither this
// nor the status; other clients can read both.
type refusal struct {
	Code      string `json:"code"`
	Message   string `json:"message"`
	RequestID string `json:"requestId"`
}

func (h *handler) handle(ctx context.Context, e events.APIGatewayWebsocketProxyRequest) (events.APIGatewayProxyResponse, error) {
	raw, subprotocol, err := token(e)
	if err != nil {
		return h.refuse(ctx, e, err)
	}
	who, err := h.verifier.Verify(ctx, raw)
	if err != nil {
		return h.refuse(ctx, e, err)
	}
	now := h.now()
	rc := e.RequestContext
	c := connection.Connection{
		ID: rc.ConnectionID, Tenant: who.Tenant, User: who.User, Permissions: who.Permissions,
		UserAgent: rc.Identity.UserAgent, SourceIP: rc.Identity.SourceIP,
		ConnectedAt: connectedAt(rc, now), TokenExpiresAt: who.ExpiresAt, TokenID: who.TokenID,
		ExpiresAt: connection.Expiry(now, h.ttl, who.ExpiresAt),
	}
	if err := h.store.Put(ctx, c); err != nil {
		h.log.ErrorContext(ctx, "connection not stored", "connection", c.ID, "tenant", c.Tenant, "error", err)
		h.metrics.Refused("INTERNAL_ERROR", true)
		return answer(http.StatusInternalServerError, refusal{"INTERNAL_ERROR", "internal error, please try again", rc.RequestID})
	}
	h.metrics.Connected()
	h.log.InfoContext(ctx, "connected", "connection", c.ID, "tenant", c.Tenant, "user", c.User, "expiresAt", c.ExpiresAt)
	resp := events.APIGatewayProxyResponse{StatusCode: http.StatusOK}
	if subprotocol != "" {
		resp.Headers = map[string]string{"Sec-WebSocket-Protocol": subprotocol}
	}
	return resp, nil
}

// connectedAt is API Gateway's own time of the connection.
func connectedAt(rc events.APIGatewayWebsocketProxyRequestContext, now time.Time) time.Time {
	if rc.ConnectedAt > 0 {
		return time.UnixMilli(rc.ConnectedAt)
	}
	return now
}

// refuse answers 401, or 500 where the fault is not the client's. The log gets
// the reason; the verifier has logged the details that it may.
func (h *handler) refuse(ctx context.Context, e events.APIGatewayWebsocketProxyRequest, cause error) (events.APIGatewayProxyResponse, error) {
	status := http.StatusUnauthorized
	if errors.Is(cause, auth.ErrKeysUnavailable) {
		status = http.StatusInternalServerError
	}
	rc := e.RequestContext
	h.metrics.Refused(auth.Code(cause), status == http.StatusInternalServerError)
	h.log.WarnContext(ctx, "refused", "code", auth.Code(cause), "status", status,
		"connection", rc.ConnectionID, "sourceIp", rc.Identity.SourceIP, "requestId", rc.RequestID)
	return answer(status, refusal{auth.Code(cause), auth.Message(cause), rc.RequestID})
}

func answer(status int, r refusal) (events.APIGatewayProxyResponse, error) {
	body, err := json.Marshal(r)
	if err != nil {
		return events.APIGatewayProxyResponse{}, err
	}
	return events.APIGatewayProxyResponse{
		StatusCode: status, Body: string(body),
		Headers: map[string]string{"Content-Type": "application/json"},
	}, nil
}
