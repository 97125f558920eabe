package gateway

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/coder/websocket"

	"fanfare/localstack/awsproto"
)

// target is the stage that a request is for, with what it serves.
type target struct {
	api, stage string
	region     string
	selection  selection
	routes     release
	variables  map[string]string
}

// lookup finds a deployed stage.
func (s *Service) lookup(apiID, stageName string) (target, bool) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	a, ok := s.state.APIs[apiID]
	if !ok {
		return target{}, false
	}
	st, ok := a.Stages[stageName]
	if !ok {
		return target{}, false
	}
	served, ok := a.served(st)
	if !ok {
		return target{}, false
	}
	sel, err := parseSelection(a.API.RouteSelectionExpression)
	if err != nil { // validated when it was set
		return target{}, false
	}
	return target{
		api: apiID, stage: stageName, region: a.Region,
		selection: sel, routes: served, variables: st.StageVariables,
	}, true
}

// serveData takes /_aws/execute-api/<apiId>/<stage>[/@connections/<id>].
func (s *Service) serveData(w http.ResponseWriter, r *http.Request) {
	call := awsproto.CallFrom(r.Context())
	call.Service = "execute-api"
	// Split before unescaping: a connection id may hold an escaped slash.
	parts := strings.Split(strings.TrimPrefix(r.URL.EscapedPath(), DataPath), "/")
	for i, p := range parts {
		unescaped, err := url.PathUnescape(p)
		if err != nil {
			forbidden(w)
			return
		}
		parts[i] = unescaped
	}
	t := target{}
	found := false
	if len(parts) >= 2 {
		t, found = s.lookup(parts[0], parts[1])
	}
	switch {
	case !found:
		call.Operation = "Unknown API or stage"
		forbidden(w)
	case len(parts) == 4 && parts[2] == "@connections":
		s.manage(w, r, t, parts[3])
	case len(parts) == 2 || len(parts) == 3 && parts[2] == "":
		call.Operation = "$connect"
		s.upgrade(w, r, t)
	default:
		call.Operation = "Unknown path"
		forbidden(w)
	}
}

func forbidden(w http.ResponseWriter) { answer(w, http.StatusForbidden, `{"message":"Forbidden"}`) }

// answer writes a refusal as API Gateway words it.
func answer(w http.ResponseWriter, status int, body string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write([]byte(body)) // the client has gone: nobody to tell
}

// upgrade runs $connect and lets its result decide ("About the $connect and
// $disconnect routes"). The connection exists while $connect runs, but every
// post to it is answered 410.
func (s *Service) upgrade(w http.ResponseWriter, r *http.Request, t target) {
	if !isUpgrade(r) {
		answer(w, http.StatusUpgradeRequired, `{"message":"Upgrade Required"}`)
		return
	}
	if len(r.URL.RequestURI()) > maxURL {
		answer(w, http.StatusRequestURITooLong, `{"message":"URI Too Long"}`)
		return
	}
	k := s.newSocket(r, t)
	if !s.sockets.add(k) {
		answer(w, http.StatusServiceUnavailable, `{"message":"Service Unavailable"}`)
		return
	}
	protocol, ok := s.connect(w, r, t, k)
	if !ok {
		s.sockets.remove(k)
		close(k.done)
		return
	}
	opts := &websocket.AcceptOptions{
		InsecureSkipVerify: true, // API Gateway checks no Origin
		CompressionMode:    websocket.CompressionDisabled,
	}
	if protocol != "" {
		opts.Subprotocols = []string{protocol}
	}
	conn, err := websocket.Accept(w, r, opts)
	if err != nil { // the function has run: it learns that nobody is there
		s.log.Debug("upgrade failed after $connect", "connection", k.id, "error", err)
		go s.disconnect(t, k, lost)
		return
	}
	k.open(conn)
	// A goroutine of its own lets the server's, with its larger stack and
	// buffers, end with this handler.
	go s.serve(t, k)
}

func isUpgrade(r *http.Request) bool {
	return strings.EqualFold(r.Header.Get("Upgrade"), "websocket") &&
		strings.Contains(strings.ToLower(r.Header.Get("Connection")), "upgrade")
}

func (s *Service) newSocket(r *http.Request, t target) *socket {
	return &socket{
		id: newRequestID(), api: t.api, stage: t.stage, domain: r.Host,
		sourceIP: remoteIP(r), userAgent: r.UserAgent(),
		connectedAt: s.clock.Now().Truncate(time.Millisecond), clock: s.clock,
		done: make(chan struct{}),
	}
}

// connect calls the $connect route, if there is one. When it refuses, the
// answer has been written and ok is false.
func (s *Service) connect(w http.ResponseWriter, r *http.Request, t target, k *socket) (protocol string, ok bool) {
	rt, has := t.routes["$connect"]
	if !has {
		return "", true
	}
	traceID := r.Header.Get("X-Amzn-Trace-Id")
	if traceID == "" {
		traceID = newTraceID(s.clock.Now())
	}
	event, err := k.connectEvent(r, newRequestID(), traceID, t.variables)
	if err != nil {
		answer(w, http.StatusInternalServerError, `{"message":"Internal server error"}`)
		return "", false
	}
	res, err := s.call(r.Context(), t, rt, event, traceID)
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		answer(w, http.StatusGatewayTimeout, `{"message":"Endpoint request timed out"}`)
	case errors.Is(err, errIntegration):
		answer(w, http.StatusBadGateway, `{"message":"Internal server error"}`)
	case err != nil: // the call itself was refused
		answer(w, http.StatusInternalServerError, `{"message":"Internal server error"}`)
	case res.StatusCode < 200 || res.StatusCode > 299:
		res.write(w)
	default:
		return res.header("Sec-WebSocket-Protocol"), true
	}
	return "", false
}

// errIntegration: the function failed or did not answer as a proxy
// integration must.
var errIntegration = errors.New("integration failed")

// proxyResult is a proxy integration's answer.
type proxyResult struct {
	StatusCode int               `json:"statusCode"`
	Headers    map[string]string `json:"headers"`
	Body       string            `json:"body"`
}

func (p proxyResult) header(name string) string {
	for k, v := range p.Headers {
		if strings.EqualFold(k, name) {
			return v
		}
	}
	return ""
}

func (p proxyResult) write(w http.ResponseWriter) {
	contentType := p.header("Content-Type")
	if contentType == "" {
		contentType = "application/json"
	}
	w.Header().Set("Content-Type", contentType)
	status := p.StatusCode
	if status < 200 || status > 599 { // not a status that can be sent
		status = http.StatusBadGateway
	}
	w.WriteHeader(status)
	_, _ = w.Write([]byte(p.Body)) // the client has gone: nobody to tell
}

// call invokes a route's function and reads its answer.
func (s *Service) call(ctx context.Context, t target, rt servedRoute, event []byte, traceID string) (proxyResult, error) {
	arn, err := functionARN(rt.FunctionURI, withoutNil(t.variables))
	if err != nil {
		return proxyResult{}, err
	}
	ctx, cancel := context.WithTimeout(ctx, time.Duration(rt.TimeoutMS)*time.Millisecond)
	defer cancel()
	res, err := s.invoke(ctx, Invocation{
		FunctionARN: arn, Payload: event, TraceID: traceID,
		SourceARN: fmt.Sprintf("arn:aws:execute-api:%s:%s:%s/%s/%s", t.region, awsproto.AccountID, t.api, t.stage, rt.Key),
	})
	if err != nil {
		s.log.Warn("integration could not be called", "route", rt.Key, "function", arn, "error", err)
		return proxyResult{}, err
	}
	if res.Failed {
		return proxyResult{}, fmt.Errorf("%w: %s answered with a function error", errIntegration, arn)
	}
	return parseProxyResult(res.Payload)
}

func parseProxyResult(payload []byte) (proxyResult, error) {
	var p proxyResult
	if err := json.Unmarshal(payload, &p); err != nil {
		return proxyResult{}, fmt.Errorf("%w: malformed proxy result: %v", errIntegration, err)
	}
	if p.StatusCode == 0 {
		return proxyResult{}, fmt.Errorf("%w: malformed proxy result: no statusCode", errIntegration)
	}
	return p, nil
}

func withoutNil(m map[string]string) map[string]string {
	if m == nil {
		return map[string]string{}
	}
	return m
}
