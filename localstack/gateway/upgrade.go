package gateway

import (
	"context"
	"encoding/base64"
	"errors"
	"io"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/coder/websocket"

	"fanfare/localstack/awsproto"
)

// upgrade runs $connect and lets its result decide ("About the $connect and
// $disconnect routes"). The connection exists while $connect runs, but every
// post to it is answered 410.
func (s *Service) upgrade(w http.ResponseWriter, r *http.Request, t target) {
	if status, errorType := checkHandshake(r); status != 0 {
		if hasBody(r) { // do not wait for it before the answer goes out
			w.Header().Set("Connection", "close")
		}
		refuse(w, status, errorType, `{"message":`+strconv.Quote(http.StatusText(status))+`}`)
		return
	}
	k := s.newSocket(r, t)
	awsproto.CallFrom(r.Context()).Resources = []string{t.api + "/" + t.stage + "/" + k.id}
	if !s.throttle.allow(t, "$connect", k.connectedAt) || !s.limits.connect(k.connectedAt) {
		s.refuseConnect(w, r, t, k, failThrottled)
		return
	}
	fault := s.fate(r.Context(), "$connect", t.api+"/"+t.stage)
	if fault.Status != 0 {
		s.refuseConnect(w, r, t, k, failureFor(fault))
		return
	}
	if !s.sockets.add(k) {
		refuse(w, http.StatusServiceUnavailable, "ServiceUnavailableException", `{"message":"Service Unavailable"}`)
		return
	}
	protocol, ok := s.connect(w, r, t, k)
	if ok && fault.Drop {
		dropConnection(w)
		ok = false
	}
	if !ok {
		s.sockets.remove(k)
		close(k.done)
		return
	}
	// From here on posts are taken: whoever hears of the connection from the
	// client, which has its 101 a moment before we know it, can reach it.
	k.admit()
	w.Header().Del("x-amzn-requestid") // these are in refusals only
	w.Header().Del("x-amz-apigw-id")
	uw := &upgradeWriter{ResponseWriter: w, tooLarge: func() { k.close(closedBySize) }}
	conn, err := websocket.Accept(uw, r, acceptOptions(protocol))
	if err != nil { // $connect has run, so $disconnect must: the client has gone
		s.log.Debug("upgrade failed after $connect", "connection", k.id, "error", err)
		go s.finish(k, k.ended(err))
		return
	}
	k.open(conn, uw.conn)
	// A goroutine of its own lets the server's, with its larger stack and
	// buffers, end with this handler.
	go s.serve(k)
}

// dropConnection cuts a client off that waits for its answer, as a network that
// is lost after $connect has run does. $disconnect does not hear of it.
func dropConnection(w http.ResponseWriter) {
	if conn, _, err := http.NewResponseController(w).Hijack(); err == nil {
		_ = conn.Close()
	}
}

func acceptOptions(protocol string) *websocket.AcceptOptions {
	o := &websocket.AcceptOptions{
		InsecureSkipVerify: true, // API Gateway checks no Origin
		CompressionMode:    websocket.CompressionDisabled,
	}
	if protocol != "" {
		o.Subprotocols = []string{protocol}
	}
	return o
}

// checkHandshake refuses what is not a WebSocket handshake by RFC 6455, section
// 4.2.1, before any function is called for it. Status 0 means that it is one.
func checkHandshake(r *http.Request) (status int, errorType string) {
	key, err := base64.StdEncoding.DecodeString(r.Header.Get("Sec-WebSocket-Key"))
	switch {
	case !hasToken(r.Header, "Upgrade", "websocket"), !hasToken(r.Header, "Connection", "upgrade"):
		return http.StatusUpgradeRequired, "UpgradeRequiredException"
	case r.Method != http.MethodGet, r.Header.Get("Sec-WebSocket-Version") != "13", err != nil, len(key) != 16, hasBody(r):
		return http.StatusBadRequest, "BadRequestException"
	case len(r.URL.RequestURI()) > maxURL:
		return http.StatusRequestURITooLong, "RequestURITooLongException"
	}
	return 0, ""
}

// hasBody reports whether a request says that a body follows. A connection with
// one cannot be upgraded before the body has come, which may be never.
func hasBody(r *http.Request) bool { return r.ContentLength != 0 || len(r.TransferEncoding) > 0 }

// hasToken reports whether a comma-separated header has the token.
func hasToken(h http.Header, name, token string) bool {
	for _, line := range h.Values(name) {
		for part := range strings.SplitSeq(line, ",") {
			if strings.EqualFold(strings.TrimSpace(part), token) {
				return true
			}
		}
	}
	return false
}

func (s *Service) newSocket(r *http.Request, t target) *socket {
	return &socket{
		id: newRequestID(), api: t.api, stage: t.stage, domain: r.Host,
		sourceIP: remoteIP(r), userAgent: r.UserAgent(),
		connectedAt: s.clock.Now().Truncate(time.Millisecond), clock: s.clock, memory: &s.sockets.memory,
		done: make(chan struct{}),
	}
}

// refuseConnect answers for a connection whose $connect has not run.
func (s *Service) refuseConnect(w http.ResponseWriter, r *http.Request, t target, k *socket, f failure) {
	if t.logsAccess() {
		s.logAccess(t, k.connectEvent(r, s.traceOf(r), t.variables).encode(), k.connectedAt, outcome{status: f.status, problem: f.message})
	}
	f.write(w)
}

// traceOf returns the trace header of a connect's event. Of the client's own it
// takes what tracing needs. Lineage is not the client's to say: it is how Lambda
// counts the runs in a chain of requests.
func (s *Service) traceOf(r *http.Request) string {
	var root, rest string
	for part := range strings.SplitSeq(r.Header.Get("X-Amzn-Trace-Id"), ";") {
		switch part = strings.TrimSpace(part); {
		case root == "" && traceRootField.MatchString(part):
			root = part
		case traceOtherField.MatchString(part) && !strings.Contains(rest, part[:len("Parent")]):
			rest += ";" + part
		}
	}
	if root == "" {
		return newTraceID(s.clock.Now())
	}
	return root + rest
}

// The fields of a trace header (X-Ray developer guide, "Tracing header").
var (
	traceRootField  = regexp.MustCompile(`^Root=1-[0-9a-fA-F]{8}-[0-9a-fA-F]{24}$`)
	traceOtherField = regexp.MustCompile(`^(Parent=[0-9a-fA-F]{16}|Sampled=[01?])$`)
)

// connect asks the authorizer and calls the $connect route, as far as there
// are any. When one refuses, the answer has been written and ok is false.
func (s *Service) connect(w http.ResponseWriter, r *http.Request, t target, k *socket) (protocol string, ok bool) {
	rt, has := t.routes["$connect"]
	if !has && !t.logsAccess() {
		return "", true
	}
	traceID := s.traceOf(r)
	event := k.connectEvent(r, traceID, t.variables)
	// A client that leaves does not end its function, in AWS neither.
	ctx := context.WithoutCancel(r.Context())
	if has && rt.Authorizer != nil {
		var err error
		if k.authorizer, err = s.authorize(ctx, t, *rt.Authorizer, event, traceID); err != nil {
			no := s.refusalOf(*rt.Authorizer, err)
			s.logAccess(t, event.encode(), k.connectedAt, outcome{status: no.status, problem: http.StatusText(no.status)})
			refuse(w, no.status, no.errorType, no.body)
			return "", false
		}
		event.RequestContext.Authorizer = k.authorizer
	}
	if !has || rt.FunctionURI == "" {
		s.logAccess(t, event.encode(), k.connectedAt, outcome{status: http.StatusOK})
		return "", true
	}
	res, o := s.handle(ctx, t, rt, event.encode(), traceID)
	awsproto.CallFrom(r.Context()).Invocation = o.invoke
	s.logAccess(t, event.encode(), k.connectedAt, o)
	switch {
	case o.err != nil:
		failureOf(o.err).write(w)
	case res.StatusCode < 200 || res.StatusCode > 299:
		contentType := res.header("Content-Type")
		if contentType == "" {
			contentType = "application/json"
		}
		respond(w, res.StatusCode, contentType, res.Body)
	default:
		return res.header("Sec-WebSocket-Protocol"), true
	}
	return "", false
}

// handle calls a route's function and tells the access log's side of it.
func (s *Service) handle(ctx context.Context, t target, rt servedRoute, event []byte, traceID string) (proxyResult, outcome) {
	begin := time.Now()
	res, err := s.call(ctx, t, rt, event, traceID)
	o := outcome{status: res.StatusCode, called: true, latency: time.Since(begin), invoke: res.invoke, function: res.StatusCode, err: err}
	if err != nil {
		f := failureOf(err)
		o.status, o.problem = f.status, f.message
	}
	return res, o
}

// failureOf is what a call's error looks like to the client.
func failureOf(err error) failure {
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		return failTimeout
	case errors.Is(err, errIntegration):
		return failFunction
	}
	return failCall // the call itself was refused
}

// respond writes a whole answer.
func respond(w http.ResponseWriter, status int, contentType, body string) {
	if body != "" {
		w.Header().Set("Content-Type", contentType)
	}
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(status)
	_, _ = io.WriteString(w, body) // the client has gone: nobody to tell
}
