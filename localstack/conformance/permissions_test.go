package conformance

import (
	"errors"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	dbtypes "github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/smithy-go"
)

func TestPermissions(t *testing.T) { check(t, permissionClaims) }

var permissionClaims = []claim{
	{says: "a function that its role does not allow a call gets AccessDenied, naming session, action and resource", sources: "[WEB:troubleshoot_access-denied] [ISS:apm-aws-lambda#526]", test: permissionMissing},
	{says: "SQS writes the action of a refusal in small letters, and asks for SendMessage where a batch is sent", sources: "[ISS:serverless-application-model#3633]", test: permissionSQS},
	{says: "wildcards in a policy match actions and resources", sources: "[WEB:reference_policies_elements_resource]", test: permissionWildcards},
	{says: "an explicit Deny wins over every Allow", sources: "[WEB:reference_policies_evaluation-logic]", test: permissionDeny},
	{says: "a refusal of @connections names the method, and hides the account and the connection", sources: "[ISS:aws-cdk#18410] [ISS:hyp3#2283]", test: permissionConnections},
	{says: "a role that does not trust Lambda cannot be a function's", sources: "[LDG:lambda-intro-execution-role]", test: permissionTrust},
	refusesMapping("an event source whose function may not receive from the queue is refused", "[ISS:aws-cdk#6770]", "InvalidParameterValueException",
		func(t *testing.T, c *cloud, in *lambda.CreateEventSourceMappingInput) {
			p := c.newPrincipal(t, `{"Effect":"Allow","Action":["sqs:DeleteMessage","sqs:GetQueueAttributes"],"Resource":"*"}`)
			in.FunctionName = &p.function
		}),
	{says: "an event source stops when its function may not read the queue any more, and goes on when it may", sources: "[LDG:with-sqs]", unverified: true, test: permissionPoller},
	{says: "what a function prints is in its log group only if its role may write there", sources: "[LDG:monitoring-cloudwatchlogs]", test: permissionLogs},
}

// principal is a function with a role of its own.
type principal struct {
	*cloud
	*actor
	role, function string
}

func (c *cloud) newRole(t *testing.T, trusted string) (name, arn string) {
	t.Helper()
	name = unique("role")
	out := must(c.iam.CreateRole(t.Context(), &iam.CreateRoleInput{RoleName: &name, AssumeRolePolicyDocument: aws.String(strings.Replace(trust, "lambda.amazonaws.com", trusted, 1))}))(t)
	return name, *out.Role.Arn
}

func (c *cloud) newPrincipal(t *testing.T, statements string) principal {
	t.Helper()
	name, arn := c.newRole(t, "lambda.amazonaws.com")
	p := principal{cloud: c, role: name}
	p.grant(t, statements)
	p.function, p.actor = c.newFunction(t, nil, func(in *lambda.CreateFunctionInput) { in.Role = &arn }, nil)
	return p
}

// grant replaces the role's policy.
func (p principal) grant(t *testing.T, statements string) {
	t.Helper()
	must(p.iam.PutRolePolicy(t.Context(), &iam.PutRolePolicyInput{
		RoleName: &p.role, PolicyName: aws.String("policy"), PolicyDocument: aws.String(`{"Version":"2012-10-17","Statement":[` + statements + `]}`),
	}))(t)
}

// keys are the credentials that the function has.
func (p principal) keys(t *testing.T) aws.Credentials {
	t.Helper()
	p.invoke(t, p.function)
	env := p.next("").Environment
	return aws.Credentials{AccessKeyID: env["AWS_ACCESS_KEY_ID"], SecretAccessKey: env["AWS_SECRET_ACCESS_KEY"], SessionToken: env["AWS_SESSION_TOKEN"]}
}

func (p principal) config(t *testing.T) aws.Config {
	k := p.keys(t)
	return aws.Config{
		Region: region, BaseEndpoint: aws.String(p.URL()), Retryer: func() aws.Retryer { return aws.NopRetryer{} },
		Credentials: credentials.NewStaticCredentialsProvider(k.AccessKeyID, k.SecretAccessKey, k.SessionToken),
	}
}

func (p principal) session() string {
	return "arn:aws:sts::" + account + ":assumed-role/" + p.role + "/" + p.function
}

func getItem(t *testing.T, db *dynamodb.Client) error {
	_, err := db.GetItem(t.Context(), &dynamodb.GetItemInput{
		TableName: aws.String("orders"), Key: map[string]dbtypes.AttributeValue{"pk": &dbtypes.AttributeValueMemberS{Value: "1"}},
	})
	return err
}

func wantAPIError(t *testing.T, err error, code, message string) {
	t.Helper()
	if e, ok := errors.AsType[smithy.APIError](err); !ok || e.ErrorCode() != code || !strings.Contains(e.ErrorMessage(), message) {
		t.Errorf("got %v, want %s with %q", err, code, message)
	}
}

const (
	nothing = `{"Effect":"Allow","Action":"logs:*","Resource":"*"}`
	orders  = "arn:aws:dynamodb:" + region + ":" + account + ":table/orders"
)

func permissionMissing(t *testing.T) {
	p := shared(t).newPrincipal(t, nothing)
	wantAPIError(t, getItem(t, dynamodb.NewFromConfig(p.config(t))), "AccessDeniedException", "User: "+p.session()+
		" is not authorized to perform: dynamodb:GetItem on resource: "+orders+" because no identity-based policy allows the dynamodb:GetItem action")
}

func permissionSQS(t *testing.T) {
	p := shared(t).newPrincipal(t, nothing)
	q := p.newQueue(t, nil)
	_, err := sqs.NewFromConfig(p.config(t)).ReceiveMessage(t.Context(), &sqs.ReceiveMessageInput{QueueUrl: &q.url})
	wantAPIError(t, err, "AccessDenied", "not authorized to perform: sqs:receivemessage on resource: "+q.arn)
}

func permissionWildcards(t *testing.T) {
	p := shared(t).newPrincipal(t, nothing+`,{"Effect":"Allow","Action":"dynamodb:Get*","Resource":"arn:aws:dynamodb:*:*:table/ord?rs"}`)
	wantAPIError(t, getItem(t, dynamodb.NewFromConfig(p.config(t))), "ResourceNotFoundException", "") // there is no table: it was let through
}

func permissionDeny(t *testing.T) {
	p := shared(t).newPrincipal(t, nothing+`,{"Effect":"Allow","Action":"*","Resource":"*"},{"Effect":"Deny","Action":"dynamodb:*","Resource":"`+orders+`"}`)
	wantAPIError(t, getItem(t, dynamodb.NewFromConfig(p.config(t))), "AccessDeniedException", "with an explicit deny in an identity-based policy")
}

func permissionConnections(t *testing.T) {
	p := shared(t).newPrincipal(t, nothing)
	a := p.deploy(t, spec{})
	got := manage(t, "POST", a.connectionURL(a.dial().id), "x", p.keys(t))
	a.wantForbidden(got, "AccessDeniedException")
	want := `{"Message":"User: ` + p.session() + ` is not authorized to perform: execute-api:ManageConnections on resource: arn:aws:execute-api:` + region + `:********0000:`
	if !strings.HasPrefix(got.body, want) || !strings.HasSuffix(got.body, `/POST/@connections/{connectionId}"}`) {
		t.Errorf("body %s", got.body)
	}
}

func permissionTrust(t *testing.T) {
	c := shared(t)
	_, role := c.newRole(t, "ec2.amazonaws.com")
	in := must(c.functionInput(unique("function"), nil))(t)
	in.Role = &role
	_, err := c.lambda.CreateFunction(t.Context(), in)
	wantAPIError(t, err, "InvalidParameterValueException", "The role defined for the function cannot be assumed by Lambda.")
}

func permissionPoller(t *testing.T) {
	const poll = `{"Effect":"Allow","Action":["sqs:ReceiveMessage","sqs:DeleteMessage","sqs:GetQueueAttributes"],"Resource":"*"}`
	p := shared(t).newPrincipal(t, poll)
	q := p.newQueue(t, nil)
	must(p.lambda.CreateEventSourceMapping(t.Context(), &lambda.CreateEventSourceMappingInput{EventSourceArn: &q.arn, FunctionName: &p.function}))(t)
	p.grant(t, nothing)
	q.send(t, "one")
	p.never("batch")
	q.becomes(t, "1 waiting, 0 in flight")
	p.grant(t, poll)
	p.next("batch")
	q.becomes(t, "0 waiting, 0 in flight")
}

func permissionLogs(t *testing.T) {
	p := shared(t).newPrincipal(t, `{"Effect":"Allow","Action":["logs:CreateLogGroup","logs:CreateLogStream"],"Resource":"*"}`)
	p.invoke(t, p.function)
	group := "/aws/lambda/" + p.function
	if log := p.logLines(t, group); log != "" {
		t.Errorf("without logs:PutLogEvents: %s", log)
	}
	p.grant(t, nothing)
	p.invoke(t, p.function)
	eventually(t, func() string {
		if !strings.Contains(p.logLines(t, group), "START") {
			return "nothing was logged with the permission"
		}
		return ""
	})
}
