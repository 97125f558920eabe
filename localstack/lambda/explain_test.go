package lambda

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
)

func TestExplain(t *testing.T) {
	for _, tt := range []struct {
		what, body string
		want       []string
	}{
		{"Go", `{"errorMessage":"out of cheese","errorType":"string","stackTrace":[{"path":"f/main.go","line":75,"label":"panics"},{"path":"reflect/value.go","line":586,"label":"Value.call"},{"path":"x.go","line":1,"label":"main"}]}`,
			[]string{"string: out of cheese", "    panics  f/main.go:75", "    main  x.go:1"}},
		{"Python", `{"errorMessage":"no","errorType":"KeyError","stackTrace":["  File \"f.py\", line 3, in handler\n    return d[1]\n"]}`,
			[]string{"KeyError: no", `      File "f.py", line 3, in handler`, "        return d[1]"}},
		{"Node.js", `{"errorType":"Error","errorMessage":"no","trace":["Error: no","    at handler (f.js:1:7)"]}`,
			[]string{"Error: no", "    Error: no", "        at handler (f.js:1:7)"}},
		{"a returned error", `{"errorMessage":"not today","errorType":"errorString"}`, []string{"errorString: not today"}},
		{"a message of two lines", `{"errorMessage":"one\ntwo"}`, []string{"one", "two"}},
		{"no error", `{"a":1}`, nil},
		{"no object", `"text"`, nil},
		{"no JSON", `<html>`, nil},
		{"a frame of nothing", `{"errorMessage":"m","stackTrace":[7,{},null]}`, []string{"m"}},
	} {
		if got := explain([]byte(tt.body)); !slices.Equal(got, tt.want) {
			t.Errorf("%s: %q, want %q", tt.what, got, tt.want)
		}
	}
}

func FuzzExplain(f *testing.F) {
	f.Add([]byte(`{"errorMessage":"m","errorType":"t","stackTrace":[{"path":"p","line":1,"label":"l"},"text"],"trace":[]}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		lines := explain(body)
		if lines != nil && !json.Valid(body) {
			t.Error("made sense of what is no JSON")
		}
		if slices.ContainsFunc(lines, func(l string) bool { return strings.Contains(l, "\n") }) {
			t.Errorf("a line with two lines: %q", lines)
		}
	})
}

// aws-lambda-go prints a panic's stack as JSON in one line. Those who watch the
// local cloud read it as a stack, in its place in the log; the function's own
// log stays as in AWS.
func TestAPanicsStackTraceShowsInPlace(t *testing.T) {
	c := newCloud(t, Options{})
	c.create(t, "f", "panic")
	res, err := c.Invoke(t.Context(), Request{Function: "f", Tail: true})
	if err != nil {
		t.Fatal(err)
	}
	var local []LogLine
	for _, l := range c.logs.all() {
		if l.Local {
			local = append(local, l)
		}
	}
	if len(local) < 2 || local[0].Text != "string: out of cheese" || local[0].RequestID != res.RequestID || local[0].Group != "/aws/lambda/f" {
		t.Fatalf("shown %+v", local)
	}
	if !strings.HasPrefix(local[1].Text, "    panics  function/main.go:") {
		t.Errorf("the handler is not the first frame: %q", local[1].Text)
	}
	texts := c.logs.texts()
	if at := slices.Index(texts, local[0].Text); !strings.HasPrefix(texts[at+len(local)], "END ") {
		t.Errorf("not in its place: %q", texts)
	}
	if strings.Contains(res.LogTail, "\nstring: out of cheese") {
		t.Error("it is in the tail of the function's own log")
	}
}

func TestAReturnedErrorShowsToo(t *testing.T) {
	c := newCloud(t, Options{})
	c.create(t, "f", "error")
	c.mustInvoke(t, "f", "{}")
	if l := c.logs.wait(t, "errorString: not today", 1); !l.Local {
		t.Errorf("line %+v", l)
	}
}
