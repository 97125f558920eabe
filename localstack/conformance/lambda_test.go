package conformance

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"github.com/aws/smithy-go"
)

func TestLambda(t *testing.T) { check(t, lambdaClaims) }

var lambdaClaims = []claim{
	{says: "a cold start has the environment variables that AWS defines, and the function's own", sources: "[LDG:configuration-envvars] [RIE rapidcore env]", test: lambdaEnvironment},
	{says: "variables that AWS defines cannot be set", sources: "[LDG:configuration-envvars]", test: lambdaReserved},
	{says: "the context has the deadline, the request id of the answer, and the ARN as invoked", sources: "[LDG:runtimes-api]", test: lambdaContext},
	{says: "an environment is used again, its init is paid once", sources: "[LDG:lambda-runtime-environment]", test: lambdaReuse},
	{says: "an environment has one invoke at a time: a second one starts another", sources: "[LDG:lambda-runtime-environment]", test: lambdaOneAtATime},
	{says: "beyond the reserved concurrency an invoke is 429 TooManyRequestsException", sources: "[BOTO:lambda Invoke]", test: lambdaThrottle},
	{says: "100 of the account's 1,000 concurrent executions stay unreserved", sources: "[LDG:configuration-concurrency]", test: lambdaAccount},
	{says: "a function with reserved concurrency 0 is switched off", sources: "[LDG:configuration-concurrency]", test: lambdaSwitchedOff},
	{says: "an error that a function returns is 200 with X-Amz-Function-Error Unhandled, and keeps its environment", sources: "[BOTO:lambda Invoke] [LGO errors.go]", test: lambdaError},
	{says: "a panic answers with its message and stack, and costs the environment", sources: "[LGO invoke_loop.go]", test: lambdaPanic},
	{says: "a process that exits answers Runtime.ExitError with its exit status", sources: "[RIE]", unverified: true, test: lambdaExit},
	{says: "a process that exits in its init phase fails the invoke", sources: "[RIE]", unverified: true, test: lambdaInitExit},
	{says: "a time-out kills the environment and answers Task timed out", sources: "[RIE] [LDG:runtimes-extensions-api]", unverified: true, test: lambdaTimeout},
	{says: "a REPORT line has Duration, Billed Duration, Memory Size, Max Memory Used and, once, Init Duration", sources: "[LDG:monitoring-cloudwatchlogs]", test: lambdaReport},
	{says: "what a function prints is between its START and END lines in its log group", sources: "[LDG:monitoring-cloudwatchlogs]", test: lambdaLog},
	{says: "SIGTERM reaches a function that has registered an extension", sources: "[LGO sigterm.go] [LDG:runtimes-extensions-api]", test: lambdaSIGTERM},
	{says: "an environment that idles is shut down in time", sources: "[LDG:lambda-runtime-environment]", test: lambdaIdle},
	{says: "a published version keeps its configuration when $LATEST changes", sources: "[LDG:configuration-versions]", test: lambdaVersion},
	{says: "an alias runs the version that it points to, and the function sees the alias in its ARN", sources: "[LDG:configuration-aliases]", test: lambdaAlias},
	{says: "invocation type Event is 202 at once, DryRun 204 without running", sources: "[BOTO:lambda Invoke]", test: lambdaTypes},
	{says: "an event that fails is tried again after one minute and after two more", sources: "[LDG:invocation-async]", test: lambdaRetries},
	{says: "a payload of more than 6 MB, or of 1 MB for an event, is 413", sources: "[LDG:gettingstarted-limits] [WEB:more-room-to-build]", test: lambdaPayloads},
	{says: "a function that is not there is 404 ResourceNotFoundException", sources: "[BOTO:lambda Invoke]", test: lambdaNotFound},
}

// invoke runs a function with an event that names its actor.
func (c *cloud) invoke(t *testing.T, function string) *lambda.InvokeOutput {
	t.Helper()
	return must(c.lambda.Invoke(t.Context(), &lambda.InvokeInput{FunctionName: &function, LogType: types.LogTypeTail}))(t)
}

// tail is the end of the invoke's log.
func tail(t *testing.T, out *lambda.InvokeOutput) string {
	t.Helper()
	return string(must(base64.StdEncoding.DecodeString(aws.ToString(out.LogResult)))(t))
}

// wantCode checks an SDK error's code.
func wantCode(t *testing.T, err error, code string) {
	t.Helper()
	if e, ok := errors.AsType[smithy.APIError](err); !ok || e.ErrorCode() != code {
		t.Errorf("error %v, want %s", err, code)
	}
}

// failure is the payload of an invoke that has failed.
type failure struct {
	ErrorMessage string
	ErrorType    string
	StackTrace   []any
}

func wantFailure(t *testing.T, out *lambda.InvokeOutput) failure {
	t.Helper()
	if out.StatusCode != 200 || aws.ToString(out.FunctionError) != "Unhandled" {
		t.Errorf("HTTP %d, X-Amz-Function-Error %q", out.StatusCode, aws.ToString(out.FunctionError))
	}
	var f failure
	if err := json.Unmarshal(out.Payload, &f); err != nil {
		t.Errorf("payload %s: %v", out.Payload, err)
	}
	return f
}

func lambdaEnvironment(t *testing.T) {
	c := shared(t)
	name, a := c.newFunction(t, map[string]string{"OWN": "yes"}, func(in *lambda.CreateFunctionInput) { in.MemorySize = aws.Int32(256) }, nil)
	c.invoke(t, name)
	got := a.next("").Environment
	for variable, want := range map[string]string{
		"OWN": "yes", "_HANDLER": "bootstrap", "AWS_REGION": region, "AWS_DEFAULT_REGION": region,
		"AWS_LAMBDA_FUNCTION_NAME": name, "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "256", "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
		"AWS_LAMBDA_LOG_GROUP_NAME": "/aws/lambda/" + name, "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand", "TZ": ":UTC",
		"LAMBDA_RUNTIME_DIR": "/var/runtime",
	} {
		if got[variable] != want {
			t.Errorf("%s is %q, want %q", variable, got[variable], want)
		}
	}
	for _, variable := range []string{
		"AWS_LAMBDA_LOG_STREAM_NAME", "AWS_LAMBDA_RUNTIME_API", "LAMBDA_TASK_ROOT", "AWS_ACCESS_KEY_ID",
		"AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "PATH", "LANG",
	} {
		if got[variable] == "" {
			t.Errorf("%s is missing", variable)
		}
	}
	for _, variable := range []string{"AWS_EXECUTION_ENV", "AWS_LAMBDA_MAX_CONCURRENCY", "HOME"} {
		if value, there := got[variable]; there {
			t.Errorf("%s is %q, want none", variable, value)
		}
	}
}

func lambdaReserved(t *testing.T) {
	c := shared(t)
	in := must(c.functionInput(unique("function"), map[string]string{"AWS_REGION": "mars-1"}))(t)
	_, err := c.lambda.CreateFunction(t.Context(), in)
	wantCode(t, err, "InvalidParameterValueException")
}

func lambdaContext(t *testing.T) {
	c := shared(t)
	name, a := c.newFunction(t, nil, func(in *lambda.CreateFunctionInput) { in.Timeout = aws.Int32(7) }, nil)
	out := c.invoke(t, name)
	got := a.next("")
	if left := got.DeadlineMS - got.NowMS; left <= 0 || left > 7000 {
		t.Errorf("%d ms are left of 7 s", left)
	}
	id, _ := requestID(out.ResultMetadata)
	if got.RequestID != id || id == "" {
		t.Errorf("the function's request id is %s, the answer's %s", got.RequestID, id)
	}
	if want := "arn:aws:lambda:" + region + ":" + account + ":function:" + name; got.ARN != want {
		t.Errorf("invoked as %s, want %s", got.ARN, want)
	}
	if !strings.HasPrefix(got.Trace, "Root=1-") {
		t.Errorf("trace %q", got.Trace)
	}
}

func lambdaReuse(t *testing.T) {
	c := shared(t)
	name, a := c.newFunction(t, nil, nil, nil)
	first, second := c.invoke(t, name), c.invoke(t, name)
	if one, two := a.next("").PID, a.next("").PID; one != two {
		t.Errorf("processes %d and %d", one, two)
	}
	if !strings.Contains(tail(t, first), "Init Duration") || strings.Contains(tail(t, second), "Init Duration") {
		t.Errorf("logs:\n%s\n%s", tail(t, first), tail(t, second))
	}
}

// invokeAsync invokes and hands the end over.
func (c *cloud) invokeAsync(t *testing.T, name string) <-chan error {
	done := make(chan error, 1)
	go func() {
		_, err := c.lambda.Invoke(t.Context(), &lambda.InvokeInput{FunctionName: &name})
		done <- err
	}()
	return done
}

func lambdaOneAtATime(t *testing.T) {
	c, g := shared(t), newGate(t)
	name, _ := c.newFunction(t, nil, nil, func(c call) order { g.hold(c); return ok("") })
	first, second := c.invokeAsync(t, name), c.invokeAsync(t, name)
	if one, two := g.wait(t).PID, g.wait(t).PID; one == two {
		t.Errorf("both invokes are in process %d", one)
	}
	g.open()
	if err := errors.Join(<-first, <-second); err != nil {
		t.Error(err)
	}
}

func (c *cloud) reserve(t *testing.T, name string, n int32) {
	t.Helper()
	must(c.lambda.PutFunctionConcurrency(t.Context(), &lambda.PutFunctionConcurrencyInput{FunctionName: &name, ReservedConcurrentExecutions: &n}))(t)
}

func lambdaThrottle(t *testing.T) {
	c, g := shared(t), newGate(t)
	name, _ := c.newFunction(t, nil, nil, func(c call) order { g.hold(c); return ok("") })
	c.reserve(t, name, 1)
	running := c.invokeAsync(t, name)
	g.wait(t)
	_, err := c.lambda.Invoke(t.Context(), &lambda.InvokeInput{FunctionName: &name})
	e, ok := errors.AsType[*types.TooManyRequestsException](err)
	if !ok || e.Reason != types.ThrottleReasonReservedFunctionConcurrentInvocationLimitExceeded {
		t.Errorf("error %v", err)
	}
	g.open()
	if err := <-running; err != nil {
		t.Error(err)
	}
	c.invoke(t, name)
}

func lambdaAccount(t *testing.T) {
	c := fresh(t)
	name, _ := c.newFunction(t, nil, nil, nil)
	other, _ := c.newFunction(t, nil, nil, nil)
	reserve := func(name string, n int32) error {
		_, err := c.lambda.PutFunctionConcurrency(t.Context(), &lambda.PutFunctionConcurrencyInput{FunctionName: &name, ReservedConcurrentExecutions: &n})
		return err
	}
	wantCode(t, reserve(name, 901), "InvalidParameterValueException")
	if err := reserve(name, 900); err != nil {
		t.Error(err)
	}
	wantCode(t, reserve(other, 1), "InvalidParameterValueException")
	got := must(c.lambda.GetAccountSettings(t.Context(), &lambda.GetAccountSettingsInput{}))(t).AccountLimit
	if got.ConcurrentExecutions != 1000 || aws.ToInt32(got.UnreservedConcurrentExecutions) != 100 {
		t.Errorf("%d, of which %d unreserved", got.ConcurrentExecutions, aws.ToInt32(got.UnreservedConcurrentExecutions))
	}
}

// lambdaIdle: how long AWS lets one idle, nobody has published.
func lambdaIdle(t *testing.T) {
	c := fresh(t)
	name, a := c.newFunction(t, map[string]string{"SIGTERM": "1"}, nil, nil)
	c.invoke(t, name)
	ran := a.next("").PID
	a.never("SIGTERM")
	c.Clock().Advance(time.Hour)
	if signalled := a.next("SIGTERM").PID; signalled != ran {
		t.Errorf("process %d got SIGTERM, process %d ran", signalled, ran)
	}
}

func lambdaSwitchedOff(t *testing.T) {
	c := shared(t)
	name, a := c.newFunction(t, nil, nil, nil)
	c.reserve(t, name, 0)
	_, err := c.lambda.Invoke(t.Context(), &lambda.InvokeInput{FunctionName: &name})
	wantCode(t, err, "TooManyRequestsException")
	a.never("")
}

func lambdaError(t *testing.T) {
	c := shared(t)
	name, a := c.newFunction(t, nil, nil, func(call) order { return order{Error: "not today"} })
	if f := wantFailure(t, c.invoke(t, name)); f.ErrorMessage != "not today" || f.ErrorType != "errorString" {
		t.Errorf("payload %+v", f)
	}
	c.invoke(t, name)
	if one, two := a.next("").PID, a.next("").PID; one != two {
		t.Errorf("processes %d and %d", one, two)
	}
}

func lambdaPanic(t *testing.T) {
	c := shared(t)
	name, a := c.newFunction(t, nil, nil, func(call) order { return order{Panic: "out of cheese"} })
	if f := wantFailure(t, c.invoke(t, name)); f.ErrorMessage != "out of cheese" || len(f.StackTrace) == 0 {
		t.Errorf("payload %+v", f)
	}
	c.invoke(t, name)
	if one, two := a.next("").PID, a.next("").PID; one == two {
		t.Errorf("process %d served on", one)
	}
}

func lambdaExit(t *testing.T) {
	c := shared(t)
	name, _ := c.newFunction(t, nil, nil, func(call) order { return order{Exit: 3} })
	out := c.invoke(t, name)
	id, _ := requestID(out.ResultMetadata)
	want := failure{ErrorMessage: "RequestId: " + id + " Error: Runtime exited with error: exit status 3", ErrorType: "Runtime.ExitError"}
	if f := wantFailure(t, out); f.ErrorMessage != want.ErrorMessage || f.ErrorType != want.ErrorType {
		t.Errorf("payload %+v, want %+v", f, want)
	}
}

func lambdaInitExit(t *testing.T) {
	c := shared(t)
	name, _ := c.newFunction(t, map[string]string{"INIT": "exit"}, nil, nil)
	if f := wantFailure(t, c.invoke(t, name)); f.ErrorType != "Runtime.ExitError" || !strings.HasSuffix(f.ErrorMessage, "Error: Runtime exited with error: exit status 1") {
		t.Errorf("payload %+v", f)
	}
}

func lambdaTimeout(t *testing.T) {
	c := shared(t)
	name, a := c.newFunction(t, nil, func(in *lambda.CreateFunctionInput) { in.Timeout = aws.Int32(1) }, func(c call) order {
		return order{Hang: true}
	})
	out := c.invoke(t, name)
	first := a.next("")
	form := regexp.MustCompile(`^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z ` + first.RequestID + ` Task timed out after 1\.00 seconds$`)
	if f := wantFailure(t, out); !form.MatchString(f.ErrorMessage) || f.ErrorType != "" {
		t.Errorf("payload %s", out.Payload)
	}
	if !strings.Contains(tail(t, out), "Task timed out after 1.00 seconds") || !strings.Contains(tail(t, out), "Status: timeout") {
		t.Errorf("log:\n%s", tail(t, out))
	}
	c.invoke(t, name)
	if second := a.next(""); second.PID == first.PID {
		t.Errorf("process %d served on", first.PID)
	}
}

func lambdaReport(t *testing.T) {
	c := shared(t)
	name, a := c.newFunction(t, nil, nil, nil)
	const common = `Duration: (\d+\.\d\d) ms\tBilled Duration: (\d+) ms\tMemory Size: 128 MB\tMax Memory Used: \d+ MB\t`
	for i, form := range []string{common + `Init Duration: \d+\.\d\d ms\t`, common} {
		log := tail(t, c.invoke(t, name))
		if re := regexp.MustCompile(`(?m)^REPORT RequestId: ` + a.next("").RequestID + `\t` + form + `$`); !re.MatchString(log) {
			t.Errorf("invoke %d:\n%s", i+1, log)
		}
	}
}

func lambdaLog(t *testing.T) {
	c := shared(t)
	name, a := c.newFunction(t, nil, nil, func(call) order { return order{Print: []string{"first line", "second line"}, Answer: 1} })
	c.invoke(t, name)
	id := a.next("").RequestID
	eventually(t, func() string {
		log := c.logLines(t, "/aws/lambda/"+name)
		want := "START RequestId: " + id + " Version: $LATEST\nfirst line\nsecond line\nEND RequestId: " + id + "\nREPORT RequestId: " + id
		if !strings.Contains(strings.ReplaceAll(log, "\n\n", "\n"), want) {
			return "the log group has\n" + log + "\nwant\n" + want
		}
		return ""
	})
}

func lambdaSIGTERM(t *testing.T) {
	c := shared(t)
	name, a := c.newFunction(t, map[string]string{"SIGTERM": "1"}, nil, nil)
	c.invoke(t, name)
	must(c.lambda.DeleteFunction(t.Context(), &lambda.DeleteFunctionInput{FunctionName: &name}))(t)
	if signalled, ran := a.next("SIGTERM").PID, a.next("").PID; signalled != ran {
		t.Errorf("process %d got SIGTERM, process %d ran", signalled, ran)
	}
}

// publish deploys a function whose variable STATE was "old" when version 1 was
// published and is "new" now.
func publish(t *testing.T) (*cloud, string, *actor) {
	c := shared(t)
	name, a := c.newFunction(t, map[string]string{"STATE": "old"}, nil, nil)
	v := must(c.lambda.PublishVersion(t.Context(), &lambda.PublishVersionInput{FunctionName: &name}))(t)
	if aws.ToString(v.Version) != "1" {
		t.Errorf("version %s", aws.ToString(v.Version))
	}
	variables := map[string]string{"STATE": "new", "KEY": name, "DIRECTOR": director.server.URL}
	must(c.lambda.UpdateFunctionConfiguration(t.Context(), &lambda.UpdateFunctionConfigurationInput{
		FunctionName: &name, Environment: &types.Environment{Variables: variables},
	}))(t)
	return c, name, a
}

func lambdaVersion(t *testing.T) {
	c, name, a := publish(t)
	for qualifier, want := range map[string]string{"1": "old", "$LATEST": "new"} {
		out := must(c.lambda.Invoke(t.Context(), &lambda.InvokeInput{FunctionName: &name, Qualifier: &qualifier}))(t)
		got := a.next("").Environment
		if got["STATE"] != want || got["AWS_LAMBDA_FUNCTION_VERSION"] != qualifier || aws.ToString(out.ExecutedVersion) != qualifier {
			t.Errorf("%s: STATE %s, version %s, X-Amz-Executed-Version %s", qualifier, got["STATE"], got["AWS_LAMBDA_FUNCTION_VERSION"], aws.ToString(out.ExecutedVersion))
		}
	}
	_, err := c.lambda.Invoke(t.Context(), &lambda.InvokeInput{FunctionName: &name, Qualifier: aws.String("2")})
	wantCode(t, err, "ResourceNotFoundException")
}

func lambdaAlias(t *testing.T) {
	c, name, a := publish(t)
	must(c.lambda.CreateAlias(t.Context(), &lambda.CreateAliasInput{FunctionName: &name, Name: aws.String("live"), FunctionVersion: aws.String("1")}))(t)
	out := must(c.lambda.Invoke(t.Context(), &lambda.InvokeInput{FunctionName: aws.String(name + ":live")}))(t)
	got := a.next("")
	if got.Environment["STATE"] != "old" || !strings.HasSuffix(got.ARN, ":function:"+name+":live") || aws.ToString(out.ExecutedVersion) != "1" {
		t.Errorf("STATE %s, ARN %s, executed %s", got.Environment["STATE"], got.ARN, aws.ToString(out.ExecutedVersion))
	}
	must(c.lambda.UpdateAlias(t.Context(), &lambda.UpdateAliasInput{FunctionName: &name, Name: aws.String("live"), FunctionVersion: aws.String("$LATEST")}))(t)
	must(c.lambda.Invoke(t.Context(), &lambda.InvokeInput{FunctionName: aws.String(name + ":live")}))(t)
	if got := a.next("").Environment["STATE"]; got != "new" {
		t.Errorf("after it was moved the alias ran %s", got)
	}
}

func lambdaTypes(t *testing.T) {
	c, g := shared(t), newGate(t)
	name, a := c.newFunction(t, nil, nil, func(c call) order { g.hold(c); return ok("") })
	dry := must(c.lambda.Invoke(t.Context(), &lambda.InvokeInput{FunctionName: &name, InvocationType: types.InvocationTypeDryRun}))(t)
	a.never("")
	event := must(c.lambda.Invoke(t.Context(), &lambda.InvokeInput{FunctionName: &name, InvocationType: types.InvocationTypeEvent, Payload: []byte(`{"n":1}`)}))(t)
	if dry.StatusCode != 204 || event.StatusCode != 202 {
		t.Errorf("DryRun %d, Event %d", dry.StatusCode, event.StatusCode)
	}
	if got := g.wait(t); string(got.Event) != `{"n":1}` {
		t.Errorf("event %s", got.Event)
	}
}

func lambdaRetries(t *testing.T) {
	c := fresh(t)
	name, a := c.newFunction(t, nil, nil, func(call) order { return order{Error: "not today"} })
	must(c.lambda.Invoke(t.Context(), &lambda.InvokeInput{FunctionName: &name, InvocationType: types.InvocationTypeEvent}))(t)
	first := a.next("").RequestID
	for i, wait := range []time.Duration{time.Minute, 2 * time.Minute} {
		// The retry is planned when the attempt has ended, a moment after we
		// have heard of it.
		ended := fmt.Sprintf("END RequestId: %s", first)
		eventually(t, func() string {
			if strings.Count(c.logLines(t, "/aws/lambda/"+name), ended) <= i {
				return fmt.Sprintf("attempt %d has not ended", i+1)
			}
			return ""
		})
		c.Clock().Advance(wait - 2*time.Second)
		a.never("")
		eventually(t, func() string {
			c.Clock().Advance(time.Second)
			select {
			case again := <-a.of(""):
				if again.RequestID != first {
					t.Errorf("the retry has request id %s, not %s", again.RequestID, first)
				}
				return ""
			default:
				return "no retry"
			}
		})
	}
	c.Clock().Advance(time.Hour)
	a.never("")
}

func lambdaPayloads(t *testing.T) {
	c := shared(t)
	name, _ := c.newFunction(t, nil, nil, func(call) order { return order{Answer: "done"} })
	large := func(n int) []byte { return []byte(`"` + strings.Repeat("x", n-2) + `"`) }
	for size, want := range map[int]string{6 << 20: "", 6<<20 + 1: "RequestTooLargeException"} {
		_, err := c.lambda.Invoke(t.Context(), &lambda.InvokeInput{FunctionName: &name, Payload: large(size)})
		if want == "" && err != nil {
			t.Errorf("%d bytes: %v", size, err)
		} else if want != "" && httpStatus(err) != 413 {
			t.Errorf("%d bytes: %v", size, err)
		}
	}
	_, err := c.lambda.Invoke(t.Context(), &lambda.InvokeInput{FunctionName: &name, InvocationType: types.InvocationTypeEvent, Payload: large(1<<20 + 1)})
	if httpStatus(err) != 413 {
		t.Errorf("an event of more than 1 MB: %v", err)
	}
}

func lambdaNotFound(t *testing.T) {
	_, err := shared(t).lambda.Invoke(t.Context(), &lambda.InvokeInput{FunctionName: aws.String("nobody")})
	wantCode(t, err, "ResourceNotFoundException")
	if httpStatus(err) != 404 {
		t.Errorf("error %v", err)
	}
}
