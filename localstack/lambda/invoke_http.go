package lambda

import (
	"encoding/base64"
	"net/http"

	"fanfare/localstack/awsproto"
)

// serveInvoke serves the Invoke operation. The body of its answer is the
// function's own.
func (s *Service) serveInvoke(w http.ResponseWriter, r *http.Request) {
	call := awsproto.CallFrom(r.Context())
	call.Operation = "Invoke"
	var status int
	var res Response
	err := call.Permit(r, nil)
	if err == nil {
		status, res, err = s.dispatch(r, call.RequestID)
	}
	if err != nil {
		if e := awsproto.AsError(err); e.Status == http.StatusTooManyRequests {
			w.Header().Set("Retry-After", "1")
		}
		awsproto.WriteREST(w, r, 0, nil, err)
		return
	}
	h := w.Header()
	h.Set("x-amzn-RequestId", call.RequestID)
	if res.ExecutedVersion != "" {
		h.Set("X-Amz-Executed-Version", res.ExecutedVersion)
		h.Set("Content-Type", "application/json")
	}
	if res.FunctionError != "" {
		h.Set("X-Amz-Function-Error", res.FunctionError)
	}
	if res.LogTail != "" {
		h.Set("X-Amz-Log-Result", base64.StdEncoding.EncodeToString([]byte(res.LogTail)))
	}
	w.WriteHeader(status)
	_, _ = w.Write(res.Payload) // the client has gone: nobody to tell
}

// dispatch does what X-Amz-Invocation-Type asks for.
func (s *Service) dispatch(r *http.Request, requestID string) (status int, res Response, err error) {
	ref, err := target(r)
	if err != nil {
		return 0, res, err
	}
	payload, err := awsproto.ReadBody(r)
	if err != nil {
		return 0, res, err
	}
	req := Request{
		Function: ref.qualified(), Payload: payload, TraceID: r.Header.Get("X-Amzn-Trace-Id"),
		Tail: r.Header.Get("X-Amz-Log-Type") == "Tail",
	}
	if req.ClientContext, err = clientContext(r); err != nil {
		return 0, res, err
	}
	switch kind := r.Header.Get("X-Amz-Invocation-Type"); kind {
	case "", "RequestResponse":
		res, err = s.invoke(r.Context(), req, requestID)
		return http.StatusOK, res, err
	case "Event":
		return http.StatusAccepted, res, s.enqueue(req, requestID)
	case "DryRun":
		return http.StatusNoContent, res, s.exists(ref)
	default:
		return 0, res, constraint(kind, "invocationType", "Member must satisfy enum value set: [Event, RequestResponse, DryRun]")
	}
}

func clientContext(r *http.Request) (string, error) {
	text, err := base64.StdEncoding.DecodeString(r.Header.Get("X-Amz-Client-Context"))
	if err != nil {
		return "", fault(http.StatusBadRequest, "InvalidRequestContentException", "Client context must be a valid Base64-encoded JSON object.")
	}
	return string(text), nil
}

func (s *Service) exists(ref reference) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	f, err := s.lookup(ref)
	if err != nil {
		return err
	}
	_, err = f.resolve(ref.qualifier, 1)
	return err
}
