package emulator

import (
	"bytes"
	"net"
	"net/http"
	"strings"
	"time"

	"fanfare/localstack/awsproto"
	"fanfare/localstack/gateway"
)

// logged gives each request its Call and tells what became of it.
func (e *Emulator) logged(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.URL.Path, adminPath) {
			next.ServeHTTP(w, r) // about the cloud, not of it
			return
		}
		begin, now := time.Now(), e.clock.Now()
		call := awsproto.NewCall(r, "")
		call.Faults = e.faults
		if strings.HasPrefix(call.Credential.AccessKeyID, temporaryKey) {
			call.Authorize = e.authority.authorize
			call.Invocation = e.lambda.InvocationOf(call.Credential.AccessKeyID)
		}
		rec := &statusRecorder{ResponseWriter: w}
		next.ServeHTTP(rec, r.WithContext(awsproto.WithCall(r.Context(), call)))
		e.tell(Request{
			Time: now.UTC(), RequestID: call.RequestID, Service: call.Service, Operation: call.Operation,
			Resource: nameResources(call.Resources), Region: call.Region,
			Status: rec.status, Took: Duration(time.Since(begin).Round(time.Microsecond)),
			Error: rec.errorCode(), Caller: e.callerOf(call), Source: sourceOf(r), Invocation: call.Invocation,
			Faulted: call.Faulted, Unknown: call.Unknown, Answer: rec.excerpt(),
		})
	})
}

// temporaryKey begins the ids of keys that sts issues.
const temporaryKey = "ASIA"

// tell remembers a request and logs it.
func (e *Emulator) tell(r Request) {
	r.shorten()
	e.requests.add(r)
	if e.opts.OnRequest != nil {
		e.opts.OnRequest(r)
		return
	}
	attrs := []any{"service", r.Service, "operation", r.Operation, "resource", r.Resource, "status", r.Status, "time", time.Duration(r.Took)}
	switch {
	case r.Faulted: // as ordered
	case r.Unknown:
		e.log.Warn("not in the local cloud", attrs...)
	case r.Status >= http.StatusInternalServerError && r.Operation != SocketClosed:
		e.log.Error("request failed", append(attrs, "answer", r.Answer)...)
	}
}

// socketClosed tells how a socket ended.
func (e *Emulator) socketClosed(c gateway.Closed) {
	e.tell(Request{
		Time: e.clock.Now().UTC(), Service: "execute-api", Operation: SocketClosed,
		Resource: c.API + "/" + c.Stage + "/" + c.ConnectionID,
		Status:   c.Code, Error: c.Reason, Source: c.SourceIP, Took: Duration(c.Open),
	})
}

// messageHandled tells what became of a socket's message.
func (e *Emulator) messageHandled(m gateway.Handled) {
	e.tell(Request{
		Time: m.At.UTC(), RequestID: m.RequestID, Service: "execute-api", Operation: m.Route,
		Resource: m.API + "/" + m.Stage + "/" + m.ConnectionID,
		Status:   m.Status, Took: Duration(m.Took.Round(time.Microsecond)), Error: m.Problem,
		Source: m.SourceIP, Faulted: m.Faulted, Invocation: m.Invocation,
	})
}

// callerOf names the session behind temporary credentials. Functions have
// their own name as their session's.
func (e *Emulator) callerOf(call *awsproto.Call) string {
	if !strings.HasPrefix(call.Credential.AccessKeyID, temporaryKey) {
		return ""
	}
	who, _ := e.sts.Lookup(call.Credential.AccessKeyID)
	return who.SessionName
}

func sourceOf(r *http.Request) string {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return ""
	}
	return host
}

// statusRecorder keeps the status of an answer, and the beginning of one that
// failed.
type statusRecorder struct {
	http.ResponseWriter
	status int
	body   bytes.Buffer
}

func (r *statusRecorder) WriteHeader(status int) {
	if r.status == 0 {
		r.status = status
	}
	r.ResponseWriter.WriteHeader(status)
}

// maxExcerpt is how much of a failed answer is kept while it is logged.
const maxExcerpt = 512

func (r *statusRecorder) Write(b []byte) (int, error) {
	if r.status == 0 {
		r.status = http.StatusOK
	}
	if room := maxExcerpt - r.body.Len(); r.status >= 400 && room > 0 {
		r.body.Write(b[:min(room, len(b))])
	}
	return r.ResponseWriter.Write(b)
}

func (r *statusRecorder) excerpt() string { return r.body.String() }

// errorCode finds an answer's error code where its protocol has it.
func (r *statusRecorder) errorCode() string {
	if failed := r.Header().Get("X-Amz-Function-Error"); failed != "" {
		return failed
	}
	if r.status < 400 {
		return ""
	}
	if code := r.Header().Get("x-amzn-ErrorType"); code != "" {
		return code
	}
	text := r.excerpt()
	if _, rest, ok := strings.Cut(text, `"__type":"`); ok { // JSON: ns#Code
		code, _, _ := strings.Cut(rest, `"`)
		return code[strings.LastIndex(code, "#")+1:]
	}
	if _, rest, ok := strings.Cut(text, "<Code>"); ok {
		code, _, _ := strings.Cut(rest, "<")
		return code
	}
	return ""
}

// Unwrap lets the WebSocket upgrade find the http.Hijacker below.
func (r *statusRecorder) Unwrap() http.ResponseWriter { return r.ResponseWriter }
