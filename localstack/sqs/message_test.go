package sqs_test

import (
	"errors"
	"strconv"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"fanfare/localstack/sqs"
)

func text(dataType, value string) types.MessageAttributeValue {
	return types.MessageAttributeValue{DataType: &dataType, StringValue: &value}
}

func binary(value string) types.MessageAttributeValue {
	return types.MessageAttributeValue{DataType: aws.String("Binary"), BinaryValue: []byte(value)}
}

// [BOTO:sqs SendMessage, ReceiveMessage].
func TestAMessageArrivesWithAllThatWasSent(t *testing.T) {
	c := newCloud(t)
	url, _ := c.queue("orders")
	sent, err := c.client.SendMessage(t.Context(), &sdk.SendMessageInput{
		QueueUrl: &url, MessageBody: aws.String("<größer & kleiner>\t\U0001F600"), MessageGroupId: aws.String("tenant-1"),
		MessageAttributes: map[string]types.MessageAttributeValue{
			"kind": text("String", "order"), "price": text("Number.eur", "12.50"), "raw": binary("\x00\x01"),
		},
		MessageSystemAttributes: map[string]types.MessageSystemAttributeValue{
			"AWSTraceHeader": {DataType: aws.String("String"), StringValue: aws.String("Root=1-5759e988-bd862e3fe1be46a994272793")},
		},
	})
	if err != nil {
		t.Fatal(err) // the SDK has checked the body's sum
	}
	out, err := c.client.ReceiveMessage(t.Context(), &sdk.ReceiveMessageInput{
		QueueUrl: &url, MessageAttributeNames: []string{"All"}, MessageSystemAttributeNames: []types.MessageSystemAttributeName{"All"},
	})
	if err != nil || len(out.Messages) != 1 {
		t.Fatalf("ReceiveMessage = %v, %v; want one message", out, err)
	}
	m := out.Messages[0]
	if *m.Body != "<größer & kleiner>\t\U0001F600" || *m.MessageId != *sent.MessageId {
		t.Errorf("received %s %q", *m.MessageId, *m.Body)
	}
	if string(m.MessageAttributes["raw"].BinaryValue) != "\x00\x01" || *m.MessageAttributes["price"].DataType != "Number.eur" {
		t.Errorf("message attributes = %v", m.MessageAttributes)
	}
	if *m.MD5OfMessageAttributes != *sent.MD5OfMessageAttributes {
		t.Errorf("sum of attributes = %s, want the sender's %s", *m.MD5OfMessageAttributes, *sent.MD5OfMessageAttributes)
	}
	for name, want := range map[string]string{
		"SenderId": "000000000000", "ApproximateReceiveCount": "1", "MessageGroupId": "tenant-1",
		"AWSTraceHeader": "Root=1-5759e988-bd862e3fe1be46a994272793",
	} {
		if got := m.Attributes[name]; got != want {
			t.Errorf("%s = %q, want %q", name, got, want)
		}
	}
	for _, name := range []string{"SentTimestamp", "ApproximateFirstReceiveTimestamp"} {
		if ms, _ := strconv.ParseInt(m.Attributes[name], 10, 64); ms < 1e12 {
			t.Errorf("%s = %q, want milliseconds since 1970", name, m.Attributes[name])
		}
	}
}

// The SDK in a function sends the trace of its invoke. "The message system
// attribute overrides the HTTP trace header" [WEB:xray-services-sqs].
func TestATraceCrossesTheQueue(t *testing.T) {
	const invoke, own = "Root=1-5759e988-bd862e3fe1be46a994272793;Lineage=1:fc3b4ff1:3", "Root=1-00000000-bd862e3fe1be46a994272793"
	t.Setenv("AWS_LAMBDA_FUNCTION_NAME", "orders")
	t.Setenv("_X_AMZN_TRACE_ID", invoke)
	c := newCloud(t)
	url, arn := c.queue("orders")
	header := map[string]types.MessageSystemAttributeValue{"AWSTraceHeader": {DataType: aws.String("String"), StringValue: aws.String(own)}}
	if _, err := c.client.SendMessage(t.Context(), &sdk.SendMessageInput{QueueUrl: &url, MessageBody: aws.String("alone")}); err != nil {
		t.Fatal(err)
	}
	if _, err := c.client.SendMessageBatch(t.Context(), &sdk.SendMessageBatchInput{QueueUrl: &url, Entries: []types.SendMessageBatchRequestEntry{
		{Id: aws.String("a"), MessageBody: aws.String("in a batch")},
		{Id: aws.String("b"), MessageBody: aws.String("with its own"), MessageSystemAttributes: header},
	}}); err != nil {
		t.Fatal(err)
	}
	c.send(arn, "without a request")
	want := map[string]string{"alone": invoke, "in a batch": invoke, "with its own": own, "without a request": ""}
	for _, m := range c.receive(arn) {
		if got := m.Attributes["AWSTraceHeader"]; got != want[m.Body] {
			t.Errorf("AWSTraceHeader of the message %s = %q, want %q", m.Body, got, want[m.Body])
		}
		delete(want, m.Body)
	}
	if len(want) > 0 {
		t.Errorf("these did not arrive: %v", want)
	}
}

// [BOTO:sqs ReceiveMessage MessageAttributeNames].
func TestOnlyTheAttributesAskedForAreShown(t *testing.T) {
	c := newCloud(t)
	url, _ := c.queue("orders")
	_, err := c.client.SendMessage(t.Context(), &sdk.SendMessageInput{
		QueueUrl: &url, MessageBody: aws.String("x"), MessageAttributes: map[string]types.MessageAttributeValue{
			"order.id": text("String", "1"), "order.kind": text("String", "2"), "trace": text("String", "3"),
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		names []string
		want  int
	}{{nil, 0}, {[]string{"trace", "nothing"}, 1}, {[]string{"order.*"}, 2}, {[]string{".*"}, 3}, {[]string{"All"}, 3}} {
		out, err := c.client.ReceiveMessage(t.Context(), &sdk.ReceiveMessageInput{QueueUrl: &url, MessageAttributeNames: tt.names})
		if err != nil || len(out.Messages) != 1 {
			t.Fatalf("ReceiveMessage = %v, %v", out, err)
		}
		m := out.Messages[0]
		if len(m.MessageAttributes) != tt.want || (m.MD5OfMessageAttributes == nil) != (tt.want == 0) {
			t.Errorf("asked for %v: got %v with sum %v, want %d attributes", tt.names, m.MessageAttributes, m.MD5OfMessageAttributes, tt.want)
		}
		if len(m.Attributes) != 0 {
			t.Errorf("system attributes %v came unasked", m.Attributes)
		}
		if _, err := c.client.ChangeMessageVisibility(t.Context(), &sdk.ChangeMessageVisibilityInput{
			QueueUrl: &url, ReceiptHandle: m.ReceiptHandle, VisibilityTimeout: 0}); err != nil {
			t.Fatal(err)
		}
	}
}

// [BOTO:sqs SendMessage; WEB:sqs-message-metadata, quotas-messages].
func TestWhatASenderMayNotSend(t *testing.T) {
	c := newCloud(t)
	url, arn := c.queue("orders", "MaximumMessageSize", "1024")
	attributes := func(name string, v types.MessageAttributeValue) func(*sdk.SendMessageInput) {
		return func(in *sdk.SendMessageInput) {
			in.MessageAttributes = map[string]types.MessageAttributeValue{name: v}
		}
	}
	for name, tt := range map[string]struct {
		change func(*sdk.SendMessageInput)
		code   string
	}{
		"no body":              {func(in *sdk.SendMessageInput) { in.MessageBody = aws.String("") }, "MissingParameter"},
		"a control character":  {func(in *sdk.SendMessageInput) { in.MessageBody = aws.String("a\x0bb") }, "InvalidMessageContents"},
		"U+FFFE":               {func(in *sdk.SendMessageInput) { in.MessageBody = aws.String("\uFFFE") }, "InvalidMessageContents"},
		"a body too large":     {func(in *sdk.SendMessageInput) { in.MessageBody = aws.String(strings.Repeat("x", 1025)) }, "InvalidParameterValue"},
		"attributes too large": {attributes("a", text("String", strings.Repeat("x", 1020))), "InvalidParameterValue"},
		"a delay too long":     {func(in *sdk.SendMessageInput) { in.DelaySeconds = 901 }, "InvalidParameterValue"},
		"a deduplication id":   {func(in *sdk.SendMessageInput) { in.MessageDeduplicationId = aws.String("1") }, "InvalidParameterValue"},
		"a group with a space": {func(in *sdk.SendMessageInput) { in.MessageGroupId = aws.String("a b") }, "InvalidParameterValue"},
		"a reserved name":      {attributes("AWS.trace", text("String", "x")), "InvalidParameterValue"},
		"a name with dots":     {attributes("a..b", text("String", "x")), "InvalidParameterValue"},
		"an unknown type":      {attributes("a", text("Text", "x")), "InvalidParameterValue"},
		"an empty value":       {attributes("a", text("String", "")), "InvalidParameterValue"},
		"no number":            {attributes("a", text("Number", "twelve")), "InvalidParameterValue"},
		"bytes as string":      {attributes("a", types.MessageAttributeValue{DataType: aws.String("String"), BinaryValue: []byte("x")}), "InvalidParameterValue"},
		"list values": {attributes("a", types.MessageAttributeValue{DataType: aws.String("String"), StringValue: aws.String("x"),
			StringListValues: []string{"x"}}), "AWS.SimpleQueueService.UnsupportedOperation"},
	} {
		t.Run(name, func(t *testing.T) {
			in := &sdk.SendMessageInput{QueueUrl: &url, MessageBody: aws.String("x")}
			tt.change(in)
			_, err := c.client.SendMessage(t.Context(), in)
			expectCode(t, err, tt.code)
		})
	}
	c.expectCounts("after refusals", url, "0/0/0")
	c.send(arn, strings.Repeat("x", 1024))
}

// [BOTO:sqs ReceiveMessage].
func TestWhatAReceiverMayNotAsk(t *testing.T) {
	c := newCloud(t)
	url, _ := c.queue("orders")
	for name, tt := range map[string]struct {
		in   sdk.ReceiveMessageInput
		code string
	}{
		"11 messages":          {sdk.ReceiveMessageInput{MaxNumberOfMessages: 11}, "InvalidParameterValue"},
		"21 seconds":           {sdk.ReceiveMessageInput{WaitTimeSeconds: 21}, "InvalidParameterValue"},
		"over 12 hours hidden": {sdk.ReceiveMessageInput{VisibilityTimeout: 43201}, "InvalidParameterValue"},
		"an unknown attribute": {sdk.ReceiveMessageInput{MessageSystemAttributeNames: []types.MessageSystemAttributeName{"Colour"}}, "InvalidAttributeName"},
		"a FIFO attempt id":    {sdk.ReceiveMessageInput{ReceiveRequestAttemptId: aws.String("1")}, "InvalidParameterValue"},
	} {
		t.Run(name, func(t *testing.T) {
			tt.in.QueueUrl = &url
			_, err := c.client.ReceiveMessage(t.Context(), &tt.in)
			expectCode(t, err, tt.code)
		})
	}
}

// [BOTO:sqs DeleteMessage; WEB:sqs-queue-message-identifiers].
func TestReceiptHandles(t *testing.T) {
	c := newCloud(t)
	url, arn := c.queue("orders")
	_, other := c.queue("other")
	c.send(arn, "x")
	first := c.receive(arn)[0].ReceiptHandle
	c.clock.Advance(seconds(30))
	second := c.receive(arn)[0].ReceiptHandle
	if first == second {
		t.Fatal("two receives gave the same handle")
	}

	if err := c.Delete(arn, first); err != nil {
		t.Errorf("deleting by a handle out of date: %v, want success", err)
	}
	c.expectCounts("a handle out of date deletes nothing", url, "0/1/0")
	if err := c.Delete(other, second); !errors.Is(err, sqs.ErrReceiptHandle) {
		t.Errorf("deleting from another queue: %v, want ErrReceiptHandle", err)
	}
	if err := c.Delete(arn, "no handle"); !errors.Is(err, sqs.ErrReceiptHandle) {
		t.Errorf("deleting by nonsense: %v, want ErrReceiptHandle", err)
	}
	_, err := c.client.DeleteMessage(t.Context(), &sdk.DeleteMessageInput{QueueUrl: &url, ReceiptHandle: aws.String("no handle")})
	if _, ok := errors.AsType[*types.ReceiptHandleIsInvalid](err); !ok {
		t.Errorf("DeleteMessage by nonsense: %v, want ReceiptHandleIsInvalid", err)
	}

	c.clock.Advance(seconds(30)) // visible again, but not yet received again
	if err := c.ChangeVisibility(arn, second, seconds(10)); !errors.Is(err, sqs.ErrNotInFlight) {
		t.Errorf("ChangeVisibility after the timeout: %v, want ErrNotInFlight", err)
	}
	if err := c.Delete(arn, second); err != nil {
		t.Errorf("deleting after the timeout: %v", err)
	}
	c.expectCounts("deleted after the timeout", url, "0/0/0")
	if err := c.Delete(arn, second); err != nil {
		t.Errorf("deleting twice: %v, want success", err)
	}
}

// "Because the batch request can result in a combination of successful and
// unsuccessful actions, you should check for batch errors even when the call
// returns an HTTP status code of 200" [BOTO:sqs SendMessageBatch].
func TestBatches(t *testing.T) {
	c := newCloud(t)
	url, arn := c.queue("orders", "MaximumMessageSize", "1024")
	out, err := c.client.SendMessageBatch(t.Context(), &sdk.SendMessageBatchInput{QueueUrl: &url, Entries: []types.SendMessageBatchRequestEntry{
		{Id: aws.String("good"), MessageBody: aws.String("x")},
		{Id: aws.String("large"), MessageBody: aws.String(strings.Repeat("x", 1025))},
		{Id: aws.String("later"), MessageBody: aws.String("y"), DelaySeconds: 5},
	}})
	if err != nil {
		t.Fatal(err)
	}
	if len(out.Successful) != 2 || len(out.Failed) != 1 || *out.Failed[0].Id != "large" ||
		*out.Failed[0].Code != "InvalidParameterValue" || !out.Failed[0].SenderFault {
		t.Errorf("SendMessageBatch = %+v, %+v; want only \"large\" to fail", out.Successful, out.Failed)
	}
	c.expectCounts("after the batch", url, "1/0/1")

	handle := c.receive(arn)[0].ReceiptHandle
	changed, err := c.client.ChangeMessageVisibilityBatch(t.Context(), &sdk.ChangeMessageVisibilityBatchInput{QueueUrl: &url,
		Entries: []types.ChangeMessageVisibilityBatchRequestEntry{
			{Id: aws.String("a"), ReceiptHandle: &handle, VisibilityTimeout: 60},
			{Id: aws.String("b"), ReceiptHandle: aws.String("nonsense"), VisibilityTimeout: 60},
		}})
	if err != nil || len(changed.Successful) != 1 || *changed.Failed[0].Code != "ReceiptHandleIsInvalid" {
		t.Errorf("ChangeMessageVisibilityBatch = %+v, %v", changed, err)
	}
	deleted, err := c.client.DeleteMessageBatch(t.Context(), &sdk.DeleteMessageBatchInput{QueueUrl: &url,
		Entries: []types.DeleteMessageBatchRequestEntry{
			{Id: aws.String("a"), ReceiptHandle: &handle}, {Id: aws.String("b"), ReceiptHandle: aws.String("nonsense")},
		}})
	if err != nil || len(deleted.Successful) != 1 || len(deleted.Failed) != 1 {
		t.Errorf("DeleteMessageBatch = %+v, %v", deleted, err)
	}
	c.expectCounts("after deleting", url, "0/0/1")
}

// [BOTO:sqs SendMessageBatch].
func TestABatchIsRefusedAsAWhole(t *testing.T) {
	c := newCloud(t)
	url, _ := c.queue("orders")
	entries := func(n int, body string, id func(int) string) (out []types.SendMessageBatchRequestEntry) {
		for i := range n {
			out = append(out, types.SendMessageBatchRequestEntry{Id: aws.String(id(i)), MessageBody: &body})
		}
		return out
	}
	for name, tt := range map[string]struct {
		entries []types.SendMessageBatchRequestEntry
		code    string
	}{
		"empty":          {[]types.SendMessageBatchRequestEntry{}, "EmptyBatchRequest"},
		"eleven entries": {entries(11, "x", strconv.Itoa), "TooManyEntriesInBatchRequest"},
		"an id twice":    {entries(2, "x", func(int) string { return "a" }), "BatchEntryIdsNotDistinct"},
		"a bad id":       {entries(1, "x", func(int) string { return "a b" }), "InvalidBatchEntryId"},
		"over 1 MiB":     {entries(2, strings.Repeat("x", 1<<19+1), strconv.Itoa), "BatchRequestTooLong"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := c.client.SendMessageBatch(t.Context(), &sdk.SendMessageBatchInput{QueueUrl: &url, Entries: tt.entries})
			expectCode(t, err, "AWS.SimpleQueueService."+tt.code)
		})
	}
	c.expectCounts("after refusals", url, "0/0/0")
}
