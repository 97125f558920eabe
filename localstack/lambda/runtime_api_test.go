package lambda

import (
	"bytes"
	"io"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"
)

func TestRuntimeStatesRefuseWhatIsNotWritten(t *testing.T) {
	allowed := map[string]bool{
		"Started Ready": true, "Started InitError": true, "Ready Ready": true, "Ready Running": true,
		"Running InvocationResponse": true, "Running InvocationErrorResponse": true,
		"InvocationResponse RuntimeResponseSentState": true, "InvocationErrorResponse RuntimeResponseSentState": true,
		"RuntimeResponseSentState Ready": true,
	}
	for from := range stateCount {
		for to := range stateCount {
			s := from
			err := s.to(to)
			if (err == nil) != allowed[from.String()+" "+to.String()] {
				t.Errorf("%s to %s: %v", from, to, err)
			}
			if err != nil && s != from {
				t.Errorf("%s to %s was refused and happened", from, to)
			}
		}
	}
}

// runtimeClient plays a process.
type runtimeClient struct {
	t   *testing.T
	api *runtimeAPI
}

func newRuntimeClient(t *testing.T) runtimeClient {
	api, err := newRuntimeAPI(registration{"f", latest, "main"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(api.close)
	return runtimeClient{t, api}
}

func (c runtimeClient) do(method, path string, body io.Reader, header ...string) (*http.Response, string) {
	c.t.Helper()
	req, err := http.NewRequestWithContext(c.t.Context(), method, "http://"+c.api.address()+path, body)
	if err != nil {
		c.t.Fatal(err)
	}
	for i := 0; i < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		c.t.Fatal(err)
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		c.t.Fatal(err)
	}
	return res, string(text)
}

func (c runtimeClient) post(path, body string) (int, string) {
	c.t.Helper()
	res, text := c.do("POST", "/2018-06-01/runtime/"+path, strings.NewReader(body))
	return res.StatusCode, text
}

// next asks for an event and gets inv.
func (c runtimeClient) next(inv *invocation) *http.Response {
	c.t.Helper()
	go func() { c.api.begin(<-c.api.asking, inv, time.Now().Add(time.Minute)) }()
	res, text := c.do("GET", "/2018-06-01/runtime/invocation/next", nil)
	if text != string(inv.payload) {
		c.t.Fatalf("event %q", text)
	}
	return res
}

func anInvocation(id string) *invocation {
	return &invocation{
		id: id, arn: arnHead + "f:live", traceID: "Root=1", payload: []byte(`{"n":1}`),
		deadline: time.UnixMilli(1700000000123), begin: func() {}, done: make(chan struct{}),
	}
}

func TestAnInvokeThroughTheRuntimeAPI(t *testing.T) {
	c := newRuntimeClient(t)
	inv := anInvocation("id-1")
	res := c.next(inv)
	for name, want := range map[string]string{
		"Lambda-Runtime-Aws-Request-Id": "id-1", "Lambda-Runtime-Deadline-Ms": "1700000000123",
		"Lambda-Runtime-Invoked-Function-Arn": arnHead + "f:live", "Lambda-Runtime-Trace-Id": "Root=1", "Content-Type": "application/json",
	} {
		if got := res.Header.Get(name); got != want {
			t.Errorf("%s = %q, want %q", name, got, want)
		}
	}
	if status, body := c.post("invocation/id-1/response", `"ok"`); status != 202 || body != `{"status":"OK"}`+"\n" {
		t.Errorf("response: %d %q", status, body)
	}
	if answer, functionError, ok := c.api.outcome(inv); string(answer) != `"ok"` || functionError != "" || !ok {
		t.Errorf("outcome %q %q %v", answer, functionError, ok)
	}
	select {
	case <-inv.done:
		t.Error("the invoke is over before the process asks for the next one")
	default:
	}
	c.next(anInvocation("id-2"))
	<-inv.done
}

func TestRuntimeAPIRefuses(t *testing.T) {
	const invalidState = `{"errorMessage":"State transition from %s failed for runtime. Error: State transition is not allowed","errorType":"InvalidStateTransition"}` + "\n"
	state := func(steps string) string { return strings.Replace(invalidState, "%s", steps, 1) }
	t.Run("a response without an invoke", func(t *testing.T) {
		status, body := newRuntimeClient(t).post("invocation/x/response", "1")
		if status != 400 || body != `{"errorMessage":"Invalid request ID","errorType":"InvalidRequestID"}`+"\n" {
			t.Errorf("%d %s", status, body)
		}
	})
	t.Run("another invoke's id", func(t *testing.T) {
		c := newRuntimeClient(t)
		c.next(anInvocation("id"))
		if status, body := c.post("invocation/other/error", "{}"); status != 400 || !strings.Contains(body, "InvalidRequestID") {
			t.Errorf("%d %s", status, body)
		}
	})
	t.Run("a second response", func(t *testing.T) {
		c := newRuntimeClient(t)
		c.next(anInvocation("id"))
		c.post("invocation/id/response", "1")
		status, body := c.post("invocation/id/error", "{}")
		if status != 403 || body != state("RuntimeResponseSentState to InvocationErrorResponse") {
			t.Errorf("%d %s", status, body)
		}
	})
	t.Run("next without a response", func(t *testing.T) {
		c := newRuntimeClient(t)
		c.next(anInvocation("id"))
		res, body := c.do("GET", "/2018-06-01/runtime/invocation/next", nil)
		if res.StatusCode != 403 || body != state("Running to Ready") {
			t.Errorf("%d %s", res.StatusCode, body)
		}
	})
	t.Run("an init error after init", func(t *testing.T) {
		c := newRuntimeClient(t)
		c.next(anInvocation("id"))
		if status, body := c.post("init/error", "{}"); status != 403 || body != state("Running to InitError") {
			t.Errorf("%d %s", status, body)
		}
	})
	t.Run("a response that is too large", func(t *testing.T) {
		for _, chunked := range []bool{false, true} {
			c := newRuntimeClient(t)
			inv := anInvocation("id")
			c.next(inv)
			var body io.Reader = bytes.NewReader(make([]byte, maxResponse+1))
			if chunked {
				body = io.MultiReader(body)
			}
			res, text := c.do("POST", "/2018-06-01/runtime/invocation/id/response", body)
			if res.StatusCode != 413 || text != `{"errorMessage":"Exceeded maximum allowed payload size (6291556 bytes).","errorType":"RequestEntityTooLarge"}`+"\n" {
				t.Errorf("%d %s", res.StatusCode, text)
			}
			if answer, functionError, _ := c.api.outcome(inv); functionError != unhandled || !bytes.Contains(answer, []byte("Function.ResponseSizeTooLarge")) {
				t.Errorf("outcome %q %s", functionError, answer)
			}
		}
	})
}

func TestInitError(t *testing.T) {
	c := newRuntimeClient(t)
	if status, _ := c.post("init/error", `{"errorMessage":"m"}`); status != 202 {
		t.Errorf("status %d", status)
	}
	if body := <-c.api.failed; string(body) != `{"errorMessage":"m"}` {
		t.Errorf("body %s", body)
	}
}

func TestExtensions(t *testing.T) {
	const register = "/2020-01-01/extension/register"
	c := newRuntimeClient(t)
	res, body := c.do("POST", register, strings.NewReader(`{"events":null}`), extensionName, "GoLangEnableSIGTERM")
	id := res.Header.Get(extensionIdentifier)
	if res.StatusCode != 200 || id == "" || body != `{"functionName":"f","functionVersion":"$LATEST","handler":"main"}`+"\n" {
		t.Fatalf("%d %q %s", res.StatusCode, id, body)
	}
	if !c.api.hasExtension() {
		t.Error("the extension is not known")
	}
	for _, tt := range []struct {
		what, name, body, want string
	}{
		{"no name", "", `{}`, "Extension.InvalidExtensionName"},
		{"a name twice", "GoLangEnableSIGTERM", `{}`, "Extension.InvalidExtensionState"},
		{"events", "other", `{"events":["INVOKE"]}`, "Extension.InvalidEventType"},
		{"no JSON", "other", `x`, "InvalidRequestFormat"},
	} {
		res, body := c.do("POST", register, strings.NewReader(tt.body), extensionName, tt.name)
		if res.StatusCode != 403 || !strings.Contains(body, `"errorType":"`+tt.want+`"`) {
			t.Errorf("%s: %d %s", tt.what, res.StatusCode, body)
		}
	}
	if res, body := c.do("GET", "/2020-01-01/extension/event/next", nil, extensionIdentifier, "?"); res.StatusCode != 403 {
		t.Errorf("an unknown extension's events: %d %s", res.StatusCode, body)
	}
	for i := range maxExtensions {
		res, body := c.do("POST", register, strings.NewReader(`{}`), extensionName, strconv.Itoa(i))
		if ok := res.StatusCode == 200; ok != (i < maxExtensions-1) {
			t.Errorf("extension %d: %d %s", i+2, res.StatusCode, body)
		}
	}
	c.next(anInvocation("id"))
	if _, body := c.do("POST", register, strings.NewReader(`{}`), extensionName, "late"); !strings.Contains(body, "Extension.RegistrationClosed") {
		t.Errorf("after init: %s", body)
	}
}
