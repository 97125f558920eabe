package emulator

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"time"
)

// adminPath is the cloud's own API, beside AWS's.
const adminPath = "/_localstack/"

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

// maxAdvance keeps the clock within what certificates, tokens and time.Duration
// can express.
const maxAdvance = 10 * 365 * 24 * time.Hour

// advanceClock takes {"duration":"2h"}.
func (e *Emulator) advanceClock(w http.ResponseWriter, r *http.Request) {
	var in struct{ Duration string }
	err := json.NewDecoder(io.LimitReader(r.Body, 1024)).Decode(&in)
	var d time.Duration
	if err == nil {
		d, err = time.ParseDuration(in.Duration)
	}
	if err == nil && (d <= 0 || e.clock.Offset() > maxAdvance-min(d, maxAdvance)) {
		err = errors.New("the clock only goes forward, and at most ten years in all")
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
