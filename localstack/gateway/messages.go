package gateway

import (
	"context"
	"errors"
	"fmt"
)

// maxInFlight bounds how many messages of one socket are being handled at a
// time; the next is read when one is done.
const maxInFlight = 16

// serve reads the socket until it ends, then runs $disconnect.
func (s *Service) serve(k *socket) {
	slots := make(chan struct{}, maxInFlight)
	end := k.read(context.Background(), func(message []byte) {
		slots <- struct{}{}
		// AWS handles the messages of one connection concurrently too, and
		// promises no order among the answers.
		k.work.Go(func() {
			defer func() { <-slots }()
			s.message(k, message)
		})
	})
	_ = k.conn.CloseNow() // frees what is left; it is closed already
	s.finish(k, end)
}

// finish tells $disconnect of the end, and then waits for what still runs: a
// message that came before the end is handled to its own.
func (s *Service) finish(k *socket, end closing) {
	defer close(k.done)
	s.closed(Closed{
		API: k.api, Stage: k.stage, ConnectionID: k.id, SourceIP: k.sourceIP,
		Code: int(end.code), Reason: end.reason, Open: s.clock.Since(k.connectedAt),
	})
	s.disconnect(k, end)
	k.work.Wait()
	s.sockets.remove(k)
}

// message routes one frame and sends the client what it gets for it.
func (s *Service) message(k *socket, message []byte) {
	requestID, now := newRequestID(), s.clock.Now()
	t, deployed := s.lookup(k.api, k.stage) // as it is by now
	rt, ok := t.route(message)
	switch {
	case !deployed || !ok:
		s.reply(k, errorFrame("Forbidden", k.id, requestID))
		return
	case !s.throttle.allow(t, rt.Key, now):
		s.reply(k, errorFrame("Too Many Requests", k.id, requestID))
		return
	}
	event := k.messageEvent(rt.Key, requestID, string(message), now, t.variables)
	res, err := s.call(context.Background(), t, rt, event, newTraceID(now))
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		s.reply(k, errorFrame("Endpoint request timed out", k.id, requestID))
	case err != nil, rt.TwoWay && len(res.Body) > maxMessage:
		s.reply(k, errorFrame("Internal server error", k.id, requestID))
	case rt.TwoWay && res.Body != "":
		s.reply(k, []byte(res.Body))
	}
}

// reply sends what nobody waits for: a client that has gone or does not read
// has no use for it.
func (s *Service) reply(k *socket, frame []byte) {
	if err := k.send(frame); err != nil {
		s.log.Debug("reply dropped", "connection", k.id, "error", err)
	}
}

// route selects by the message's body, else $default. The routes of the
// connection itself cannot be reached by a message.
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

// disconnect calls the $disconnect route, whose result is ignored. A stage that
// is no more has none.
func (s *Service) disconnect(k *socket, end closing) {
	t, _ := s.lookup(k.api, k.stage)
	rt, ok := t.routes["$disconnect"]
	if !ok {
		return
	}
	now := s.clock.Now()
	if _, err := s.call(context.Background(), t, rt, k.disconnectEvent(end, now, t.variables), newTraceID(now)); err != nil {
		s.log.Debug("$disconnect failed", "connection", k.id, "error", err)
	}
}
