package awsproto_test

import (
	"context"
	"encoding/json"
	"encoding/xml"
	"net/http/httptest"
	"strings"
	"testing"

	"fanfare/localstack/awsproto"
)

type echoed struct {
	Name  string
	Count *int
	Tags  awsproto.Members[string]
}

func echo(_ context.Context, in *echoed) (echoed, error) { return *in, nil }

// FuzzQueryRequests: whatever URL and form come, what is written is XML, and
// nothing is taken for our own fault.
func FuzzQueryRequests(f *testing.F) {
	api := awsproto.Query{Namespace: "urn:test", Operations: map[string]awsproto.QueryOperation{"Echo": awsproto.FormOp(echo)}}
	f.Add("", "Action=Echo&Name=n&Count=1&Tags.member.1=a")
	f.Add("Action=Echo&X-Amz-Credential=%zz", "Name=%ff%00")
	f.Add(";&=", "Action=%3C%3E&Version=&&=")
	f.Fuzz(func(t *testing.T, query, form string) {
		r := httptest.NewRequest("POST", "/", strings.NewReader(form))
		r.URL.RawQuery = query
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		w := httptest.NewRecorder()
		api.ServeHTTP(w, r)
		var answer struct{ XMLName xml.Name }
		if err := xml.Unmarshal(w.Body.Bytes(), &answer); err != nil || w.Code >= 500 {
			t.Errorf("%q and %q: %d %s: %v", query, form, w.Code, w.Body, err)
		}
	})
}

// FuzzJSONRequests is the same for the JSON protocols.
func FuzzJSONRequests(f *testing.F) {
	api := awsproto.JSON{Target: "Test", Version: "1.0", Operations: map[string]awsproto.JSONOperation{"Echo": awsproto.JSONOp(echo)}}
	f.Add("Test.Echo", `{"Name":"n","Count":1,"Tags":["a"]}`)
	f.Add("Test.Echo", `{"Count":1e99,"Name":null}`)
	f.Add("Test.", "null")
	f.Add("..", "[")
	f.Fuzz(func(t *testing.T, target, body string) {
		r := httptest.NewRequest("POST", "/", strings.NewReader(body))
		r.Header["X-Amz-Target"] = []string{target}
		w := httptest.NewRecorder()
		api.ServeHTTP(w, r)
		if w.Code >= 500 || !json.Valid(w.Body.Bytes()) {
			t.Errorf("%q %q: %d %s", target, body, w.Code, w.Body)
		}
	})
}
