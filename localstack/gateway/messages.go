package gateway

import (
	"context"
	"errors"
	"fmt"
)

// serve reads the socket until it ends, then runs $disconnect.
func (s *Service) serve(t target, k *socket) {
	slots := make(chan struct{}, maxInFlight)
	end := k.read(context.Background(), func(message []byte) {
		slots <- struct{}{}
		// AWS handles the messages of one connection concurrently too, and
		// promises no order among the answers.
		go func() {
			defer func() { <-slots }()
			s.message(t, k, message)
		}()
	})
	_ = k.conn.CloseNow() // frees what is left; it is closed already
	s.disconnect(t, k, end)
}

// message routes one frame and sends the client what it gets for it.
func (s *Service) message(t target, k *socket, message []byte) {
	// The stage may serve another deployment by now.
	if now, ok := s.lookup(t.api, t.stage); ok {
		t = now
	}
	requestID := newRequestID()
	rt, ok := t.route(message)
	if !ok {
		_ = k.send(errorFrame("Forbidden", k.id, requestID)) // the client has gone: nobody to tell
		return
	}
	traceID := newTraceID(s.clock.Now())
	event, err := k.messageEvent(rt.Key, requestID, string(message), s.clock.Now(), t.variables)
	var res proxyResult
	if err == nil {
		res, err = s.call(context.Background(), t, rt, event, traceID)
	}
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		_ = k.send(errorFrame("Endpoint request timed out", k.id, requestID))
	case err != nil:
		_ = k.send(errorFrame("Internal server error", k.id, requestID))
	case rt.TwoWay && res.Body != "":
		_ = k.send([]byte(res.Body))
	}
}

// route selects by the message's body, else $default.
func (t target) route(message []byte) (servedRoute, bool) {
	if key, ok := t.selection.routeKey(message); ok && key != "$connect" && key != "$disconnect" {
		if rt, ok := t.routes[key]; ok {
			return rt, true
		}
	}
	rt, ok := t.routes["$default"]
	return rt, ok
}

// errorFrame is API Gateway's own frame, with its spacing as observed.
func errorFrame(message, connectionID, requestID string) []byte {
	return fmt.Appendf(nil, `{"message": "%s", "connectionId":"%s", "requestId":"%s"}`, message, connectionID, requestID)
}

// disconnect forgets the socket and tells the $disconnect route, whose result
// is ignored.
func (s *Service) disconnect(t target, k *socket, end closing) {
	defer close(k.done)
	s.sockets.remove(k)
	if now, ok := s.lookup(t.api, t.stage); ok {
		t = now
	}
	rt, ok := t.routes["$disconnect"]
	if !ok {
		return
	}
	now := s.clock.Now()
	event, err := k.disconnectEvent(newRequestID(), int(end.code), end.reason, now, t.variables)
	if err == nil {
		_, err = s.call(context.Background(), t, rt, event, newTraceID(now))
	}
	if err != nil {
		s.log.Debug("$disconnect failed", "connection", k.id, "error", err)
	}
}
