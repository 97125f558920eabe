package emulator_test

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	lambdatypes "github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"fanfare/localstack/emulator"
)

// isDenied tells a refusal by a policy from all other ends of a call.
func isDenied(err error) bool {
	return err != nil && strings.Contains(err.Error(), "is not authorized to perform")
}

// Conditions of DynamoDB's own on what a request is about: the examples of AWS's
// page [WEB:specifying-conditions], and the trap that an absent key meets every
// ForAllValues [WEB:reference_policies_condition-single-vs-multi-valued-context-keys].
func TestConditionsOnWhatADynamoDBRequestHolds(t *testing.T) {
	w := start(t, emulator.Options{})
	admin, ctx := dynamodb.NewFromConfig(w.config()), t.Context()
	must(admin.CreateTable(ctx, &dynamodb.CreateTableInput{
		TableName: aws.String("scores"), BillingMode: types.BillingModePayPerRequest,
		KeySchema:            []types.KeySchemaElement{{AttributeName: aws.String("user"), KeyType: types.KeyTypeHash}},
		AttributeDefinitions: []types.AttributeDefinition{{AttributeName: aws.String("user"), AttributeType: types.ScalarAttributeTypeS}},
	}))
	db := dynamodb.NewFromConfig(w.session("player"))
	key := func(user string) map[string]types.AttributeValue {
		return map[string]types.AttributeValue{"user": &types.AttributeValueMemberS{Value: user}}
	}
	table := aws.String("scores")
	get := func(user, projection string) error {
		in := &dynamodb.GetItemInput{TableName: table, Key: key(user)}
		if projection != "" {
			in.ProjectionExpression = &projection
		}
		_, err := db.GetItem(ctx, in)
		return err
	}
	batch := func(users ...string) error {
		keys := types.KeysAndAttributes{}
		for _, u := range users {
			keys.Keys = append(keys.Keys, key(u))
		}
		_, err := db.BatchGetItem(ctx, &dynamodb.BatchGetItemInput{RequestItems: map[string]types.KeysAndAttributes{"scores": keys}})
		return err
	}
	transact := func(users ...string) error {
		in := &dynamodb.TransactWriteItemsInput{}
		for _, u := range users {
			in.TransactItems = append(in.TransactItems, types.TransactWriteItem{Put: &types.Put{TableName: table, Item: key(u)}})
		}
		_, err := db.TransactWriteItems(ctx, in)
		return err
	}
	query := func(user string) error {
		_, err := db.Query(ctx, &dynamodb.QueryInput{
			TableName: table, KeyConditionExpression: aws.String("#u = :u"), ExpressionAttributeNames: map[string]string{"#u": "user"},
			ExpressionAttributeValues: map[string]types.AttributeValue{":u": &types.AttributeValueMemberS{Value: user}},
		})
		return err
	}
	scan := func() error { _, err := db.Scan(ctx, &dynamodb.ScanInput{TableName: table}); return err }
	update := func(attribute string, values types.ReturnValue) error {
		_, err := db.UpdateItem(ctx, &dynamodb.UpdateItemInput{
			TableName: table, Key: key("ann"), UpdateExpression: aws.String("SET " + attribute + " = :v"), ReturnValues: values,
			ExpressionAttributeValues: map[string]types.AttributeValue{":v": &types.AttributeValueMemberN{Value: "1"}},
		})
		return err
	}
	const (
		own       = `"ForAllValues:StringEquals":{"dynamodb:LeadingKeys":["ann"]}`
		ownIsNull = own + `,"Null":{"dynamodb:LeadingKeys":"false"}`
		some      = `"ForAllValues:StringEquals":{"dynamodb:Attributes":["user","top"]},"StringEqualsIfExists":{"dynamodb:Select":"SPECIFIC_ATTRIBUTES","dynamodb:ReturnValues":["NONE","UPDATED_NEW"]}`
	)
	tests := map[string]struct {
		condition string
		call      func() error
		allowed   bool
	}{
		"one's own item":                        {own, func() error { return get("ann", "") }, true},
		"another's":                             {own, func() error { return get("bob", "") }, false},
		"one's own partition":                   {own, func() error { return query("ann") }, true},
		"another's partition":                   {own, func() error { return query("bob") }, false},
		"a batch of one's own":                  {own, func() error { return batch("ann") }, true},
		"a batch with another's in it":          {own, func() error { return batch("ann", "bob") }, false},
		"a transaction with another's in it":    {own, func() error { return transact("ann", "bob") }, false},
		"a transaction of one's own":            {own, func() error { return transact("ann") }, true},
		"a scan has no key: ForAllValues holds": {own, scan, true},
		"unless the key must be there":          {ownIsNull, scan, false},
		"which it is for an item":               {ownIsNull, func() error { return get("ann", "") }, true},
		"ForAnyValue does not hold of nothing":  {`"ForAnyValue:StringLike":{"dynamodb:LeadingKeys":"*"}`, scan, false},
		"ForAnyValue is content with one":       {`"ForAnyValue:StringEquals":{"dynamodb:LeadingKeys":"ann"}`, func() error { return batch("ann", "bob") }, true},
		"a variable":                            {`"ForAllValues:StringEquals":{"dynamodb:LeadingKeys":"${aws:PrincipalType}"}`, func() error { return get("AssumedRole", "") }, true},
		"the attributes that one may see":       {some, func() error { return get("ann", "top") }, true},
		"others":                                {some, func() error { return get("ann", "top, secret") }, false},
		"all, by not choosing":                  {some, func() error { return get("ann", "") }, false},
		"an update of what one may":             {some, func() error { return update("top", types.ReturnValueUpdatedNew) }, true},
		"an update of another attribute":        {some, func() error { return update("secret", types.ReturnValueNone) }, false},
		"an update that answers all":            {some, func() error { return update("top", types.ReturnValueAllOld) }, false},
		"alone, where only transactions may":    {`"StringEquals":{"dynamodb:EnclosingOperation":"TransactWriteItems"}`, func() error { return update("top", types.ReturnValueNone) }, false},
		"in a transaction":                      {`"StringEquals":{"dynamodb:EnclosingOperation":"TransactWriteItems"}`, func() error { return transact("ann") }, true},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			w.grant("player", `{"Effect":"Allow","Action":"dynamodb:*","Resource":"*","Condition":{`+tt.condition+`}}`)
			if err := tt.call(); isDenied(err) == tt.allowed || err != nil && !isDenied(err) {
				t.Errorf("got %v, want allowed %v", err, tt.allowed)
			}
		})
	}
}

// Keys of AWS's own: each condition allows sqs:ListQueues, or does not.
func TestConditionsOnWhoAsksWhenAndWhere(t *testing.T) {
	w := start(t, emulator.Options{})
	mine := sqs.NewFromConfig(w.session("caller"))
	now := w.cloud.Clock().Now().UTC()
	before, after := now.Add(-time.Hour).Format(time.RFC3339), now.Add(time.Hour).Format(time.RFC3339)
	for condition, want := range map[string]bool{
		`"StringEquals":{"aws:RequestedRegion":"eu-west-1"}`:                              true,
		`"StringEquals":{"AWS:requestedregion":"us-east-1"}`:                              false,
		`"DateLessThan":{"aws:CurrentTime":"` + after + `"}`:                              true,
		`"DateLessThan":{"aws:CurrentTime":"` + before + `"}`:                             false,
		`"NumericGreaterThan":{"aws:EpochTime":"1"}`:                                      true,
		`"DateGreaterThan":{"aws:TokenIssueTime":"` + before + `"}`:                       true,
		`"DateGreaterThan":{"aws:TokenIssueTime":"` + after + `"}`:                        false,
		`"Bool":{"aws:SecureTransport":"true"}`:                                           true,
		`"Bool":{"aws:SecureTransport":"false"}`:                                          false,
		`"ArnEquals":{"aws:PrincipalArn":"arn:aws:iam::*:role/caller"}`:                   true,
		`"StringEquals":{"aws:PrincipalAccount":"000000000000"}`:                          true,
		`"IpAddress":{"aws:SourceIp":"127.0.0.0/8"}`:                                      true,
		`"IpAddress":{"aws:SourceIp":"10.0.0.0/8"}`:                                       false,
		`"StringLike":{"aws:userid":"*:tests"}`:                                           true,
		`"Bool":{"aws:PrincipalIsAWSService":"true"}`:                                     false,
		`"StringEquals":{"aws:SourceAccount":"000000000000"}`:                             false, // a service's request has it
		`"StringNotEquals":{"aws:ResourceTag/team":"b"}`:                                  false, // nothing looks at tags here
		`"StringNotEquals":{"aws:RequestedRegion":"us-east-1"}`:                           true,
		`"Null":{"aws:MultiFactorAuthPresent":"true"}`:                                    true,
		`"StringEqualsIfExists":{"aws:SourceVpce":"vpce-1"}`:                              true,
		`"ForAllValues:StringEquals":{"sqs:Unheard":"of"}`:                                false,
		`"StringEquals":{"aws:RequestedRegion":"eu-west-1","aws:PrincipalType":"Nobody"}`: false,
	} {
		t.Run(condition, func(t *testing.T) {
			w.grant("caller", `{"Effect":"Allow","Action":"sqs:ListQueues","Resource":"*","Condition":{`+condition+`}}`)
			if _, err := mine.ListQueues(t.Context(), &sqs.ListQueuesInput{}); isDenied(err) == want || err != nil && !isDenied(err) {
				t.Errorf("got %v, want allowed %v", err, want)
			}
		})
	}
}

// A variable needs no condition beside it.
func TestAVariableInAResource(t *testing.T) {
	w := start(t, emulator.Options{})
	mine := sqs.NewFromConfig(w.session("caller"))
	w.grant("caller", `{"Effect":"Allow","Action":"sqs:CreateQueue","Resource":"arn:aws:sqs:*:${aws:PrincipalAccount}:${aws:PrincipalType}-*"}`)
	for name, want := range map[string]bool{"AssumedRole-jobs": true, "jobs": false} {
		if _, err := mine.CreateQueue(t.Context(), &sqs.CreateQueueInput{QueueName: &name}); isDenied(err) == want {
			t.Errorf("%s: got %v, want allowed %v", name, err, want)
		}
	}
}

// What AssumeRole is told to allow at most is what the session may do at most
// [WEB:access_policies#policies_session].
func TestASessionPolicyBounds(t *testing.T) {
	w := start(t, emulator.Options{})
	w.session("wide")
	w.grant("wide", `{"Effect":"Allow","Action":"sqs:*","Resource":"*"}`)
	session := func(statement string) *sqs.Client {
		c := w.config()
		out := must(sts.NewFromConfig(c).AssumeRole(t.Context(), &sts.AssumeRoleInput{
			RoleArn: aws.String("arn:aws:iam::000000000000:role/wide"), RoleSessionName: aws.String("narrow"),
			Policy: aws.String(`{"Version":"2012-10-17","Statement":[` + statement + `]}`),
		}))
		return sqs.NewFromConfig(w.as(*out.Credentials.AccessKeyId, *out.Credentials.SecretAccessKey, *out.Credentials.SessionToken))
	}
	for name, tt := range map[string]struct{ policy, action, want string }{
		"what both allow":            {`{"Effect":"Allow","Action":"sqs:List*","Resource":"*"}`, "list", ""},
		"what it does not allow":     {`{"Effect":"Allow","Action":"sqs:List*","Resource":"*"}`, "create", "because no session policy allows the sqs:createqueue action"},
		"what it denies":             {`{"Effect":"Allow","Action":"*","Resource":"*"},{"Effect":"Deny","Action":"sqs:Create*","Resource":"*"}`, "create", "with an explicit deny in a session policy"},
		"a condition of its own":     {`{"Effect":"Allow","Action":"*","Resource":"*","Condition":{"StringEquals":{"aws:RequestedRegion":"us-east-1"}}}`, "list", "because no session policy allows"},
		"it gives nothing by itself": {`{"Effect":"Allow","Action":"*","Resource":"*"}`, "logs", "because no identity-based policy allows"},
	} {
		t.Run(name, func(t *testing.T) {
			c := session(tt.policy)
			var err error
			switch tt.action {
			case "list":
				_, err = c.ListQueues(t.Context(), &sqs.ListQueuesInput{})
			case "create":
				_, err = c.CreateQueue(t.Context(), &sqs.CreateQueueInput{QueueName: aws.String("q")})
			case "logs":
				w.grant("wide", `{"Effect":"Allow","Action":"dynamodb:*","Resource":"*"}`)
				defer w.grant("wide", `{"Effect":"Allow","Action":"sqs:*","Resource":"*"}`)
				_, err = c.ListQueues(t.Context(), &sqs.ListQueuesInput{})
			}
			if tt.want == "" && err != nil || tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)) {
				t.Errorf("got %v, want %q", err, tt.want)
			}
		})
	}
}

// Who makes a function must be allowed to give it its role
// [WEB:id_roles_use_passrole].
func TestARoleMustBePassed(t *testing.T) {
	w := start(t, emulator.Options{})
	function := w.deployFunction() // with the role "function"
	mine := lambda.NewFromConfig(w.session("builder"))
	code := bootstrap(t)
	create := func() error {
		_, err := mine.CreateFunction(t.Context(), &lambda.CreateFunctionInput{
			FunctionName: aws.String("mine"), Role: aws.String("arn:aws:iam::000000000000:role/function"), Handler: aws.String("bootstrap"),
			Runtime: lambdatypes.RuntimeProvidedal2023, Code: &lambdatypes.FunctionCode{ZipFile: code},
		})
		return err
	}
	update := func(role string) error {
		in := &lambda.UpdateFunctionConfigurationInput{FunctionName: &function, Description: aws.String("x")}
		if role != "" {
			in.Role = aws.String("arn:aws:iam::000000000000:role/" + role)
		}
		_, err := mine.UpdateFunctionConfiguration(t.Context(), in)
		return err
	}
	const build = `{"Effect":"Allow","Action":["lambda:CreateFunction","lambda:UpdateFunctionConfiguration"],"Resource":"*"}`
	pass := func(role, service string) string {
		return build + `,{"Effect":"Allow","Action":"iam:PassRole","Resource":"arn:aws:iam::000000000000:role/` + role + `","Condition":{"StringEquals":{"iam:PassedToService":"` + service + `"}}}`
	}
	for _, tt := range []struct {
		name, grants string
		call         func() error
		allowed      bool
	}{
		{"without the right to pass", build, create, false},
		{"of another role", pass("other", "lambda.amazonaws.com"), create, false},
		{"to another service", pass("function", "ec2.amazonaws.com"), create, false},
		{"with it", pass("function", "lambda.amazonaws.com"), create, true},
		{"a change that leaves the role", build, func() error { return update("") }, true},
		{"a change of the role", build, func() error { return update("function") }, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w.grant("builder", tt.grants)
			err := tt.call()
			if isDenied(err) == tt.allowed || !tt.allowed && !strings.Contains(err.Error(), "iam:PassRole on resource: arn:aws:iam::000000000000:role/function") {
				t.Errorf("got %v, want allowed %v", err, tt.allowed)
			}
		})
	}
}

// A trust policy can say for which functions, and account, Lambda may assume the
// role [ISS:prowler#2810; WEB:confused-deputy].
func TestATrustPolicyForOneFunction(t *testing.T) {
	w := start(t, emulator.Options{})
	api, functions := iam.NewFromConfig(w.config()), lambda.NewFromConfig(w.config())
	code := bootstrap(t)
	for name, condition := range map[string]string{
		"trusted":  `"ArnLike":{"aws:SourceArn":"arn:aws:lambda:*:000000000000:function:trusted"},"StringEquals":{"aws:SourceAccount":"000000000000"}`,
		"stranger": `"ArnLike":{"aws:SourceArn":"arn:aws:lambda:*:000000000000:function:trusted"}`,
		"foreign":  `"StringEquals":{"aws:SourceAccount":"111111111111"}`,
	} {
		trust := strings.Replace(roleTrust, `"sts:AssumeRole"`, `"sts:AssumeRole","Condition":{`+condition+`}`, 1)
		role := must(api.CreateRole(t.Context(), &iam.CreateRoleInput{RoleName: &name, AssumeRolePolicyDocument: &trust}))
		_, err := functions.CreateFunction(t.Context(), &lambda.CreateFunctionInput{
			FunctionName: &name, Role: role.Role.Arn, Handler: aws.String("bootstrap"), Runtime: lambdatypes.RuntimeProvidedal2023,
			Code: &lambdatypes.FunctionCode{ZipFile: code}, Architectures: []lambdatypes.Architecture{architecture()},
		})
		if refused := err != nil && strings.Contains(err.Error(), "The role defined for the function cannot be assumed by Lambda."); refused != (name != "trusted") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// smuggle sends a call with a role's keys as it stands. No SDK would write it so.
func (w *world) smuggle(c aws.Config, service, target, contentType, body string) (status int) {
	w.t.Helper()
	r := must(http.NewRequestWithContext(w.t.Context(), http.MethodPost, w.cloud.URL(), strings.NewReader(body)))
	keys := must(c.Credentials.Retrieve(context.Background()))
	r.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential="+keys.AccessKeyID+"/20240120/eu-west-1/"+service+"/aws4_request, SignedHeaders=host, Signature=0")
	r.Header.Set("Content-Type", contentType)
	if target != "" {
		r.Header.Set("X-Amz-Target", target)
	}
	resp := must(http.DefaultClient.Do(r))
	_ = resp.Body.Close()
	return resp.StatusCode
}

// A call is judged by what the service will do, whatever else it says: each of
// these names what the role may use where the service does not look.
func TestACallCannotPassForAnother(t *testing.T) {
	w := start(t, emulator.Options{})
	c := w.session("thief")
	w.grant("thief", `{"Effect":"Allow","Action":"*","Resource":[
		"arn:aws:dynamodb:eu-west-1:000000000000:table/mine","arn:aws:sqs:eu-west-1:000000000000:mine*",
		"arn:aws:logs:eu-west-1:000000000000:log-group:mine:*","arn:aws:lambda:eu-west-1:000000000000:function:mine"]}`)
	const form, js = "application/x-www-form-urlencoded", "application/x-amz-json-1.0"
	for name, tt := range map[string]struct{ service, target, contentType, body string }{
		"a table's name in small letters": {"dynamodb", "DynamoDB_20120810.DescribeTable", js, `{"TableName":"mine","tablename":"theirs"}`},
		"a table of another region":       {"dynamodb", "DynamoDB_20120810.DescribeTable", js, `{"TableName":"arn:aws:dynamodb:us-east-1:000000000000:table/mine"}`},
		"a transaction in small letters":  {"dynamodb", "DynamoDB_20120810.TransactWriteItems", js, `{"transactitems":[{"delete":{"tablename":"theirs","Key":{"k":{"S":"a"}}}}]}`},
		"one table of two in a batch":     {"dynamodb", "DynamoDB_20120810.BatchGetItem", js, `{"RequestItems":{"mine":{"Keys":[{"k":{"S":"a"}}]},"theirs":{"Keys":[{"k":{"S":"a"}}]}}}`},
		"an index in small letters":       {"dynamodb", "DynamoDB_20120810.Query", js, `{"TableName":"mine","indexname":"theirs"}`},
		"a queue's URL with a query":      {"sqs", "AmazonSQS.PurgeQueue", js, `{"QueueUrl":"http://localhost/000000000000/theirs?/mine"}`},
		"a queue's URL with a fragment":   {"sqs", "AmazonSQS.PurgeQueue", js, `{"QueueUrl":"http://localhost/000000000000/theirs#/mine"}`},
		"a queue's URL without a scheme":  {"sqs", "AmazonSQS.PurgeQueue", js, `{"QueueUrl":"mine/000000000000/theirs"}`},
		"a queue's URL twice":             {"sqs", "AmazonSQS.PurgeQueue", js, `{"QueueUrl":"/000000000000/mine","queueUrl":"/000000000000/theirs"}`},
		"a queue's URL twice, in a form":  {"sqs", "", form, "Action=PurgeQueue&QueueUrl=/000000000000/mine&queueurl=/000000000000/theirs"},
		"a log group behind another name": {"logs", "Logs_20140328.DeleteLogGroup", js, `{"TableName":"mine","logGroupName":"theirs"}`},
		"a log group's ARN behind a name": {"logs", "Logs_20140328.ListTagsForResource", js, `{"logGroupName":"mine","resourceArn":"arn:aws:logs:eu-west-1:000000000000:log-group:theirs"}`},
	} {
		t.Run(name, func(t *testing.T) {
			before := w.denials("thief")
			if status := w.smuggle(c, tt.service, tt.target, tt.contentType, tt.body); status/100 != 4 || w.denials("thief") == before {
				t.Errorf("HTTP %d, and nobody was refused a right", status)
			}
		})
	}
}

func (w *world) denials(role string) (n int) {
	for _, a := range w.cloud.Access() {
		if strings.HasSuffix(a.Role, "/"+role) {
			n += a.Denied
		}
	}
	return n
}
