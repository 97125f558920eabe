package conformance

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/apigatewayv2"
	gwtypes "github.com/aws/aws-sdk-go-v2/service/apigatewayv2/types"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	ddbtypes "github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
)

func TestControlPlanes(t *testing.T) { check(t, controlClaims) }

const (
	form   = "application/x-www-form-urlencoded"
	json10 = "application/x-amz-json-1.0"
	json11 = "application/x-amz-json-1.1"
)

var controlClaims = []claim{
	answers("apigatewayv2: what is not there is 404 NotFoundException", "[TFRUN]", wire{"apigateway", "GET", "/v2/apis/nobody", "", "", ""}, 404, "X-Amzn-Errortype", "NotFoundException", ""),
	answers("lambda: what is not there is 404 ResourceNotFoundException", "[TFRUN]", wire{"lambda", "GET", "/2015-03-31/functions/nobody", "", "", ""}, 404, "X-Amzn-Errortype", "ResourceNotFoundException", ""),
	answers("dynamodb: what is not there is 400 with __type ResourceNotFoundException", "[TFRUN]", wire{"dynamodb", "POST", "/", "DynamoDB_20120810.DescribeTable", json10, `{"TableName":"nobody"}`}, 400, "", "", `#ResourceNotFoundException"`),
	answers("iam: what is not there is 404 with the XML code NoSuchEntity", "[TFRUN]", wire{"iam", "POST", "/", "", form, "Action=GetRole&Version=2010-05-08&RoleName=nobody"}, 404, "", "", "<Code>NoSuchEntity</Code>"),
	answers("sqs: what is not there is 400 QueueDoesNotExist with the old name in x-amzn-query-error", "[TFRUN]", wire{"sqs", "POST", "/", "AmazonSQS.GetQueueUrl", json10, `{"QueueName":"nobody"}`}, 400, "x-amzn-query-error", "AWS.SimpleQueueService.NonExistentQueue;Sender", `com.amazonaws.sqs#QueueDoesNotExist`),
	answers("cloudwatch: a dashboard that is not there is 404 with the XML code ResourceNotFound", "[TFRUN]", wire{"monitoring", "POST", "/", "", form, "Action=GetDashboard&Version=2010-08-01&DashboardName=nobody"}, 404, "", "", "<Code>ResourceNotFound</Code>"),
	answers("cloudwatch: alarms that are not there are an empty list", "[TFRUN]", wire{"monitoring", "POST", "/", "", form, "Action=DescribeAlarms&Version=2010-08-01&AlarmNames.member.1=nobody"}, 200, "", "", "DescribeAlarmsResult"),
	answers("logs: log groups that are not there are an empty list", "[TFRUN]", wire{"logs", "POST", "/", "Logs_20140328.DescribeLogGroups", json11, `{"logGroupNamePrefix":"nobody"}`}, 200, "", "", `"logGroups":[]`),
	answers("sts: the caller has an account, so that Terraform's ARNs are whole", "[TFRUN]", wire{"sts", "POST", "/", "", form, "Action=GetCallerIdentity&Version=2011-06-15"}, 200, "", "", "<Account>"+account+"</Account>"),
	answers("iam: GetRole's policy document is URL-encoded JSON", "[TFRUN]", wire{"iam", "POST", "/", "", form, "Action=GetRole&Version=2010-05-08&RoleName=function"}, 200, "", "", "<AssumeRolePolicyDocument>%7B%22"),
	{says: "apigatewayv2: create is 201, update 200, delete 204", sources: "[BOTO:apigatewayv2]", test: controlStatuses},
	{says: "apigatewayv2: an integration answers the payloadFormatVersion that it was given", sources: "[TFRUN]", test: controlEcho},
	{says: "apigatewayv2: a deployment is DEPLOYED when GetDeployment is asked", sources: "[TFRUN]", test: controlDeployed},
	{says: "apigatewayv2: a stage that logs without the account's role is refused in AWS's words", sources: "[ISS:sst#1556] [ISS:ion#373]", test: controlLogging},
	{says: "lambda: code-signing-config and versions of a plain function are 200", sources: "[TFRUN]", test: controlSideReads},
	{says: "lambda: a permission is in a policy that is a JSON string, and gone is 404", sources: "[TFRUN]", test: controlPermission},
	{says: "lambda: an event source mapping is answered with its own ARN, and Creating", sources: "[TFRUN]", test: controlMapping},
	{says: "dynamodb: a second TTL attribute is a ValidationException", sources: "[WEB:UpdateTimeToLive]", test: controlTTL},
}

// wire is a request as bytes, for answers whose shape counts.
type wire struct{ service, method, path, target, contentType, body string }

func (c *cloud) send(t *testing.T, r wire) answer {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), r.method, c.URL()+r.path, strings.NewReader(r.body))
	if err != nil {
		t.Fatal(err)
	}
	if r.contentType != "" {
		req.Header.Set("Content-Type", r.contentType)
	}
	if r.target != "" {
		req.Header.Set("X-Amz-Target", r.target)
	}
	sign(t, req, r.body, r.service, deployer)
	return send(t, req)
}

// answers claims a status, a header and a part of the body.
func answers(says, sources string, r wire, status int, header, value, body string) claim {
	return claim{says: says, sources: sources, test: func(t *testing.T) {
		got := shared(t).send(t, r)
		if got.status != status || !strings.Contains(got.body, body) || (header != "" && got.header.Get(header) != value) {
			t.Errorf("HTTP %d, headers %v\n%s\nwant %d, %s: %s, %s", got.status, got.header, got.body, status, header, value, body)
		}
	}}
}

func controlStatuses(t *testing.T) {
	c := shared(t)
	made := c.send(t, wire{"apigateway", "POST", "/v2/apis", "", "application/json", `{"name":"x","protocolType":"WEBSOCKET","routeSelectionExpression":"$request.body.action"}`})
	var api struct{ APIID, APIEndpoint string }
	if err := json.Unmarshal([]byte(made.body), &api); err != nil {
		t.Fatal(err)
	}
	path := "/v2/apis/" + api.APIID
	changed := c.send(t, wire{"apigateway", "PATCH", path, "", "application/json", `{"description":"y"}`})
	deleted := c.send(t, wire{"apigateway", "DELETE", path, "", "", ""})
	if made.status != 201 || changed.status != 200 || deleted.status != 204 {
		t.Errorf("create %d, update %d, delete %d", made.status, changed.status, deleted.status)
	}
}

func controlEcho(t *testing.T) {
	a := shared(t).deploy(t, spec{})
	got := a.describe(t, "/integrations/"+a.integration)
	if !strings.Contains(got.body, `"payloadFormatVersion":"1.0"`) || !strings.Contains(got.body, `"connectionType":"INTERNET"`) || !strings.Contains(got.body, `"timeoutInMillis":29000`) {
		t.Errorf("answer %s", got.body)
	}
}

// describe gets what belongs to the API.
func (a *api) describe(t *testing.T, path string) answer {
	t.Helper()
	return a.cloud.send(t, wire{"apigateway", "GET", "/v2/apis/" + a.id + path, "", "", ""})
}

func controlDeployed(t *testing.T) {
	a := shared(t).deploy(t, spec{})
	out := must(a.gateway.GetDeployment(t.Context(), &apigatewayv2.GetDeploymentInput{ApiId: &a.id, DeploymentId: &a.deployment}))(t)
	if out.DeploymentStatus != gwtypes.DeploymentStatusDeployed {
		t.Errorf("status %s", out.DeploymentStatus)
	}
}

func controlLogging(t *testing.T) {
	a := fresh(t).deploy(t, spec{})
	_, err := a.gateway.CreateStage(t.Context(), &apigatewayv2.CreateStageInput{
		ApiId: &a.id, StageName: aws.String("logs"), DeploymentId: &a.deployment,
		DefaultRouteSettings: &gwtypes.RouteSettings{LoggingLevel: gwtypes.LoggingLevelInfo},
	})
	wantCode(t, err, "BadRequestException")
	if err == nil || !strings.Contains(err.Error(), "CloudWatch Logs role ARN must be set in account settings to enable logging") {
		t.Errorf("error %v", err)
	}
}

func controlSideReads(t *testing.T) {
	c := shared(t)
	signing := c.send(t, wire{"lambda", "GET", "/2020-06-30/functions/actor/code-signing-config", "", "", ""})
	versions := c.send(t, wire{"lambda", "GET", "/2015-03-31/functions/actor/versions?MaxItems=10000", "", "", ""})
	if signing.status != 200 || versions.status != 200 || !strings.Contains(versions.body, `"$LATEST"`) {
		t.Errorf("code-signing-config %d %s, versions %d %s", signing.status, signing.body, versions.status, versions.body)
	}
}

func controlPermission(t *testing.T) {
	c := shared(t)
	name, _ := c.newFunction(t, nil, nil, nil)
	_, err := c.lambda.GetPolicy(t.Context(), &lambda.GetPolicyInput{FunctionName: &name})
	wantCode(t, err, "ResourceNotFoundException")
	must(c.lambda.AddPermission(t.Context(), &lambda.AddPermissionInput{
		FunctionName: &name, StatementId: aws.String("s1"), Action: aws.String("lambda:InvokeFunction"), Principal: aws.String("apigateway.amazonaws.com"),
	}))(t)
	out := must(c.lambda.GetPolicy(t.Context(), &lambda.GetPolicyInput{FunctionName: &name}))(t)
	var policy struct {
		Statement []struct {
			Sid       string
			Principal map[string]string
		}
	}
	if err := json.Unmarshal([]byte(aws.ToString(out.Policy)), &policy); err != nil || len(policy.Statement) != 1 ||
		policy.Statement[0].Sid != "s1" || policy.Statement[0].Principal["Service"] != "apigateway.amazonaws.com" {
		t.Errorf("policy %s, error %v", aws.ToString(out.Policy), err)
	}
}

func controlMapping(t *testing.T) {
	c := shared(t)
	q := c.newQueue(t, nil)
	got := c.send(t, wire{"lambda", "POST", "/2015-03-31/event-source-mappings", "", "application/json", `{"EventSourceArn":"` + q.arn + `","FunctionName":"actor"}`})
	var m struct{ UUID, EventSourceMappingArn, State string }
	if err := json.Unmarshal([]byte(got.body), &m); err != nil {
		t.Fatal(err)
	}
	if want := "arn:aws:lambda:" + region + ":" + account + ":event-source-mapping:" + m.UUID; got.status != 202 || m.EventSourceMappingArn != want || m.State != "Creating" {
		t.Errorf("HTTP %d %s", got.status, got.body)
	}
}

func controlTTL(t *testing.T) {
	c := shared(t)
	name := unique("table")
	must(c.dynamodb.CreateTable(t.Context(), &dynamodb.CreateTableInput{
		TableName: &name, BillingMode: ddbtypes.BillingModePayPerRequest,
		AttributeDefinitions: []ddbtypes.AttributeDefinition{{AttributeName: aws.String("pk"), AttributeType: ddbtypes.ScalarAttributeTypeS}},
		KeySchema:            []ddbtypes.KeySchemaElement{{AttributeName: aws.String("pk"), KeyType: ddbtypes.KeyTypeHash}},
	}))(t)
	ttl := func(attribute string) error {
		_, err := c.dynamodb.UpdateTimeToLive(t.Context(), &dynamodb.UpdateTimeToLiveInput{
			TableName: &name, TimeToLiveSpecification: &ddbtypes.TimeToLiveSpecification{AttributeName: &attribute, Enabled: aws.Bool(true)},
		})
		return err
	}
	if err := ttl("expiresAt"); err != nil {
		t.Fatal(err)
	}
	wantCode(t, ttl("other"), "ValidationException")
}

func TestRefusals(t *testing.T) { check(t, refusalClaims) }

// What AWS has and the local cloud has not is an error that says so: never
// taken and ignored.
var refusalClaims = []claim{
	{says: "integration types other than AWS_PROXY are refused with a sentence that says so", test: refusesIntegrations},
	{says: "models and mapping templates are refused with a sentence that says so", test: refusesModels},
	{says: "HTTP APIs are refused with a sentence that says so", test: refusesHTTP},
	{says: "FIFO queues are refused with a sentence that says so", test: refusesFIFO},
	{says: "a zip without bootstrap is refused with a sentence that says what to do", test: refusesZip},
	{says: "a service that is missing is refused by name", test: refusesService},
}

// wantRefusal checks that the error says why.
func wantRefusal(t *testing.T, err error, word string) {
	t.Helper()
	if httpStatus(err) != 400 || !strings.Contains(strings.ToLower(err.Error()), word) {
		t.Errorf("error %v, want 400 that speaks of %q", err, word)
	}
}

func refusesIntegrations(t *testing.T) {
	a := shared(t).deploy(t, spec{})
	for _, kind := range []gwtypes.IntegrationType{gwtypes.IntegrationTypeAws, gwtypes.IntegrationTypeHttp, gwtypes.IntegrationTypeHttpProxy, gwtypes.IntegrationTypeMock} {
		_, err := a.gateway.CreateIntegration(t.Context(), &apigatewayv2.CreateIntegrationInput{ApiId: &a.id, IntegrationType: kind, IntegrationUri: aws.String(invokeARN(a.function))})
		wantRefusal(t, err, "aws_proxy")
	}
}

func refusesModels(t *testing.T) {
	a := shared(t).deploy(t, spec{})
	_, err := a.gateway.CreateIntegration(t.Context(), &apigatewayv2.CreateIntegrationInput{
		ApiId: &a.id, IntegrationType: gwtypes.IntegrationTypeAwsProxy, IntegrationUri: aws.String(invokeARN(a.function)),
		RequestTemplates: map[string]string{"application/json": "{}"},
	})
	wantRefusal(t, err, "template")
	_, err = a.gateway.CreateRoute(t.Context(), &apigatewayv2.CreateRouteInput{
		ApiId: &a.id, RouteKey: aws.String("modelled"), RequestModels: map[string]string{"application/json": "model"},
	})
	wantRefusal(t, err, "requestmodels")
}

func refusesHTTP(t *testing.T) {
	_, err := shared(t).gateway.CreateApi(t.Context(), &apigatewayv2.CreateApiInput{Name: aws.String("x"), ProtocolType: gwtypes.ProtocolTypeHttp})
	wantRefusal(t, err, "websocket")
}

func refusesFIFO(t *testing.T) {
	_, err := shared(t).sqs.CreateQueue(t.Context(), &sqs.CreateQueueInput{QueueName: aws.String("x.fifo"), Attributes: map[string]string{"FifoQueue": "true"}})
	wantRefusal(t, err, "fifo")
}

func refusesZip(t *testing.T) {
	c := shared(t)
	in := must(c.functionInput(unique("function"), nil))(t)
	in.Code.ZipFile = must(zippedAs("main", []byte("x")))(t)
	_, err := c.lambda.CreateFunction(t.Context(), in)
	wantRefusal(t, err, "bootstrap")
}

func refusesService(t *testing.T) {
	got := shared(t).send(t, wire{"kinesis", "POST", "/", "Kinesis_20131202.PutRecord", json11, "{}"})
	if got.status < 400 || !strings.Contains(got.body, "kinesis") {
		t.Errorf("HTTP %d %s", got.status, got.body)
	}
}
