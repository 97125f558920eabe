package gateway

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	sdk "github.com/aws/aws-sdk-go-v2/service/apigatewayv2"
)

var update = flag.Bool("update", false, "write the golden files of testdata")

// The goldens pin the whole event: no field more, none missing, none null. What
// differs from run to run is checked for its shape and replaced by its name.
func TestEventsAreThoseOfAWS(t *testing.T) {
	tests := map[string]struct {
		query     string
		headers   []string
		variables map[string]string
		golden    string
	}{
		"a browser": {
			query: "?token=a.b.c&tag=x&tag=y&empty=",
			headers: []string{
				"user-agent: Mozilla/5.0", "Origin: https://example.com", "Cookie: a=1; b=2",
				"Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits", "Sec-WebSocket-Protocol: v1, v2",
				"x-custom-header: one", "X-CUSTOM-HEADER: two", "X-Forwarded-For: 203.0.113.7",
			},
			variables: map[string]string{"table": "connections"},
			golden:    "browser",
		},
		"a client that says nothing of itself": {golden: "bare"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			d := &deployed{cloud: newCloud(t)}
			d.set("echo", echo)
			d.id = d.createAPI(t)
			for key, name := range chat {
				d.route(t, key, d.integrate(t, name, 29000), true)
			}
			d.release(t, &sdk.CreateStageInput{StageVariables: tt.variables})

			c, _ := d.rawDial(t, tt.query, tt.headers...)
			connect := d.event(t, "connect")
			c.write(frameFinal|frameText, `{"action":"hello"}`)
			c.read()
			message := d.event(t, "echo")
			c.write(frameFinal|frameClose, "")
			disconnect := d.event(t, "disconnect")

			for kind, e := range map[string]event{"connect": connect, "message": message, "disconnect": disconnect} {
				wantGolden(t, tt.golden+"_"+kind+".json", stable(t, d, e.Payload))
				wantConsistent(t, d, e)
				if e.RequestContext.ConnectionID != connect.RequestContext.ConnectionID {
					t.Errorf("%s is of another connection", kind)
				}
			}
		})
	}
}

func wantGolden(t *testing.T, name string, got []byte) {
	t.Helper()
	file := filepath.Join("testdata", name)
	if *update {
		must(t, os.WriteFile(file, got, 0o644))
	}
	want, err := os.ReadFile(file)
	must(t, err)
	if !bytes.Equal(got, want) {
		t.Errorf("%s differs (see -update):\n%s", name, got)
	}
}

// stable replaces what differs from run to run.
func stable(t *testing.T, d *deployed, payload []byte) []byte {
	t.Helper()
	var v any
	must(t, json.Unmarshal(payload, &v))
	v = replaceUnstable(t, strings.TrimPrefix(d.url, "http://"), "", v)
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	must(t, enc.Encode(v))
	return b.Bytes()
}

var traceRoot = regexp.MustCompile(`^Root=1-[0-9a-f]{8}-[0-9a-f]{24}$`)

func replaceUnstable(t *testing.T, host, key string, v any) any {
	switch x := v.(type) {
	case map[string]any:
		for k := range x {
			x[k] = replaceUnstable(t, host, k, x[k])
		}
		return x
	case []any:
		for i := range x {
			x[i] = replaceUnstable(t, host, key, x[i])
		}
		return x
	case float64:
		if key == "connectedAt" || key == "requestTimeEpoch" || key == "integrationLatency" {
			return "<milliseconds>"
		}
		return x
	case string:
		_, badTime := time.Parse(clfTime, x)
		for name, is := range map[string]bool{
			"<id>":    isConnectionID(x) && key != "Sec-WebSocket-Key",
			"<host>":  x == host,
			"<api>":   key == "apiId" && len(x) == 10,
			"<trace>": traceRoot.MatchString(x),
			"<time>":  badTime == nil,
		} {
			if is {
				return name
			}
		}
	}
	return v
}

// wantConsistent checks what the goldens cannot: that the values agree.
func wantConsistent(t *testing.T, d *deployed, e event) {
	t.Helper()
	c := e.RequestContext
	if c.RequestID != c.ExtendedRequestID {
		t.Errorf("requestId %s, extendedRequestId %s", c.RequestID, c.ExtendedRequestID)
	}
	if c.MessageID != "" && c.MessageID == c.RequestID {
		t.Error("messageId is requestId")
	}
	at := time.UnixMilli(c.RequestTimeEpoch).UTC()
	if got := at.Format("02/Jan/2006:15:04:05 +0000"); c.RequestTime != got {
		t.Errorf("requestTime %s, requestTimeEpoch %s", c.RequestTime, got)
	}
	if late := c.RequestTimeEpoch - c.ConnectedAt; late < 0 || c.EventType == "CONNECT" && late > 1 {
		t.Errorf("%s is %d ms after connectedAt", c.EventType, late)
	}
	if c.APIID != d.id {
		t.Errorf("apiId %s", c.APIID)
	}
	want := "arn:aws:execute-api:eu-west-1:000000000000:" + d.id + "/live/" + c.RouteKey
	if e.SourceARN != want {
		t.Errorf("source ARN %s, want %s", e.SourceARN, want)
	}
	if !traceRoot.MatchString(e.TraceID) {
		t.Errorf("trace id %q", e.TraceID)
	}
	if trace, ok := e.Headers["X-Amzn-Trace-Id"]; ok && trace != e.TraceID {
		t.Errorf("trace id %s, header %s", e.TraceID, trace)
	}
}

func TestTheClientsTraceIsKept(t *testing.T) {
	d := newCloud(t).deploy(t, chat)
	const root = "Root=1-5759e988-bd862e3fe1be46a994272793"
	const whole = root + ";Parent=53995c3f42cd8ad8;Sampled=1"
	for what, tt := range map[string]struct{ trace, want string }{
		"a root":                        {root, root},
		"parent and sampling":           {whole, whole},
		"in another order, with spaces": {"Sampled=0; " + root, root + ";Sampled=0"},
		"but no count of runs":          {whole + ";Lineage=a87bd80c:16", whole},
		"nor anything else":             {root + ";Self=1;x", root},
		"the first of two":              {whole + ";Parent=0000000000000000;Root=1-00000000-000000000000000000000000", whole},
		"no malformed root":             {"Root=1-x;Lineage=a87bd80c:16", ""},
		"nothing without a root":        {"Parent=53995c3f42cd8ad8", ""},
	} {
		d.rawDial(t, "", "X-Amzn-Trace-Id: "+tt.trace)
		e := d.event(t, "connect")
		ok := e.TraceID == tt.want
		if tt.want == "" {
			ok = traceRoot.MatchString(e.TraceID)
		}
		if !ok || e.Headers["X-Amzn-Trace-Id"] != e.TraceID {
			t.Errorf("%s: trace id %q, header %q, want %q", what, e.TraceID, e.Headers["X-Amzn-Trace-Id"], tt.want)
		}
	}
}

func TestStageVariablesChooseTheFunction(t *testing.T) {
	d := &deployed{cloud: newCloud(t)}
	d.id = d.createAPI(t)
	d.set("chat-blue", answers(200, "blue"))
	d.route(t, "$default", d.integrate(t, "chat-${stageVariables.colour}", 29000), true)
	d.release(t, &sdk.CreateStageInput{StageVariables: map[string]string{"colour": "blue"}})
	c, _, err := d.tryDial(t, "", nil)
	must(t, err)
	c.send("x")
	c.want("blue")
}
