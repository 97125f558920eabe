package lambda

import (
	"os/exec"
	"strings"
	"testing"
)

// interpreter returns the path of a program that scripts need, or skips.
func interpreter(t testing.TB, name string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		t.Skipf("no %s on this machine", name)
	}
	return path
}

// python returns the path of Python itself: what is found may be a wrapper that
// starts it.
func python(t testing.TB) string {
	t.Helper()
	out, err := exec.Command(interpreter(t, "python3"), "-c", "import sys; print(sys.executable)").Output()
	if err != nil {
		t.Skipf("python3 does not run: %v", err)
	}
	return strings.TrimSpace(string(out))
}

// createScript makes a function whose bootstrap is a script.
func (c *cloud) createScript(t testing.TB, name, script string) {
	t.Helper()
	in := functionInput(name, "")
	in.Code.ZipFile = mustZip(t, entry{bootstrap, 0o755, []byte(script)})
	if _, err := c.CreateFunction(t.Context(), in); err != nil {
		t.Fatal(err)
	}
}

// pythonBootstrap answers every event with the value of a Python expression.
func pythonBootstrap(t testing.TB, expression string) string {
	t.Helper()
	return runtimeLoop(python(t), "\ndef answer(event):\n    return "+expression+"\n")
}

// runtimeLoop is the Runtime API's loop in Python, around a function answer.
func runtimeLoop(python, answer string) string {
	return "#!" + python + answer + `
import http.client, json, os, time
api = http.client.HTTPConnection(os.environ["AWS_LAMBDA_RUNTIME_API"])
base = "/2018-06-01/runtime/invocation/"
while True:
    api.request("GET", base + "next")
    got = api.getresponse()
    event = json.loads(got.read())
    id = got.headers["Lambda-Runtime-Aws-Request-Id"]
    try:
        body, path = answer(event), "/response"
    except Exception as e:
        body, path = {"errorMessage": str(e), "errorType": type(e).__name__}, "/error"
    api.request("POST", base + id + path, json.dumps(body))
    api.getresponse().read()
`
}

// Any executable called bootstrap works, whatever it was written in
// [LDG:runtimes-custom].
func TestABootstrapIsAnyExecutable(t *testing.T) {
	t.Run("a shell script with curl", func(t *testing.T) {
		sh, curl := interpreter(t, "sh"), interpreter(t, "curl")
		c := newCloud(t, Options{})
		c.createScript(t, "f", "#!"+sh+`
base="http://$AWS_LAMBDA_RUNTIME_API/2018-06-01/runtime/invocation"
while true; do
	event=$(`+curl+` -sS -D headers.$$ "$base/next") || exit 1
	id=$(sed -n 's/^[Ll]ambda-[Rr]untime-[Aa]ws-[Rr]equest-[Ii]d: *\([0-9a-f-]*\).*/\1/p' headers.$$)
	echo "shell got $event"
	`+curl+` -sS -o answer.$$ "$base/$id/response" -d "{\"got\":$event,\"memory\":$AWS_LAMBDA_FUNCTION_MEMORY_SIZE}"
done
`)
		for range 2 { // the second time after a freeze
			if res := c.mustInvoke(t, "f", `{"a":1}`); string(res.Payload) != `{"got":{"a":1},"memory":128}` {
				t.Fatalf("answer %s", res.Payload)
			}
		}
		c.logs.wait(t, `shell got {"a":1}`, 2)
	})
	t.Run("a Python script", func(t *testing.T) {
		c := newCloud(t, Options{})
		c.createScript(t, "f", pythonBootstrap(t, `{"got": event["a"]}`))
		for range 2 {
			if res := c.mustInvoke(t, "f", `{"a":1}`); string(res.Payload) != `{"got": 1}` {
				t.Fatalf("answer %s", res.Payload)
			}
		}
		if res := c.mustInvoke(t, "f", `{}`); res.FunctionError != "Unhandled" || string(res.Payload) != `{"errorMessage": "'a'", "errorType": "KeyError"}` {
			t.Errorf("a failure: %q %s", res.FunctionError, res.Payload)
		}
	})
	t.Run("a script whose interpreter is missing says so at the first invoke", func(t *testing.T) {
		for line, want := range map[string]string{
			"#!/does/not/exist":    `asks for "/does/not/exist", which this machine does not have: install it`,
			"#! /does/not/exist x": `asks for "/does/not/exist", which`,
			"#!/bin/sh\r":          `asks for "/bin/sh\r", which`,
		} {
			c := newCloud(t, Options{})
			c.createScript(t, "f", line+"\n")
			res := c.mustInvoke(t, "f", `{}`)
			got := decode[functionFailure](t, res.Payload)
			if res.FunctionError != "Unhandled" || got.ErrorType != "Runtime.InvalidEntrypoint" || !strings.Contains(got.ErrorMessage, want) {
				t.Errorf("%q: answer %s", line, res.Payload)
			}
		}
	})
}
