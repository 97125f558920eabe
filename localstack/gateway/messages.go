package gateway

import (
	"context"
	"fmt"
	"net/http"
	"time"
)

// maxInFlight bounds how many messages of one socket are being handled at a
// time; the next is read when one is done. So a client that sends faster than its
// functions work is slowed down by TCP, and takes no more memory.
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
	requestID, now, begin := newRequestID(), s.clock.Now(), time.Now()
	t, deployed := s.lookup(k.api, k.stage) // as it is by now
	rt, ok := t.route(message)
	event := k.messageEvent(rt.Key, requestID, string(message), now, t.variables)
	var o outcome
	switch {
	case !deployed:
		o = refused(failForbidden)
	case ok && !s.throttle.allow(t, rt.Key, now), !s.limits.request(now):
		o = refused(failThrottled)
	case !ok:
		o = refused(failForbidden)
	default:
		o = s.answer(k, t, rt, event, newTraceID(now))
	}
	s.tell(k, rt.Key, requestID, now, time.Since(begin), o)
	if k.isLostQuietly() {
		return
	}
	if o.problem != "" {
		s.reply(k, errorFrame(o.problem, k.id, requestID))
	}
	s.logAccess(t, event, now, o)
}

// tell has Options.Handled hear of a message.
func (s *Service) tell(k *socket, route, requestID string, at time.Time, took time.Duration, o outcome) {
	if s.handled == nil {
		return
	}
	s.handled(Handled{
		API: k.api, Stage: k.stage, ConnectionID: k.id, SourceIP: k.sourceIP, RequestID: requestID, Route: route,
		Status: o.status, Problem: o.problem, Faulted: o.faulted, At: at, Took: took, Invocation: o.invoke,
	})
}

func refused(f failure) outcome { return outcome{status: f.status, problem: f.message} }

// answer has the route's function handle a message. What goes wrong is in the
// outcome.
func (s *Service) answer(k *socket, t target, rt servedRoute, event []byte, traceID string) outcome {
	ctx := context.Background()
	switch fault := s.fate(ctx, rt.Key, k.id); {
	case fault.Drop:
		k.lose()
		return outcome{faulted: true}
	case fault.Status != 0:
		o := refused(failureFor(fault))
		o.faulted = true
		return o
	}
	res, o := s.handle(ctx, t, rt, event, traceID)
	switch {
	case o.err != nil || !rt.TwoWay || res.Body == "":
	case len(res.Body) > maxMessage:
		o.status, o.problem = failCall.status, failCall.message
	default:
		s.reply(k, []byte(res.Body))
	}
	return o
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
	return fmt.Appendf(nil, `{"message": %s, "connectionId":"%s", "requestId":"%s"}`, quoteJSON(message), connectionID, requestID)
}

// disconnect calls the $disconnect route, whose result is ignored. A stage that
// is no more has none.
func (s *Service) disconnect(k *socket, end closing) {
	t, deployed := s.lookup(k.api, k.stage)
	if !deployed || k.isLostQuietly() {
		return
	}
	// AWS promises $disconnect as best effort only: a fault is one that is lost.
	if fault := s.fate(context.Background(), "$disconnect", k.id); fault.Drop || fault.Status != 0 {
		return
	}
	now := s.clock.Now()
	event := k.disconnectEvent(end, now, t.variables)
	o := outcome{status: http.StatusOK}
	if rt, ok := t.routes["$disconnect"]; ok {
		_, o = s.handle(context.Background(), t, rt, event, newTraceID(now))
	}
	if o.err != nil {
		s.log.Warn("$disconnect failed: rows of the connection may be left", "connection", k.id, "error", o.err)
	}
	s.logAccess(t, event, now, o)
}
