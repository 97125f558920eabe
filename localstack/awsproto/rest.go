package awsproto

import (
	"encoding/json"
	"net/http"
)

// A RESTOperation serves one route of a REST-JSON service. It returns the
// status and the value to marshal; a nil value means an empty body.
type RESTOperation func(r *http.Request) (status int, out any, err error)

// REST is a service that speaks REST-JSON: operations told apart by method and
// path (Lambda, API Gateway). Its zero value is not ready; use NewREST.
type REST struct {
	mux http.ServeMux
}

// NewREST returns a service without operations: every request is answered as
// an unknown one until Handle adds some.
func NewREST() *REST {
	s := new(REST)
	s.mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		call := CallFrom(r.Context())
		call.Unknown = true
		call.Operation = r.Method + " " + r.URL.Path
		WriteREST(w, r, 0, nil, UnknownOperation(call.Operation))
	})
	return s
}

// Handle registers the operation called name (as AWS names it) under a
// pattern of net/http's ServeMux, such as "GET /v2/apis/{apiId}".
func (s *REST) Handle(pattern, name string, op RESTOperation) {
	s.mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
		call := CallFrom(r.Context())
		call.Operation, call.Resources = name, restResources(r)
		if err := call.admit(r, nil); err != nil {
			WriteREST(w, r, 0, nil, err)
			return
		}
		status, out, err := op(r)
		WriteREST(w, r, status, out, err)
	})
}

func (s *REST) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.mux.ServeHTTP(w, r) }

// WriteREST writes the answer of a REST-JSON operation. The SDKs tell errors
// apart by the x-amzn-ErrorType header alone.
func WriteREST(w http.ResponseWriter, r *http.Request, status int, out any, err error) {
	var body []byte
	if err == nil && out != nil {
		body, err = marshalJSON(out)
	}
	if err != nil {
		e := AsError(err)
		status = e.status()
		w.Header().Set("x-amzn-ErrorType", e.Code)
		fields := map[string]any{"message": e.Message}
		for k, v := range e.Fields {
			fields[k] = v
		}
		body, _ = marshalJSON(fields)
	}
	w.Header().Set("x-amzn-RequestId", CallFrom(r.Context()).RequestID)
	if len(body) > 0 {
		w.Header().Set("Content-Type", "application/json")
	}
	if status == http.StatusNoContent {
		w.WriteHeader(status)
		return
	}
	writeBody(w, status, body)
}

// DecodeREST reads r's JSON body into v. An empty body leaves v as it is.
func DecodeREST(r *http.Request, v any) error {
	body, err := ReadBody(r)
	if err != nil || len(body) == 0 {
		return err
	}
	if err := json.Unmarshal(body, v); err != nil {
		return serializationError(err)
	}
	return nil
}
