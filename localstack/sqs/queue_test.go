package sqs_test

import (
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
	"github.com/aws/smithy-go"

	"fanfare/localstack/sqs"
)

var allAttributes = []types.QueueAttributeName{"All"}

const queuePolicy = `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":"*","Action":"SQS:SendMessage","Resource":"*"}}`

func asAPIError(err error) (smithy.APIError, bool) {
	var e smithy.APIError
	return e, errors.As(err, &e)
}

// [BOTO:sqs CreateQueue]; 1 MiB since August 2025 [WEB:quotas-messages].
func TestANewQueueShowsAWSDefaults(t *testing.T) {
	c := newCloud(t)
	url, arn := c.queue("orders")
	if want := c.url + "/000000000000/orders"; url != want {
		t.Errorf("QueueUrl = %s, want %s", url, want)
	}
	now := fmt.Sprint(c.clock.Now().Unix())
	got := c.attributes(url)
	for _, name := range []string{"CreatedTimestamp", "LastModifiedTimestamp"} {
		if len(got[name]) != len(now) {
			t.Errorf("%s = %q, want seconds since 1970", name, got[name])
		}
		delete(got, name)
	}
	want := map[string]string{
		"QueueArn": arn, "DelaySeconds": "0", "MaximumMessageSize": "1048576", "MessageRetentionPeriod": "345600",
		"ReceiveMessageWaitTimeSeconds": "0", "VisibilityTimeout": "30", "SqsManagedSseEnabled": "true",
		"ApproximateNumberOfMessages": "0", "ApproximateNumberOfMessagesNotVisible": "0", "ApproximateNumberOfMessagesDelayed": "0",
	}
	if !maps.Equal(got, want) {
		t.Errorf("attributes = %v\nwant %v", got, want)
	}
}

// What Terraform's provider sets must come back as it was, or each plan shows a
// change [TFRUN].
func TestAttributesAreEchoed(t *testing.T) {
	c := newCloud(t)
	_, dead := c.queue("dead")
	set := map[string]string{
		"DelaySeconds": "5", "MaximumMessageSize": "262144", "MessageRetentionPeriod": "86400",
		"ReceiveMessageWaitTimeSeconds": "20", "VisibilityTimeout": "60", "KmsMasterKeyId": "alias/aws/sqs",
		"KmsDataKeyReusePeriodSeconds": "600", "Policy": queuePolicy,
		"RedrivePolicy":      policy(dead, "4"),
		"RedriveAllowPolicy": `{"redrivePermission":"denyAll"}`,
	}
	url, _ := c.queue("orders", slices.Concat(pairs(set)...)...)
	got := c.attributes(url)
	for name, want := range set {
		if got[name] != want {
			t.Errorf("%s = %q, want %q", name, got[name], want)
		}
	}
	if got["SqsManagedSseEnabled"] != "false" {
		t.Error("a KMS key did not turn SQS's own encryption off")
	}
}

func pairs(m map[string]string) (out [][]string) {
	for name, value := range m {
		out = append(out, []string{name, value})
	}
	return out
}

// [BOTO:sqs SetQueueAttributes]; that an empty value unsets a policy is what Terraform's
// provider relies on [TFRUN].
func TestSetQueueAttributes(t *testing.T) {
	c := newCloud(t)
	_, dead := c.queue("dead")
	url, _ := c.queue("orders", "RedrivePolicy", policy(dead, "4"), "KmsMasterKeyId", "alias/mine")
	set := func(attributes map[string]string) {
		t.Helper()
		_, err := c.client.SetQueueAttributes(t.Context(), &sdk.SetQueueAttributesInput{QueueUrl: &url, Attributes: attributes})
		if err != nil {
			t.Fatal(err)
		}
	}
	set(map[string]string{"RedrivePolicy": policy(dead, `"7"`)})
	if got, want := c.attributes(url)["RedrivePolicy"], policy(dead, "7"); got != want {
		t.Errorf("a count in quotes is shown as %s, want the number as in %s", got, want)
	}
	set(map[string]string{"RedrivePolicy": "", "SqsManagedSseEnabled": "true"})
	got := c.attributes(url)
	if _, ok := got["RedrivePolicy"]; ok {
		t.Error("an empty RedrivePolicy did not remove it")
	}
	if _, ok := got["KmsMasterKeyId"]; ok {
		t.Error("SQS's own encryption did not replace the KMS key")
	}
}

// The bounds are those of [BOTO:sqs SetQueueAttributes], of the policies
// [WEB:sqs-dead-letter-queues].
func TestAttributesOutOfBoundsAreRefused(t *testing.T) {
	c := newCloud(t)
	_, dead := c.queue("dead")
	c.call(t, "eu-west-1", "CreateQueue", `{"QueueName":"dead"}`)
	c.queue("private", "RedriveAllowPolicy", `{"redrivePermission":"byQueue","sourceQueueArns":["arn:aws:sqs:us-east-1:000000000000:friend"]}`)
	private := strings.Replace(dead, ":dead", ":private", 1)
	for _, tt := range []struct{ name, value, code string }{
		{"DelaySeconds", "901", "InvalidAttributeValue"},
		{"DelaySeconds", "-1", "InvalidAttributeValue"},
		{"DelaySeconds", "soon", "InvalidAttributeValue"},
		{"MaximumMessageSize", "1023", "InvalidAttributeValue"},
		{"MaximumMessageSize", "1048577", "InvalidAttributeValue"},
		{"MessageRetentionPeriod", "59", "InvalidAttributeValue"},
		{"MessageRetentionPeriod", "1209601", "InvalidAttributeValue"},
		{"ReceiveMessageWaitTimeSeconds", "21", "InvalidAttributeValue"},
		{"VisibilityTimeout", "43201", "InvalidAttributeValue"},
		{"KmsDataKeyReusePeriodSeconds", "59", "InvalidAttributeValue"},
		{"SqsManagedSseEnabled", "yes", "InvalidAttributeValue"},
		{"Policy", "allow everything", "InvalidAttributeValue"},
		{"Policy", `{"Statement":{"Effect":"Permit","Principal":"*","Action":"sqs:*","Resource":"*"}}`, "InvalidAttributeValue"},
		{"Policy", `{"Statement":{"Effect":"Allow","Action":"sqs:*","Resource":"*"}}`, "InvalidAttributeValue"},
		{"Policy", `{"Statement":{"Effect":"Allow","Principal":"*","Resource":"*"}}`, "InvalidAttributeValue"},
		{"QueueArn", dead, "InvalidAttributeName"},
		{"Colour", "blue", "InvalidAttributeName"},
		{"RedrivePolicy", policy(dead, "0"), "InvalidParameterValue"},
		{"RedrivePolicy", policy(dead, "1001"), "InvalidParameterValue"},
		{"RedrivePolicy", policy(dead+"er", "3"), "InvalidParameterValue"},
		{"RedrivePolicy", policy(private, "3"), "InvalidParameterValue"},
		{"RedrivePolicy", policy("arn:aws:sqs:us-east-1:000000000000:orders", "3"), "InvalidParameterValue"},
		{"RedrivePolicy", policy(strings.Replace(dead, "us-east-1", "eu-west-1", 1), "3"), "InvalidParameterValue"},
		{"RedrivePolicy", "{", "InvalidParameterValue"},
		{"RedriveAllowPolicy", `{"redrivePermission":"byQueue"}`, "InvalidParameterValue"},
		{"RedriveAllowPolicy", `{"redrivePermission":"maybe"}`, "InvalidParameterValue"},
		{"FifoQueue", "true", "AWS.SimpleQueueService.UnsupportedOperation"},
	} {
		t.Run(tt.name+"="+tt.value, func(t *testing.T) {
			_, err := c.client.CreateQueue(t.Context(), &sdk.CreateQueueInput{
				QueueName: aws.String("orders"), Attributes: map[string]string{tt.name: tt.value},
			})
			expectCode(t, err, tt.code)
		})
	}
}

// [BOTO:sqs CreateQueue]; FIFO queues are refused by decision, not by AWS.
func TestQueueNames(t *testing.T) {
	c := newCloud(t)
	for name, code := range map[string]string{
		"orders.fifo":           "AWS.SimpleQueueService.UnsupportedOperation",
		"orders/new":            "InvalidParameterValue",
		strings.Repeat("x", 81): "InvalidParameterValue",
	} {
		_, err := c.client.CreateQueue(t.Context(), &sdk.CreateQueueInput{QueueName: &name})
		expectCode(t, err, code)
	}
	c.queue(strings.Repeat("x", 80))
}

// "If you specify the name of an existing queue and provide the exact same names
// and values for all its attributes, the CreateQueue action will return the URL
// of the existing queue" [BOTO:sqs CreateQueue].
func TestCreateQueueAgain(t *testing.T) {
	c := newCloud(t)
	first, _ := c.queue("orders", "VisibilityTimeout", "60", "Policy", queuePolicy)
	c.send("arn:aws:sqs:us-east-1:000000000000:orders", "kept")
	for name, attributes := range map[string][]string{
		"same attributes":         {"VisibilityTimeout", "60"},
		"a policy spaced anew":    {"Policy", strings.ReplaceAll(queuePolicy, ",", " , ")},
		"a default spelled out":   {"DelaySeconds", "0"},
		"no attributes mentioned": nil,
	} {
		if again, _ := c.queue("orders", attributes...); again != first {
			t.Errorf("%s: URL = %s, want the first queue's %s", name, again, first)
		}
	}
	c.expectCounts("after creating again", first, "1/0/0")

	_, err := c.client.CreateQueue(t.Context(), &sdk.CreateQueueInput{
		QueueName: aws.String("orders"), Attributes: map[string]string{"VisibilityTimeout": "61"},
	})
	if _, ok := errors.AsType[*types.QueueNameExists](err); !ok {
		t.Errorf("error = %v, want QueueNameExists", err)
	}
	expectCode(t, err, "QueueAlreadyExists")
}

// Terraform's provider takes a queue for gone only if both names of the error
// are there [TFRUN].
func TestAMissingQueueIsNamedInBothForms(t *testing.T) {
	c := newCloud(t)
	url := c.url + "/000000000000/nowhere"
	calls := map[string]func() error{
		"GetQueueUrl": func() error {
			_, err := c.client.GetQueueUrl(t.Context(), &sdk.GetQueueUrlInput{QueueName: aws.String("nowhere")})
			return err
		},
		"GetQueueAttributes": func() error {
			_, err := c.client.GetQueueAttributes(t.Context(), &sdk.GetQueueAttributesInput{QueueUrl: &url, AttributeNames: allAttributes})
			return err
		},
		"SendMessage": func() error {
			_, err := c.client.SendMessage(t.Context(), &sdk.SendMessageInput{QueueUrl: &url, MessageBody: aws.String("x")})
			return err
		},
		"ReceiveMessage": func() error {
			_, err := c.client.ReceiveMessage(t.Context(), &sdk.ReceiveMessageInput{QueueUrl: &url})
			return err
		},
		"DeleteQueue": func() error {
			_, err := c.client.DeleteQueue(t.Context(), &sdk.DeleteQueueInput{QueueUrl: &url})
			return err
		},
		"SendMessageBatch": func() error {
			_, err := c.client.SendMessageBatch(t.Context(), &sdk.SendMessageBatchInput{QueueUrl: &url,
				Entries: []types.SendMessageBatchRequestEntry{{Id: aws.String("a"), MessageBody: aws.String("x")}}})
			return err
		},
	}
	for name, call := range calls {
		if _, ok := errors.AsType[*types.QueueDoesNotExist](call()); !ok {
			t.Errorf("%s: error = %v, want QueueDoesNotExist", name, call())
		}
	}

	w := httptest.NewRecorder()
	r := httptest.NewRequest("POST", "/", strings.NewReader(`{"QueueUrl":"http://x/000000000000/nowhere","AttributeNames":["All"]}`))
	r.Header.Set("X-Amz-Target", "AmazonSQS.GetQueueAttributes")
	c.ServeHTTP(w, r)
	if w.Code != http.StatusBadRequest || !strings.Contains(w.Body.String(), `"__type":"com.amazonaws.sqs#QueueDoesNotExist"`) {
		t.Errorf("answer = %d %s, want 400 QueueDoesNotExist", w.Code, w.Body)
	}
	if got, want := w.Header().Get("x-amzn-query-error"), "AWS.SimpleQueueService.NonExistentQueue;Sender"; got != want {
		t.Errorf("x-amzn-query-error = %q, want %q", got, want)
	}
}

// Functions, containers and the host each know the service by another name; SDKs
// take an account's queue by its URL [WEB:sqs-queue-message-identifiers].
func TestQueueURLsFromAnywhere(t *testing.T) {
	c := newCloud(t)
	_, arn := c.queue("orders")
	for url, code := range map[string]string{
		"http://host.docker.internal:4566/000000000000/orders":    "",
		"https://sqs.us-east-1.amazonaws.com/000000000000/orders": "",
		"http://localhost:4566/base/000000000000/orders/":         "",
		"https://sqs.us-east-1.amazonaws.com/123456789012/orders": "AWS.SimpleQueueService.NonExistentQueue",
		"http://localhost:4566/000000000000/orders%2Fnew":         "AWS.SimpleQueueService.NonExistentQueue",
		"orders":                "InvalidAddress",
		"http://localhost:4566": "InvalidAddress",
		"":                      "MissingParameter",
	} {
		_, err := c.client.SendMessage(t.Context(), &sdk.SendMessageInput{QueueUrl: &url, MessageBody: &url})
		switch {
		case url == "" || code != "":
			if err == nil {
				t.Errorf("%q was accepted", url)
			} else {
				expectCode(t, err, code)
			}
		case err != nil:
			t.Errorf("%q: %v", url, err)
		}
	}
	if got := len(c.receive(arn)); got != 3 {
		t.Errorf("%d messages arrived, want 3", got)
	}
}

// "unique within the scope of your account and Region" [WEB:sqs-queue-message-identifiers].
func TestQueuesOfAnotherRegionAreOthers(t *testing.T) {
	c := newCloud(t)
	url, _ := c.queue("orders")
	if _, ok := c.Lookup("arn:aws:sqs:eu-central-1:000000000000:orders"); ok {
		t.Error("the queue is there in another region too")
	}
	w := c.call(t, "eu-central-1", "DeleteQueue", `{"QueueUrl":"`+url+`"}`)
	if w.Code != http.StatusBadRequest {
		t.Errorf("DeleteQueue in another region = %d %s, want 400", w.Code, w.Body)
	}
}

// NextToken comes only to who sets MaxResults [BOTO:sqs ListQueues].
func TestListQueues(t *testing.T) {
	c := newCloud(t)
	for _, name := range []string{"b2", "a", "b1", "b3", "c"} {
		c.queue(name)
	}
	var pages []string
	p := sdk.NewListQueuesPaginator(c.client, &sdk.ListQueuesInput{QueueNamePrefix: aws.String("b"), MaxResults: aws.Int32(2)})
	for p.HasMorePages() {
		out, err := p.NextPage(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		pages = append(pages, strings.ReplaceAll(strings.Join(out.QueueUrls, " "), c.url+"/000000000000/", ""))
	}
	if got, want := strings.Join(pages, " | "), "b1 b2 | b3"; got != want {
		t.Errorf("pages = %q, want %q", got, want)
	}
}

// [BOTO:sqs ListDeadLetterSourceQueues].
func TestDeadLetterSourceQueues(t *testing.T) {
	c := newCloud(t)
	url, dead := c.queue("dead")
	source, _ := c.queue("orders", "RedrivePolicy", policy(dead, "3"))
	c.queue("unrelated")
	out, err := c.client.ListDeadLetterSourceQueues(t.Context(), &sdk.ListDeadLetterSourceQueuesInput{QueueUrl: &url})
	if err != nil || !slices.Equal(out.QueueUrls, []string{source}) {
		t.Errorf("sources = %v, %v; want %s", out, err, source)
	}
}

// 50 tags at most [WEB:sqs-queue-tags].
func TestTags(t *testing.T) {
	c := newCloud(t)
	out, err := c.client.CreateQueue(t.Context(), &sdk.CreateQueueInput{
		QueueName: aws.String("orders"), Tags: map[string]string{"team": "events", "stage": "dev"},
	})
	if err != nil {
		t.Fatal(err)
	}
	url := out.QueueUrl
	if _, err := c.client.TagQueue(t.Context(), &sdk.TagQueueInput{QueueUrl: url, Tags: map[string]string{"stage": "prod", "cost": "1"}}); err != nil {
		t.Fatal(err)
	}
	if _, err := c.client.UntagQueue(t.Context(), &sdk.UntagQueueInput{QueueUrl: url, TagKeys: []string{"team"}}); err != nil {
		t.Fatal(err)
	}
	got, err := c.client.ListQueueTags(t.Context(), &sdk.ListQueueTagsInput{QueueUrl: url})
	if want := map[string]string{"stage": "prod", "cost": "1"}; err != nil || !maps.Equal(got.Tags, want) {
		t.Errorf("tags = %v, %v; want %v", got, err, want)
	}
	long := strings.Repeat("é", 128)
	if _, err := c.client.TagQueue(t.Context(), &sdk.TagQueueInput{QueueUrl: url, Tags: map[string]string{long: long + long}}); err != nil {
		t.Errorf("tags at their limits, which are in characters: %v", err)
	}
	many := map[string]string{}
	for i := range 48 {
		many[fmt.Sprint("tag", i)] = ""
	}
	for name, tags := range map[string]map[string]string{
		"too many": many, "a reserved key": {"aws:team": "x"}, "a key too long": {long + "é": ""}, "a value too long": {"k": long + long + "é"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := c.client.TagQueue(t.Context(), &sdk.TagQueueInput{QueueUrl: url, Tags: tags})
			expectCode(t, err, "InvalidParameterValue")
		})
	}
}

func TestPurgeForgetsAllMessages(t *testing.T) {
	c := newCloud(t)
	url, arn := c.queue("orders")
	c.send(arn, "in flight")
	taken := c.receive(arn)
	c.send(arn, "ready")
	if _, err := c.client.PurgeQueue(t.Context(), &sdk.PurgeQueueInput{QueueUrl: &url}); err != nil {
		t.Fatal(err)
	}
	c.expectCounts("after a purge", url, "0/0/0")
	if err := c.Delete(arn, taken[0].ReceiptHandle); err != nil {
		t.Errorf("deleting a purged message: %v, want no error", err)
	}
}

// "wait 60 seconds" [BOTO:sqs PurgeQueue, CreateQueue].
func TestStrictCooldowns(t *testing.T) {
	c := newCloud(t, func(o *sqs.Options) { o.StrictCooldowns = true })
	url, _ := c.queue("orders")
	purge := func() error {
		_, err := c.client.PurgeQueue(t.Context(), &sdk.PurgeQueueInput{QueueUrl: &url})
		return err
	}
	if err := purge(); err != nil {
		t.Fatal(err)
	}
	if _, ok := errors.AsType[*types.PurgeQueueInProgress](purge()); !ok {
		t.Errorf("second purge: %v, want PurgeQueueInProgress", purge())
	}
	c.clock.Advance(time.Minute)
	if err := purge(); err != nil {
		t.Errorf("purge a minute later: %v", err)
	}

	if _, err := c.client.DeleteQueue(t.Context(), &sdk.DeleteQueueInput{QueueUrl: &url}); err != nil {
		t.Fatal(err)
	}
	_, err := c.client.CreateQueue(t.Context(), &sdk.CreateQueueInput{QueueName: aws.String("orders")})
	if _, ok := errors.AsType[*types.QueueDeletedRecently](err); !ok {
		t.Errorf("CreateQueue: %v, want QueueDeletedRecently", err)
	}
	c.clock.Advance(time.Minute)
	c.queue("orders")
}

func TestLookup(t *testing.T) {
	c := newCloud(t)
	url, arn := c.queue("orders", "VisibilityTimeout", "90", "Policy", queuePolicy)
	got, ok := c.Lookup(arn)
	want := sqs.QueueInfo{ARN: arn, Name: "orders", URL: url, VisibilityTimeout: 90 * time.Second, Policy: queuePolicy}
	if !ok || got != want {
		t.Errorf("Lookup = %+v, %v; want %+v", got, ok, want)
	}
	if _, ok := c.Lookup(arn + "2"); ok {
		t.Error("Lookup of a queue that is not there = true")
	}
}
