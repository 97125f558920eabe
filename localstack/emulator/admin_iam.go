package emulator

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// AccessList is what GET /_localstack/iam answers.
type AccessList struct {
	Roles []RoleAccess `json:"roles"`
}

func (e *Emulator) showAccess(w http.ResponseWriter, r *http.Request) {
	query, err := url.ParseQuery(r.URL.RawQuery)
	for name := range query {
		if name != "role" {
			err = fmt.Errorf("there is no filter %q: use role", name)
		}
	}
	if err != nil {
		adminError(w, http.StatusBadRequest, err)
		return
	}
	roles := e.AccessReport()
	if role := query.Get("role"); role != "" {
		roles = slices.DeleteFunc(roles, func(r RoleAccess) bool { return r.Role != role && !strings.HasSuffix(r.Role, "/"+role) })
		if len(roles) == 0 {
			adminError(w, http.StatusNotFound, fmt.Errorf("there is no role %q: GET /_localstack/iam, or iam report, lists those there are", role))
			return
		}
	}
	writeAdmin(w, http.StatusOK, AccessList{roles})
}

func (e *Emulator) clearAccess(w http.ResponseWriter, _ *http.Request) {
	e.ClearAccess()
	w.WriteHeader(http.StatusNoContent)
}
