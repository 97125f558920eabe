package emulator_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/apigatewaymanagementapi"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	sqstypes "github.com/aws/aws-sdk-go-v2/service/sqs/types"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"fanfare/localstack/emulator"
)

const roleTrust = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"lambda.amazonaws.com"},"Action":"sts:AssumeRole"}]}`

// session makes a role and returns the configuration of a session of it.
func (w *world) session(role string) aws.Config {
	w.t.Helper()
	must(iam.NewFromConfig(w.config()).CreateRole(w.t.Context(), &iam.CreateRoleInput{RoleName: &role, AssumeRolePolicyDocument: aws.String(roleTrust)}))
	out := must(sts.NewFromConfig(w.config()).AssumeRole(w.t.Context(), &sts.AssumeRoleInput{
		RoleArn: aws.String("arn:aws:iam::000000000000:role/" + role), RoleSessionName: aws.String("tests"),
	}))
	return w.as(*out.Credentials.AccessKeyId, *out.Credentials.SecretAccessKey, *out.Credentials.SessionToken)
}

// as is the configuration of somebody who does not try twice.
func (w *world) as(id, secret, token string) aws.Config {
	c := w.config()
	c.Retryer = func() aws.Retryer { return aws.NopRetryer{} }
	c.Credentials = credentials.NewStaticCredentialsProvider(id, secret, token)
	return c
}

// wantDenied checks an SDK's error.
func wantDenied(t *testing.T, err error, status int, code, message string) {
	t.Helper()
	api, isAPI := errors.AsType[smithy.APIError](err)
	response, isHTTP := errors.AsType[*smithyhttp.ResponseError](err)
	if !isAPI || !isHTTP {
		t.Fatalf("got %v, want %s", err, code)
	}
	if response.HTTPStatusCode() != status || api.ErrorCode() != code || api.ErrorMessage() != message {
		t.Errorf("got  %d %s %s\nwant %d %s %s", response.HTTPStatusCode(), api.ErrorCode(), api.ErrorMessage(), status, code, message)
	}
}

// Each service refuses in its own shape, which the SDK of the service reads
// [WEB:troubleshoot_access-denied; ISS:serverless-application-model#3633;
// ISS:elastic/apm-aws-lambda#526; ISS:aws-cdk#18410].
func TestEveryServiceRefusesInItsOwnWords(t *testing.T) {
	w := start(t, emulator.Options{})
	c, ctx := w.session("poor"), t.Context()
	who := "User: arn:aws:sts::000000000000:assumed-role/poor/tests is not authorized to perform: "
	because := func(action string) string {
		return " because no identity-based policy allows the " + action + " action"
	}
	const region = "eu-west-1:000000000000:"
	queue := w.cloud.URL() + "/000000000000/work"
	tests := map[string]struct {
		call          func() error
		status        int
		code, message string
	}{
		"dynamodb": {func() error {
			_, err := dynamodb.NewFromConfig(c).PutItem(ctx, &dynamodb.PutItemInput{TableName: aws.String("t"), Item: map[string]types.AttributeValue{}})
			return err
		}, 400, "AccessDeniedException", who + "dynamodb:PutItem on resource: arn:aws:dynamodb:" + region + "table/t" + because("dynamodb:PutItem")},
		"sqs, in small letters": {func() error {
			_, err := sqs.NewFromConfig(c).SendMessageBatch(ctx, &sqs.SendMessageBatchInput{QueueUrl: &queue, Entries: []sqstypes.SendMessageBatchRequestEntry{{Id: aws.String("1"), MessageBody: aws.String("x")}}})
			return err
		}, 403, "AccessDenied", who + "sqs:sendmessage on resource: arn:aws:sqs:" + region + "work" + because("sqs:sendmessage")},
		"lambda": {func() error {
			_, err := lambda.NewFromConfig(c).Invoke(ctx, &lambda.InvokeInput{FunctionName: aws.String("f"), Qualifier: aws.String("live")})
			return err
		}, 403, "AccessDeniedException", who + "lambda:InvokeFunction on resource: arn:aws:lambda:" + region + "function:f:live" + because("lambda:InvokeFunction")},
		"logs": {func() error {
			_, err := cloudwatchlogs.NewFromConfig(c).CreateLogGroup(ctx, &cloudwatchlogs.CreateLogGroupInput{LogGroupName: aws.String("/g")})
			return err
		}, 400, "AccessDeniedException", who + "logs:CreateLogGroup on resource: arn:aws:logs:" + region + "log-group:/g:log-stream:" + because("logs:CreateLogGroup")},
		"iam": {func() error {
			_, err := iam.NewFromConfig(c).GetRole(ctx, &iam.GetRoleInput{RoleName: aws.String("poor")})
			return err
		}, 403, "AccessDenied", who + "iam:GetRole on resource: role poor" + because("iam:GetRole")},
		"sts": {func() error {
			_, err := sts.NewFromConfig(c).AssumeRole(ctx, &sts.AssumeRoleInput{RoleArn: aws.String("arn:aws:iam::000000000000:role/poor"), RoleSessionName: aws.String("again")})
			return err
		}, 403, "AccessDenied", who + "sts:AssumeRole on resource: arn:aws:iam::000000000000:role/poor because no resource-based policy allows the sts:AssumeRole action"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) { wantDenied(t, tt.call(), tt.status, tt.code, tt.message) })
	}
	if out, err := sts.NewFromConfig(c).GetCallerIdentity(ctx, &sts.GetCallerIdentityInput{}); err != nil || !strings.HasSuffix(*out.Arn, ":assumed-role/poor/tests") {
		t.Errorf("who one is, one may ask without a permission: %+v, %v", out, err)
	}
}

func TestConnectionsAreManagedWithAPermissionForTheMethod(t *testing.T) {
	w := start(t, emulator.Options{})
	w.deployAPI(w.deployFunction(), true)
	c := w.session("poster")
	c.BaseEndpoint = aws.String(strings.Replace(w.url, "ws", "http", 1))
	api := apigatewaymanagementapi.NewFromConfig(c)
	arn := "arn:aws:execute-api:eu-west-1:000000000000:" + w.apiID + "/live/"
	w.grant("poster", `{"Effect":"Allow","Action":"execute-api:ManageConnections","Resource":"`+arn+`POST/@connections/*"}`)
	const id = "R1kmxc2VNjMCFIA="
	if _, err := api.PostToConnection(t.Context(), &apigatewaymanagementapi.PostToConnectionInput{ConnectionId: aws.String(id), Data: []byte("x")}); err == nil || !strings.Contains(err.Error(), "GoneException") {
		t.Errorf("POST is allowed: %v", err)
	}
	_, err := api.DeleteConnection(t.Context(), &apigatewaymanagementapi.DeleteConnectionInput{ConnectionId: aws.String(id)})
	wantDenied(t, err, 403, "AccessDeniedException", "User: arn:aws:sts::000000000000:assumed-role/poster/tests is not authorized to perform: "+
		"execute-api:ManageConnections on resource: arn:aws:execute-api:eu-west-1:********0000:"+w.apiID+"/live/DELETE/@connections/{connectionId}")
}

// A transaction needs what its parts do [WEB:transaction-apis-iam], an index its
// own resource.
func TestWhatARoleMayDoWithATable(t *testing.T) {
	w := start(t, emulator.Options{})
	db, ctx := dynamodb.NewFromConfig(w.session("clerk")), t.Context()
	const table = "arn:aws:dynamodb:eu-west-1:000000000000:table/t"
	key := map[string]types.AttributeValue{"pk": &types.AttributeValueMemberS{Value: "1"}}
	transact := func() error {
		_, err := db.TransactWriteItems(ctx, &dynamodb.TransactWriteItemsInput{TransactItems: []types.TransactWriteItem{
			{Put: &types.Put{TableName: aws.String("t"), Item: key}},
			{ConditionCheck: &types.ConditionCheck{TableName: aws.String("t"), Key: key, ConditionExpression: aws.String("attribute_exists(pk)")}},
		}})
		return err
	}
	query := func() error {
		_, err := db.Query(ctx, &dynamodb.QueryInput{TableName: aws.String("t"), IndexName: aws.String("byUser"), KeyConditionExpression: aws.String("a = b")})
		return err
	}
	get := func() error {
		_, err := db.GetItem(ctx, &dynamodb.GetItemInput{TableName: aws.String("t"), Key: key})
		return err
	}
	allow := func(action, resource, more string) string {
		return `{"Effect":"Allow","Action":"` + action + `","Resource":"` + resource + `"` + more + `}`
	}
	tests := map[string]struct {
		grants string
		call   func() error
		denied string // part of the message, "" where it is allowed
	}{
		"a transaction, by its parts":        {allow("dynamodb:PutItem", table, "") + "," + allow("dynamodb:ConditionCheckItem", table, ""), transact, ""},
		"a transaction without one of them":  {allow("dynamodb:PutItem", table, ""), transact, "dynamodb:ConditionCheckItem"},
		"there is no right to transact":      {allow("dynamodb:TransactWriteItems", table, ""), transact, "dynamodb:PutItem"},
		"an index":                           {allow("dynamodb:Query", table+"/index/*", ""), query, ""},
		"the table is not its index":         {allow("dynamodb:Query", table, ""), query, table + "/index/byUser"},
		"a wildcard":                         {allow("dynamodb:*", "*", ""), get, ""},
		"another table":                      {allow("dynamodb:*", table+"s", ""), get, table},
		"an explicit deny wins":              {allow("*", "*", "") + `,{"Effect":"Deny","Action":"dynamodb:Get*","Resource":"*"}`, get, "with an explicit deny in an identity-based policy"},
		"a condition that holds":             {allow("dynamodb:*", "*", `,"Condition":{"StringEquals":{"aws:RequestedRegion":"eu-west-1"}}`), get, ""},
		"a condition that does not":          {allow("dynamodb:*", "*", `,"Condition":{"StringEquals":{"aws:RequestedRegion":"us-east-1"}}`), get, "dynamodb:GetItem"},
		"a condition key that nobody fills":  {allow("dynamodb:*", "*", `,"Condition":{"ForAllValues:StringEquals":{"dynamodb:FullTableScan":"true"}}`), get, "dynamodb:GetItem"},
		"a variable for the role's sessions": {allow("dynamodb:*", "*", `,"Condition":{"ArnLike":{"aws:PrincipalArn":"arn:aws:iam::*:role/clerk"}}`), get, ""},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			w.grant("clerk", tt.grants)
			err := tt.call()
			api, ok := errors.AsType[smithy.APIError](err)
			if denied := ok && api.ErrorCode() == "AccessDeniedException"; denied != (tt.denied != "") || denied && !strings.Contains(api.ErrorMessage(), tt.denied) {
				t.Errorf("got %v, want a refusal with %q", err, tt.denied)
			}
		})
	}
}

// Within an account a queue's policy allows as well as the role's, and its Deny
// wins [WEB:reference_policies_evaluation-logic].
func TestAQueuesPolicyCounts(t *testing.T) {
	w := start(t, emulator.Options{})
	mine, ctx := w.session("sender"), t.Context()
	deployer := sqs.NewFromConfig(w.config())
	queue := must(deployer.CreateQueue(ctx, &sqs.CreateQueueInput{QueueName: aws.String("work")})).QueueUrl
	const send = `"Action":"sqs:SendMessage","Resource":"arn:aws:sqs:eu-west-1:000000000000:work"`
	const role = `"arn:aws:iam::000000000000:role/sender"`
	for _, tt := range []struct {
		name, identity, queue string
		allowed               bool
	}{
		{"neither", `{"Effect":"Allow","Action":"sqs:ListQueues","Resource":"*"}`, "", false},
		{"the queue's alone", `{"Effect":"Allow","Action":"sqs:ListQueues","Resource":"*"}`, `{"Effect":"Allow","Principal":{"AWS":` + role + `},` + send + `}`, true},
		{"the queue's, for the account", `{"Effect":"Allow","Action":"sqs:ListQueues","Resource":"*"}`, `{"Effect":"Allow","Principal":{"AWS":"000000000000"},` + send + `}`, false},
		{"the role's alone", `{"Effect":"Allow",` + send + `}`, "", true},
		{"the role's, but the queue denies", `{"Effect":"Allow",` + send + `}`, `{"Effect":"Deny","Principal":"*",` + send + `}`, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w.grant("sender", tt.identity)
			text := ""
			if tt.queue != "" {
				text = `{"Version":"2012-10-17","Statement":[` + tt.queue + `]}`
			}
			must(deployer.SetQueueAttributes(ctx, &sqs.SetQueueAttributesInput{QueueUrl: queue, Attributes: map[string]string{"Policy": text}}))
			_, err := sqs.NewFromConfig(mine).SendMessage(ctx, &sqs.SendMessageInput{QueueUrl: queue, MessageBody: aws.String("x")})
			if (err == nil) != tt.allowed {
				t.Errorf("sent with error %v, want allowed %v", err, tt.allowed)
			}
		})
	}
}

// The boundary bounds, and a change counts at once.
func TestABoundaryBounds(t *testing.T) {
	w := start(t, emulator.Options{})
	mine, ctx, api := w.session("bounded"), t.Context(), iam.NewFromConfig(w.config())
	w.grant("bounded", `{"Effect":"Allow","Action":"sqs:*","Resource":"*"}`)
	list := func() error {
		_, err := sqs.NewFromConfig(mine).ListQueues(ctx, &sqs.ListQueuesInput{})
		return err
	}
	if err := list(); err != nil {
		t.Errorf("without a boundary: %v", err)
	}
	p := must(api.CreatePolicy(ctx, &iam.CreatePolicyInput{PolicyName: aws.String("bounds"), PolicyDocument: aws.String(
		`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"dynamodb:*","Resource":"*"}]}`)}))
	must(api.PutRolePermissionsBoundary(ctx, &iam.PutRolePermissionsBoundaryInput{RoleName: aws.String("bounded"), PermissionsBoundary: p.Policy.Arn}))
	if err := list(); err == nil || !strings.Contains(err.Error(), "because no permissions boundary allows the sqs:listqueues action") {
		t.Errorf("beyond the boundary: %v", err)
	}
	var used []emulator.Access
	for _, a := range w.cloud.Access() {
		if strings.HasSuffix(a.Role, "/bounded") {
			used = append(used, a)
		}
	}
	if len(used) != 1 || used[0].Action != "sqs:ListQueues" || used[0].Allowed != 1 || used[0].Denied != 1 {
		t.Errorf("used: %+v", used)
	}
}

// NotPrincipal cannot spare a role that has a boundary
// [WEB:access_policies_boundaries].
func TestADenyOfAllButARoleWithABoundaryIsForThatRoleToo(t *testing.T) {
	w := start(t, emulator.Options{})
	ctx, admin, api := t.Context(), sqs.NewFromConfig(w.config()), iam.NewFromConfig(w.config())
	mine := sqs.NewFromConfig(w.session("spared"))
	w.grant("spared", `{"Effect":"Allow","Action":"sqs:*","Resource":"*"}`)
	queue := must(admin.CreateQueue(ctx, &sqs.CreateQueueInput{QueueName: aws.String("q")})).QueueUrl
	must(admin.SetQueueAttributes(ctx, &sqs.SetQueueAttributesInput{QueueUrl: queue, Attributes: map[string]string{"Policy": `{"Version":"2012-10-17","Statement":[
		{"Effect":"Deny","NotPrincipal":{"AWS":["arn:aws:iam::000000000000:role/spared"]},"Action":"sqs:*","Resource":"*"}]}`}}))
	look := func() error {
		_, err := mine.GetQueueAttributes(ctx, &sqs.GetQueueAttributesInput{QueueUrl: queue})
		return err
	}
	if err := look(); err != nil {
		t.Errorf("without a boundary: %v", err)
	}
	p := must(api.CreatePolicy(ctx, &iam.CreatePolicyInput{PolicyName: aws.String("bounds"), PolicyDocument: aws.String(
		`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}`)}))
	must(api.PutRolePermissionsBoundary(ctx, &iam.PutRolePermissionsBoundaryInput{RoleName: aws.String("spared"), PermissionsBoundary: p.Policy.Arn}))
	if err := look(); err == nil || !strings.Contains(err.Error(), "with an explicit deny in a resource-based policy") {
		t.Errorf("with a boundary: %v", err)
	}
}
