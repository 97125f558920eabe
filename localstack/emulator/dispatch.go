package emulator

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"
	"time"

	"fanfare/localstack/awsproto"
	"fanfare/localstack/gateway"
	"fanfare/localstack/kms"
)

// adminPath is the cloud's own API, beside AWS's.
const adminPath = "/_localstack/"

// Handler serves all services. They are told apart by the service in the
// signature's scope; sockets and @connections by their path; a request that is
// not signed by its X-Amz-Target.
func (e *Emulator) Handler() http.Handler {
	services := map[string]http.Handler{
		"dynamodb": e.dynamodb, "sqs": e.sqs, "lambda": e.lambda, "apigateway": e.gateway,
		"iam": e.iam, "sts": e.sts, "kms": kms.New(), "logs": e.logs, "monitoring": e.cloudwatch,
	}
	admin := e.admin(services)
	return e.logged(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.URL.Path, adminPath) {
			admin.ServeHTTP(w, r)
			return
		}
		call := awsproto.CallFrom(r.Context())
		if strings.HasPrefix(r.URL.Path, gateway.DataPath) {
			e.gateway.ServeHTTP(w, r)
			return
		}
		if call.Service == "" {
			call.Service = serviceOfTarget(r.Header.Get("X-Amz-Target"))
		}
		service, ok := services[call.Service]
		if !ok {
			refuseService(w, r, call)
			return
		}
		service.ServeHTTP(w, r)
	}))
}

// targets are the X-Amz-Target prefixes of the JSON services.
var targets = map[string]string{"DynamoDB_20120810": "dynamodb", "AmazonSQS": "sqs", "Logs_20140328": "logs", "TrentService": "kms"}

func serviceOfTarget(target string) string {
	prefix, _, _ := strings.Cut(target, ".")
	return targets[prefix]
}

// refuseService answers for a service that the local cloud does not have.
func refuseService(w http.ResponseWriter, r *http.Request, call *awsproto.Call) {
	call.Unknown = true
	call.Operation = r.Method + " " + r.URL.Path
	if target := r.Header.Get("X-Amz-Target"); target != "" {
		call.Operation = target
	}
	if strings.HasPrefix(r.Header.Get("Content-Type"), "application/x-www-form-urlencoded") {
		awsproto.Query{}.ServeHTTP(w, r) // which knows no action, and says so in XML
		return
	}
	err := awsproto.UnknownOperation(call.Operation)
	if call.Service == "" {
		err.Message = "the request is not signed for an AWS service"
	} else {
		err.Message = "the local cloud has no service " + call.Service
	}
	awsproto.WriteREST(w, r, 0, nil, err)
}

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

// admin serves the cloud's own API.
func (e *Emulator) admin(services map[string]http.Handler) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET "+adminPath+"health", func(w http.ResponseWriter, _ *http.Request) {
		available := map[string]string{}
		for name := range services {
			available[name] = "available"
		}
		available["cloudwatch"] = "available" // LocalStack's name for monitoring
		writeAdmin(w, http.StatusOK, map[string]any{"services": available, "edition": "community", "version": Version})
	})
	mux.HandleFunc("POST "+adminPath+"snapshot", func(w http.ResponseWriter, _ *http.Request) {
		if err := e.Save(); err != nil {
			writeAdmin(w, http.StatusConflict, map[string]any{"error": err.Error()})
			return
		}
		w.WriteHeader(http.StatusNoContent)
	})
	mux.HandleFunc("POST "+adminPath+"clock/advance", e.advanceClock)
	mux.HandleFunc(adminPath, func(w http.ResponseWriter, r *http.Request) {
		writeAdmin(w, http.StatusNotFound, map[string]any{"error": "the local cloud has no " + r.Method + " " + r.URL.Path})
	})
	return mux
}

// Version is the LocalStack API level that health answers with: clients such
// as testcontainers compare it.
const Version = "4.0.0"

// advanceClock takes {"duration":"2h"}.
func (e *Emulator) advanceClock(w http.ResponseWriter, r *http.Request) {
	var in struct{ Duration string }
	err := json.NewDecoder(io.LimitReader(r.Body, 1024)).Decode(&in)
	var d time.Duration
	if err == nil {
		d, err = time.ParseDuration(in.Duration)
	}
	if err == nil && d <= 0 {
		err = errors.New("the clock only goes forward")
	}
	if err != nil {
		writeAdmin(w, http.StatusBadRequest, map[string]any{"error": `want {"duration":"2h"}: ` + err.Error()})
		return
	}
	e.clock.Advance(d)
	writeAdmin(w, http.StatusOK, map[string]any{"now": e.clock.Now().UTC()})
}

func writeAdmin(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v) // the caller has gone: nobody to tell
}
