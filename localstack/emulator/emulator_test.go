package emulator_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/apigatewayv2"
	gwtypes "github.com/aws/aws-sdk-go-v2/service/apigatewayv2/types"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	logstypes "github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs/types"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	lambdatypes "github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/coder/websocket"

	"fanfare/localstack/emulator"
)

// bootstrap is the zip of testdata/function.
func bootstrap(t *testing.T) []byte {
	t.Helper()
	return emulator.Build(t, "./testdata/function")
}

// world is a running cloud with a deployer.
type world struct {
	t     *testing.T
	cloud *emulator.Emulator
	log   *lockedBuffer
	url   string // of the deployed API, after deployAPI
	apiID string
}

type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

func start(t *testing.T, o emulator.Options) *world {
	t.Helper()
	w := &world{t: t, log: new(lockedBuffer)}
	o.Logger = slog.New(slog.NewTextHandler(w.log, nil))
	if o.Addr == "" {
		o.Addr = "127.0.0.1:0"
	}
	var err error
	if w.cloud, err = emulator.New(o); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(w.close)
	if err := w.cloud.Start(); err != nil {
		t.Fatal(err)
	}
	return w
}

func (w *world) close() {
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	if err := w.cloud.Close(ctx); err != nil {
		w.t.Errorf("close: %v", err)
	}
}

func (w *world) config() aws.Config {
	return aws.Config{
		Region: "eu-west-1", BaseEndpoint: aws.String(w.cloud.URL()),
		Credentials: credentials.NewStaticCredentialsProvider("test", "test", ""),
	}
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// grant replaces the role's only policy. Statements are JSON, joined by commas.
func (w *world) grant(role, statements string) {
	w.t.Helper()
	must(iam.NewFromConfig(w.config()).PutRolePolicy(w.t.Context(), &iam.PutRolePolicyInput{
		RoleName: &role, PolicyName: aws.String("policy"),
		PolicyDocument: aws.String(`{"Version":"2012-10-17","Statement":[` + statements + `]}`),
	}))
}

// deployFunction creates the test's function and returns its ARN.
func (w *world) deployFunction() string {
	ctx := w.t.Context()
	role := must(iam.NewFromConfig(w.config()).CreateRole(ctx, &iam.CreateRoleInput{
		RoleName:                 aws.String("function"),
		AssumeRolePolicyDocument: aws.String(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"lambda.amazonaws.com"},"Action":"sts:AssumeRole"}]}`),
	}))
	w.grant("function", `{"Effect":"Allow","Action":"*","Resource":"*"}`)
	out := must(lambda.NewFromConfig(w.config()).CreateFunction(ctx, &lambda.CreateFunctionInput{
		FunctionName: aws.String("echo"), Role: role.Role.Arn, Handler: aws.String("bootstrap"),
		Runtime: lambdatypes.RuntimeProvidedal2023, Code: &lambdatypes.FunctionCode{ZipFile: bootstrap(w.t)},
		Architectures: []lambdatypes.Architecture{architecture()},
		Environment:   &lambdatypes.Environment{Variables: map[string]string{"OWN": "1"}},
	}))
	return *out.FunctionArn
}

// deployAPI creates a WebSocket API in front of the function. allow says
// whether API Gateway may call it.
func (w *world) deployAPI(functionARN string, allow bool) {
	ctx := w.t.Context()
	gw := apigatewayv2.NewFromConfig(w.config())
	api := must(gw.CreateApi(ctx, &apigatewayv2.CreateApiInput{
		Name: aws.String("test"), ProtocolType: gwtypes.ProtocolTypeWebsocket,
		RouteSelectionExpression: aws.String("$request.body.action"),
	}))
	w.apiID = *api.ApiId
	i := must(gw.CreateIntegration(ctx, &apigatewayv2.CreateIntegrationInput{
		ApiId: api.ApiId, IntegrationType: gwtypes.IntegrationTypeAwsProxy,
		IntegrationUri: aws.String("arn:aws:apigateway:eu-west-1:lambda:path/2015-03-31/functions/" + functionARN + "/invocations"),
	}))
	for _, key := range []string{"$connect", "$disconnect", "$default", "environment", "fail"} {
		in := &apigatewayv2.CreateRouteInput{ApiId: api.ApiId, RouteKey: aws.String(key), Target: aws.String("integrations/" + *i.IntegrationId)}
		if !strings.HasSuffix(key, "connect") {
			in.RouteResponseSelectionExpression = aws.String("$default")
		}
		r := must(gw.CreateRoute(ctx, in))
		if in.RouteResponseSelectionExpression != nil {
			must(gw.CreateRouteResponse(ctx, &apigatewayv2.CreateRouteResponseInput{ApiId: api.ApiId, RouteId: r.RouteId, RouteResponseKey: aws.String("$default")}))
		}
	}
	d := must(gw.CreateDeployment(ctx, &apigatewayv2.CreateDeploymentInput{ApiId: api.ApiId}))
	must(gw.CreateStage(ctx, &apigatewayv2.CreateStageInput{ApiId: api.ApiId, StageName: aws.String("live"), DeploymentId: d.DeploymentId}))
	if allow {
		must(lambda.NewFromConfig(w.config()).AddPermission(ctx, &lambda.AddPermissionInput{
			FunctionName: &functionARN, StatementId: aws.String("api"), Action: aws.String("lambda:InvokeFunction"),
			Principal: aws.String("apigateway.amazonaws.com"),
			SourceArn: aws.String("arn:aws:execute-api:eu-west-1:000000000000:" + w.apiID + "/*"),
		}))
	}
	w.url = *api.ApiEndpoint + "/live"
}

func (w *world) dial(query string) (*websocket.Conn, *http.Response, error) {
	return websocket.Dial(w.t.Context(), w.url+query, nil)
}

// logEvents are all events of a log group, and none if it is not there yet.
func (w *world) logEvents(group string) ([]logstypes.FilteredLogEvent, error) {
	out, err := cloudwatchlogs.NewFromConfig(w.config()).FilterLogEvents(w.t.Context(), &cloudwatchlogs.FilterLogEventsInput{LogGroupName: &group})
	if _, missing := errors.AsType[*logstypes.ResourceNotFoundException](err); missing {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return out.Events, nil
}

// addRoute gives the only API a route to the only integration that answers.
func addRoute(t *testing.T, cfg aws.Config, key string) {
	t.Helper()
	gw := apigatewayv2.NewFromConfig(cfg)
	api := must(gw.GetApis(t.Context(), &apigatewayv2.GetApisInput{})).Items[0].ApiId
	integration := must(gw.GetIntegrations(t.Context(), &apigatewayv2.GetIntegrationsInput{ApiId: api})).Items[0].IntegrationId
	if err := createRouteTo(t.Context(), gw, api, key, *integration, !strings.HasPrefix(key, "$")); err != nil {
		t.Fatal(err)
	}
}

// ask sends a frame and returns the next that comes.
func (w *world) ask(c *websocket.Conn, frame string) string {
	w.t.Helper()
	ctx, cancel := context.WithTimeout(w.t.Context(), 20*time.Second)
	defer cancel()
	if err := c.Write(ctx, websocket.MessageText, []byte(frame)); err != nil {
		w.t.Fatal(err)
	}
	_, got, err := c.Read(ctx)
	if err != nil {
		w.t.Fatal(err)
	}
	return string(got)
}

func TestAFrameGoesThroughARealFunctionAndBack(t *testing.T) {
	w := start(t, emulator.Options{})
	w.deployAPI(w.deployFunction(), true)
	c, _, err := w.dial("")
	if err != nil {
		t.Fatal(err)
	}
	defer c.CloseNow()
	if got := w.ask(c, `{"action":"hello"}`); got != `echo {"action":"hello"}` {
		t.Errorf("got %q", got)
	}
	// The function knows the way back to the cloud, and nothing of the host.
	if got := w.ask(c, `{"action":"environment"}`); got != w.cloud.URL()+" " {
		t.Errorf("environment %q", got)
	}
	if got := w.ask(c, `{"action":"fail"}`); !strings.HasPrefix(got, `{"message": "Internal server error", "connectionId":"`) {
		t.Errorf("a function that fails: %q", got)
	}
	if _, resp, err := w.dial("?refuse=1"); err == nil || resp == nil || resp.StatusCode != http.StatusTeapot {
		t.Errorf("refused by the function: %v", err)
	}
	out, err := cloudwatchlogs.NewFromConfig(w.config()).FilterLogEvents(t.Context(), &cloudwatchlogs.FilterLogEventsInput{
		LogGroupName: aws.String("/aws/lambda/echo"), FilterPattern: aws.String("handled"),
	})
	if err != nil || len(out.Events) < 4 {
		t.Errorf("log events %+v, error %v; want one for each call", out, err)
	}
}

func TestAMissingPermissionIs500OnConnect(t *testing.T) {
	w := start(t, emulator.Options{})
	w.deployAPI(w.deployFunction(), false)
	_, resp, err := w.dial("")
	if err == nil || resp == nil || resp.StatusCode != http.StatusInternalServerError {
		t.Errorf("error %v, answer %+v; want HTTP 500", err, resp)
	}
}

func TestTheClockEndsIdleSockets(t *testing.T) {
	w := start(t, emulator.Options{})
	w.deployAPI(w.deployFunction(), true)
	c, _, err := w.dial("")
	if err != nil {
		t.Fatal(err)
	}
	defer c.CloseNow()
	w.ask(c, `{"action":"hello"}`)
	resp, err := http.Post(w.cloud.URL()+"/_localstack/clock/advance", "application/json", strings.NewReader(`{"duration":"10m1s"}`))
	if err != nil || resp.StatusCode != http.StatusOK {
		t.Fatalf("advance: %v, %v", resp, err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	if _, _, err := c.Read(ctx); websocket.CloseStatus(err) != websocket.StatusGoingAway {
		t.Errorf("idle for 10 minutes: %v, want close 1001", err)
	}
}

func TestAnEventSourceDeletesWhatSucceededAndLeavesWhatFailed(t *testing.T) {
	w := start(t, emulator.Options{})
	ctx := t.Context()
	function := w.deployFunction()
	api := sqs.NewFromConfig(w.config())
	dead := must(api.CreateQueue(ctx, &sqs.CreateQueueInput{QueueName: aws.String("dead")}))
	queue := must(api.CreateQueue(ctx, &sqs.CreateQueueInput{QueueName: aws.String("work"), Attributes: map[string]string{
		"VisibilityTimeout": "30",
		"RedrivePolicy":     `{"deadLetterTargetArn":"arn:aws:sqs:eu-west-1:000000000000:dead","maxReceiveCount":2}`,
	}}))
	must(lambda.NewFromConfig(w.config()).CreateEventSourceMapping(ctx, &lambda.CreateEventSourceMappingInput{
		EventSourceArn: aws.String("arn:aws:sqs:eu-west-1:000000000000:work"), FunctionName: &function, BatchSize: aws.Int32(5),
		FunctionResponseTypes: []lambdatypes.FunctionResponseType{lambdatypes.FunctionResponseTypeReportBatchItemFailures},
	}))
	for _, body := range []string{"ok", "fail", "ok"} {
		must(api.SendMessage(ctx, &sqs.SendMessageInput{QueueUrl: queue.QueueUrl, MessageBody: aws.String(body)}))
	}
	// left is how many messages are waiting and how many were received and are
	// not yet deleted.
	left := func() string {
		a := must(api.GetQueueAttributes(ctx, &sqs.GetQueueAttributesInput{QueueUrl: queue.QueueUrl, AttributeNames: []sqsAttribute{"All"}})).Attributes
		return a["ApproximateNumberOfMessages"] + " waiting, " + a["ApproximateNumberOfMessagesNotVisible"] + " in flight"
	}
	for receives := range 2 { // the message that fails is in flight, alone
		eventually(t, func() string {
			if got := left(); got != "0 waiting, 1 in flight" {
				return fmt.Sprintf("after %d time-outs: %s", receives, got)
			}
			return ""
		})
		w.cloud.Clock().Advance(31 * time.Second) // its visibility time-out
	}
	eventually(t, func() string {
		out := must(api.ReceiveMessage(ctx, &sqs.ReceiveMessageInput{QueueUrl: dead.QueueUrl}))
		if len(out.Messages) == 0 {
			return "nothing in the dead-letter queue"
		}
		if *out.Messages[0].Body != "fail" {
			t.Errorf("dead letter %q", *out.Messages[0].Body)
		}
		return ""
	})
	if got := left(); got != "0 waiting, 0 in flight" {
		t.Errorf("left in the queue: %s", got)
	}
}

func eventually(t *testing.T, check func() string) {
	t.Helper()
	deadline := time.Now().Add(30 * time.Second)
	for problem := check(); problem != ""; problem = check() {
		if time.Now().After(deadline) {
			t.Fatal(problem)
		}
		time.Sleep(20 * time.Millisecond)
	}
}

func TestASavedCloudServesAgain(t *testing.T) {
	dir := t.TempDir()
	w := start(t, emulator.Options{DataDir: dir})
	w.deployAPI(w.deployFunction(), true)
	resp, err := http.Post(w.cloud.URL()+"/_localstack/snapshot", "", nil)
	if err != nil || resp.StatusCode != http.StatusNoContent {
		t.Fatalf("save: %v, %v", resp, err)
	}
	addr, url := w.cloud.Addr(), w.url
	w.close()
	again := start(t, emulator.Options{DataDir: dir, Addr: addr})
	again.url = url
	c, _, err := again.dial("")
	if err != nil {
		t.Fatal(err)
	}
	defer c.CloseNow()
	if got := again.ask(c, `{"action":"x"}`); got != `echo {"action":"x"}` {
		t.Errorf("got %q", got)
	}
}

// The code lies in the file that a save replaces, and is read after the
// functions have been stopped.
func TestARestoredCloudCanBeSavedAgainAndAgain(t *testing.T) {
	dir := t.TempDir()
	w := start(t, emulator.Options{DataDir: dir, SaveOnClose: true})
	w.deployAPI(w.deployFunction(), true)
	addr, url := w.cloud.Addr(), w.url
	w.close()
	for range 2 {
		w = start(t, emulator.Options{DataDir: dir, Addr: addr, SaveOnClose: true})
		if err := w.cloud.Save(); err != nil {
			t.Fatal(err)
		}
		w.close()
	}
	w = start(t, emulator.Options{DataDir: dir, Addr: addr})
	w.url = url
	c, _, err := w.dial("")
	if err != nil {
		t.Fatal(err)
	}
	if got := w.ask(c, `{"action":"x"}`); got != `echo {"action":"x"}` {
		t.Errorf("got %q", got)
	}
	_ = c.CloseNow()
	w.close()
	if left := must(filepath.Glob(filepath.Join(dir, "*"))); len(left) != 2 { // the snapshot and the lock
		t.Errorf("left in the data directory: %v", left)
	}
}

func TestTheStateIsSavedAtCloseAndHeldUntilThen(t *testing.T) {
	dir := t.TempDir()
	w := start(t, emulator.Options{DataDir: dir, SaveOnClose: true})
	must(sqs.NewFromConfig(w.config()).CreateQueue(t.Context(), &sqs.CreateQueueInput{QueueName: aws.String("kept")}))
	if _, err := emulator.New(emulator.Options{DataDir: dir}); err == nil || !strings.Contains(err.Error(), "in use by another local cloud") {
		t.Errorf("a second cloud on the directory: error %v", err)
	}
	w.close()
	again := start(t, emulator.Options{DataDir: dir})
	if out := must(sqs.NewFromConfig(again.config()).ListQueues(t.Context(), &sqs.ListQueuesInput{})); len(out.QueueUrls) != 1 {
		t.Errorf("queues %v, want the one that was kept", out.QueueUrls)
	}
}

func TestASnapshotThatCannotBeUsedIsRefused(t *testing.T) {
	saved := t.TempDir()
	w := start(t, emulator.Options{DataDir: saved, SaveOnClose: true})
	w.deployFunction()
	w.close()
	good := must(os.ReadFile(filepath.Join(saved, emulator.SnapshotFile)))
	code := bytes.Clone(good)
	function := bootstrap(t)
	i := bytes.Index(code, function)
	if i < 0 {
		t.Fatal("the code is not in the snapshot as it was uploaded")
	}
	code[i+len(function)/2] ^= 1
	for _, tt := range []struct {
		what, file string
		data       []byte
		want       string
	}{
		{"none at all", emulator.SnapshotFile, []byte(`damaged`), "is damaged or was written by another version"},
		{"cut off", emulator.SnapshotFile, good[:len(good)-1], "is damaged or was written by another version"},
		{"a bit of the code changed", emulator.SnapshotFile, code, "function:echo: its SHA-256 is "},
		{"the file of former versions", "cloud.json", []byte(`{"version":2,"clock":"0s","services":{`), "is damaged or was written by another version"},
	} {
		t.Run(tt.what, func(t *testing.T) {
			dir := t.TempDir()
			path := filepath.Join(dir, tt.file)
			if err := os.WriteFile(path, tt.data, 0o600); err != nil {
				t.Fatal(err)
			}
			cloud := must(emulator.New(emulator.Options{Addr: "127.0.0.1:0", DataDir: dir, SaveOnClose: true}))
			err := cloud.Start()
			if err == nil || !strings.HasPrefix(err.Error(), path) || !strings.Contains(err.Error(), tt.want) ||
				!strings.HasSuffix(err.Error(), "remove it to start empty") {
				t.Errorf("error %v, want one about %s with %q", err, path, tt.want)
			}
			if err := cloud.Close(t.Context()); err != nil {
				t.Error(err)
			}
			if left := must(os.ReadFile(path)); !bytes.Equal(left, tt.data) {
				t.Error("the file was replaced")
			}
			if left := must(filepath.Glob(filepath.Join(dir, "*"))); len(left) != 2 { // the file and the lock
				t.Errorf("left in the data directory: %v", left)
			}
		})
	}
}

func TestAPortInUseIsNamed(t *testing.T) {
	w := start(t, emulator.Options{})
	second, err := emulator.New(emulator.Options{Addr: w.cloud.Addr()})
	if err != nil {
		t.Fatal(err)
	}
	err = second.Start()
	var used *emulator.PortInUseError
	if !errors.As(err, &used) || !strings.Contains(err.Error(), w.cloud.Addr()) {
		t.Errorf("error %v, want a PortInUseError that names %s", err, w.cloud.Addr())
	}
}

func TestWhatIsMissingIsRefusedAndLogged(t *testing.T) {
	w := start(t, emulator.Options{})
	tests := []struct {
		name, scope, target, contentType, body string
		status                                 int
		want                                   string // in the answer
		logged                                 string
	}{
		{"an unknown service", "sns", "", "application/x-www-form-urlencoded", "Action=Publish&Version=2010-03-31", 501, "<Message>the local cloud has no service sns</Message>", "operation=Publish"},
		{"an unknown JSON service", "kinesis", "Kinesis_20131202.PutRecord", "application/x-amz-json-1.1", "{}", 501, "no service kinesis", "Kinesis_20131202.PutRecord"},
		{"an unknown operation", "dynamodb", "DynamoDB_20120810.ExecuteStatement", "application/x-amz-json-1.0", "{}", 404, "UnknownOperationException", "operation=ExecuteStatement"},
		{"a request that is not signed", "", "", "", "", 501, "not signed", `operation="POST /"`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := must(http.NewRequestWithContext(t.Context(), http.MethodPost, w.cloud.URL()+"/", strings.NewReader(tt.body)))
			r.Header.Set("Content-Type", tt.contentType)
			if tt.target != "" {
				r.Header.Set("X-Amz-Target", tt.target)
			}
			if tt.scope != "" {
				r.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential=test/20260101/us-east-1/"+tt.scope+"/aws4_request, SignedHeaders=host, Signature=x")
			}
			resp := must(http.DefaultClient.Do(r))
			body := must(io.ReadAll(resp.Body))
			if resp.StatusCode != tt.status || !strings.Contains(string(body), tt.want) {
				t.Errorf("answer %d %s, want %d with %q", resp.StatusCode, body, tt.status, tt.want)
			}
			if !strings.Contains(w.log.String(), tt.logged) {
				t.Errorf("log lacks %s:\n%s", tt.logged, w.log.String())
			}
		})
	}
}

func TestAWebPageOfAnotherSiteCannotUseTheCloud(t *testing.T) {
	w := start(t, emulator.Options{})
	const health, connection = "/_localstack/health", "/_aws/execute-api/a/live/@connections/x"
	tests := []struct {
		name, path, header, value string
		status                    int
	}{
		{"its origin", health, "Origin", "https://evil.example", http.StatusForbidden},
		{"an opaque origin", health, "Origin", "null", http.StatusForbidden},
		{"its origin, at a connection", connection, "Origin", "https://evil.example", http.StatusForbidden},
		{"the browser's word, at a connection", connection, "Sec-Fetch-Site", "cross-site", http.StatusForbidden},
		{"the browser's word", health, "Sec-Fetch-Site", "cross-site", http.StatusForbidden},
		{"another port of this machine", health, "Sec-Fetch-Site", "same-site", http.StatusForbidden},
		{"a name that its DNS points here", health, "Host", "evil.example", http.StatusForbidden},
		{"a name below localhost", health, "Host", "api.localhost:4566", http.StatusOK},
		{"no browser", health, "User-Agent", "curl", http.StatusOK},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := must(http.NewRequestWithContext(t.Context(), http.MethodGet, w.cloud.URL()+tt.path, nil))
			r.Header.Set(tt.header, tt.value)
			if tt.header == "Host" {
				r.Host = tt.value
			}
			resp := must(http.DefaultClient.Do(r))
			body := string(must(io.ReadAll(resp.Body)))
			refused := strings.Contains(body, "the local cloud refuses the request") // not for want of a signature
			if resp.StatusCode != tt.status || refused != (tt.status == http.StatusForbidden) {
				t.Errorf("HTTP %d %s, want %d", resp.StatusCode, body, tt.status)
			}
		})
	}
}

// As in a container: it listens at all addresses, functions call it by loopback,
// and clients by the name and port that they were given.
func TestACloudAtAllAddressesIsCalledByThoseThatWork(t *testing.T) {
	for _, addr := range []string{"0.0.0.0:0", "[::]:0", ":0"} {
		for _, c := range []struct{ hostname, host, port string }{
			{"cloud.example", "cloud.example", ""},
			{"cloud.example:32768", "cloud.example", "32768"},
			{"::1", "[::1]", ""},
			{"[::1]:32768", "[::1]", "32768"},
		} {
			t.Run(addr+" as "+c.hostname, func(t *testing.T) {
				w := start(t, emulator.Options{Addr: addr, Hostname: c.hostname})
				_, own, err := net.SplitHostPort(w.cloud.Addr())
				if err != nil {
					t.Fatal(err)
				}
				if got := w.cloud.URL(); got != "http://127.0.0.1:"+own {
					t.Errorf("URL %s, want 127.0.0.1 with port %s", got, own)
				}
				if c.port == "" {
					c.port = own
				}
				queue := must(sqs.NewFromConfig(w.config()).CreateQueue(t.Context(), &sqs.CreateQueueInput{QueueName: aws.String("q")}))
				if want := "http://" + c.host + ":" + c.port + "/"; !strings.HasPrefix(*queue.QueueUrl, want) {
					t.Errorf("queue %s, want it below %s", *queue.QueueUrl, want)
				}
				r := must(http.NewRequestWithContext(t.Context(), http.MethodGet, w.cloud.URL()+"/_localstack/health", nil))
				r.Host = c.host + ":" + c.port
				resp := must(http.DefaultClient.Do(r))
				if _ = resp.Body.Close(); resp.StatusCode != http.StatusOK {
					t.Errorf("under its own name it answers %s", resp.Status)
				}
			})
		}
	}
}

func TestHealthAnswersAsLocalStacks(t *testing.T) {
	w := start(t, emulator.Options{})
	resp := must(http.Get(w.cloud.URL() + "/_localstack/health"))
	var health struct {
		Services map[string]string
		Edition  string
		Version  string
	}
	if err := json.NewDecoder(resp.Body).Decode(&health); err != nil {
		t.Fatal(err)
	}
	for _, service := range []string{"apigateway", "lambda", "dynamodb", "sqs", "iam", "sts", "logs", "cloudwatch"} {
		if health.Services[service] != "available" {
			t.Errorf("service %s is %q", service, health.Services[service])
		}
	}
	if health.Edition == "" || health.Version == "" {
		t.Errorf("health %+v", health)
	}
}
