package gateway

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"

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
// shapes recorded from AWS. The signature is not verified, but it must be there
// and for the right service.
func (s *Service) manage(w http.ResponseWriter, r *http.Request, call *awsproto.Call, t target, id string) {
	w.Header().Set("x-amzn-requestid", call.RequestID)
	w.Header().Set("x-amz-apigw-id", newRequestID())
	op, known := managementOps[r.Method]
	if !known {
		call.Unknown, call.Operation = true, r.Method+" @connections"
		forbidden(w)
		return
	}
	call.Operation = op
	if call.Credential.Service != "execute-api" {
		refuse(w, http.StatusForbidden, "MissingAuthenticationTokenException", `{"message":"Missing Authentication Token"}`)
		return
	}
	if !isConnectionID(id) {
		refuse(w, http.StatusBadRequest, "BadRequestException", messageJSON("Invalid connectionId: "+id))
		return
	}
	k, ok := s.sockets.get(t.api, t.stage, id)
	if !ok || !k.isOpen() {
		gone(w)
		return
	}
	switch r.Method {
	case http.MethodPost:
		post(w, r, k)
	case http.MethodGet:
		describe(w, r, k)
	case http.MethodDelete:
		k.close(closedByDelete)
		w.WriteHeader(http.StatusNoContent)
	}
}

func post(w http.ResponseWriter, r *http.Request, k *socket) {
	message, err := io.ReadAll(io.LimitReader(r.Body, maxMessage+1))
	if err != nil {
		refuse(w, http.StatusBadRequest, "BadRequestException", `{"message":"Bad Request"}`)
		return
	}
	if len(message) > maxMessage {
		refuse(w, http.StatusRequestEntityTooLarge, "PayloadTooLargeException", `{"message":"Message too long"}`)
		return
	}
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
	var b strings.Builder
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	_ = enc.Encode(map[string]string{"message": text}) // a string can always be encoded
	return strings.TrimSuffix(b.String(), "\n")
}
