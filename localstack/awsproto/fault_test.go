package awsproto_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"fanfare/localstack/awsproto"
	"fanfare/localstack/faults"
)

// struck serves one request of a service under one rule.
func struck(t *testing.T, h http.Handler, service string, r *http.Request, rule faults.Rule) (*httptest.ResponseRecorder, *awsproto.Call) {
	t.Helper()
	set := faults.New(1)
	if _, err := set.Add(rule); err != nil {
		t.Fatal(err)
	}
	call := &awsproto.Call{Service: service, RequestID: "id", Faults: set}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r.WithContext(awsproto.WithCall(t.Context(), call)))
	return w, call
}

func TestAFaultHasTheShapeOfItsProtocol(t *testing.T) {
	done := false
	jsonAPI := awsproto.JSON{Target: "DynamoDB_20120810", Version: "1.0", ErrorNamespace: "ns#", Operations: map[string]awsproto.JSONOperation{
		"PutItem": func(context.Context, []byte) (any, error) { done = true; return nil, nil },
	}}
	queryAPI := awsproto.Query{Namespace: "urn:x", Operations: map[string]awsproto.QueryOperation{
		"GetRole": func(context.Context, url.Values) (any, error) { done = true; return nil, nil },
	}}
	restAPI := awsproto.NewREST()
	restAPI.Handle("GET /functions/{FunctionName}", "GetFunction", func(*http.Request) (int, any, error) { done = true; return 200, nil, nil })

	put := httptest.NewRequest(http.MethodPost, "/", strings.NewReader(`{"TableName":"orders"}`))
	put.Header.Set("X-Amz-Target", "DynamoDB_20120810.PutItem")
	role := httptest.NewRequest(http.MethodGet, "/?Action=GetRole&RoleName=r", nil)
	function := httptest.NewRequest(http.MethodGet, "/functions/echo", nil)
	for _, c := range []struct {
		name, service string
		handler       http.Handler
		request       *http.Request
		rule          faults.Rule
		status        int
		want          string
	}{
		{"JSON", "dynamodb", jsonAPI, put, faults.Rule{Operation: "PutItem", Resource: "orders", Fault: faults.Fault{Throttle: true}}, 400, `"__type":"ns#ProvisionedThroughputExceededException"`},
		{"Query", "iam", queryAPI, role, faults.Rule{Operation: "GetRole", Resource: "r", Fault: faults.Fault{Throttle: true}}, 400, `<Type>Sender</Type><Code>Throttling</Code>`},
		{"REST", "lambda", restAPI, function, faults.Rule{Operation: "GetFunction", Resource: "echo", Fault: faults.Fault{Throttle: true}}, 429, `"Reason":"CallerRateLimitExceeded"`},
		{"a failure with words", "iam", queryAPI, role, faults.Rule{Fault: faults.Fault{Status: 500, Message: "100% broken"}}, 500, `<Type>Receiver</Type><Code>ServiceFailure</Code><Message>100% broken</Message>`},
	} {
		t.Run(c.name, func(t *testing.T) {
			w, call := struck(t, c.handler, c.service, c.request, c.rule)
			if w.Code != c.status || !strings.Contains(w.Body.String(), c.want) || !call.Faulted || done {
				t.Errorf("%d %s, faulted %v, done %v; want %d with %s", w.Code, w.Body, call.Faulted, done, c.status, c.want)
			}
		})
	}
}

func TestLatencyPassesBeforeTheOperation(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		begin := time.Now()
		var at time.Duration
		api := awsproto.NewREST()
		api.Handle("GET /", "Op", func(*http.Request) (int, any, error) { at = time.Since(begin); return 200, nil, nil })
		w, call := struck(t, api, "lambda", httptest.NewRequest(http.MethodGet, "/", nil), faults.Rule{Fault: faults.Fault{Latency: time.Minute}})
		if w.Code != 200 || at != time.Minute || call.Faulted {
			t.Errorf("HTTP %d after %v, faulted %v", w.Code, at, call.Faulted)
		}
	})
}

func TestACallerThatLeavesDuringTheLatencyIsNotServed(t *testing.T) {
	api := awsproto.NewREST()
	api.Handle("GET /", "Op", func(*http.Request) (int, any, error) { t.Error("served"); return 200, nil, nil })
	set := faults.New(1)
	if _, err := set.Add(faults.Rule{Fault: faults.Fault{Latency: time.Hour}}); err != nil {
		t.Fatal(err)
	}
	ctx, leave := context.WithCancel(awsproto.WithCall(t.Context(), &awsproto.Call{Faults: set}))
	leave()
	api.ServeHTTP(httptest.NewRecorder(), httptest.NewRequestWithContext(ctx, http.MethodGet, "/", nil))
}
