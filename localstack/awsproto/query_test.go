package awsproto_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"fanfare/localstack/awsproto"
)

var queryAPI = awsproto.Query{
	Namespace: "https://iam.amazonaws.com/doc/2010-05-08/",
	Operations: map[string]awsproto.QueryOperation{
		"ListRoles": func(_ context.Context, form url.Values) (any, error) {
			return struct {
				Roles []string `xml:"Roles>member"`
				Path  string   `xml:",omitempty"`
			}{[]string{"a", "<b>"}, form.Get("PathPrefix")}, nil
		},
		"DeleteRole": func(context.Context, url.Values) (any, error) { return nil, nil },
		"GetRole": func(context.Context, url.Values) (any, error) {
			return nil, awsproto.Errorf(404, "NoSuchEntity", "no role <r>")
		},
		"Break": func(context.Context, url.Values) (any, error) { return nil, errors.New("disk full") },
		"Odd":   func(context.Context, url.Values) (any, error) { return make(chan int), nil },
	},
}

func TestQuery(t *testing.T) {
	const (
		xmlns    = ` xmlns="https://iam.amazonaws.com/doc/2010-05-08/"`
		metadata = `<ResponseMetadata><RequestId>id</RequestId></ResponseMetadata>`
	)
	failure := func(kind, code, message string) string {
		return `<ErrorResponse` + xmlns + `><Error><Type>` + kind + `</Type><Code>` + code + `</Code><Message>` + message +
			`</Message></Error><RequestId>id</RequestId></ErrorResponse>`
	}
	tests := map[string]struct {
		form    string
		status  int
		want    string
		unknown bool
	}{
		"a list": {"Action=ListRoles", 200,
			`<ListRolesResponse` + xmlns + `><ListRolesResult><Roles><member>a</member><member>&lt;b&gt;</member></Roles></ListRolesResult>` + metadata + `</ListRolesResponse>`, false},
		"parameters": {"Action=ListRoles&PathPrefix=%2Fp%2F", 200,
			`<ListRolesResponse` + xmlns + `><ListRolesResult><Roles><member>a</member><member>&lt;b&gt;</member></Roles><Path>/p/</Path></ListRolesResult>` + metadata + `</ListRolesResponse>`, false},
		"no result":                        {"Action=DeleteRole", 200, `<DeleteRoleResponse` + xmlns + `>` + metadata + `</DeleteRoleResponse>`, false},
		"an error of AWS":                  {"Action=GetRole", 404, failure("Sender", "NoSuchEntity", "no role &lt;r&gt;"), false},
		"an error of our own":              {"Action=Break", 500, failure("Receiver", "InternalFailure", "disk full"), false},
		"an answer that cannot be written": {"Action=Odd", 500, failure("Receiver", "InternalFailure", "xml: unsupported type: chan int"), false},
		"an unknown operation":             {"Action=Fly&Version=2010-05-08", 400, failure("Sender", "InvalidAction", "Could not find operation Fly for version 2010-05-08"), true},
		"no operation":                     {"", 400, failure("Sender", "InvalidAction", "Could not find operation  for version "), true},
		"a form that is none":              {"Action=%zz", 400, failure("Sender", "MalformedQueryString", `invalid URL escape &#34;%zz&#34;`), false},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			call := &awsproto.Call{RequestID: "id"}
			r := httptest.NewRequestWithContext(awsproto.WithCall(t.Context(), call), http.MethodPost, "/", strings.NewReader(tt.form))
			r.Header.Set("Content-Type", "application/x-www-form-urlencoded; charset=utf-8")
			w := httptest.NewRecorder()
			queryAPI.ServeHTTP(w, r)
			if w.Code != tt.status || w.Body.String() != tt.want {
				t.Errorf("got  %d %s\nwant %d %s", w.Code, w.Body, tt.status, tt.want)
			}
			if w.Header().Get("Content-Type") != "text/xml" || w.Header().Get("X-Amzn-Requestid") != "id" {
				t.Errorf("headers %v", w.Header())
			}
			if call.Unknown != tt.unknown {
				t.Errorf("unknown %v, want %v", call.Unknown, tt.unknown)
			}
		})
	}
}

// A page's <img src="http://…/?Action=DeleteRole&X-Amz-Credential=…"> must change
// nothing.
func TestQueryTakesTheFormFromTheURLToo(t *testing.T) {
	for _, c := range []struct {
		method, action string
		status         int
	}{
		{http.MethodPost, "DeleteRole", http.StatusOK},
		{http.MethodGet, "ListRoles", http.StatusOK},
		{http.MethodGet, "DeleteRole", http.StatusForbidden},
		{http.MethodHead, "DeleteRole", http.StatusForbidden},
	} {
		w := httptest.NewRecorder()
		queryAPI.ServeHTTP(w, httptest.NewRequest(c.method, "/?Action="+c.action+"&RoleName=r&Version=2010-05-08", nil))
		if w.Code != c.status {
			t.Errorf("%s %s: %d %s, want %d", c.method, c.action, w.Code, w.Body, c.status)
		}
	}
}
