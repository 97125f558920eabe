package emulator

import (
	"fmt"
	"net/http"

	"fanfare/localstack/faults"
)

// FaultList is what GET /_localstack/faults answers.
type FaultList struct {
	Seed  uint64          `json:"seed"`
	Rules []faults.Status `json:"rules"`
}

func (e *Emulator) listFaults(w http.ResponseWriter, _ *http.Request) {
	writeAdmin(w, http.StatusOK, FaultList{Seed: e.faults.Seed(), Rules: e.faults.List()})
}

func (e *Emulator) addFault(w http.ResponseWriter, r *http.Request) {
	var rule faults.Rule
	err := readAdmin(r, &rule)
	var id string
	if err == nil {
		id, err = e.faults.Add(rule)
	}
	if err != nil {
		adminError(w, http.StatusBadRequest, fmt.Errorf(`want a rule such as {"service":"dynamodb","operation":"PutItem","latency":"200ms","throttle":true}: %w`, err))
		return
	}
	writeAdmin(w, http.StatusOK, map[string]string{"id": id})
}

func (e *Emulator) removeFault(w http.ResponseWriter, r *http.Request) {
	if !e.faults.Remove(r.PathValue("id")) {
		adminError(w, http.StatusNotFound, fmt.Errorf("there is no fault rule %q", r.PathValue("id")))
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

// removeFaults keeps the seed, unlike resetFaults.
func (e *Emulator) removeFaults(w http.ResponseWriter, _ *http.Request) {
	for _, rule := range e.faults.List() {
		e.faults.Remove(rule.ID)
	}
	w.WriteHeader(http.StatusNoContent)
}

// resetFaults takes {"seed":7}; without a seed the present one starts over.
func (e *Emulator) resetFaults(w http.ResponseWriter, r *http.Request) {
	in := struct {
		Seed uint64 `json:"seed"`
	}{e.faults.Seed()}
	if err := readAdmin(r, &in); err != nil {
		adminError(w, http.StatusBadRequest, fmt.Errorf(`want {"seed":7} or {}: %w`, err))
		return
	}
	e.faults.Reset(in.Seed)
	w.WriteHeader(http.StatusNoContent)
}
