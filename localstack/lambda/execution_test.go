package lambda

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"

	"fanfare/localstack/clock"
)

// Status, Executed-Version, Log-Result as documented [BOTO:lambda].
func TestInvokeReturnsTheFunctionsAnswer(t *testing.T) {
	c := newCloud(t, Options{})
	in := functionInput("echo", "")
	in.Code.ZipFile = functionZip
	if _, err := c.CreateFunction(t.Context(), in); err != nil {
		t.Fatal(err)
	}
	out, err := c.Client.Invoke(t.Context(), &sdk.InvokeInput{
		FunctionName: aws.String("echo"), Payload: []byte(`{"a":1}`), LogType: types.LogTypeTail,
	})
	if err != nil {
		t.Fatal(err)
	}
	if string(out.Payload) != `{"a":1}` || out.FunctionError != nil || *out.ExecutedVersion != "$LATEST" || out.StatusCode != 200 {
		t.Errorf("answer = %s, error %v, version %s, status %d", out.Payload, out.FunctionError, *out.ExecutedVersion, out.StatusCode)
	}
	tail, _ := base64.StdEncoding.DecodeString(aws.ToString(out.LogResult))
	if !strings.HasPrefix(string(tail), "START RequestId: ") || !strings.Contains(string(tail), "\nREPORT RequestId: ") {
		t.Errorf("log tail = %q", tail)
	}
	if res := c.mustInvoke(t, "echo", ""); string(res.Payload) != "{}" {
		t.Errorf("no payload arrives as %q, want {}", res.Payload)
	}
}

// What the caller gets when a function fails, each as AWS answers it: errors of
// the handler [LGO], a runtime that ends and time-outs [RIE], sizes
// [LDG:runtimes-api].
func TestFunctionFailures(t *testing.T) {
	c := newCloud(t, Options{initLimit: 300 * time.Millisecond})
	second := func(in *sdk.CreateFunctionInput) { in.Timeout = aws.Int32(1) }
	for _, tt := range []struct {
		what, behaviour, event string
		change                 func(*sdk.CreateFunctionInput)
		want                   string // pattern of the payload
		logged                 string
	}{
		{"returned error", "error", "{}", nil, `^{"errorMessage":"not today","errorType":"errorString"}$`, "Duration"},
		{"panic", "panic", "{}", nil, `"errorMessage":"out of cheese","errorType":"string"`, "Duration"},
		{"exit", "exit", "{}", nil,
			`^{"errorMessage":"RequestId: [0-9a-f-]{36} Error: Runtime exited with error: exit status 3","errorType":"Runtime.ExitError"}$`,
			"Status: error\tError Type: Runtime.ExitError"},
		{"time-out", "sleep", `{"millis":60000}`, second,
			`^{"errorMessage":"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z [0-9a-f-]{36} Task timed out after 1.00 seconds"}$`, "Status: timeout"},
		{"exit during init", "init-exit", "{}", nil, `"errorType":"Runtime.ExitError"`, "INIT_REPORT"},
		{"init that never ends", "init-hang", "{}", second, `Task timed out after 1.00 seconds`, "Status: timeout"},
		{"response over 6 MB", "large", "{}", nil, `"errorType":"Function.ResponseSizeTooLarge"`, "Duration"},
		{"stream that breaks off", "half", "{}", nil, `^{"errorMessage":"pipe burst"`, "Duration"},
	} {
		t.Run(tt.what, func(t *testing.T) {
			t.Parallel()
			change := tt.change
			if change == nil {
				change = func(*sdk.CreateFunctionInput) {}
			}
			name := strings.ReplaceAll(tt.what, " ", "-")
			c.create(t, name, tt.behaviour, change)
			res := c.mustInvoke(t, name, tt.event)
			if res.FunctionError != "Unhandled" || !regexp.MustCompile(tt.want).Match(res.Payload) {
				t.Errorf("answer = %q %s, want %s", res.FunctionError, res.Payload, tt.want)
			}
			var log []string
			for _, l := range c.logs.all() {
				if l.Function == arnHead+name {
					log = append(log, l.Text)
				}
			}
			if !strings.Contains(strings.Join(log, "\n"), tt.logged) {
				t.Errorf("log has no %q: %q", tt.logged, log)
			}
		})
	}
}

// The init phase has 10 s. One that takes longer is repeated as part of the
// invoke, in the function's own time [LDG:lambda-runtime-environment].
func TestASlowFirstInitIsRepeatedWithTheFunctionsTimeout(t *testing.T) {
	if o := (Options{}).withDefaults(); o.initLimit != 10*time.Second {
		t.Errorf("the first init has %v", o.initLimit)
	}
	c := newCloud(t, Options{initLimit: 100 * time.Millisecond})
	c.create(t, "slow", "init-slow") // 400 ms
	if res := c.mustInvoke(t, "slow", `"ok"`); string(res.Payload) != `"ok"` {
		t.Errorf("answer = %s", res.Payload)
	}
	if l := c.logs.wait(t, "INIT_REPORT", 1); !strings.HasSuffix(l.Text, "Phase: init\tStatus: timeout") {
		t.Errorf("init report %q", l.Text)
	}
	report := c.logs.wait(t, "REPORT RequestId", 1).Text
	m := regexp.MustCompile(`\tDuration: (\d+)\.`).FindStringSubmatch(report)
	if strings.Contains(report, "Init Duration") || m == nil || len(m[1]) < 3 || m[1] < "400" && len(m[1]) == 3 {
		t.Errorf("the second init is part of the invoke's duration: %q", report)
	}
}

func TestTheSecondInitHasNoMoreThanTheFunctionsTimeout(t *testing.T) {
	c := newCloud(t, Options{initLimit: 100 * time.Millisecond})
	c.create(t, "hangs", "init-hang", func(in *sdk.CreateFunctionInput) { in.Timeout = aws.Int32(1) })
	c.mustInvoke(t, "hangs", "{}")
	if texts := strings.Join(c.logs.texts(), "\n"); strings.Count(texts, "INIT_REPORT") != 2 || !strings.Contains(texts, "Phase: invoke\tStatus: timeout") {
		t.Errorf("log %q", texts)
	}
}

// An environment has one invoke at a time and is used again
// [LDG:lambda-runtime-environment].
func TestEnvironmentsAreReusedOneInvokeAtATime(t *testing.T) {
	c := newCloud(t, Options{})
	c.create(t, "sleeper", "sleep")
	pids := map[float64]bool{}
	for range 20 {
		pids[decode[map[string]float64](t, c.mustInvoke(t, "sleeper", "{}").Payload)["pid"]] = true
	}
	if len(pids) != 1 {
		t.Errorf("20 invokes in a row ran in %d processes, want 1", len(pids))
	}

	const parallel = 6
	var mu sync.Mutex
	var wg sync.WaitGroup
	clear(pids)
	for range parallel {
		wg.Go(func() {
			pid := decode[map[string]float64](t, c.mustInvoke(t, "sleeper", `{"millis":1000}`).Payload)["pid"]
			mu.Lock()
			defer mu.Unlock()
			pids[pid] = true
		})
	}
	wg.Wait()
	if len(pids) != parallel {
		t.Errorf("%d invokes at the same time ran in %d processes", parallel, len(pids))
	}
}

func TestAfterAFailureTheNextInvokeWorks(t *testing.T) {
	c := newCloud(t, Options{})
	c.create(t, "f", "panic")
	for range 3 {
		if res := c.mustInvoke(t, "f", "{}"); !strings.Contains(string(res.Payload), "out of cheese") {
			t.Errorf("answer = %s", res.Payload)
		}
	}
}

// Beyond the reserved concurrency: 429 with its reason [LDG:lambda-concurrency;
// BOTO:lambda].
func TestConcurrencyIsLimited(t *testing.T) {
	c := newCloud(t, Options{Concurrency: 102})
	c.create(t, "reserved", "sleep")
	reserve := func(n int32) error {
		_, err := c.PutFunctionConcurrency(t.Context(), &sdk.PutFunctionConcurrencyInput{
			FunctionName: aws.String("reserved"), ReservedConcurrentExecutions: &n})
		return err
	}
	if err := reserve(1); err != nil {
		t.Fatal(err)
	}
	wantFault(t, reserve(3), "InvalidParameterValueException", "below its minimum value of [100]")

	done := make(chan error, 1)
	go func() {
		_, err := c.Invoke(context.Background(), Request{Function: "reserved", Payload: []byte(`{"millis":1500}`)})
		done <- err
	}()
	c.logs.wait(t, "START", 1)
	_, err := c.Client.Invoke(t.Context(), &sdk.InvokeInput{FunctionName: aws.String("reserved")})
	e, ok := errors.AsType[*types.TooManyRequestsException](err)
	if !ok || e.Reason != types.ThrottleReasonReservedFunctionConcurrentInvocationLimitExceeded || aws.ToString(e.RetryAfterSeconds) == "" {
		t.Errorf("second invoke: %v", err)
	}
	if err := <-done; err != nil {
		t.Error(err)
	}
	c.mustInvoke(t, "reserved", "{}") // there is room again
}

// Beyond the account's: 429 [LDG:lambda-concurrency].
func TestTheAccountsConcurrencyIsShared(t *testing.T) {
	c := newCloud(t, Options{Concurrency: 1})
	c.create(t, "a", "sleep")
	c.create(t, "b", "sleep")
	done := make(chan error, 1)
	go func() {
		_, err := c.Invoke(context.Background(), Request{Function: "a", Payload: []byte(`{"millis":1000}`)})
		done <- err
	}()
	c.logs.wait(t, "START", 1)
	_, err := c.Invoke(t.Context(), Request{Function: "b"})
	wantFault(t, err, "TooManyRequestsException", "Rate Exceeded")
	if err := <-done; err != nil {
		t.Error(err)
	}
}

// The variables of the runtime, memory size included, and no others
// [LDG:configuration-envvars].
func TestTheProcessSeesOnlyLambdasEnvironment(t *testing.T) {
	t.Setenv("SECRET_OF_THE_HOST", "1")
	c := newCloud(t, Options{Environment: func(f FunctionInfo) map[string]string {
		return map[string]string{"AWS_ACCESS_KEY_ID": "key of " + f.Role, "AWS_ENDPOINT_URL": "http://localhost:4566", "OWN": "the platform wins"}
	}})
	c.create(t, "env", "environment", func(in *sdk.CreateFunctionInput) {
		in.MemorySize = aws.Int32(256)
		in.Environment.Variables["OWN"], in.Environment.Variables["TZ"] = "user's", "Europe/Oslo"
	})
	got := decode[map[string]string](t, c.mustInvoke(t, "env", "{}").Payload)
	dir := got["working directory"]
	for name, want := range map[string]string{
		"_HANDLER": "bootstrap", "AWS_REGION": "us-east-1", "AWS_DEFAULT_REGION": "us-east-1",
		"AWS_LAMBDA_FUNCTION_NAME": "env", "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "256", "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
		"AWS_LAMBDA_LOG_GROUP_NAME": "/aws/lambda/env", "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand", "LAMBDA_TASK_ROOT": dir,
		"LAMBDA_RUNTIME_DIR": "/var/runtime", "TZ": "Europe/Oslo", "LANG": "en_US.UTF-8", "BEHAVIOUR": "environment",
		"AWS_ACCESS_KEY_ID": "key of " + testRole, "AWS_ENDPOINT_URL": "http://localhost:4566", "OWN": "the platform wins",
	} {
		if got[name] != want {
			t.Errorf("%s = %q, want %q", name, got[name], want)
		}
		delete(got, name)
	}
	patterns := map[string]string{
		"AWS_LAMBDA_RUNTIME_API":     `^127\.0\.0\.1:\d+$`,
		"AWS_LAMBDA_LOG_STREAM_NAME": `^\d{4}/\d\d/\d\d/\[\$LATEST\][0-9a-f]{32}$`,
		"PATH":                       `^/usr`, "working directory": `.`,
		"_X_AMZN_TRACE_ID": `.`, // the library sets it
	}
	for name, value := range got {
		if p, ok := patterns[name]; !ok || !regexp.MustCompile(p).MatchString(value) {
			t.Errorf("unexpected %s=%s", name, value)
		}
	}
}

// What the headers of next carry [LDG:runtimes-api].
func TestTheHandlersContext(t *testing.T) {
	c := newCloud(t, Options{})
	c.create(t, "ctx", "context", func(in *sdk.CreateFunctionInput) { in.Publish = true })
	res, err := c.Invoke(t.Context(), Request{
		Function: "ctx:1", TraceID: "Root=1-5759e988-bd862e3fe1be46a994272793", ClientContext: `{"custom":{"k":"v"}}`})
	if err != nil {
		t.Fatal(err)
	}
	got := decode[map[string]any](t, res.Payload)
	want := map[string]any{"arn": arnHead + "ctx:1", "request": res.RequestID, "client": "v", "version": "1",
		"trace": "Root=1-5759e988-bd862e3fe1be46a994272793;Lineage=" + hopName(arnHead+"ctx") + ":1"}
	for name, value := range want {
		if got[name] != value {
			t.Errorf("%s = %v, want %v", name, got[name], value)
		}
	}
	if left, _ := got["left"].(float64); left < 25000 || left > 30000 {
		t.Errorf("%v ms until the deadline, want just under 30 s", got["left"])
	}
	if res.ExecutedVersion != "1" {
		t.Errorf("executed version %s", res.ExecutedVersion)
	}
}

// START, the function's lines, END and REPORT, whose Init Duration is in the
// first only [LDG:monitoring-cloudwatchlogs].
func TestLogLines(t *testing.T) {
	c := newCloud(t, Options{})
	c.create(t, "printer", "print", func(in *sdk.CreateFunctionInput) {
		in.LoggingConfig = &types.LoggingConfig{LogGroup: aws.String("/shared/group")}
	})
	var ids []string
	for i := range 2 {
		res, err := c.Invoke(t.Context(), Request{Function: "printer", Payload: fmt.Appendf(nil, `{"value":"%d a||%d b"}`, i, i), Tail: true})
		if err != nil {
			t.Fatal(err)
		}
		ids = append(ids, res.RequestID)
		if !strings.Contains(res.LogTail, fmt.Sprintf("%d b\nno line end\nEND", i)) {
			t.Errorf("tail %q", res.LogTail)
		}
	}
	lines := c.logs.all()
	for _, l := range lines {
		if l.Group != "/shared/group" || l.Stream != lines[0].Stream || l.Function != arnHead+"printer" || l.Time.IsZero() {
			t.Fatalf("line %+v", l)
		}
	}
	report := regexp.MustCompile(`^REPORT RequestId: (\S+)\tDuration: \d+\.\d\d ms\tBilled Duration: \d+ ms\tMemory Size: 128 MB\t(Max Memory Used: \d+ MB\t)?(Init Duration: \d+\.\d\d ms\t)?$`)
	var got []string
	for _, l := range lines {
		if m := report.FindStringSubmatch(l.Text); m != nil {
			if first := l.RequestID == ids[0]; first != (m[3] != "") {
				t.Errorf("Init Duration belongs into the first report: %q", l.Text)
			}
			l.Text = "REPORT"
		}
		got = append(got, l.RequestID+" "+l.Text)
	}
	var want []string
	for i, id := range ids {
		want = append(want, id+" START RequestId: "+id+" Version: $LATEST", fmt.Sprintf("%s %d a", id, i), id+" ",
			fmt.Sprintf("%s %d b", id, i), id+" no line end", id+" END RequestId: "+id, id+" REPORT")
	}
	if !slices.Equal(got, want) {
		t.Errorf("log\n%q\nwant\n%q", got, want)
	}
}

// [LDG:telemetry-schema-reference]
func TestPlatformLinesInJSON(t *testing.T) {
	c := newCloud(t, Options{})
	c.create(t, "f", "", func(in *sdk.CreateFunctionInput) {
		in.LoggingConfig = &types.LoggingConfig{LogFormat: types.LogFormatJson}
	})
	id := c.mustInvoke(t, "f", "{}").RequestID
	type line struct {
		Type   string
		Record struct{ RequestID, Status string }
	}
	for i, want := range []string{"platform.start", "platform.report"} {
		if l := decode[line](t, []byte(c.logs.texts()[i])); l.Type != want || l.Record.RequestID != id {
			t.Errorf("line %d = %+v, want %s", i, l, want)
		}
	}
}

// SIGTERM comes only to a process with an extension, and thaws it first
// [LDG:runtimes-extensions-api; LGORUN].
func TestSIGTERM(t *testing.T) {
	for _, tt := range []struct {
		behaviour string
		heard     int
	}{{"sigterm", 1}, {"", 0}} {
		t.Run("behaviour "+tt.behaviour, func(t *testing.T) {
			c := newCloud(t, Options{})
			c.create(t, "f", tt.behaviour)
			if res := c.mustInvoke(t, "f", `"x"`); string(res.Payload) != `"x"` {
				t.Fatalf("answer %s", res.Payload)
			}
			if err := c.Close(); err != nil {
				t.Fatal(err)
			}
			n := 0
			for _, text := range c.logs.texts() {
				if text == "SIGTERM heard" {
					n++
				}
			}
			if n != tt.heard {
				t.Errorf("SIGTERM heard %d times, want %d", n, tt.heard)
			}
		})
	}
}

func TestAChangeReplacesTheEnvironments(t *testing.T) {
	c := newCloud(t, Options{})
	c.create(t, "f", "sleep")
	before := decode[map[string]int](t, c.mustInvoke(t, "f", "{}").Payload)["pid"]

	running := make(chan Response, 1)
	go func() {
		res, _ := c.Invoke(context.Background(), Request{Function: "f", Payload: []byte(`{"millis":500}`)})
		running <- res
	}()
	c.logs.wait(t, "START", 2)
	if _, err := c.UpdateFunctionConfiguration(t.Context(), &sdk.UpdateFunctionConfigurationInput{
		FunctionName: aws.String("f"), Timeout: aws.Int32(20)}); err != nil {
		t.Fatal(err)
	}
	after := decode[map[string]int](t, c.mustInvoke(t, "f", "{}").Payload)["pid"]
	if after == before {
		t.Error("the outdated process served an invoke")
	}
	if pid := decode[map[string]int](t, (<-running).Payload)["pid"]; pid != before {
		t.Error("the invoke under way did not end in its own process")
	}
	eventually(t, "the outdated process ends", func() bool { return syscall.Kill(before, 0) != nil })
}

// Environments are reclaimed at the platform's will
// [LDG:lambda-runtime-environment].
func TestIdleEnvironmentsAreReaped(t *testing.T) {
	clk := clock.New()
	c := newCloud(t, Options{Clock: clk, IdleTimeout: time.Minute})
	c.create(t, "f", "sleep")
	pid := decode[map[string]int](t, c.mustInvoke(t, "f", "{}").Payload)["pid"]
	clk.Advance(59 * time.Second)
	if c.idle() != 1 || syscall.Kill(pid, 0) != nil {
		t.Error("stopped before its time")
	}
	clk.Advance(time.Second)
	eventually(t, "the idle process ends", func() bool { return syscall.Kill(pid, 0) != nil })
	if again := decode[map[string]int](t, c.mustInvoke(t, "f", "{}").Payload)["pid"]; again == pid {
		t.Error("a dead process answered")
	}
}

func TestAProcessThatDiesWhileItIdlesIsReplaced(t *testing.T) {
	c := newCloud(t, Options{})
	c.create(t, "f", "sleep")
	pid := decode[map[string]int](t, c.mustInvoke(t, "f", "{}").Payload)["pid"]
	if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	eventually(t, "its death is noticed", func() bool { return c.idle() == 0 })
	res := c.mustInvoke(t, "f", "{}")
	if again := decode[map[string]int](t, res.Payload)["pid"]; res.FunctionError != "" || again == pid {
		t.Errorf("answer %s", res.Payload)
	}
}

func TestTheEndOfTheCallersContextEndsOnlyTheWaiting(t *testing.T) {
	c := newCloud(t, Options{})
	c.create(t, "f", "sleep")
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		c.logs.wait(t, "START", 1)
		cancel()
	}()
	if _, err := c.Invoke(ctx, Request{Function: "f", Payload: []byte(`{"millis":300}`)}); !errors.Is(err, context.Canceled) {
		t.Errorf("error = %v", err)
	}
	if l := c.logs.wait(t, "REPORT", 1); strings.Contains(l.Text, "Status:") {
		t.Errorf("the function did not run to its end: %s", l.Text)
	}
}

// [BOTO:lambda]
func TestInvokeRefuses(t *testing.T) {
	c := newCloud(t, Options{})
	c.create(t, "f", "")
	for _, tt := range []struct {
		what       string
		in         sdk.InvokeInput
		code, part string
	}{
		{"unknown function", sdk.InvokeInput{FunctionName: aws.String("nope")}, "ResourceNotFoundException", "Function not found: " + arnHead + "nope"},
		{"unknown qualifier", sdk.InvokeInput{FunctionName: aws.String("f"), Qualifier: aws.String("7")}, "ResourceNotFoundException", "Function not found: " + arnHead + "f:7"},
		{"text that is not JSON", sdk.InvokeInput{FunctionName: aws.String("f"), Payload: []byte("hello")}, "InvalidRequestContentException", "Could not parse request body into json"},
		{"more than 6 MB", sdk.InvokeInput{FunctionName: aws.String("f"), Payload: make([]byte, maxPayload+1)}, "RequestEntityTooLargeException", "smaller than 6291456 bytes"},
		{"an asynchronous event over 1 MB", sdk.InvokeInput{FunctionName: aws.String("f"), InvocationType: types.InvocationTypeEvent, Payload: make([]byte, maxAsyncPayload+1)},
			"RequestEntityTooLargeException", "smaller than 1048576 bytes"},
		{"dry run of an unknown function", sdk.InvokeInput{FunctionName: aws.String("nope"), InvocationType: types.InvocationTypeDryRun}, "ResourceNotFoundException", "not found"},
		{"a function of another region", sdk.InvokeInput{FunctionName: aws.String("arn:aws:lambda:eu-west-1:000000000000:function:f")}, "ResourceNotFoundException", "not reachable in this region"},
	} {
		t.Run(tt.what, func(t *testing.T) {
			_, err := c.Client.Invoke(t.Context(), &tt.in)
			wantFault(t, err, tt.code, tt.part)
		})
	}
	out, err := c.Client.Invoke(t.Context(), &sdk.InvokeInput{FunctionName: aws.String("f"), InvocationType: types.InvocationTypeDryRun})
	if err != nil || out.StatusCode != 204 {
		t.Errorf("dry run: %v %v", out, err)
	}
}

// [LDG:invocation-async-error-handling]
func TestAsynchronousEvents(t *testing.T) {
	t.Run("a failing function is tried again after 1 and 2 minutes", func(t *testing.T) {
		clk := clock.New()
		c := newCloud(t, Options{Clock: clk})
		c.create(t, "f", "error")
		sendEvent(t, c, "f")
		c.logs.wait(t, "REPORT", 1)
		settled(t, c, 1)
		clk.Advance(time.Minute)
		c.logs.wait(t, "REPORT", 2)
		settled(t, c, 2)
		clk.Advance(2 * time.Minute)
		c.logs.wait(t, "REPORT", 3)
		eventually(t, "the event is dropped", func() bool { return pending(c) == nil })
		ids := map[string]bool{}
		for _, l := range c.logs.all() {
			if strings.HasPrefix(l.Text, "START") {
				ids[l.RequestID] = true
			}
		}
		if len(ids) != 1 {
			t.Errorf("%d request ids, want one for all attempts", len(ids))
		}
	})
	t.Run("MaximumRetryAttempts is honoured", func(t *testing.T) {
		c := newCloud(t, Options{})
		c.create(t, "f", "error")
		if _, err := c.PutFunctionEventInvokeConfig(t.Context(), &sdk.PutFunctionEventInvokeConfigInput{
			FunctionName: aws.String("f"), MaximumRetryAttempts: aws.Int32(0)}); err != nil {
			t.Fatal(err)
		}
		sendEvent(t, c, "f")
		c.logs.wait(t, "REPORT", 1)
		eventually(t, "the event is dropped", func() bool { return pending(c) == nil })
	})
	t.Run("a throttled event waits", func(t *testing.T) {
		clk := clock.New()
		c := newCloud(t, Options{Clock: clk})
		c.create(t, "f", "")
		if _, err := c.PutFunctionConcurrency(t.Context(), &sdk.PutFunctionConcurrencyInput{
			FunctionName: aws.String("f"), ReservedConcurrentExecutions: aws.Int32(0)}); err != nil {
			t.Fatal(err)
		}
		sendEvent(t, c, "f")
		eventually(t, "the event is throttled", func() bool { e := pending(c); return e != nil && e.Throttles > 0 })
		if _, err := c.DeleteFunctionConcurrency(t.Context(), &sdk.DeleteFunctionConcurrencyInput{FunctionName: aws.String("f")}); err != nil {
			t.Fatal(err)
		}
		clk.Advance(throttleMax)
		c.logs.wait(t, "REPORT", 1)
	})
}

func sendEvent(t *testing.T, c *cloud, name string) {
	t.Helper()
	out, err := c.Client.Invoke(t.Context(), &sdk.InvokeInput{FunctionName: &name, InvocationType: types.InvocationTypeEvent})
	if err != nil || out.StatusCode != 202 || len(out.Payload) != 0 {
		t.Fatalf("event: %+v %v", out, err)
	}
}

// pending returns a copy of the one event that is not settled, or nil.
func pending(c *cloud) *asyncEvent {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, e := range c.events {
		copied := *e
		return &copied
	}
	return nil
}

func settled(t *testing.T, c *cloud, failures int) {
	t.Helper()
	eventually(t, "the attempt is settled", func() bool { e := pending(c); return e != nil && e.Failures == failures })
}

func TestCloseLeavesNothing(t *testing.T) {
	dir := t.TempDir()
	c := newCloud(t, Options{Dir: dir})
	c.create(t, "idle", "sleep")
	c.create(t, "busy", "sleep")
	c.create(t, "failing", "error")
	sendEvent(t, c, "failing") // leaves a retry for later
	pid := decode[map[string]int](t, c.mustInvoke(t, "idle", "{}").Payload)["pid"]
	busy := make(chan error, 1)
	go func() {
		_, err := c.Invoke(context.Background(), Request{Function: "busy", Payload: []byte(`{"millis":60000}`)})
		busy <- err
	}()
	c.logs.wait(t, "START", 3)
	c.mu.Lock()
	var addresses []string
	for _, p := range c.pools {
		p.mu.Lock()
		for e := range p.all {
			addresses = append(addresses, e.api.address())
		}
		p.mu.Unlock()
	}
	c.mu.Unlock()

	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
	wantFault(t, <-busy, "ServiceException", "shutting down")
	if syscall.Kill(pid, 0) == nil {
		t.Error("a process is left")
	}
	if rest, _ := filepath.Glob(filepath.Join(dir, "*")); len(rest) != 0 {
		t.Errorf("files are left: %q", rest)
	}
	for _, address := range addresses {
		if reachable(address) {
			t.Errorf("somebody still listens on %s", address)
		}
	}
	eventually(t, "the goroutines end", func() bool { return len(ownGoroutines()) == 0 })
	if _, err := c.Invoke(t.Context(), Request{Function: "idle"}); err == nil {
		t.Error("a closed service invokes")
	}
	if err := c.Close(); err != nil {
		t.Errorf("second Close: %v", err)
	}
}
