package conformance

import (
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/apigatewayv2"
	"github.com/aws/aws-sdk-go-v2/service/apigatewayv2/types"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/coder/websocket"
)

func TestAccessLogs(t *testing.T) { check(t, accessLogClaims) }

var accessLogClaims = []claim{
	{says: "a stage writes a line in its format for $connect, each message and $disconnect", sources: "[DG:websocket-api-logging]", test: accessLogLines},
	{says: "access logs without the account's role are refused in AWS's words", sources: "[ISS:sst#1556] [ISS:ion#373]", test: accessLogNeedsRole},
	{says: "an account's role for logs that API Gateway may not assume, or that may not write logs, is refused in AWS's words", sources: "[ISS:jazz-installer#597]", test: accessLogRoleTrusts},
	{says: "an access log format without requestId is refused", sources: "[DG:websocket-api-logging]", test: accessLogNeedsRequestID},
}

// logTo has a stage of the API write its access log.
func (a *api) logTo(t *testing.T, group, format string) error {
	t.Helper()
	_, err := a.gateway.UpdateStage(t.Context(), &apigatewayv2.UpdateStageInput{
		ApiId: &a.id, StageName: aws.String("live"),
		AccessLogSettings: &types.AccessLogSettings{
			DestinationArn: aws.String("arn:aws:logs:" + region + ":" + account + ":log-group:" + group), Format: &format,
		},
	})
	return err
}

// withLogRole sets the account's role, as Terraform's api_gateway_account does.
func (c *cloud) withLogRole(t *testing.T) {
	t.Helper()
	name, arn := c.newRole(t, "apigateway.amazonaws.com")
	c.letLog(t, name)
	if got := c.setLogRole(t, arn); got.status != 200 {
		t.Fatalf("HTTP %d %s", got.status, got.body)
	}
}

// letLog attaches AWS's policy for API Gateway's logs.
func (c *cloud) letLog(t *testing.T, role string) {
	t.Helper()
	must(c.iam.AttachRolePolicy(t.Context(), &iam.AttachRolePolicyInput{
		RoleName: &role, PolicyArn: aws.String("arn:aws:iam::aws:policy/service-role/AmazonAPIGatewayPushToCloudWatchLogs"),
	}))(t)
}

func (c *cloud) setLogRole(t *testing.T, arn string) answer {
	t.Helper()
	return c.send(t, wire{"apigateway", "PATCH", "/account", "", "application/json", `{"patchOperations":[{"op":"replace","path":"/cloudwatchRoleArn","value":"` + arn + `"}]}`})
}

func accessLogRoleTrusts(t *testing.T) {
	c := fresh(t)
	stranger, strangerARN := c.newRole(t, "lambda.amazonaws.com")
	must(c.iam.UpdateAssumeRolePolicy(t.Context(), &iam.UpdateAssumeRolePolicyInput{
		RoleName: &stranger, PolicyDocument: aws.String(strings.ReplaceAll(trust, "apigateway.amazonaws.com", "ec2.amazonaws.com")),
	}))(t)
	c.letLog(t, stranger)
	_, poorARN := c.newRole(t, "apigateway.amazonaws.com")
	for _, arn := range []string{strangerARN, poorARN} {
		got := c.setLogRole(t, arn)
		if got.status != 400 || !strings.Contains(got.body, "The role ARN does not have required permissions configured. Please grant trust permission for API Gateway and add the required role policy.") {
			t.Errorf("%s: HTTP %d %s", arn, got.status, got.body)
		}
	}
}

func accessLogLines(t *testing.T) {
	a := fresh(t).deploy(t, spec{do: func(call) order { return ok("here") }})
	a.withLogRole(t)
	must(a.logs.CreateLogGroup(t.Context(), &cloudwatchlogs.CreateLogGroupInput{LogGroupName: aws.String("access")}))(t)
	if err := a.logTo(t, "access", `$context.eventType $context.routeKey $context.status $context.connectionId $context.requestId`); err != nil {
		t.Fatal(err)
	}
	s := a.dial()
	s.ask("x")
	if err := s.c.Close(websocket.StatusNormalClosure, ""); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"CONNECT $connect 200 " + s.id, "MESSAGE $default 200 " + s.id, "DISCONNECT $disconnect 200 " + s.id} {
		eventually(t, func() string {
			if got := a.logLines(t, "access"); !strings.Contains("\n"+got, "\n"+want) {
				return "the log has no line " + want + ":\n" + got
			}
			return ""
		})
	}
}

func accessLogNeedsRole(t *testing.T) {
	err := fresh(t).deploy(t, spec{}).logTo(t, "access", "$context.requestId")
	wantRefusal(t, err, "cloudwatch logs role arn must be set in account settings to enable logging")
}

func accessLogNeedsRequestID(t *testing.T) {
	a := fresh(t).deploy(t, spec{})
	a.withLogRole(t)
	wantRefusal(t, a.logTo(t, "access", "$context.routeKey"), "requestid")
}
