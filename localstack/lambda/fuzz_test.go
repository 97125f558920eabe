package lambda

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"fanfare/localstack/awsproto"
)

// ask answers one request to the API, if the URL can be one at all.
func (s *Service) ask(method, path, body string) *httptest.ResponseRecorder {
	r, err := http.NewRequest(method, "http://localhost:4566/"+path, strings.NewReader(body))
	if err != nil {
		return nil
	}
	w := httptest.NewRecorder()
	s.ServeHTTP(w, r.WithContext(awsproto.WithCall(r.Context(), awsproto.NewCall(r, "lambda"))))
	return w
}

// Whatever the API gets, it answers, never with an error of its own, and what it
// has taken can be saved and restored.
func FuzzAPI(f *testing.F) {
	const function = "2015-03-31/functions/f"
	f.Add("GET", "2015-03-31/functions?MaxItems=1&Marker=9223372036854775807", "")
	f.Add("GET", function+":live/configuration?Qualifier=$LATEST", "")
	f.Add("PUT", function+"/configuration", `{"Timeout":-1,"Environment":{"Variables":{"AWS_REGION":""}},"MemorySize":null}`)
	f.Add("PUT", function+"/code", `{"ZipFile":"UEsFBgAAAAAAAAAAAAAAAAAAAAAAAA=="}`)
	f.Add("POST", function+"/versions", `{"Description":"d"}`)
	f.Add("POST", function+"/aliases", `{"Name":"live","FunctionVersion":"$LATEST","RoutingConfig":{"AdditionalVersionWeights":{"1":2}}}`)
	f.Add("POST", function+"/policy", `{"StatementId":"s","Action":"lambda:InvokeFunction","Principal":"*","SourceArn":"arn:"}`)
	f.Add("PUT", "2019-09-25/functions/f/event-invoke-config", `{"MaximumRetryAttempts":3}`)
	f.Add("PUT", "2017-10-31/functions/f/concurrency", `{"ReservedConcurrentExecutions":1e9}`)
	f.Add("PUT", "2024-08-31/functions/f/recursion-config", `{"RecursiveLoop":"Allow"}`)
	f.Add("POST", "2015-03-31/event-source-mappings/", `{"EventSourceArn":"arn:aws:sqs:us-east-1:000000000000:q","FunctionName":"f","BatchSize":10001}`)
	f.Add("POST", "2017-03-31/tags/arn:aws:lambda:us-east-1:000000000000:function:f", `{"Tags":{"a":"b"}}`)
	f.Add("DELETE", "2015-03-31/functions/arn%3Aaws%3Alambda%3A%2F:f", "")
	f.Add("POST", "2015-03-31/functions/f/invocations", "{")
	create, err := json.Marshal(functionInput("f", ""))
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, method, path, body string) {
		s := New(Options{})
		defer func() { _ = s.Close() }()
		if w := s.ask("POST", "2015-03-31/functions", string(create)); w.Code != http.StatusCreated {
			t.Fatalf("create: %d %s", w.Code, w.Body)
		}
		if strings.Contains(path, "invocations") && json.Valid([]byte(body)) { // would start a process
			return
		}
		w := s.ask(method, path, body)
		if w == nil {
			return
		}
		if w.Code >= 500 && w.Code != http.StatusNotImplemented {
			t.Fatalf("%s %q %q: %d %s", method, path, body, w.Code, w.Body)
		}
		state, code, err := s.Snapshot()
		if err == nil {
			err = s.Restore(state, code)
		}
		if err != nil {
			t.Fatalf("after %s %q %q: %v", method, path, body, err)
		}
	})
}

// A process that has an event may send the Runtime API whatever it likes: it is
// answered, and unless that was an answer to the event, the real one is taken.
func FuzzRuntimeAPI(f *testing.F) {
	const version = "2018-06-01/runtime/"
	f.Add("POST", version+"invocation/id/response", "", "", "{}")
	f.Add("POST", version+"invocation/id/error", "Lambda-Runtime-Function-Error-Type", "x\x00", "{")
	f.Add("POST", version+"invocation//response", "", "", "")
	f.Add("GET", version+"invocation/next", "", "", "")
	f.Add("POST", version+"init/error", "", "", "{}")
	f.Add("POST", "2020-01-01/extension/register", extensionName, "x", `{"events":["INVOKE"]}`)
	f.Add("GET", "2020-01-01/extension/event/next", extensionIdentifier, "x", "")
	f.Add("PUT", "../"+version, "Expect", "100-continue", "")
	f.Fuzz(func(t *testing.T, method, path, name, value, body string) {
		inv := anInvocation("id")
		api := makeRuntimeAPI(registration{"f", latest, "main"})
		api.state, api.current = stateRunning, inv
		serve := func(method, path, body string) *reply {
			r, err := http.NewRequest(method, "http://localhost/"+path, strings.NewReader(body))
			if err != nil {
				return nil
			}
			r.Header.Set(name, value)
			return api.serve(&runtimeConn{}, r)
		}
		if got := serve(method, path, body); got != nil && (got.status < 200 || got.status > 499) {
			t.Fatalf("%s %q %q: %d %s", method, path, body, got.status, got.body)
		}
		_, _, answered := api.outcome(inv)
		want := map[bool]int{false: http.StatusAccepted, true: http.StatusForbidden}[answered]
		if got := serve("POST", version+"invocation/id/response", `"ok"`); got == nil || got.status != want {
			t.Fatalf("after %s %q %q the answer got %+v, want %d", method, path, body, got, want)
		}
	})
}
