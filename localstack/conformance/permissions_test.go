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
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/smithy-go"
)

func TestPermissions(t *testing.T) { check(t, permissionClaims) }

var permissionClaims = []claim{
	{says: "a function that its role does not allow a call gets AccessDenied, naming session, action and resource", sources: "[WEB:troubleshoot_access-denied] [ISS:apm-aws-lambda#526]", test: permissionMissing},
	{says: "SQS writes the action of a refusal in small letters, and asks for SendMessage where a batch is sent", sources: "[ISS:serverless-application-model#3633]", test: permissionSQS},
	{says: "wildcards in a policy match actions and resources", sources: "[WEB:reference_policies_elements_resource]", test: permissionWildcards},
	{says: "an explicit Deny wins over every Allow", sources: "[WEB:reference_policies_evaluation-logic]", test: permissionDeny},
	{says: "a refusal of @connections names the method, and hides the account and the connection", sources: "[ISS:aws-cdk#18410] [ISS:hyp3#2283]", test: permissionConnections},
	{says: "a role that does not trust Lambda cannot be a function's, nor become it", sources: "[LDG:lambda-intro-execution-role]", test: permissionTrust},
	{says: "a function whose role stops to trust Lambda cannot start any more, and can when it does again", sources: "[LDG:lambda-intro-execution-role]", unverified: true, test: permissionDistrust},
	{says: "dynamodb:LeadingKeys holds the partition keys of a request, of a batch all of them", sources: "[WEB:specifying-conditions]", test: permissionLeadingKeys},
	{says: "ForAllValues holds for a request without the key, such as a Scan's LeadingKeys, unless Null demands it", sources: "[WEB:reference_policies_condition-single-vs-multi-valued-context-keys]", test: permissionForAllValues},
	{says: "dynamodb:Attributes holds what a request names, and dynamodb:Select ALL_ATTRIBUTES where it names nothing", sources: "[WEB:specifying-conditions]", test: permissionAttributes},
	{says: "each part of a transaction needs its own right, with dynamodb:EnclosingOperation", sources: "[WEB:transaction-apis-iam]", test: permissionTransaction},
	{says: "a function's calls have lambda:SourceFunctionArn, an event source's reads do not", sources: "[LDG:permissions-source-function-arn]", test: permissionSourceFunction},
	{says: "a session policy bounds what a session may do and gives nothing", sources: "[WEB:access_policies]", test: permissionSession},
	{says: "a role that makes a function must be allowed to pass it its role", sources: "[WEB:id_roles_use_passrole]", test: permissionPassRole},
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
	wantAPIError(t, err, "InvalidParameterValueException", distrusted)
	p := c.newPrincipal(t, nothing)
	_, err = c.lambda.UpdateFunctionConfiguration(t.Context(), &lambda.UpdateFunctionConfigurationInput{FunctionName: &p.function, Role: &role})
	wantAPIError(t, err, "InvalidParameterValueException", distrusted)
}

const distrusted = "The role defined for the function cannot be assumed by Lambda."

func permissionDistrust(t *testing.T) {
	p := shared(t).newPrincipal(t, nothing)
	trusting := func(service string) {
		t.Helper()
		must(p.iam.UpdateAssumeRolePolicy(t.Context(), &iam.UpdateAssumeRolePolicyInput{
			RoleName: &p.role, PolicyDocument: aws.String(strings.Replace(trust, "lambda.amazonaws.com", service, 1)),
		}))(t)
	}
	trusting("ec2.amazonaws.com")
	_, err := p.lambda.Invoke(t.Context(), &lambda.InvokeInput{FunctionName: &p.function})
	wantAPIError(t, err, "AccessDeniedException", distrusted)
	trusting("lambda.amazonaws.com")
	p.invoke(t, p.function)
}

// conditioned is a principal that may do everything with tables on a condition.
func conditioned(t *testing.T, condition string) *dynamodb.Client {
	t.Helper()
	p := shared(t).newPrincipal(t, nothing+`,{"Effect":"Allow","Action":"dynamodb:*","Resource":"*","Condition":{`+condition+`}}`)
	_, err := p.dynamodb.CreateTable(t.Context(), &dynamodb.CreateTableInput{
		TableName: aws.String("scores"), BillingMode: dbtypes.BillingModePayPerRequest,
		KeySchema:            []dbtypes.KeySchemaElement{{AttributeName: aws.String("user"), KeyType: dbtypes.KeyTypeHash}},
		AttributeDefinitions: []dbtypes.AttributeDefinition{{AttributeName: aws.String("user"), AttributeType: dbtypes.ScalarAttributeTypeS}},
	})
	if _, there := errors.AsType[*dbtypes.ResourceInUseException](err); err != nil && !there {
		t.Fatal(err)
	}
	return dynamodb.NewFromConfig(p.config(t))
}

func scoreOf(user string) map[string]dbtypes.AttributeValue {
	return map[string]dbtypes.AttributeValue{"user": &dbtypes.AttributeValueMemberS{Value: user}}
}

func getScores(t *testing.T, db *dynamodb.Client, users ...string) error {
	t.Helper()
	keys := dbtypes.KeysAndAttributes{}
	for _, u := range users {
		keys.Keys = append(keys.Keys, scoreOf(u))
	}
	_, err := db.BatchGetItem(t.Context(), &dynamodb.BatchGetItemInput{RequestItems: map[string]dbtypes.KeysAndAttributes{"scores": keys}})
	return err
}

// wantAllowed and wantDenied tell a refusal by policies from all else.
func wantAllowed(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Error(err)
	}
}

func wantDenied(t *testing.T, err error, action string) {
	t.Helper()
	wantAPIError(t, err, "AccessDeniedException", "is not authorized to perform: "+action)
}

func permissionLeadingKeys(t *testing.T) {
	db := conditioned(t, `"ForAllValues:StringEquals":{"dynamodb:LeadingKeys":["ann","bob"]}`)
	wantAllowed(t, getScores(t, db, "ann", "bob"))
	wantDenied(t, getScores(t, db, "ann", "eve"), "dynamodb:BatchGetItem")
}

func permissionForAllValues(t *testing.T) {
	const own = `"ForAllValues:StringEquals":{"dynamodb:LeadingKeys":"ann"}`
	scan := func(db *dynamodb.Client) error {
		_, err := db.Scan(t.Context(), &dynamodb.ScanInput{TableName: aws.String("scores")})
		return err
	}
	wantAllowed(t, scan(conditioned(t, own)))
	wantDenied(t, scan(conditioned(t, own+`,"Null":{"dynamodb:LeadingKeys":"false"}`)), "dynamodb:Scan")
}

func permissionAttributes(t *testing.T) {
	db := conditioned(t, `"ForAllValues:StringEquals":{"dynamodb:Attributes":["user","top"]},"StringEquals":{"dynamodb:Select":"SPECIFIC_ATTRIBUTES"}`)
	get := func(projection *string) error {
		_, err := db.GetItem(t.Context(), &dynamodb.GetItemInput{TableName: aws.String("scores"), Key: scoreOf("ann"), ProjectionExpression: projection})
		return err
	}
	wantAllowed(t, get(aws.String("top")))
	wantDenied(t, get(aws.String("secret")), "dynamodb:GetItem")
	wantDenied(t, get(nil), "dynamodb:GetItem")
}

func permissionTransaction(t *testing.T) {
	db := conditioned(t, `"StringEquals":{"dynamodb:EnclosingOperation":"TransactWriteItems"},"ForAllValues:StringEquals":{"dynamodb:LeadingKeys":"ann"}`)
	put := func(user string) dbtypes.TransactWriteItem {
		return dbtypes.TransactWriteItem{Put: &dbtypes.Put{TableName: aws.String("scores"), Item: scoreOf(user)}}
	}
	_, err := db.TransactWriteItems(t.Context(), &dynamodb.TransactWriteItemsInput{TransactItems: []dbtypes.TransactWriteItem{put("ann")}})
	wantAllowed(t, err)
	_, err = db.TransactWriteItems(t.Context(), &dynamodb.TransactWriteItemsInput{TransactItems: []dbtypes.TransactWriteItem{put("ann"), put("bob")}})
	wantDenied(t, err, "dynamodb:PutItem")
	_, err = db.PutItem(t.Context(), &dynamodb.PutItemInput{TableName: aws.String("scores"), Item: scoreOf("ann")})
	wantDenied(t, err, "dynamodb:PutItem")
}

func permissionSourceFunction(t *testing.T) {
	p := shared(t).newPrincipal(t, nothing)
	q := p.newQueue(t, nil)
	p.grant(t, nothing+`,{"Effect":"Allow","Action":"sqs:*","Resource":"*","Condition":{"ArnEquals":{"lambda:SourceFunctionArn":"arn:aws:lambda:`+region+`:`+account+`:function:`+p.function+`"}}}`)
	_, err := sqs.NewFromConfig(p.config(t)).SendMessage(t.Context(), &sqs.SendMessageInput{QueueUrl: &q.url, MessageBody: aws.String("x")})
	wantAllowed(t, err)
	_, err = p.lambda.CreateEventSourceMapping(t.Context(), &lambda.CreateEventSourceMappingInput{EventSourceArn: &q.arn, FunctionName: &p.function})
	wantAPIError(t, err, "InvalidParameterValueException", "ReceiveMessage")
}

func permissionSession(t *testing.T) {
	p := shared(t).newPrincipal(t, nothing+`,{"Effect":"Allow","Action":"sqs:*","Resource":"*"}`)
	out := must(sts.NewFromConfig(aws.Config{
		Region: region, BaseEndpoint: aws.String(p.URL()), Credentials: credentials.NewStaticCredentialsProvider("test", "test", ""),
	}).AssumeRole(t.Context(), &sts.AssumeRoleInput{
		RoleArn: aws.String("arn:aws:iam::" + account + ":role/" + p.role), RoleSessionName: aws.String("narrow"),
		Policy: aws.String(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["sqs:ListQueues","dynamodb:GetItem"],"Resource":"*"}]}`),
	}))(t)
	c := p.config(t)
	c.Credentials = credentials.NewStaticCredentialsProvider(*out.Credentials.AccessKeyId, *out.Credentials.SecretAccessKey, *out.Credentials.SessionToken)
	_, err := sqs.NewFromConfig(c).ListQueues(t.Context(), &sqs.ListQueuesInput{})
	wantAllowed(t, err)
	_, err = sqs.NewFromConfig(c).CreateQueue(t.Context(), &sqs.CreateQueueInput{QueueName: aws.String(unique("queue"))})
	wantAPIError(t, err, "AccessDenied", "because no session policy allows the sqs:createqueue action")
	wantAPIError(t, getItem(t, dynamodb.NewFromConfig(c)), "AccessDeniedException", "because no identity-based policy allows the dynamodb:GetItem action")
}

func permissionPassRole(t *testing.T) {
	c := shared(t)
	const build = nothing + `,{"Effect":"Allow","Action":"lambda:CreateFunction","Resource":"*"}`
	p := c.newPrincipal(t, build)
	_, role := c.newRole(t, "lambda.amazonaws.com")
	create := func() error {
		in := must(c.functionInput(unique("function"), nil))(t)
		in.Role = &role
		_, err := lambda.NewFromConfig(p.config(t)).CreateFunction(t.Context(), in)
		return err
	}
	wantAPIError(t, create(), "AccessDeniedException", "is not authorized to perform: iam:PassRole on resource: "+role+" because no identity-based policy allows the iam:PassRole action")
	p.grant(t, build+`,{"Effect":"Allow","Action":"iam:PassRole","Resource":"`+role+`","Condition":{"StringEquals":{"iam:PassedToService":"lambda.amazonaws.com"}}}`)
	wantAllowed(t, create())
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
