package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"fanfare/localstack/emulator"
)

// output is what a program prints, readable while it runs.
type output struct {
	mu   sync.Mutex
	b    bytes.Buffer
	more chan struct{} // gets a value when something was printed
}

func newOutput() *output { return &output{more: make(chan struct{}, 1)} }

func (o *output) Write(b []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	select {
	case o.more <- struct{}{}:
	default:
	}
	return o.b.Write(b)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.b.String()
}

// await waits until text was printed.
func (o *output) await(t *testing.T, text string) {
	t.Helper()
	for !strings.Contains(o.String(), text) {
		select {
		case <-o.more:
		case <-t.Context().Done():
			t.Fatalf("%q was not printed:\n%s", text, o)
		}
	}
}

// running is a cloud that the command line started.
type running struct {
	addr        string
	out, errors *output
	stop        func() (code int)
}

func startCloud(t *testing.T, args ...string) *running {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	r := &running{out: newOutput(), errors: newOutput()}
	done := make(chan int, 1)
	go func() {
		p := program{stdout: r.out, stderr: r.errors, getenv: func(string) string { return "" }}
		done <- p.run(ctx, append([]string{"-addr", "127.0.0.1:0"}, args...))
	}()
	r.errors.await(t, "\nReady.\n")
	_, after, _ := strings.Cut(r.errors.String(), "ready at http://")
	r.addr, _, _ = strings.Cut(after, "\n")
	r.stop = sync.OnceValue(func() int { cancel(); return <-done })
	t.Cleanup(func() { r.stop() })
	return r
}

// cli runs one command.
func cli(env map[string]string, args ...string) (stdout, stderr string, code int) {
	out, errs := newOutput(), newOutput()
	code = program{stdout: out, stderr: errs, getenv: func(name string) string { return env[name] }}.run(context.Background(), args)
	return out.String(), errs.String(), code
}

func TestCommandsOnARunningCloud(t *testing.T) {
	cloud := startCloud(t, "-seed", "3")
	for _, c := range []struct {
		args string
		want string // is in what is printed
		code int
	}{
		{"clock advance 2h", "2h0m0s ahead of real time", exitOK},
		{"clock", "2h0m0s ahead of real time", exitOK},
		{"clock advance -2h", "flag provided but not defined", exitMisused},
		{"clock advance soon", "no time to move forward by, such as 2h", exitMisused},
		{"clock back 2h", "want clock, or clock advance 2h", exitMisused},
		{"fault add -service dynamodb -operation *Item -resource orders -probability 0.5 -after 1 -count 3 -latency 5ms -status 500 -code InternalServerError", "1\n", exitOK},
		{"fault add -id lost -service execute-api -drop", "lost\n", exitOK},
		{"fault add -kill", "3\n", exitOK},
		{"fault add -service sqs -delay 30s", "4\n", exitOK},
		{"fault add -throttle", "5\n", exitOK},
		{"fault list", "1     dynamodb     *Item      orders    50%, at most 3, after 1  latency 5ms, 500 InternalServerError", exitOK},
		{"fault list", "lost  execute-api  *          *         all                      drop", exitOK},
		{"fault list", "seed 3", exitOK},
		{"fault remove lost", "", exitOK},
		{"fault remove lost", `there is no fault rule "lost"`, exitFailed},
		{"fault add", "it changes nothing", exitFailed},
		{"fault add -statuss 500", "flag provided but not defined: -statuss", exitMisused},
		{"fault mend", "want fault add, list, remove ID or reset", exitMisused},
		{"fault reset -seed 8", "", exitOK},
		{"fault list", "seed 8", exitOK},
		{"fault reset", "", exitOK},
		{"fault list", "seed 8", exitOK},
		{"requests -limit -1", "limit=-1 must be a number from 1", exitFailed},
		{"requests -service sqs", "", exitOK},
		{"requests clear", "", exitOK},
		{"requests all", "want requests [flags]", exitMisused},
		{"alarms", "there are no alarms\n", exitOK},
		{"alarms off", `alarms takes no "off"`, exitMisused},
		{"snapshot", "no data directory to save to (-data)", exitFailed},
		{"health", "dynamodb     available", exitOK},
		{"info", "none: nothing is kept", exitOK},
		{"info now", `info takes no "now"`, exitMisused},
		{"fly", `there is no command "fly"`, exitMisused},
	} {
		t.Run(c.args, func(t *testing.T) {
			args := strings.Fields(c.args)
			args = append(args[:1:1], append([]string{"-addr", cloud.addr}, args[1:]...)...)
			if args[0] == "fault" { // its verb comes first
				args[1], args[2], args[3] = args[3], args[1], args[2]
			}
			stdout, stderr, code := cli(nil, args...)
			if code != c.code || !strings.Contains(stdout+stderr, c.want) {
				t.Errorf("exit %d, want %d with %q:\n%s%s", code, c.code, c.want, stdout, stderr)
			}
		})
	}
	if code := cloud.stop(); code != exitOK {
		t.Errorf("stopped with exit %d: %s", code, cloud.errors)
	}
}

func TestACommandFindsItsCloud(t *testing.T) {
	cloud := startCloud(t)
	if _, stderr, code := cli(map[string]string{"AWS_ENDPOINT_URL": "http://" + cloud.addr + "/"}, "health"); code != exitOK {
		t.Errorf("by AWS_ENDPOINT_URL: exit %d, %s", code, stderr)
	}
	if _, stderr, code := cli(map[string]string{"AWS_ENDPOINT_URL": "http://127.0.0.1:1"}, "health", "-addr", cloud.addr); code != exitOK {
		t.Errorf("-addr does not win: exit %d, %s", code, stderr)
	}
	addr := freeAddr(t)
	if _, stderr, code := cli(nil, "clock", "-addr", addr); code != exitFailed || !strings.Contains(stderr, "start one with go run ./localstack") {
		t.Errorf("nobody there: exit %d, %s", code, stderr)
	}
	if _, stderr, code := cli(nil, "clock", "-addr", "http://%zz"); code != exitMisused || !strings.Contains(stderr, "neither an address") {
		t.Errorf("no address: exit %d, %s", code, stderr)
	}
}

// freeAddr is an address at which nobody listens.
func freeAddr(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

func TestAnotherServerIsNotTheCloud(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	other := &http.Server{Handler: http.NotFoundHandler()} //nolint:gosec // it serves one request of this test
	go func() { _ = other.Serve(l) }()                     // ends with Close
	t.Cleanup(func() { _ = other.Close() })
	if _, stderr, code := cli(nil, "info", "-addr", l.Addr().String()); code != exitFailed || !strings.Contains(stderr, "is not this local cloud") {
		t.Errorf("exit %d, %s", code, stderr)
	}
	if _, stderr, code := cli(nil, "-addr", l.Addr().String()); code != exitFailed || !strings.Contains(stderr, "choose another port with -addr") {
		t.Errorf("its port: exit %d, %s", code, stderr)
	}
}

func TestAlarmsThatRingComeFirstAndSayWhatTheyMean(t *testing.T) {
	cloud := startCloud(t)
	call := func(form string) {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://"+cloud.addr+"/", strings.NewReader(form+"&Version=2010-08-01"))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		req.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential=mine/20260102/eu-west-1/monitoring/aws4_request, SignedHeaders=host;x-amz-date, Signature=0")
		req.Header.Set("X-Amz-Date", time.Now().UTC().Format("20060102T150405Z"))
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		if resp.Body.Close(); resp.StatusCode != http.StatusOK {
			t.Fatalf("%s: HTTP %d", form, resp.StatusCode)
		}
	}
	for _, name := range []string{"a", "b", "c%1B[2J%0Ad"} {
		call("Action=PutMetricAlarm&AlarmName=" + name + "&AlarmDescription=See+the+runbook.%1B[1m&Namespace=F&MetricName=m&Statistic=Sum&Period=60" +
			"&EvaluationPeriods=1&Threshold=0&ComparisonOperator=GreaterThanThreshold&TreatMissingData=ignore")
	}
	call("Action=SetAlarmState&AlarmName=a&StateValue=OK&StateReason=fine")
	call("Action=SetAlarmState&AlarmName=c%1B[2J%0Ad&StateValue=ALARM&StateReason=drill%0Afake")
	stdout, stderr, code := cli(nil, "alarms", "-addr", cloud.addr)
	got := regexp.MustCompile(`since \S+`).ReplaceAllString(stdout, "since")
	want := `ALARM             c\x1b[2J\nd, eu-west-1, since
                  drill\nfake
                  See the runbook.\x1b[1m
OK                a, eu-west-1, since
INSUFFICIENT_DATA b, eu-west-1, since
                  Unchecked: Initial alarm creation
`
	if code != exitOK || got != want {
		t.Errorf("exit %d, %s\n%s\nwant\n%s", code, stderr, got, want)
	}
}

func TestEveryCommandHasHelp(t *testing.T) {
	for _, command := range []string{"", "clock", "fault", "requests", "iam", "alarms", "snapshot", "health", "info"} {
		args := strings.Fields(command + " --help")
		stdout, stderr, code := cli(nil, args...)
		if code != exitOK || !strings.Contains(stdout, "usage: go run ./localstack "+command) || !strings.Contains(stdout, "-addr") || stderr != "" {
			t.Errorf("%v: exit %d\n%s%s", args, code, stdout, stderr)
		}
	}
	all, _, _ := cli(nil, "--help")
	for _, word := range []string{"AWS_ENDPOINT_URL", "AWS_DEFAULT_REGION", "LOCALSTACK_HOST", "cloud.zip", "snapshot", "clock", "fault", "iam report", "alarms", "Not there", "-json"} {
		if !strings.Contains(all, word) {
			t.Errorf("--help does not tell of %s", word)
		}
	}
}

func TestWhatToDoAboutAFolderThatCannotBeWrittenIsSaid(t *testing.T) {
	for name, c := range map[string]struct {
		errno syscall.Errno
		want  string
	}{
		"another user's":           {syscall.EACCES, fmt.Sprintf("runs as user %d", os.Getuid())},
		"of a read-only container": {syscall.EROFS, "--tmpfs /tmp:exec"},
	} {
		t.Run(name, func(t *testing.T) {
			err := withRemedy(&fs.PathError{Op: "open", Path: "/data/lock", Err: c.errno})
			if !errors.Is(err, c.errno) || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%v, want %q in it", err, c.want)
			}
		})
	}
	if err := withRemedy(fs.ErrExist); err != fs.ErrExist { //nolint:errorlint // the very same
		t.Errorf("another error became %v", err)
	}
}

func TestADataDirectoryThatCannotBeIsNamed(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, stderr, code := cli(nil, "-addr", "127.0.0.1:0", "-data", file); code != exitFailed || !strings.Contains(stderr, "data directory") || !strings.Contains(stderr, file) {
		t.Errorf("exit %d, %s", code, stderr)
	}
}

func TestItListensOnLoopbackAndWarnsOfAnythingElse(t *testing.T) {
	if host, _, err := net.SplitHostPort(emulator.DefaultAddr); err != nil || !net.ParseIP(host).IsLoopback() {
		t.Errorf("the default address is %s", emulator.DefaultAddr)
	}
	const warning = "not only this machine can reach the cloud"
	if quiet := startCloud(t); strings.Contains(quiet.out.String(), warning) {
		t.Error("loopback is warned of")
	}
	open := startCloud(t, "-addr", "0.0.0.0:0")
	if !strings.Contains(open.out.String(), warning) {
		t.Errorf("no warning for %s", open.addr)
	}
}

func TestTheLogHasALineForEachRequest(t *testing.T) {
	people, machines := startCloud(t), startCloud(t, "-json")
	for _, cloud := range []*running{people, machines} {
		if _, err := http.Get("http://" + cloud.addr + "/x?token=SECRET"); err != nil {
			t.Fatal(err)
		}
		cloud.out.await(t, "GET /x")
		if strings.Contains(cloud.out.String(), "SECRET") {
			t.Errorf("a token is logged: %s", cloud.out)
		}
	}
	if line := people.out.String(); !strings.Contains(line, " ✗ ") || !strings.Contains(line, " 501 ") || !strings.Contains(line, "not in the local cloud") {
		t.Errorf("for people: %s", line)
	}
	var r struct {
		Type string
		emulator.Request
	}
	if err := json.Unmarshal([]byte(machines.out.String()), &r); err != nil || r.Type != "request" || r.Status != 501 || r.Operation != "GET /x" {
		t.Errorf("for machines: %s: %v", machines.out, err)
	}
}
