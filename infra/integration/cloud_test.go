package integration

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"regexp"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/apigatewayv2"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	iamtypes "github.com/aws/aws-sdk-go-v2/service/iam/types"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/coder/websocket"

	"fanfare/localstack/emulator"
)

const region = "us-east-1"

// cloud is a local cloud of the test's own, and what Terraform's users look at it
// with.
type cloud struct {
	*emulator.Emulator
	aws  aws.Config
	api  *apigatewayv2.Client
	fn   *lambda.Client
	sqs  *sqs.Client
	iam  *iam.Client
	logs *cloudwatchlogs.Client
	db   *dynamodb.Client
}

// startCloud runs until the test ends.
func startCloud(t *testing.T, o emulator.Options) *cloud {
	t.Helper()
	o.Logger = slog.New(slog.NewTextHandler(t.Output(), &slog.HandlerOptions{Level: slog.LevelWarn}))
	e, err := emulator.New(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		if err := e.Close(ctx); err != nil {
			t.Error(err)
		}
	})
	if err := e.Start(); err != nil {
		t.Fatal(err)
	}
	cfg := aws.Config{Region: region, BaseEndpoint: aws.String(e.URL()), Credentials: credentials.NewStaticCredentialsProvider("test", "test", "")}
	return &cloud{
		e, cfg, apigatewayv2.NewFromConfig(cfg), lambda.NewFromConfig(cfg), sqs.NewFromConfig(cfg),
		iam.NewFromConfig(cfg), cloudwatchlogs.NewFromConfig(cfg), dynamodb.NewFromConfig(cfg),
	}
}

// must is for an SDK's answers.
func must[T any](out T, err error) func(*testing.T) T {
	return func(t *testing.T) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
}

// cloudwatch calls CloudWatch in its query protocol and returns what is in each
// element of the answer called name.
func (c *cloud) cloudwatch(t *testing.T, query, name string) (values []string) {
	t.Helper()
	return c.query(t, "monitoring", query+"&Version=2010-08-01", name)
}

func (c *cloud) query(t *testing.T, service, query, name string) (values []string) {
	t.Helper()
	answer := c.send(t, service, http.MethodPost, "/", query)
	for _, m := range regexp.MustCompile(`<`+name+`>([^<]*)</`+name+`>`).FindAllStringSubmatch(answer, -1) {
		values = append(values, m[1])
	}
	return values
}

// send is for services whose SDK is not among our modules.
func (c *cloud) send(t *testing.T, service, method, path, body string) string {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, c.URL()+path, bytes.NewReader([]byte(body)))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	sum := sha256.Sum256([]byte(body))
	keys := must(c.aws.Credentials.Retrieve(t.Context()))(t)
	if err := v4.NewSigner().SignHTTP(t.Context(), keys, req, hex.EncodeToString(sum[:]), service, region, c.Clock().Now()); err != nil {
		t.Fatal(err)
	}
	resp := must(http.DefaultClient.Do(req))(t)
	defer resp.Body.Close()
	answer := must(io.ReadAll(resp.Body))(t)
	if resp.StatusCode != http.StatusOK {
		t.Fatalf("%s: HTTP %d %s", body, resp.StatusCode, answer)
	}
	return string(answer)
}

// everything lists what is in the cloud, by kind: what answers a list call of any
// service that infra/ uses.
func (c *cloud) everything(t *testing.T) map[string][]string {
	t.Helper()
	ctx := t.Context()
	all := map[string][]string{}
	add := func(kind string, name *string) { all[kind] = append(all[kind], aws.ToString(name)) }
	for _, f := range must(c.fn.ListFunctions(ctx, &lambda.ListFunctionsInput{}))(t).Functions {
		add("functions", f.FunctionName)
	}
	for _, m := range must(c.fn.ListEventSourceMappings(ctx, &lambda.ListEventSourceMappingsInput{}))(t).EventSourceMappings {
		add("event source mappings", m.EventSourceArn)
	}
	for _, a := range must(c.api.GetApis(ctx, &apigatewayv2.GetApisInput{}))(t).Items {
		add("APIs", a.Name)
	}
	for _, name := range must(c.db.ListTables(ctx, &dynamodb.ListTablesInput{}))(t).TableNames {
		add("tables", &name)
	}
	for _, url := range must(c.sqs.ListQueues(ctx, &sqs.ListQueuesInput{}))(t).QueueUrls {
		add("queues", &url)
	}
	for _, r := range must(c.iam.ListRoles(ctx, &iam.ListRolesInput{}))(t).Roles {
		add("roles", r.RoleName)
	}
	for _, p := range must(c.iam.ListPolicies(ctx, &iam.ListPoliciesInput{Scope: iamtypes.PolicyScopeTypeLocal}))(t).Policies {
		add("policies", p.PolicyName)
	}
	for _, g := range must(c.logs.DescribeLogGroups(ctx, &cloudwatchlogs.DescribeLogGroupsInput{}))(t).LogGroups {
		add("log groups", g.LogGroupName)
	}
	for _, name := range c.cloudwatch(t, "Action=DescribeAlarms", "AlarmName") {
		add("alarms", &name)
	}
	for _, name := range c.cloudwatch(t, "Action=ListDashboards", "DashboardName") {
		add("dashboards", &name)
	}
	return all
}

// onlyAPI is the id of the one API.
func (c *cloud) onlyAPI(t *testing.T) *string {
	t.Helper()
	apis := must(c.api.GetApis(t.Context(), &apigatewayv2.GetApisInput{}))(t).Items
	if len(apis) != 1 {
		t.Fatalf("%d APIs, want one", len(apis))
	}
	return apis[0].ApiId
}

// routes are the API's, by their keys.
func (c *cloud) routes(t *testing.T) map[string]routeInfo {
	t.Helper()
	all := map[string]routeInfo{}
	for _, r := range must(c.api.GetRoutes(t.Context(), &apigatewayv2.GetRoutesInput{ApiId: c.onlyAPI(t)}))(t).Items {
		all[aws.ToString(r.RouteKey)] = routeInfo{aws.ToString(r.RouteId), aws.ToString(r.RouteResponseSelectionExpression) != ""}
	}
	return all
}

type routeInfo struct {
	id      string
	answers bool
}

func (c *cloud) queueURL(t *testing.T, name string) *string {
	t.Helper()
	return must(c.sqs.GetQueueUrl(t.Context(), &sqs.GetQueueUrlInput{QueueName: &name}))(t).QueueUrl
}

// client is an open socket.
type client struct{ conn *websocket.Conn }

// dial opens a socket to the one deployment.
func dial(t *testing.T, url, token string) *client {
	t.Helper()
	conn, _, err := websocket.Dial(t.Context(), url+"?token="+token, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.CloseNow() }) // may be closed already
	return &client{conn}
}

type frame struct{ Type, Code string }

func (c *client) send(t *testing.T, text string) {
	t.Helper()
	if err := c.conn.Write(t.Context(), websocket.MessageText, []byte(text)); err != nil {
		t.Fatal(err)
	}
}

// want waits for the next frame.
func (c *client) want(t *testing.T, want frame) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	_, data, err := c.conn.Read(ctx)
	if err != nil {
		t.Fatal(err)
	}
	var got frame
	if err := json.Unmarshal(data, &got); err != nil || got != want {
		t.Errorf("got %s, want %+v", data, want)
	}
}

func (c *client) close(t *testing.T) {
	t.Helper()
	if err := c.conn.Close(websocket.StatusNormalClosure, ""); err != nil {
		t.Error(err)
	}
}
