package suite

import (
	"context"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"fanfare/localstack/emulator"
	"fanfare/shared/auth/authtest"
	"fanfare/shared/telemetry"
)

var update = flag.Bool("update", false, "write testdata/report.golden and SCENARIOS.md anew")

// failing is a test that fails without failing the one that it is in.
type failing struct {
	testing.TB
	mu       sync.Mutex
	failed   bool
	log      strings.Builder
	cleanups []func()
}

func (f *failing) Failed() bool { return f.failed }
func (f *failing) Errorf(format string, args ...any) {
	f.failed = true
	f.Logf(format, args...)
}

func (f *failing) Logf(format string, args ...any) {
	f.mu.Lock()
	defer f.mu.Unlock()
	fmt.Fprintf(&f.log, format+"\n", args...)
}
func (f *failing) Cleanup(do func()) { f.cleanups = append(f.cleanups, do) }

// end is what the testing package does after a test.
func (f *failing) end() string {
	for i := len(f.cleanups) - 1; i >= 0; i-- {
		f.cleanups[i]()
	}
	return f.log.String()
}

// Two scenarios run side by side, and one of them fails on purpose.
func TestAFailurePrintsItsOwnScenarioAlone(t *testing.T) {
	s := begin(t, ownAPI)
	f := &failing{TB: t}
	bad, good := newScenario(f, s.stack), s
	sent := map[*scenario]string{}
	ids := map[*scenario]string{}
	var token string
	for _, one := range []*scenario{bad, good} {
		c := one.dial("ann", one.tenant)
		ids[one] = one.connectionID(c, "ann")
		c.ask(`{"action":"subscribe","channel":"orders"}`, "subscribed")
		token = one.stack.Token("ann", one.tenant, "broadcast:*")
		c.ask(`{"action":"authenticate","token":"`+token+`"}`, "authenticated")
		sent[one] = c.ask(`{"action":"broadcast","to":{"tenant":true},"data":"of `+one.tenant+`"}`, "accepted").MessageID
		c.message()
		one.publish(`{"tenant":"` + one.tenant + `","to":{"tenant":true},"data":2}`)
		c.message()
		_, _ = one.refused(one.stack.Outputs.WebSocketURL, nil)
	}
	time.Sleep(quiet / 2) // functions log after they have answered
	bad.Errorf("on purpose")
	report := f.end()

	for _, want := range []string{
		"on purpose", "ann connected", `ann → {"action":"subscribe","channel":"orders"}`, `"type":"subscribed"`, `"token":"[redacted]"`,
		"back end → broadcast queue", "HTTP 401", "TOKEN_MISSING", // clients
		`fanfare-connect: {`, `"msg":"connected"`, `fanfare-broadcast: {`, `"msg":"refused"`, "fanfare-message: REPORT", // functions
		"execute-api $connect", "execute-api broadcast", "execute-api PostToConnection", "dynamodb GetItem fanfare-connections: 200", "sqs SendMessage fanfare-broadcast", // requests
		bad.tenant, sent[bad], ids[bad],
	} {
		if !strings.Contains(report, want) {
			t.Errorf("the report lacks %q", want)
		}
	}
	for what, secret := range map[string]string{
		"the other scenario's tenant": good.tenant, "its connection": ids[good], "its message": sent[good], "a token": strings.Split(token, ".")[1],
	} {
		if strings.Contains(report, secret) {
			t.Errorf("the report has %s, %s", what, secret)
		}
	}
	if n := strings.Count(report, "\n"); n > 3*(maxReportLines+2) {
		t.Errorf("the report has %d lines", n)
	}
	if t.Failed() {
		t.Log(report)
	}
}

// Of several tests within a scenario, each that fails reports, and the one around
// them does not do so again.
func TestEachFailureWithinAScenarioIsReportedOnce(t *testing.T) {
	outer := &failing{TB: t}
	s := newScenario(outer, &target{run: "r", AWS: aws.Config{Region: "us-east-1", BaseEndpoint: aws.String("http://127.0.0.1:1"), RetryMaxAttempts: 1, Credentials: aws.AnonymousCredentials{}}})
	for _, name := range []string{"first", "second", "third"} {
		inner := &failing{TB: t}
		sub := s.sub(inner)
		sub.rec.note("in the %s", name)
		if name != "third" {
			sub.Errorf("on purpose")
			outer.failed = true // as the testing package has it
		}
		report := inner.end()
		if got := strings.Count(report, "of this scenario alone"); got != map[string]int{"first": 1, "second": 1}[name] {
			t.Errorf("the %s reports %d times", name, got)
		}
		if name == "second" && (strings.Contains(report, "in the first") || !strings.Contains(report, "in the second")) {
			t.Errorf("the second reports\n%s", report)
		}
	}
	if report := outer.end(); report != "" {
		t.Errorf("the test around them reports again:\n%s", report)
	}
}

// What a report looks like, of a world with two scenarios in it.
func TestReport(t *testing.T) {
	at := func(ms int) time.Time {
		return time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC).Add(time.Duration(ms) * time.Millisecond)
	}
	line := func(ms int, function, invocation, text string) logLine {
		return logLine{moment{at(ms), text}, function, invocation}
	}
	asked := func(ms int, service, operation, resource, invocation string) emulator.Request {
		return emulator.Request{Time: at(ms), RequestID: fmt.Sprint(ms), Service: service, Operation: operation, Resource: resource, Status: 200, Took: emulator.Duration(time.Millisecond), Invocation: invocation}
	}
	const jwt = "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJ1In0.c2lnbmF0dXJl"
	r := newRecord("tenant-1", "other-1")
	r.began = at(0)
	r.saw("message-1")
	r.frames = []moment{{at(5), "ann connected"}, {at(20), "ann → " + strings.Repeat("x", 1000)}}
	w := world{
		logs: []logLine{
			line(1, "connect", "i1", "START RequestId: i1"),
			line(2, "connect", "i1", `{"msg":"connected","connection":"C1=","tenant":"tenant-1"}`),
			line(3, "connect", "i1", `{"_aws":{}}`),
			line(4, "connect", "i1", "REPORT RequestId: i1 Duration: 1 ms"),
			line(6, "connect", "i2", `{"msg":"connected","connection":"C2=","tenant":"tenant-2"}`),
			line(7, "connect", "i2", "REPORT RequestId: i2 Duration: 1 ms"),
			line(21, "message", "i3", "panic: something with "+jwt), // names nobody: the request ties it
			// One invoke serves both.
			line(30, "broadcast", "i4", `{"msg":"broadcast","messageId":"message-1","tenant":"tenant-1"}`),
			line(31, "broadcast", "i4", `{"msg":"broadcast","messageId":"message-2","tenant":"tenant-2"}`),
			line(40, "disconnect", "i5", `{"msg":"disconnected: removed before","connection":"C1="}`),
			line(41, "disconnect", "i6", `{"msg":"disconnected: removed before","connection":"C2="}`),
		},
		requests: []emulator.Request{
			asked(0, "execute-api", "$connect", "api/live/C1=", "i1"), asked(1, "dynamodb", "PutItem", "connections", "i1"),
			asked(5, "execute-api", "$connect", "api/live/C2=", "i2"), asked(6, "dynamodb", "PutItem", "connections", "i2"),
			asked(20, "execute-api", "broadcast", "api/live/C1=", "i3"),
			asked(29, "dynamodb", "Query", "connections", "i4"), // for whom of the two?
			asked(32, "execute-api", "PostToConnection", "api/live/C1=", "i4"), asked(33, "execute-api", "PostToConnection", "api/live/C2=", "i4"),
			asked(50, "sqs", "ReceiveMessage", "queue", ""),
			{Time: at(60), Service: "execute-api", Operation: emulator.SocketClosed, Resource: "api/live/C1=", Status: 1000},
			{Time: at(61), Service: "execute-api", Operation: emulator.SocketClosed, Resource: "api/live/C2=", Status: 1000},
		},
		missing: fmt.Errorf("the logs of one function"),
	}
	got := r.report(w, at(0))
	golden := filepath.Join("testdata", "report.golden")
	if *update {
		if err := os.WriteFile(golden, []byte(got), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("the report is\n%s\nwant\n%s", got, want)
	}
}

// A token at a place where the line is cut loses nothing of its payload.
func TestNoPartOfATokenIsTold(t *testing.T) {
	token := strings.Join([]string{"eyJhbGciOiJSUzI1NiJ9", strings.Repeat("p", 300), strings.Repeat("s", 340)}, ".")
	for before := range 9 * maxReportLine {
		if got := told(strings.Repeat("-", before) + token); strings.Contains(got, "pp") || strings.Contains(got, "ss") {
			t.Fatalf("after %d bytes: %s", before, got)
		}
	}
}

func TestALongReportIsCut(t *testing.T) {
	r := newRecord("tenant-1")
	for i := range 1000 {
		r.note("line %d", i)
	}
	report := r.report(world{}, r.began)
	if n := strings.Count(report, "\n"); n != 3+maxReportLines+1 { // titles, lines, and how many are left out
		t.Errorf("%d lines", n)
	}
	for _, want := range []string{"1000 lines", "line 0\n", "line 24\n", "… 900 lines …", "line 925\n", "line 999\n"} {
		if !strings.Contains(report, want) {
			t.Errorf("the report lacks %q", want)
		}
	}
}

// A dial that fails, because the suite is interrupted say, names the URL.
func TestAFailedDialDoesNotTellTheToken(t *testing.T) {
	token := authtest.NewKey().Sign(authtest.Claims{Subject: "ann"})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, _, err := dialURL(ctx, "ws://127.0.0.1:1/live?token="+token, nil)
	if err == nil || strings.Contains(err.Error(), token[len(token)-20:]) || !strings.Contains(err.Error(), telemetry.Redacted) {
		t.Errorf("got %v", err)
	}
}
