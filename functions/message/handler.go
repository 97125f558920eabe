package main

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"fanfare/shared/auth"
	"fanfare/shared/broadcast"
	"fanfare/shared/connection"
	"fanfare/shared/protocol"
)

// connections is the table as a client's own frames need it.
type connections interface {
	Get(ctx context.Context, id string) (connection.Connection, error)
	Subscribe(ctx context.Context, id, channel string) error
	Unsubscribe(ctx context.Context, id, channel string) error
	Renew(ctx context.Context, id string, s connection.Session) error
}

// verifier tells whose a token is.
type verifier interface {
	Verify(ctx context.Context, token string) (auth.Identity, error)
}

// socket is the client's own connection, seen from behind.
type socket interface {
	Post(ctx context.Context, id string, m *connection.Message) error
	Delete(ctx context.Context, id string) error
}

// broadcasts is the broadcast queue.
type broadcasts interface {
	SendBroadcast(ctx context.Context, m broadcast.Message) error
}

// handler answers one frame of a client. The answer is the route response:
// API Gateway sends the returned body to the client.
type handler struct {
	store    connections
	claims   broadcast.Claims
	limiter  *broadcast.Limiter
	verifier verifier
	socket   socket
	queue    broadcasts
	ttl      time.Duration
	log      *slog.Logger
	now      func() time.Time
	newID    func() string
}

func (h *handler) handle(ctx context.Context, e events.APIGatewayWebsocketProxyRequest) (events.APIGatewayProxyResponse, error) {
	id := e.RequestContext.ConnectionID
	c, err := h.store.Get(ctx, id)
	switch {
	case errors.Is(err, connection.ErrNotFound) || err == nil && !c.Live(h.now()) && !c.SessionExpired(h.now()):
		// Nobody would ever send to this socket: let the client come back.
		h.log.WarnContext(ctx, "message from a connection without a row", "connection", id)
		h.close(ctx, id)
		return reply(nil)
	case err != nil:
		return h.refuse(ctx, id, "", err)
	case c.SessionExpired(h.now()):
		h.expire(ctx, id)
		return reply(nil)
	}
	request, err := protocol.ParseRequest([]byte(e.Body))
	if err != nil {
		return h.refuse(ctx, id, request.ID, err)
	}
	answer, err := h.serve(ctx, c, request)
	if err != nil {
		return h.refuse(ctx, id, request.ID, err)
	}
	return reply(answer)
}

// serve does what the request asks and returns the frame to answer with.
func (h *handler) serve(ctx context.Context, c connection.Connection, r protocol.Request) (any, error) {
	switch r.Action {
	case protocol.ActionPing:
		return protocol.Pong{Type: "pong", ID: r.ID, Time: h.now().UnixMilli()}, nil
	case protocol.ActionSubscribe:
		return h.subscribe(ctx, c, r)
	case protocol.ActionUnsubscribe:
		if err := h.store.Unsubscribe(ctx, c.ID, r.Channel); err != nil {
			return nil, err
		}
		return protocol.Subscription{Type: "unsubscribed", ID: r.ID, Channel: r.Channel}, nil
	case protocol.ActionAuthenticate:
		return h.authenticate(ctx, c, r)
	default: // ParseRequest knows all actions, so this is the last
		return h.broadcast(ctx, c, r)
	}
}

func (h *handler) subscribe(ctx context.Context, c connection.Connection, r protocol.Request) (any, error) {
	if wanted := protocol.SubscribePermission(r.Channel); !protocol.Allowed(c.Permissions, wanted) {
		return nil, forbidden(wanted)
	}
	err := h.store.Subscribe(ctx, c.ID, r.Channel)
	if errors.Is(err, connection.ErrTooManyChannels) {
		return nil, &protocol.Error{Code: protocol.CodeTooManyChannels, Message: "unsubscribe from a channel first: a connection may have 100"}
	}
	if err != nil {
		return nil, err
	}
	return protocol.Subscription{Type: "subscribed", ID: r.ID, Channel: r.Channel}, nil
}

// authenticate renews the session with a newer token of the same user. What
// the newer token does not grant any more ends at once: that includes
// subscriptions, which were allowed by the older one.
func (h *handler) authenticate(ctx context.Context, c connection.Connection, r protocol.Request) (any, error) {
	who, err := h.verifier.Verify(ctx, r.Token)
	if errors.Is(err, auth.ErrKeysUnavailable) {
		return nil, err
	}
	if err != nil {
		code := protocol.CodeTokenInvalid
		if errors.Is(err, auth.ErrTokenExpired) {
			code = protocol.CodeTokenExpired
		}
		return nil, &protocol.Error{Code: code, Message: auth.Message(err)}
	}
	if who.User != c.User || who.Tenant != c.Tenant {
		return nil, &protocol.Error{Code: protocol.CodeTokenInvalid, Message: "the token is of another user or tenant than this connection"}
	}
	err = h.store.Renew(ctx, c.ID, connection.Session{
		Permissions: who.Permissions, TokenExpiresAt: who.ExpiresAt, TokenID: who.TokenID,
		ExpiresAt: connection.Expiry(h.now(), h.ttl, who.ExpiresAt),
	})
	if err != nil {
		return nil, err
	}
	for _, channel := range c.Channels {
		if protocol.Allowed(who.Permissions, protocol.SubscribePermission(channel)) {
			continue
		}
		if err := h.store.Unsubscribe(ctx, c.ID, channel); err != nil {
			return nil, err
		}
	}
	return protocol.Authenticated{Type: "authenticated", ID: r.ID, ExpiresAt: who.ExpiresAt.UnixMilli()}, nil
}

// expire tells the client that its session is over and closes the socket. It
// goes through @connections, because a route response would come after the
// close.
func (h *handler) expire(ctx context.Context, id string) {
	frame, err := protocol.Encode(protocol.NewError("", &protocol.Error{
		Code: protocol.CodeTokenExpired, Message: "the session's token has expired: connect again with a new one",
	}))
	if err == nil {
		err = h.socket.Post(ctx, id, connection.NewMessage(frame))
	}
	if err != nil && !errors.Is(err, connection.ErrGone) {
		h.log.WarnContext(ctx, "client not told that its session is over", "connection", id, "error", err)
	}
	h.close(ctx, id)
}

// close ends the socket; $disconnect then removes its rows.
func (h *handler) close(ctx context.Context, id string) {
	if err := h.socket.Delete(ctx, id); err != nil && !errors.Is(err, connection.ErrGone) {
		h.log.ErrorContext(ctx, "socket not closed", "connection", id, "error", err)
	}
}

// refuse answers with an error frame; the socket stays open. Only a failure of
// our own is logged as one.
func (h *handler) refuse(ctx context.Context, id, requestID string, cause error) (events.APIGatewayProxyResponse, error) {
	if code := protocol.AsError(cause).Code; code == protocol.CodeInternal {
		h.log.ErrorContext(ctx, "message failed", "connection", id, "error", cause)
	} else {
		h.log.InfoContext(ctx, "message refused", "connection", id, "code", code)
	}
	return reply(protocol.NewError(requestID, cause))
}

func forbidden(permission string) error {
	return &protocol.Error{Code: protocol.CodeForbidden, Message: "the token's permissions do not include " + permission}
}

// reply is the route response: frame as the body, or nothing.
func reply(frame any) (events.APIGatewayProxyResponse, error) {
	resp := events.APIGatewayProxyResponse{StatusCode: http.StatusOK}
	if frame == nil {
		return resp, nil
	}
	body, err := protocol.Encode(frame)
	resp.Body = string(body)
	return resp, err
}
