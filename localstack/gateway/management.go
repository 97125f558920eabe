package gateway

import (
	"errors"
	"io"
	"net/http"
	"strconv"

	"fanfare/localstack/awsproto"
)

// isoMillis is the time format of GetConnection.
const isoMillis = "2006-01-02T15:04:05.000Z"

// manage serves @connections: POST, GET and DELETE of one connection, in the
// shapes recorded from AWS.
func (s *Service) manage(w http.ResponseWriter, r *http.Request, t target, id string) {
	call := awsproto.CallFrom(r.Context())
	w.Header().Set("x-amzn-requestid", call.RequestID)
	w.Header().Set("x-amz-apigw-id", newRequestID())
	switch r.Method {
	case http.MethodPost:
		call.Operation = "PostToConnection"
	case http.MethodGet:
		call.Operation = "GetConnection"
	case http.MethodDelete:
		call.Operation = "DeleteConnection"
	default:
		call.Unknown, call.Operation = true, r.Method+" @connections"
		refuse(w, http.StatusForbidden, "ForbiddenException", `{"message":"Forbidden"}`)
		return
	}
	if call.Credential.Service != "execute-api" {
		// Unsigned, or signed for another service.
		refuse(w, http.StatusForbidden, "MissingAuthenticationTokenException", `{"message":"Missing Authentication Token"}`)
		return
	}
	if !isConnectionID(id) {
		refuse(w, http.StatusBadRequest, "BadRequestException", `{"message":`+strconv.Quote("Invalid connectionId: "+id)+`}`)
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
		w.Header().Set("Content-Length", "0")
		w.WriteHeader(http.StatusOK)
	}
}

func describe(w http.ResponseWriter, r *http.Request, k *socket) {
	var userAgent *string
	if k.userAgent != "" {
		userAgent = &k.userAgent
	}
	awsproto.WriteREST(w, r, http.StatusOK, map[string]any{
		"identity":     map[string]any{"sourceIp": k.sourceIP, "userAgent": userAgent},
		"connectedAt":  k.connectedAt.UTC().Format(isoMillis),
		"lastActiveAt": k.activeAt().UTC().Format(isoMillis),
	}, nil)
}

// gone is 410 with an empty body: the header alone tells the SDKs what it is.
func gone(w http.ResponseWriter) { refuse(w, http.StatusGone, "GoneException", "") }

func refuse(w http.ResponseWriter, status int, errorType, body string) {
	w.Header().Set("x-amzn-ErrorType", errorType)
	if body != "" {
		w.Header().Set("Content-Type", "application/json")
	}
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(status)
	_, _ = io.WriteString(w, body) // the caller has gone: nobody to tell
}
