package gateway

import (
	"errors"
	"io"
	"net/http"

	"fanfare/localstack/awsproto"
)

// isoMillis is the time format of GetConnection.
const isoMillis = "2006-01-02T15:04:05.000Z"

// managementOps are the operations of @connections by method.
var managementOps = map[string]string{
	http.MethodPost:   "PostToConnection",
	http.MethodGet:    "GetConnection",
	http.MethodDelete: "DeleteConnection",
}

// manage serves @connections: POST, GET and DELETE of one connection, in the
// shapes recorded from AWS.
func (s *Service) manage(w http.ResponseWriter, r *http.Request, call *awsproto.Call, t target, id string) {
	op, known := managementOps[r.Method]
	if !known {
		call.Unknown, call.Operation = true, r.Method+" @connections"
		forbidden(w)
		return
	}
	call.Operation = op
	body, fail := s.admitCall(r, call)
	if fail == nil {
		if err := call.Permit(r, nil); err != nil {
			denied(w, awsproto.AsError(err))
			return
		}
	}
	if fail == nil && !isConnectionID(id) {
		fail = &failure{http.StatusBadRequest, "BadRequestException", "Invalid connectionId: " + id}
	}
	if fail != nil {
		fail.write(w)
		return
	}
	fault := s.fate(r.Context(), op, id)
	k, ok := s.sockets.get(t.api, t.stage, id)
	if ok && fault.Drop {
		k.lose()
	}
	if fault.Status != 0 {
		call.Faulted = true
		failureFor(fault).write(w)
		return
	}
	if !ok || !k.isOpen() {
		gone(w)
		return
	}
	switch r.Method {
	case http.MethodPost:
		post(w, body, k)
	case http.MethodGet:
		describe(w, r, k)
	case http.MethodDelete:
		k.close(closedByDelete)
		w.WriteHeader(http.StatusNoContent)
	}
}

// admitCall reads a call's body, and refuses what is over a limit or not signed
// by who it says it is. A body that is too large is not read to its end, and so
// cannot have its signature checked.
func (s *Service) admitCall(r *http.Request, call *awsproto.Call) (body []byte, fail *failure) {
	if !s.limits.request(s.clock.Now()) {
		return nil, &failure{http.StatusTooManyRequests, "LimitExceededException", failThrottled.message}
	}
	if s.authenticate == nil && call.Credential.Service != serviceName {
		return nil, failureOfError(awsproto.MissingAuthenticationToken())
	}
	body, err := io.ReadAll(io.LimitReader(r.Body, maxMessage+1))
	switch {
	case err != nil:
		return nil, &failure{http.StatusBadRequest, "BadRequestException", "Bad Request"}
	case len(body) > maxMessage:
		return nil, &failure{http.StatusRequestEntityTooLarge, "PayloadTooLargeException", "Message too long"}
	case s.authenticate == nil:
		return body, nil
	}
	return body, failureOfError(s.authenticate(r, body))
}

// denied refuses a caller whose policies do not allow the call. Unlike all other
// answers, this one's Message has a capital letter, as IAM authorization's has
// in every kind of API.
func denied(w http.ResponseWriter, e *awsproto.Error) {
	refuse(w, e.Status, e.Code, `{"Message":`+quoteJSON(e.Message)+`}`)
}

// failureOfError is nil for nil.
func failureOfError(err *awsproto.Error) *failure {
	if err == nil {
		return nil
	}
	return &failure{err.Status, err.Code, err.Message}
}

func post(w http.ResponseWriter, message []byte, k *socket) {
	switch err := k.send(message); {
	case errors.Is(err, errBufferFull):
		refuse(w, http.StatusTooManyRequests, "LimitExceededException", `{"message":"Limit exceeded"}`)
	case err != nil:
		gone(w)
	default:
		w.Header().Set("Content-Type", "application/json")
		respond(w, http.StatusOK, "", "")
	}
}

// connectionInfo is GetConnection's answer, in AWS's order.
type connectionInfo struct {
	ConnectedAt string `json:"connectedAt"`
	Identity    struct {
		SourceIP  string  `json:"sourceIp"`
		UserAgent *string `json:"userAgent"` // null where the client sent none
	} `json:"identity"`
	LastActiveAt string `json:"lastActiveAt"`
}

func describe(w http.ResponseWriter, r *http.Request, k *socket) {
	var info connectionInfo
	info.ConnectedAt = k.connectedAt.UTC().Format(isoMillis)
	info.LastActiveAt = k.activeAt().UTC().Format(isoMillis)
	info.Identity.SourceIP = k.sourceIP
	if k.userAgent != "" {
		info.Identity.UserAgent = &k.userAgent
	}
	awsproto.WriteREST(w, r, http.StatusOK, info, nil)
}

// gone is 410 with an empty body.
func gone(w http.ResponseWriter) { refuse(w, http.StatusGone, "GoneException", "") }

// messageJSON is {"message":…} for a text that came from outside.
func messageJSON(text string) string {
	return `{"message":` + quoteJSON(text) + `}`
}
