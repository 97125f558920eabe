package emulator

import (
	"bytes"
	"net/http"
	"time"

	"fanfare/localstack/awsproto"
)

// logged gives each request its Call and logs what needs to be known of it.
func (e *Emulator) logged(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		begin := time.Now()
		call := awsproto.NewCall(r, "")
		rec := &statusRecorder{ResponseWriter: w}
		next.ServeHTTP(rec, r.WithContext(awsproto.WithCall(r.Context(), call)))

		attrs := []any{"service", call.Service, "operation", call.Operation, "status", rec.status, "time", time.Since(begin).Round(time.Microsecond)}
		switch {
		case call.Unknown:
			e.log.Warn("not in the local cloud", attrs...)
		case rec.status >= http.StatusInternalServerError:
			e.log.Error("request failed", append(attrs, "answer", rec.excerpt())...)
		case e.opts.LogRequests:
			e.log.Info("request", attrs...)
		}
	})
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

func (r *statusRecorder) Write(b []byte) (int, error) {
	if r.status == 0 {
		r.status = http.StatusOK
	}
	if room := 512 - r.body.Len(); r.status >= 500 && room > 0 {
		r.body.Write(b[:min(room, len(b))])
	}
	return r.ResponseWriter.Write(b)
}

func (r *statusRecorder) excerpt() string { return r.body.String() }

// Unwrap lets the WebSocket upgrade find the http.Hijacker below.
func (r *statusRecorder) Unwrap() http.ResponseWriter { return r.ResponseWriter }
