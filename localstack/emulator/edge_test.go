package emulator_test

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/apigatewaymanagementapi"
	"github.com/aws/aws-sdk-go-v2/service/apigatewayv2"
	gwtypes "github.com/aws/aws-sdk-go-v2/service/apigatewayv2/types"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"fanfare/localstack/emulator"
)

// postAs posts to a connection that is not there: 410 means that the signature
// was accepted.
func (w *world) postAs(id, secret, token string) error {
	client := apigatewaymanagementapi.New(apigatewaymanagementapi.Options{
		Region: "us-east-1", Retryer: aws.NopRetryer{}, BaseEndpoint: aws.String(strings.Replace(w.url, "ws", "http", 1)),
		Credentials: credentials.NewStaticCredentialsProvider(id, secret, token),
	})
	_, err := client.PostToConnection(context.Background(), &apigatewaymanagementapi.PostToConnectionInput{
		ConnectionId: aws.String("R1kmxc2VNjMCFIA="), Data: []byte("x"),
	})
	return err
}

func TestCallsOfConnectionsAreVerified(t *testing.T) {
	w := start(t, emulator.Options{})
	w.deployAPI(w.deployFunction(), true)
	session, err := sts.NewFromConfig(w.config()).AssumeRole(t.Context(), &sts.AssumeRoleInput{RoleArn: aws.String("arn:aws:iam::000000000000:role/function"), RoleSessionName: aws.String("tests")})
	if err != nil {
		t.Fatal(err)
	}
	key := session.Credentials
	check := func(name, id, secret, token, want string) {
		t.Helper()
		if err := w.postAs(id, secret, token); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want %s", name, err, want)
		}
	}
	check("the key test", "test", "test", "", "GoneException")
	check("the key test with another secret", "test", "guess", "", "InvalidSignatureException")
	check("a session", *key.AccessKeyId, *key.SecretAccessKey, *key.SessionToken, "GoneException")
	check("a session without its token", *key.AccessKeyId, *key.SecretAccessKey, "", "UnrecognizedClientException")
	check("a session with another secret", *key.AccessKeyId, "guess", *key.SessionToken, "InvalidSignatureException")
	check("a session that nobody issued", "ASIAAAAAAAAAAAAAAAAA", "x", "y", "UnrecognizedClientException")
	check("the deployer's own key", "AKIAAAAAAAAAAAAAAAAA", "x", "", "GoneException")
	w.cloud.Clock().Advance(30 * time.Minute)
	check("by the machine's clock, with the cloud's ahead", *key.AccessKeyId, *key.SecretAccessKey, *key.SessionToken, "GoneException")
	w.cloud.Clock().Advance(time.Hour)
	check("a session that has expired", *key.AccessKeyId, *key.SecretAccessKey, *key.SessionToken, "ExpiredTokenException")
}

// logRole makes a role with AWS's policy for API Gateway's logs.
func (w *world) logRole(name, trusted string) {
	w.t.Helper()
	api := iam.NewFromConfig(w.config())
	must(api.CreateRole(w.t.Context(), &iam.CreateRoleInput{RoleName: &name, AssumeRolePolicyDocument: aws.String(strings.Replace(roleTrust, "lambda.amazonaws.com", trusted, 1))}))
	must(api.AttachRolePolicy(w.t.Context(), &iam.AttachRolePolicyInput{RoleName: &name, PolicyArn: aws.String(pushToLogs)}))
}

const pushToLogs = "arn:aws:iam::aws:policy/service-role/AmazonAPIGatewayPushToCloudWatchLogs"

// patchAccount calls the older API, whose SDK nothing else here needs.
func (w *world) patchAccount(body string) (status int) {
	w.t.Helper()
	r := must(http.NewRequestWithContext(w.t.Context(), http.MethodPatch, w.cloud.URL()+"/account", strings.NewReader(body)))
	r.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential=test/20240120/eu-west-1/apigateway/aws4_request, SignedHeaders=host, Signature=0")
	response := must(http.DefaultClient.Do(r))
	_ = response.Body.Close()
	return response.StatusCode
}

// The role is API Gateway's only if it trusts it and may write all logs
// [ISS:jazz-installer#597].
func TestTheAccountsLogRoleIsLookedAt(t *testing.T) {
	w := start(t, emulator.Options{})
	w.logRole("logs", "apigateway.amazonaws.com")
	w.logRole("stranger", "ec2.amazonaws.com")
	w.logRole("poor", "apigateway.amazonaws.com")
	must(iam.NewFromConfig(w.config()).DetachRolePolicy(t.Context(), &iam.DetachRolePolicyInput{RoleName: aws.String("poor"), PolicyArn: aws.String(pushToLogs)}))
	for role, want := range map[string]int{"logs": 200, "stranger": 400, "poor": 400, "nobody": 400} {
		body := `{"patchOperations":[{"op":"replace","path":"/cloudwatchRoleArn","value":"arn:aws:iam::000000000000:role/` + role + `"}]}`
		if got := w.patchAccount(body); got != want {
			t.Errorf("%s: HTTP %d, want %d", role, got, want)
		}
	}
}

// The log group is the deployer's to make: without it, nothing is written.
func TestAccessLogsAreWrittenToTheirGroup(t *testing.T) {
	w := start(t, emulator.Options{})
	w.deployAPI(w.deployFunction(), true)
	const group = "/aws/apigateway/chat"
	const setRole = `{"patchOperations":[{"op":"replace","path":"/cloudwatchRoleArn","value":"arn:aws:iam::000000000000:role/logs"}]}`
	w.logRole("logs", "apigateway.amazonaws.com")
	if status := w.patchAccount(setRole); status != http.StatusOK {
		t.Fatalf("the account's role is refused: %d", status)
	}
	api := apigatewayv2.NewFromConfig(w.config())
	if _, err := api.UpdateStage(t.Context(), &apigatewayv2.UpdateStageInput{ApiId: &w.apiID, StageName: aws.String("live"),
		AccessLogSettings: &gwtypes.AccessLogSettings{DestinationArn: aws.String("arn:aws:logs:us-east-1:000000000000:log-group:" + group), Format: aws.String("$context.requestId $context.eventType $context.status")}}); err != nil {
		t.Fatal(err)
	}
	connect := func() {
		c, _, err := w.dial("?token=secret")
		if err != nil {
			t.Fatal(err)
		}
		_ = c.CloseNow()
	}
	logs := cloudwatchlogs.NewFromConfig(w.config())
	connect()
	if out, err := logs.DescribeLogGroups(t.Context(), &cloudwatchlogs.DescribeLogGroupsInput{LogGroupNamePrefix: aws.String(group)}); err != nil || len(out.LogGroups) != 0 {
		t.Errorf("the group was made: %v, %v", out, err)
	}
	if _, err := logs.CreateLogGroup(t.Context(), &cloudwatchlogs.CreateLogGroupInput{LogGroupName: aws.String(group)}); err != nil {
		t.Fatal(err)
	}
	connect()
	connects := func() (n int) {
		out := must(logs.FilterLogEvents(t.Context(), &cloudwatchlogs.FilterLogEventsInput{LogGroupName: aws.String(group)}))
		for _, e := range out.Events {
			if strings.HasSuffix(*e.Message, " CONNECT 200") {
				n++
			}
		}
		return n
	}
	if n := connects(); n != 1 {
		t.Errorf("%d lines tell of a connect, want 1", n)
	}
	must(iam.NewFromConfig(w.config()).DetachRolePolicy(t.Context(), &iam.DetachRolePolicyInput{RoleName: aws.String("logs"), PolicyArn: aws.String(pushToLogs)}))
	connect()
	if n := connects(); n != 1 {
		t.Errorf("a role that may not write has written: %d lines", n)
	}
}
