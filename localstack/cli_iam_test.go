package main

import (
	"encoding/json"
	"flag"
	"os"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"fanfare/localstack/emulator"
)

var update = flag.Bool("update", false, "write testdata from what is printed")

// wantGolden compares with a file in testdata.
func wantGolden(t *testing.T, name, got string) {
	t.Helper()
	file := "testdata/" + name
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if want, err := os.ReadFile(file); err != nil || got != string(want) {
		t.Errorf("printed\n%s\nwant %s (error %v; -update writes it)\n%s", got, file, err, want)
	}
}

// shop is a role that is granted more than it uses, and uses more than it is
// granted.
func shop(t *testing.T, cloud *running) {
	t.Helper()
	ctx := t.Context()
	c := aws.Config{Region: "eu-west-1", BaseEndpoint: aws.String("http://" + cloud.addr), Credentials: credentials.NewStaticCredentialsProvider("test", "test", "")}
	const trust = `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":{"Service":"lambda.amazonaws.com"},"Action":"sts:AssumeRole"}}`
	const orders, jobs = "arn:aws:dynamodb:eu-west-1:000000000000:table/orders", "arn:aws:sqs:eu-west-1:000000000000:jobs"
	must := func(_ any, err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	admin := iam.NewFromConfig(c)
	for _, role := range []string{"shop", "idle"} {
		_, err := admin.CreateRole(ctx, &iam.CreateRoleInput{RoleName: &role, AssumeRolePolicyDocument: aws.String(trust)})
		must(nil, err)
	}
	for role, document := range map[string]string{
		"shop": `{"Version":"2012-10-17","Statement":[
			{"Sid":"Orders","Effect":"Allow","Action":["dynamodb:GetItem","dynamodb:BatchGetItem","dynamodb:DeleteItem"],"Resource":["` + orders + `","` + orders + `-*"]},
			{"Sid":"Logs","Effect":"Allow","Action":"logs:*","Resource":"arn:aws:logs:eu-west-1:000000000000:log-group:shop:*","Condition":{"StringEquals":{"aws:RequestedRegion":"eu-west-1"}}},
			{"Effect":"Deny","Action":"dynamodb:DeleteItem","Resource":"*"},
			{"Sid":"Rest","Effect":"Allow","NotAction":["iam:*","sts:*","sqs:*","dynamodb:*","logs:*"],"Resource":"*"}]}`,
		"idle": `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"sqs:SendMessage","Resource":"` + jobs + `"}}`,
	} {
		_, err := admin.PutRolePolicy(ctx, &iam.PutRolePolicyInput{RoleName: &role, PolicyName: aws.String("policy"), PolicyDocument: &document})
		must(nil, err)
	}
	queue, err := sqs.NewFromConfig(c).CreateQueue(ctx, &sqs.CreateQueueInput{QueueName: aws.String("jobs"), Attributes: map[string]string{
		"Policy": `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::000000000000:role/shop"},"Action":"sqs:ReceiveMessage","Resource":"` + jobs + `"}}`,
	}})
	must(nil, err)
	_, err = cloudwatchlogs.NewFromConfig(c).CreateLogGroup(ctx, &cloudwatchlogs.CreateLogGroupInput{LogGroupName: aws.String("shop")})
	must(nil, err)
	session, err := sts.NewFromConfig(c).AssumeRole(ctx, &sts.AssumeRoleInput{RoleArn: aws.String("arn:aws:iam::000000000000:role/shop"), RoleSessionName: aws.String("test")})
	must(nil, err)

	k := session.Credentials
	c.Credentials = credentials.NewStaticCredentialsProvider(*k.AccessKeyId, *k.SecretAccessKey, *k.SessionToken)
	c.Retryer = func() aws.Retryer { return aws.NopRetryer{} }
	db, queues := dynamodb.NewFromConfig(c), sqs.NewFromConfig(c)
	key := map[string]types.AttributeValue{"pk": &types.AttributeValueMemberS{Value: "1"}}
	for range 3 {
		_, _ = db.GetItem(ctx, &dynamodb.GetItemInput{TableName: aws.String("orders"), Key: key}) // there is no table: it was let through
	}
	_, _ = db.BatchGetItem(ctx, &dynamodb.BatchGetItemInput{RequestItems: map[string]types.KeysAndAttributes{
		"orders": {Keys: []map[string]types.AttributeValue{key}}, "orders-old": {Keys: []map[string]types.AttributeValue{key}},
	}})
	_, _ = db.DeleteItem(ctx, &dynamodb.DeleteItemInput{TableName: aws.String("orders"), Key: key}) // denied
	for _, stream := range []string{"a", "b"} {
		_, err = cloudwatchlogs.NewFromConfig(c).CreateLogStream(ctx, &cloudwatchlogs.CreateLogStreamInput{LogGroupName: aws.String("shop"), LogStreamName: &stream})
		must(nil, err)
	}
	_, err = queues.ReceiveMessage(ctx, &sqs.ReceiveMessageInput{QueueUrl: queue.QueueUrl}) // the queue's policy lets it
	must(nil, err)
	for range 2 {
		_, _ = queues.SendMessage(ctx, &sqs.SendMessageInput{QueueUrl: queue.QueueUrl, MessageBody: aws.String("x")}) // refused
	}
}

// What was granted and never used, what was refused, and the policy that would
// do, as people and programs read it.
func TestTheReportOfWhatRolesUse(t *testing.T) {
	cloud := startCloud(t)
	shop(t, cloud)
	run := func(args ...string) string {
		t.Helper()
		stdout, stderr, code := cli(nil, append([]string{"iam"}, append(args, "-addr", cloud.addr)...)...)
		if code != exitOK {
			t.Fatalf("iam %v: exit %d, %s", args, code, stderr)
		}
		return stdout
	}
	wantGolden(t, "iam_report.txt", run("report"))
	wantGolden(t, "iam_report.json", run("report", "-json", "-role", "arn:aws:iam::000000000000:role/shop"))
	wantGolden(t, "iam_policy.json", run("policy", "shop"))
	if only := run("report", "-role", "idle"); strings.Contains(only, "role/shop") || !strings.Contains(only, "role/idle") {
		t.Errorf("-role idle: %s", only)
	}
	run("clear")
	var idle emulator.RoleAccess
	if err := json.Unmarshal([]byte(run("report", "-role", "shop", "-json")), &idle); err != nil || len(idle.Used)+len(idle.Refused) > 0 || idle.Policy != nil || len(idle.Granted) == 0 {
		t.Errorf("after clear: %+v, %v", idle, err)
	}
	for args, want := range map[string]string{
		"iam report -role nobody": `there is no role "nobody"`,
		"iam policy shop":         "role/shop has used nothing yet",
		"iam policy":              "want iam report, policy ROLE or clear",
		"iam":                     "want iam report, policy ROLE or clear",
	} {
		_, stderr, code := cli(nil, append(strings.Fields(args), "-addr", cloud.addr)...)
		if code == exitOK || !strings.Contains(stderr, want) {
			t.Errorf("%s: exit %d, %s", args, code, stderr)
		}
	}
}
