package emulator

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"fanfare/localstack/awsproto"
)

// adminPath is the cloud's own API, beside AWS's:
//
//	GET    /_localstack/health          {"services":{"dynamodb":"available",…},"edition":…,"version":…}
//	GET    /_localstack/info            what runs here: endpoint, data directory, clock, counts
//	GET    /_localstack/alarms          {"alarms":[…]} (cloudwatch.AlarmState), those that ring first
//	GET    /_localstack/clock           {"now":"2026-01-02T15:04:05Z","offset":"2h0m0s"}
//	POST   /_localstack/clock/advance   {"duration":"2h"} → the clock as above
//	GET    /_localstack/faults          {"seed":1,"rules":[{"id":"1","service":"sqs",…,"matched":7,"faulted":2}]}
//	POST   /_localstack/faults          a rule (faults.Rule) → {"id":"1"}; the same id replaces
//	DELETE /_localstack/faults/{id}     204
//	DELETE /_localstack/faults          204; no rule is left
//	POST   /_localstack/faults/reset    {"seed":7}: no rule is left, and all starts over with that seed
//	GET    /_localstack/requests        {"requests":[…]} (Request), oldest first; ?service= &operation= &limit=
//	                                    &since= a time (RFC 3339) or a duration ("10s" ago, of the cloud's clock)
//	DELETE /_localstack/requests        204; none is left
//	GET    /_localstack/iam             {"roles":[…]} (RoleAccess): what each role is granted and has used; ?role= a name or ARN
//	DELETE /_localstack/iam             204; what was used is forgotten
//	POST   /_localstack/snapshot        204 once the state is saved to the data directory
//
// What is wrong is answered {"error":"…"} with a 4xx status. A member or
// parameter that is not listed here is refused.
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
		writeAdmin(w, http.StatusOK, map[string]any{"services": available, "edition": edition, "version": Version})
	})
	mux.HandleFunc("GET "+adminPath+"info", e.info)
	mux.HandleFunc("GET "+adminPath+"alarms", func(w http.ResponseWriter, _ *http.Request) {
		writeAdmin(w, http.StatusOK, map[string]any{"alarms": e.cloudwatch.AlarmStates()})
	})
	mux.HandleFunc("GET "+adminPath+"clock", e.showClock)
	mux.HandleFunc("POST "+adminPath+"clock/advance", e.advanceClock)
	mux.HandleFunc("GET "+adminPath+"faults", e.listFaults)
	mux.HandleFunc("POST "+adminPath+"faults", e.addFault)
	mux.HandleFunc("DELETE "+adminPath+"faults", e.removeFaults)
	mux.HandleFunc("DELETE "+adminPath+"faults/{id}", e.removeFault)
	mux.HandleFunc("POST "+adminPath+"faults/reset", e.resetFaults)
	mux.HandleFunc("GET "+adminPath+"requests", e.listRequests)
	mux.HandleFunc("DELETE "+adminPath+"requests", func(w http.ResponseWriter, _ *http.Request) {
		e.requests.clear()
		w.WriteHeader(http.StatusNoContent)
	})
	mux.HandleFunc("GET "+adminPath+"iam", e.showAccess)
	mux.HandleFunc("DELETE "+adminPath+"iam", e.clearAccess)
	mux.HandleFunc("POST "+adminPath+"snapshot", func(w http.ResponseWriter, _ *http.Request) {
		if err := e.Save(); err != nil {
			adminError(w, http.StatusConflict, err)
			return
		}
		w.WriteHeader(http.StatusNoContent)
	})
	mux.HandleFunc(adminPath, func(w http.ResponseWriter, r *http.Request) {
		adminError(w, http.StatusNotFound, fmt.Errorf("the local cloud has no %s %s", r.Method, r.URL.Path))
	})
	return mux
}

// Version is the LocalStack API level that health answers with: clients such
// as testcontainers compare it.
const Version = "4.0.0"

const edition = "community"

// Info is what GET /_localstack/info answers.
type Info struct {
	Version  string   `json:"version"`
	Edition  string   `json:"edition"`
	Endpoint string   `json:"endpoint"` // as clients name it
	Account  string   `json:"account"`
	DataDir  string   `json:"dataDir,omitempty"`
	Uptime   Duration `json:"uptime"` // real time
	Clock    ClockNow `json:"clock"`
	Faults   int      `json:"faults"`   // rules
	Requests int      `json:"requests"` // kept
}

func (e *Emulator) info(w http.ResponseWriter, _ *http.Request) {
	writeAdmin(w, http.StatusOK, Info{
		Version: Version, Edition: edition, Endpoint: e.publicURL(), Account: awsproto.AccountID, DataDir: e.opts.DataDir,
		Uptime: Duration(time.Since(e.born).Round(time.Millisecond)), Clock: e.clockNow(),
		Faults: len(e.faults.List()), Requests: len(e.Requests(RequestFilter{})),
	})
}

// maxAdminBody is far more than any rule needs.
const maxAdminBody = 64 << 10

// readAdmin decodes a body into v and refuses members that v does not have.
func readAdmin(r *http.Request, v any) error {
	body, err := io.ReadAll(io.LimitReader(r.Body, maxAdminBody+1))
	if err != nil {
		return err
	}
	if len(body) > maxAdminBody {
		return fmt.Errorf("the body is larger than %d bytes", maxAdminBody)
	}
	dec := json.NewDecoder(bytes.NewReader(body))
	dec.DisallowUnknownFields()
	if err := dec.Decode(v); err != nil {
		return err
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return errors.New("there is more than one JSON value in the body")
	}
	return nil
}

func adminError(w http.ResponseWriter, status int, err error) {
	writeAdmin(w, status, map[string]string{"error": err.Error()})
}

func writeAdmin(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v) // the caller has gone: nobody to tell
}
