package emulator_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	lambdatypes "github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/coder/websocket"

	"fanfare/localstack/emulator"
	locallambda "fanfare/localstack/lambda"
)

// innerTest is a test within a test: its result and what it logs are seen, and
// do not count.
type innerTest struct {
	testing.TB
	failed   bool
	fatal    string
	logs     []string
	cleanups []func()
}

// fatal is what an innerTest's Fatalf leaves its function with.
type fatal struct{}

// runInner runs f as a test to its end, with its clean-up.
func runInner(t *testing.T, f func(*innerTest)) *innerTest {
	inner := &innerTest{TB: t}
	func() {
		defer func() {
			if r := recover(); r != nil && r != (fatal{}) {
				panic(r)
			}
		}()
		f(inner)
	}()
	for _, f := range slices.Backward(inner.cleanups) {
		f()
	}
	return inner
}

func (t *innerTest) Failed() bool     { return t.failed }
func (t *innerTest) Cleanup(f func()) { t.cleanups = append(t.cleanups, f) }
func (t *innerTest) Logf(format string, args ...any) {
	t.logs = append(t.logs, fmt.Sprintf(format, args...))
}
func (t *innerTest) Errorf(format string, args ...any) {
	t.failed = true
	t.Logf(format, args...)
}
func (t *innerTest) Fatalf(format string, args ...any) {
	t.failed, t.fatal = true, fmt.Sprintf(format, args...)
	panic(fatal{})
}

func (t *innerTest) logged() string { return strings.Join(t.logs, "\n") }

func TestTenCloudsAtOnceKnowNothingOfOneAnother(t *testing.T) {
	for i := range 10 {
		t.Run(fmt.Sprint("cloud ", i), func(t *testing.T) {
			t.Parallel()
			cloud := emulator.Start(t)
			queues := sqs.NewFromConfig(cloud.Config())
			for _, name := range []string{"shared", fmt.Sprint("own-", i)} {
				if _, err := queues.CreateQueue(t.Context(), &sqs.CreateQueueInput{QueueName: &name}); err != nil {
					t.Fatal(err)
				}
			}
			list, err := queues.ListQueues(t.Context(), &sqs.ListQueuesInput{})
			if err != nil || len(list.QueueUrls) != 2 {
				t.Errorf("queues %v, error %v; want the two that this test made", list, err)
			}
		})
	}
}

func TestTheCloudsLogIsShownToThoseWhoseTestFailed(t *testing.T) {
	for _, fails := range []bool{false, true} {
		inner := runInner(t, func(inner *innerTest) {
			cloud := emulator.Start(inner)
			url, err := deployAPI(t.Context(), cloud.Config(), bootstrap(t))
			if err != nil {
				t.Fatal(err)
			}
			if _, _, err := websocket.Dial(t.Context(), url+"?refuse=1", nil); err == nil {
				t.Error("the function did not refuse")
			}
			if _, err := sqs.NewFromConfig(cloud.Config()).GetQueueUrl(t.Context(), &sqs.GetQueueUrlInput{QueueName: aws.String("nobody")}); err == nil {
				t.Error("there is a queue")
			}
			if fails {
				inner.Errorf("as asked")
			}
		})
		if !fails && len(inner.logs) > 0 {
			t.Errorf("a test that passed has logged %q", inner.logs)
		}
		if !fails {
			continue
		}
		for what, want := range map[string]string{
			"what the function printed":        " echo: handled $connect 0\n",
			"the connection that was refused":  "=: 418 ",
			"the request that was not granted": " sqs GetQueueUrl nobody: 400 QueueDoesNotExist",
		} {
			if !strings.Contains(inner.logged(), want) {
				t.Errorf("the log lacks %s (%q):\n%s", what, want, inner.logged())
			}
		}
	}
}

func TestACloudThatCannotStartEndsTheTestWithTheReason(t *testing.T) {
	missing := filepath.Join(t.TempDir(), "missing.zip")
	for _, tt := range []struct {
		what   string
		option func(*emulator.Options)
		want   string
	}{
		{"a port that is taken", func(o *emulator.Options) { o.Addr = emulator.Start(t).Addr() }, "in use by another program"},
		{"a snapshot that is not there", func(o *emulator.Options) { o.Snapshot = missing }, missing},
	} {
		t.Run(tt.what, func(t *testing.T) {
			inner := runInner(t, func(inner *innerTest) { emulator.Start(inner, tt.option) })
			if !strings.Contains(inner.fatal, "start the local cloud: ") || !strings.Contains(inner.fatal, tt.want) {
				t.Errorf("ended with %q, want %q in it", inner.fatal, tt.want)
			}
		})
	}
}

func TestSocketsEndWithTheTestAndTheirFunctionsStillRun(t *testing.T) {
	var mu sync.Mutex
	var printed []string
	t.Run("test", func(t *testing.T) {
		cloud := emulator.Start(t, func(o *emulator.Options) {
			o.FunctionLog = func(l locallambda.LogLine) {
				mu.Lock()
				defer mu.Unlock()
				printed = append(printed, l.Text)
			}
		})
		url, err := deployAPI(t.Context(), cloud.Config(), bootstrap(t))
		if err != nil {
			t.Fatal(err)
		}
		addRoute(t, cloud.Config(), "$disconnect")
		if _, _, err := websocket.Dial(t.Context(), url, nil); err != nil {
			t.Fatal(err)
		}
	})
	mu.Lock()
	defer mu.Unlock()
	if !slices.Contains(printed, "handled $disconnect 0") { // although t.Context() had ended
		t.Errorf("the functions printed %q", printed)
	}
}

func TestFunctionsThatStillRunAreNamedAndEnded(t *testing.T) {
	begin := time.Now()
	inner := runInner(t, func(inner *innerTest) {
		cloud := emulator.Start(inner)
		startHangingFunction(t, cloud)
	})
	if want := "functions still ran when the test ended: hanging"; inner.failed || !slices.Contains(inner.logs, want) {
		t.Errorf("failed %v, logged %q, want %q", inner.failed, inner.logs, want)
	}
	if took := time.Since(begin); took > 5*time.Minute { // its own time-out is a quarter of an hour
		t.Errorf("took %v", took)
	}
}

// startHangingFunction returns once a function runs that does not end by itself.
func startHangingFunction(t *testing.T, cloud *emulator.Emulator) {
	t.Helper()
	w := &world{t: t, cloud: cloud}
	arn, err := deployFunction(t.Context(), w.config(), "hanging", bootstrap(t))
	if err != nil {
		t.Fatal(err)
	}
	w.grant("hanging", `{"Effect":"Allow","Action":"logs:*","Resource":"*"}`)
	functions := lambda.NewFromConfig(w.config())
	if _, err := functions.UpdateFunctionConfiguration(t.Context(), &lambda.UpdateFunctionConfigurationInput{FunctionName: &arn, Timeout: aws.Int32(900)}); err != nil {
		t.Fatal(err)
	}
	if _, err := functions.Invoke(t.Context(), &lambda.InvokeInput{
		FunctionName: &arn, InvocationType: lambdatypes.InvocationTypeEvent, Payload: []byte(`{"requestContext":{"routeKey":"hang"}}`),
	}); err != nil {
		t.Fatal(err)
	}
	eventually(t, func() string {
		for _, e := range must(w.logEvents("/aws/lambda/hanging")) {
			if strings.Contains(*e.Message, "handled hang") {
				return ""
			}
		}
		return "the function does not run"
	})
}

// panicVariable makes this binary the one whose test panics.
const panicVariable = "EMULATOR_TEST_PANIC"

func TestAPanicLeavesNothingBehind(t *testing.T) {
	if os.Getenv(panicVariable) != "" {
		cloud := emulator.Start(t)
		startHangingFunction(t, cloud)
		panic("as asked")
	}
	tmp := t.TempDir()
	cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run", "^TestAPanicLeavesNothingBehind$", "-test.timeout", "5m")
	cmd.Env = append(os.Environ(), panicVariable+"=1", "TMPDIR="+tmp)
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	cmd.WaitDelay = 20 * time.Second // a function that is left behind would hold the pipe open
	err := cmd.Run()
	if _, ok := errors.AsType[*exec.ExitError](err); !ok {
		t.Fatalf("ended with %v, want an exit code only:\n%s", err, &out)
	}
	for _, want := range []string{"panic: as asked", "functions still ran when the test ended: hanging", "hanging: handled hang 0"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("the output lacks %q:\n%s", want, &out)
		}
	}
	if left := must(filepath.Glob(filepath.Join(tmp, "*"))); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}

// hostile is an environment that leads elsewhere.
var hostile = map[string]string{
	"AWS_ENDPOINT_URL": "http://127.0.0.1:1", "AWS_ENDPOINT_URL_SQS": "http://127.0.0.1:1", "AWS_PROFILE": "production",
	"AWS_CA_BUNDLE": "/nonexistent", "AWS_SESSION_TOKEN": "token", "AWS_REGION": "mars-north-1", "AWS_USE_FIPS_ENDPOINT": "true",
	"HTTP_PROXY": "http://127.0.0.1:1", "HTTPS_PROXY": "http://127.0.0.1:1", "NO_PROXY": "example.com", "LOCALSTACK_HOST": "elsewhere:1",
}

func TestClientsOfATestReachItsCloudWhateverTheEnvironmentSays(t *testing.T) {
	for name, value := range hostile {
		t.Setenv(name, value)
	}
	cloud := emulator.Start(t)
	create := func(t *testing.T, cfg aws.Config) {
		t.Helper()
		queue, err := sqs.NewFromConfig(cfg).CreateQueue(t.Context(), &sqs.CreateQueueInput{QueueName: aws.String("orders")})
		if err != nil || *queue.QueueUrl != cloud.URL()+"/000000000000/orders" {
			t.Errorf("queue %+v, error %v", queue, err)
		}
	}
	t.Run("Config", func(t *testing.T) { create(t, cloud.Config()) })
	t.Run("Setenv, for code that finds its configuration by itself", func(t *testing.T) {
		cloud.Setenv(t)
		cfg, err := config.LoadDefaultConfig(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		create(t, cfg)
	})
	t.Run("Env, for other programs", func(t *testing.T) {
		env := cloud.Env()
		for _, want := range []string{
			"AWS_ENDPOINT_URL=" + cloud.URL(), "AWS_REGION=us-east-1", "AWS_ACCESS_KEY_ID=test", "HTTP_PROXY=http://127.0.0.1:1",
			"NO_PROXY=example.com,localhost,127.0.0.1", "PATH=" + os.Getenv("PATH"),
		} {
			if !slices.Contains(env, want) {
				t.Errorf("%s is missing", want)
			}
		}
		for _, kv := range env {
			name, value, _ := strings.Cut(kv, "=")
			if strings.HasPrefix(name, "AWS_") && hostile[name] == value {
				t.Errorf("%s is left as it was", kv)
			}
		}
	})
	if os.Getenv("AWS_PROFILE") != hostile["AWS_PROFILE"] {
		t.Error("Setenv outlives its test")
	}
}

func TestManyCloudsBeginFromOneSnapshot(t *testing.T) {
	first := &world{t: t, cloud: emulator.Start(t)}
	url, err := deployAPI(t.Context(), first.config(), bootstrap(t))
	if err != nil {
		t.Fatal(err)
	}
	callback := func(cloud *emulator.Emulator) string { return cloud.URL() + "/callback" }
	addRoute(t, first.config(), "callback")
	if _, err := lambda.NewFromConfig(first.config()).UpdateFunctionConfiguration(t.Context(), &lambda.UpdateFunctionConfigurationInput{
		FunctionName: aws.String("echo"), Environment: &lambdatypes.Environment{Variables: map[string]string{"CALLBACK": callback(first.cloud)}},
	}); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "cloud.zip")
	if err := first.cloud.SaveTo(file); err != nil {
		t.Fatal(err)
	}
	saved := must(os.ReadFile(file))
	t.Run("clouds", func(t *testing.T) {
		for i := range 3 {
			t.Run(fmt.Sprint(i), func(t *testing.T) {
				t.Parallel()
				w := &world{t: t, cloud: emulator.Start(t, func(o *emulator.Options) { o.Snapshot = file })}
				w.url = strings.Replace(url, first.cloud.Addr(), w.cloud.Addr(), 1)
				socket, _, err := w.dial("")
				if err != nil {
					t.Fatal(err)
				}
				defer socket.CloseNow()
				if got := w.ask(socket, `{"action":"callback"}`); got != callback(w.cloud) {
					t.Errorf("the function is told %q, want %q", got, callback(w.cloud))
				}
				f, err := lambda.NewFromConfig(w.config()).GetFunctionConfiguration(t.Context(), &lambda.GetFunctionConfigurationInput{FunctionName: aws.String("echo")})
				if err != nil || f.Environment.Variables["CALLBACK"] != callback(first.cloud) { // Terraform would else change it back
					t.Errorf("configuration %+v, error %v", f, err)
				}
				again := filepath.Join(t.TempDir(), "again.zip")
				if err := w.cloud.SaveTo(again); err != nil {
					t.Fatal(err)
				}
				second := &world{t: t, cloud: emulator.Start(t, func(o *emulator.Options) { o.Snapshot = again })}
				second.url = strings.Replace(url, first.cloud.Addr(), second.cloud.Addr(), 1)
				if socket, _, err = second.dial(""); err != nil {
					t.Fatal(err)
				}
				defer socket.CloseNow()
				if got := second.ask(socket, `{"action":"callback"}`); got != callback(second.cloud) {
					t.Errorf("saved again, the function is told %q, want %q", got, callback(second.cloud))
				}
			})
		}
	})
	if !bytes.Equal(saved, must(os.ReadFile(file))) {
		t.Error("the snapshot has changed")
	}
}

func TestBuild(t *testing.T) {
	t.Run("a package is built once", func(t *testing.T) {
		first, second := emulator.Build(t, "./testdata/function"), emulator.Build(t, "./testdata/function")
		if &first[0] != &second[0] {
			t.Error("it was built twice")
		}
	})
	for _, tt := range []struct{ what, pkg, want string }{
		{"the compiler's words", "./testdata/nothing-here", "testdata/nothing-here: directory not found"},
		{"what is no program", "fanfare/localstack/clock", "it is not package main"},
	} {
		t.Run(tt.what, func(t *testing.T) {
			inner := runInner(t, func(inner *innerTest) { emulator.Build(inner, tt.pkg) })
			if !strings.Contains(inner.fatal, tt.want) || !strings.Contains(inner.fatal, "build function "+tt.pkg) {
				t.Errorf("ended with %q, want %q in it", inner.fatal, tt.want)
			}
		})
	}
}

// BenchmarkStartInATest is what a cloud of its own costs a test: start, first answer,
// stop.
func BenchmarkStartInATest(b *testing.B) {
	for b.Loop() {
		inner := &innerTest{TB: b}
		queues := sqs.NewFromConfig(emulator.Start(inner).Config())
		if _, err := queues.CreateQueue(context.Background(), &sqs.CreateQueueInput{QueueName: aws.String("q")}); err != nil {
			b.Fatal(err)
		}
		for _, f := range inner.cleanups {
			f()
		}
	}
}
