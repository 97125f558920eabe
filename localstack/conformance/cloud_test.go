package conformance

import (
	"archive/zip"
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsmiddleware "github.com/aws/aws-sdk-go-v2/aws/middleware"
	"github.com/aws/aws-sdk-go-v2/service/apigatewayv2"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	lambdatypes "github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	sqstypes "github.com/aws/aws-sdk-go-v2/service/sqs/types"
	"github.com/aws/smithy-go/middleware"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"fanfare/localstack/emulator"
)

const (
	region  = "eu-west-1"
	account = "000000000000"
)

// director is the stage of all clouds' functions.
var director = newStage()

func TestMain(m *testing.M) {
	code := m.Run()
	if sharedCloud.cloud != nil {
		if err := sharedCloud.cloud.close(); err != nil {
			fmt.Println("close the shared cloud:", err)
			code = 1
		}
	}
	director.server.Close()
	if exe, err := program(); err == nil {
		err = os.RemoveAll(filepath.Dir(exe))
		if err != nil {
			fmt.Println("remove the function:", err)
			code = 1
		}
	}
	os.Exit(code)
}

// program is testdata/function, built once. Its folder is removed by TestMain.
var program = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "conformance")
	if err != nil {
		return "", err
	}
	exe := filepath.Join(dir, "function")
	cmd := exec.Command("go", "build", "-tags", "lambda.norpc", "-ldflags", "-s -w", "-o", exe, "./testdata/function")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", errors.Join(fmt.Errorf("build: %w\n%s", err, out), os.RemoveAll(dir))
	}
	return exe, nil
})

// binaryCode is a zip with the program itself, as users deploy it. It has
// megabytes.
func binaryCode() ([]byte, error) {
	exe, err := program()
	if err != nil {
		return nil, err
	}
	code, err := os.ReadFile(exe)
	if err != nil {
		return nil, err
	}
	return zipped(code)
}

// scriptCode is a zip with a script that becomes the program: the functions
// that claims have of their own are deployed in no time.
func scriptCode() ([]byte, error) {
	exe, err := program()
	if err != nil {
		return nil, err
	}
	return zipped([]byte("#!/bin/sh\nexec '" + exe + "'\n"))
}

func zipped(bootstrap []byte) ([]byte, error) { return zippedAs("bootstrap", bootstrap) }

func zippedAs(name string, content []byte) ([]byte, error) {
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	h := &zip.FileHeader{Name: name, Method: zip.Store}
	h.SetMode(0o755)
	f, err := w.CreateHeader(h)
	if err == nil {
		_, err = f.Write(content)
	}
	err = errors.Join(err, w.Close()) // writes the directory: before the bytes are taken
	return b.Bytes(), err
}

// cloud is a running local cloud with a deployer's SDK clients, a role and one
// function.
type cloud struct {
	*emulator.Emulator
	gateway  *apigatewayv2.Client
	lambda   *lambda.Client
	sqs      *sqs.Client
	iam      *iam.Client
	logs     *cloudwatchlogs.Client
	dynamodb *dynamodb.Client
	role     string // ARN
	function string // ARN of the function that all APIs share, see stage
}

var sharedCloud struct {
	once  sync.Once
	cloud *cloud
	err   error
}

// shared is the cloud of all claims that do not move the clock.
func shared(t *testing.T) *cloud {
	t.Helper()
	sharedCloud.once.Do(func() { sharedCloud.cloud, sharedCloud.err = open(emulator.Options{}, true) })
	if sharedCloud.err != nil {
		t.Fatal(sharedCloud.err)
	}
	return sharedCloud.cloud
}

// fresh is a cloud for one claim, whose clock it may move.
func fresh(t *testing.T) *cloud {
	t.Helper()
	return freshWith(t, emulator.Options{})
}

// freshWith is fresh with options.
func freshWith(t *testing.T, o emulator.Options) *cloud {
	t.Helper()
	c, err := open(o, false)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := c.close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	return c
}

func open(o emulator.Options, binary bool) (*cloud, error) {
	o.Addr = "127.0.0.1:0"
	e, err := emulator.New(o)
	if err != nil {
		return nil, err
	}
	c := &cloud{Emulator: e}
	if err := e.Start(); err != nil {
		return nil, errors.Join(err, c.close())
	}
	config := e.Config()
	config.Region, config.Retryer = region, func() aws.Retryer { return aws.NopRetryer{} } // an error is a finding
	c.gateway, c.lambda, c.sqs = apigatewayv2.NewFromConfig(config), lambda.NewFromConfig(config), sqs.NewFromConfig(config)
	c.iam, c.logs, c.dynamodb = iam.NewFromConfig(config), cloudwatchlogs.NewFromConfig(config), dynamodb.NewFromConfig(config)
	if err := c.prepare(context.Background(), binary); err != nil {
		return nil, errors.Join(err, c.close())
	}
	return c, nil
}

const trust = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":["lambda.amazonaws.com","apigateway.amazonaws.com"]},"Action":"sts:AssumeRole"}]}`

// prepare deploys what all claims share; the function as a binary or a script.
func (c *cloud) prepare(ctx context.Context, binary bool) error {
	role, err := c.iam.CreateRole(ctx, &iam.CreateRoleInput{RoleName: aws.String("function"), AssumeRolePolicyDocument: aws.String(trust)})
	if err != nil {
		return err
	}
	c.role = *role.Role.Arn
	_, err = c.iam.PutRolePolicy(ctx, &iam.PutRolePolicyInput{
		RoleName: aws.String("function"), PolicyName: aws.String("all"),
		PolicyDocument: aws.String(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}`),
	})
	if err != nil {
		return err
	}
	in, err := c.functionInput("actor", nil)
	if err != nil {
		return err
	}
	if binary {
		if in.Code.ZipFile, err = binaryCode(); err != nil {
			return err
		}
	}
	f, err := c.lambda.CreateFunction(ctx, in)
	if err != nil {
		return err
	}
	c.function = *f.FunctionArn
	return nil
}

func (c *cloud) close() error {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	return c.Close(ctx)
}

func (c *cloud) functionInput(name string, environment map[string]string) (*lambda.CreateFunctionInput, error) {
	code, err := scriptCode()
	if err != nil {
		return nil, err
	}
	variables := map[string]string{"DIRECTOR": director.server.URL}
	for k, v := range environment {
		variables[k] = v
	}
	architecture := lambdatypes.ArchitectureX8664
	if runtime.GOARCH == "arm64" {
		architecture = lambdatypes.ArchitectureArm64
	}
	return &lambda.CreateFunctionInput{
		FunctionName: &name, Role: &c.role, Handler: aws.String("bootstrap"), Runtime: lambdatypes.RuntimeProvidedal2023,
		Code: &lambdatypes.FunctionCode{ZipFile: code}, Architectures: []lambdatypes.Architecture{architecture},
		Environment: &lambdatypes.Environment{Variables: variables}, Timeout: aws.Int32(20),
	}, nil
}

var serial atomic.Int64

// unique is a name that no other claim uses.
func unique(prefix string) string { return prefix + "-" + strconv.FormatInt(serial.Add(1), 10) }

// must ends the test with err.
func must[T any](v T, err error) func(t *testing.T) T {
	return func(t *testing.T) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

// newFunction deploys a function of the claim's own and the actor who plays it.
func (c *cloud) newFunction(t *testing.T, environment map[string]string, change func(*lambda.CreateFunctionInput), do func(call) order) (name string, a *actor) {
	t.Helper()
	name = unique("function")
	all := map[string]string{"KEY": name}
	for k, v := range environment {
		all[k] = v
	}
	in := must(c.functionInput(name, all))(t)
	if change != nil {
		change(in)
	}
	a = director.cast(t, name, do)
	must(c.lambda.CreateFunction(t.Context(), in))(t)
	return name, a
}

// queue is an SQS queue of a claim.
type queue struct {
	*cloud
	url, name, arn string
}

func (c *cloud) newQueue(t *testing.T, attributes map[string]string) queue {
	t.Helper()
	name := unique("queue")
	out := must(c.sqs.CreateQueue(t.Context(), &sqs.CreateQueueInput{QueueName: &name, Attributes: attributes}))(t)
	return queue{c, *out.QueueUrl, name, "arn:aws:sqs:" + region + ":" + account + ":" + name}
}

func (q queue) send(t *testing.T, bodies ...string) {
	t.Helper()
	for _, body := range bodies {
		must(q.cloud.sqs.SendMessage(t.Context(), &sqs.SendMessageInput{QueueUrl: &q.url, MessageBody: aws.String(body)}))(t)
	}
}

// state is how many messages wait and how many are in flight: "1 waiting, 2 in
// flight".
func (q queue) state(t *testing.T) string {
	t.Helper()
	out := must(q.cloud.sqs.GetQueueAttributes(t.Context(), &sqs.GetQueueAttributesInput{
		QueueUrl: &q.url, AttributeNames: []sqstypes.QueueAttributeName{"All"},
	}))(t)
	return out.Attributes["ApproximateNumberOfMessages"] + " waiting, " + out.Attributes["ApproximateNumberOfMessagesNotVisible"] + " in flight"
}

// becomes waits for a state.
func (q queue) becomes(t *testing.T, want string) {
	t.Helper()
	eventually(t, func() string {
		if got := q.state(t); got != want {
			return "the queue has " + got + ", want " + want
		}
		return ""
	})
}

// eventually polls until check has nothing to complain about: for what a client
// of AWS can only poll for, too.
func eventually(t *testing.T, check func() string) {
	t.Helper()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	deadline := time.Now().Add(patience)
	for {
		problem := check()
		if problem == "" {
			return
		}
		if time.Now().After(deadline) {
			t.Fatal(problem)
		}
		<-tick.C
	}
}

// logLines are the lines of a function's log group so far.
func (c *cloud) logLines(t *testing.T, group string) string {
	t.Helper()
	out, err := c.logs.FilterLogEvents(t.Context(), &cloudwatchlogs.FilterLogEventsInput{LogGroupName: &group})
	if err != nil {
		return ""
	}
	var lines []string
	for _, e := range out.Events {
		lines = append(lines, aws.ToString(e.Message))
	}
	return strings.Join(lines, "\n")
}

// httpStatus is an SDK error's, 0 for none.
func httpStatus(err error) int {
	e, ok := errors.AsType[*smithyhttp.ResponseError](err)
	if !ok {
		return 0
	}
	return e.HTTPStatusCode()
}

func requestID(m middleware.Metadata) (string, bool) { return awsmiddleware.GetRequestIDMetadata(m) }
