package awsproto_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"fanfare/localstack/awsproto"
)

// signature is an Authorization header as SDKs send it.
func signature(key, region, service string) string {
	return "AWS4-HMAC-SHA256 Credential=" + key + "/20240120/" + region + "/" + service +
		"/aws4_request, SignedHeaders=host;x-amz-date, Signature=0123abcd"
}

func TestParseCredential(t *testing.T) {
	want := awsproto.Credential{AccessKeyID: "AKIA", Date: "20240120", Region: "eu-west-1", Service: "sqs"}
	tests := map[string]struct {
		authorization, query string
		want                 awsproto.Credential
		ok                   bool
	}{
		"a header": {signature("AKIA", "eu-west-1", "sqs"), "", want, true},
		"a header without spaces after the commas": {strings.ReplaceAll(signature("AKIA", "eu-west-1", "sqs"), ", ", ","), "", want, true},
		"a presigned URL":                          {"", "X-Amz-Credential=AKIA%2F20240120%2Feu-west-1%2Fsqs%2Faws4_request", want, true},
		"the header before the URL":                {signature("AKIA", "eu-west-1", "sqs"), "X-Amz-Credential=B%2F20240120%2Fr%2Fs%2Faws4_request", want, true},
		"a key id with slashes": {signature("a/b", "eu-west-1", "sqs"), "",
			awsproto.Credential{AccessKeyID: "a/b", Date: "20240120", Region: "eu-west-1", Service: "sqs"}, true},
		"nothing":                     {"", "", awsproto.Credential{}, false},
		"another scheme":              {"Bearer Credential=AKIA/20240120/eu-west-1/sqs/aws4_request", "", awsproto.Credential{}, false},
		"a header without Credential": {"AWS4-HMAC-SHA256 SignedHeaders=host", "", awsproto.Credential{}, false},
		"a scope that is too short":   {"AWS4-HMAC-SHA256 Credential=AKIA/eu-west-1/sqs/aws4_request", "", awsproto.Credential{}, false},
		"a scope of another version":  {"AWS4-HMAC-SHA256 Credential=AKIA/20240120/eu-west-1/sqs/aws5_request", "", awsproto.Credential{}, false},
		"an empty presigned scope":    {"", "X-Amz-Credential=", awsproto.Credential{}, false},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			r := httptest.NewRequest(http.MethodPost, "/?"+tt.query, nil)
			r.Header.Set("Authorization", tt.authorization)
			got, ok := awsproto.ParseCredential(r)
			if ok != tt.ok || ok && got != tt.want {
				t.Errorf("got %+v, %v; want %+v, %v", got, ok, tt.want, tt.ok)
			}
		})
	}
	for name, scope := range map[string]string{"key": "/d/r/s/aws4_request", "region": "k/d//s/aws4_request", "service": "k/d/r//aws4_request"} {
		r := httptest.NewRequest(http.MethodPost, "/", nil)
		r.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential="+scope)
		if got, ok := awsproto.ParseCredential(r); ok {
			t.Errorf("a scope without %s is %+v", name, got)
		}
	}
}

func FuzzParseCredential(f *testing.F) {
	f.Add(signature("AKIA", "eu-west-1", "sqs"), "")
	f.Add("", "X-Amz-Credential=AKIA%2F20240120%2Feu-west-1%2Fsqs%2Faws4_request")
	f.Add("AWS4-HMAC-SHA256", "X-Amz-Credential=%zz")
	f.Fuzz(func(t *testing.T, authorization, query string) {
		r := &http.Request{
			Header: http.Header{"Authorization": {authorization}},
			URL:    &url.URL{RawQuery: query},
		}
		c, ok := awsproto.ParseCredential(r)
		if !ok {
			return
		}
		if c.AccessKeyID == "" || c.Region == "" || c.Service == "" {
			t.Fatalf("%q with %q gives %+v", authorization, query, c)
		}
		if strings.Contains(c.Date+c.Region+c.Service, "/") {
			t.Fatalf("%q with %q gives a slash outside of the key: %+v", authorization, query, c)
		}
	})
}
