package awsproto

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// An operation that is refused is not done, and no fault rule strikes it.
func TestARefusedCallIsNotDone(t *testing.T) {
	done := false
	api := JSON{Target: "T", Version: "1.0", ErrorNamespace: "own#", Operations: map[string]JSONOperation{
		"Op": func(context.Context, []byte) (any, error) { done = true; return nil, nil },
	}}
	var asked string
	call := &Call{Authorize: func(c *Call, _ *http.Request, body []byte) *Error {
		asked = c.Operation + " " + strings.Join(c.Resources, ",") + " " + string(body)
		return AccessDenied("dynamodb", "me", "dynamodb:Op", "arn", "because")
	}}
	r := httptest.NewRequestWithContext(WithCall(t.Context(), call), http.MethodPost, "/", strings.NewReader(`{"TableName":"t"}`))
	r.Header.Set("X-Amz-Target", "T.Op")
	w := httptest.NewRecorder()
	api.ServeHTTP(w, r)
	want := `{"__type":"com.amazon.coral.service#AccessDeniedException","message":"User: me is not authorized to perform: dynamodb:Op on resource: arn because"}`
	if done || !call.Denied || w.Code != http.StatusBadRequest || w.Body.String() != want || asked != `Op t {"TableName":"t"}` {
		t.Errorf("done %v, call %+v, asked %q, answer %d %s", done, call, asked, w.Code, w.Body)
	}
}

func TestACallThatNobodyAuthorizesPasses(t *testing.T) {
	for name, call := range map[string]*Call{
		"no authorizer":         {},
		"one that has no words": {Authorize: func(*Call, *http.Request, []byte) *Error { return nil }},
	} {
		if err := call.Permit(nil, nil); err != nil || call.Denied {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func FuzzScanArray(f *testing.F) {
	for _, doc := range []string{`[]`, `[1,"a,b",{"c":[2]},null]`, `[`, `[1,`, `{}`, ` [ "\"]" , [] ] `} {
		f.Add(doc)
	}
	f.Fuzz(func(t *testing.T, doc string) {
		var got []string
		ScanArray([]byte(doc), func(element []byte) { got = append(got, strings.TrimSpace(string(element))) })
		var want []json.RawMessage
		if json.Unmarshal([]byte(doc), &want) != nil || want == nil {
			return // damaged: it only must not panic
		}
		if len(got) != len(want) {
			t.Fatalf("elements %q, want %q", got, want)
		}
		for i := range want {
			if got[i] != string(want[i]) {
				t.Errorf("element %d is %s, want %s", i, got[i], want[i])
			}
		}
	})
}
