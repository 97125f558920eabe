package awsproto_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"fanfare/localstack/awsproto"
)

type apiShape struct {
	Name  string `json:"name"`
	Limit int    `json:"limit,omitempty"`
}

func newREST() *awsproto.REST {
	s := awsproto.NewREST()
	s.Handle("POST /v2/apis", "CreateApi", func(r *http.Request) (int, any, error) {
		var in apiShape
		if err := awsproto.DecodeREST(r, &in); err != nil {
			return 0, nil, err
		}
		return http.StatusCreated, in, nil
	})
	s.Handle("GET /v2/apis/{apiId}", "GetApi", func(r *http.Request) (int, any, error) {
		if r.PathValue("apiId") != "a&1" {
			return 0, nil, &awsproto.Error{Status: 404, Code: "NotFoundException", Message: "no API", Fields: map[string]any{"resourceType": "api"}}
		}
		return http.StatusOK, apiShape{Name: r.PathValue("apiId")}, nil
	})
	s.Handle("DELETE /v2/apis/{apiId}", "DeleteApi", func(*http.Request) (int, any, error) { return http.StatusNoContent, nil, nil })
	s.Handle("PUT /v2/break", "Break", func(*http.Request) (int, any, error) { return 0, nil, errors.New("disk full") })
	return s
}

func TestREST(t *testing.T) {
	tests := map[string]struct {
		method, path, body  string
		status              int
		want, code          string
		operation, mimeType string
	}{
		"an answer with its status": {"POST", "/v2/apis", `{"name":"<a>"}`, 201, `{"name":"<a>"}`, "", "CreateApi", "application/json"},
		"an empty body":             {"POST", "/v2/apis", ``, 201, `{"name":""}`, "", "CreateApi", "application/json"},
		"an escaped path":           {"GET", "/v2/apis/a%261", ``, 200, `{"name":"a&1"}`, "", "GetApi", "application/json"},
		"no content":                {"DELETE", "/v2/apis/a", ``, 204, ``, "", "DeleteApi", ""},
		"an error of AWS":           {"GET", "/v2/apis/b", ``, 404, `{"message":"no API","resourceType":"api"}`, "NotFoundException", "GetApi", "application/json"},
		"an error of our own":       {"PUT", "/v2/break", ``, 500, `{"message":"disk full"}`, "InternalFailure", "Break", "application/json"},
		"a body that is no JSON": {"POST", "/v2/apis", `{`, 400,
			`{"message":"Unexpected value in the request body: unexpected end of JSON input"}`, "SerializationException", "CreateApi", "application/json"},
		"a member of the wrong kind": {"POST", "/v2/apis", `{"limit":"x"}`, 400,
			`{"message":"string can not be converted to int at \"limit\""}`, "SerializationException", "CreateApi", "application/json"},
		"an unknown path": {"GET", "/v3/apis", ``, 404,
			`{"message":"the local cloud has no operation \"GET /v3/apis\""}`, "UnknownOperationException", "GET /v3/apis", "application/json"},
		"an unknown method": {"PATCH", "/v2/apis", ``, 404,
			`{"message":"the local cloud has no operation \"PATCH /v2/apis\""}`, "UnknownOperationException", "PATCH /v2/apis", "application/json"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			call := &awsproto.Call{RequestID: "id"}
			r := httptest.NewRequestWithContext(awsproto.WithCall(t.Context(), call), tt.method, tt.path, strings.NewReader(tt.body))
			w := httptest.NewRecorder()
			newREST().ServeHTTP(w, r)
			if w.Code != tt.status || w.Body.String() != tt.want {
				t.Errorf("got  %d %s\nwant %d %s", w.Code, w.Body, tt.status, tt.want)
			}
			for header, want := range map[string]string{"X-Amzn-Errortype": tt.code, "Content-Type": tt.mimeType, "X-Amzn-Requestid": "id"} {
				if got := w.Header().Get(header); got != want {
					t.Errorf("%s: %q, want %q", header, got, want)
				}
			}
			if call.Operation != tt.operation || call.Unknown != (tt.code == "UnknownOperationException") {
				t.Errorf("call %+v", call)
			}
		})
	}
}
