package sqs_test

import (
	"encoding/xml"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"fanfare/localstack/clock"
	"fanfare/localstack/sqs"
)

// query sends a form to path, as SDKs of before 2023 do, and returns the answer
// without what differs from run to run.
func (c *cloud) query(path, form string) (status int, answer string) {
	c.t.Helper()
	w := httptest.NewRecorder()
	r := httptest.NewRequest("POST", path, strings.NewReader(form))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded; charset=utf-8")
	c.ServeHTTP(w, r)
	answer = regexp.MustCompile(`[0-9a-f]{8}-[0-9a-f-]{27}`).ReplaceAllString(w.Body.String(), "<uuid>")
	answer = regexp.MustCompile(`<ReceiptHandle>[^<]*`).ReplaceAllString(answer, "<ReceiptHandle>")
	return w.Code, answer
}

func form(pairs ...string) string {
	v := url.Values{"Version": {"2012-11-05"}}
	for i := 0; i < len(pairs); i += 2 {
		v.Set(pairs[i], pairs[i+1])
	}
	return v.Encode()
}

func result(operation, inner string) string {
	return "<" + operation + `Response xmlns="http://queue.amazonaws.com/doc/2012-11-05/">` + inner +
		"<ResponseMetadata><RequestId><uuid></RequestId></ResponseMetadata></" + operation + "Response>"
}

// One life of a queue in the Query protocol; names and nesting are those of
// botocore's model from before JSON, and of the API reference's examples [BOTO:sqs].
func TestTheQueryProtocol(t *testing.T) {
	c := newCloud(t, func(o *sqs.Options) { o.BaseURL = func() string { return "http://sqs.test" } })
	const queue = "http://sqs.test/000000000000/orders"
	steps := []struct{ operation, path, form, want string }{
		{"CreateQueue", "/", form("Action", "CreateQueue", "QueueName", "orders",
			"Attribute.1.Name", "VisibilityTimeout", "Attribute.1.Value", "60", "Tag.1.Key", "team", "Tag.1.Value", "events"),
			"<CreateQueueResult><QueueUrl>" + queue + "</QueueUrl></CreateQueueResult>"},
		{"GetQueueUrl", "/", form("Action", "GetQueueUrl", "QueueName", "orders"),
			"<GetQueueUrlResult><QueueUrl>" + queue + "</QueueUrl></GetQueueUrlResult>"},
		{"ListQueues", "/", form("Action", "ListQueues", "MaxResults", "5"),
			"<ListQueuesResult><QueueUrl>" + queue + "</QueueUrl></ListQueuesResult>"},
		{"ListQueueTags", "/", form("Action", "ListQueueTags", "QueueUrl", queue),
			"<ListQueueTagsResult><Tag><Key>team</Key><Value>events</Value></Tag></ListQueueTagsResult>"},
		{"GetQueueAttributes", "/000000000000/orders", form("Action", "GetQueueAttributes", "AttributeName.1", "VisibilityTimeout",
			"AttributeName.2", "DelaySeconds"),
			"<GetQueueAttributesResult><Attribute><Name>DelaySeconds</Name><Value>0</Value></Attribute>" +
				"<Attribute><Name>VisibilityTimeout</Name><Value>60</Value></Attribute></GetQueueAttributesResult>"},
		{"ReceiveMessage", "/", form("Action", "ReceiveMessage", "QueueUrl", queue), "<ReceiveMessageResult></ReceiveMessageResult>"},
		{"SendMessage", "/", form("Action", "SendMessage", "QueueUrl", queue, "MessageBody", "<a>&\r", "DelaySeconds", "0",
			"MessageAttribute.1.Name", "kind", "MessageAttribute.1.Value.DataType", "String", "MessageAttribute.1.Value.StringValue", "x"),
			"<SendMessageResult><MD5OfMessageAttributes>57dd03eb020678b56fd5c31e88f4cff1</MD5OfMessageAttributes>" +
				"<MD5OfMessageBody>a295cb145b4f0b67a080da380007027e</MD5OfMessageBody><MessageId><uuid></MessageId></SendMessageResult>"},
		{"ReceiveMessage", "/", form("Action", "ReceiveMessage", "QueueUrl", queue, "MaxNumberOfMessages", "10",
			"AttributeName", "ApproximateReceiveCount", "MessageAttributeName.1", "All"),
			"<ReceiveMessageResult><Message><Attribute><Name>ApproximateReceiveCount</Name><Value>1</Value></Attribute>" +
				"<Body>&lt;a&gt;&amp;&#xD;</Body><MD5OfBody>a295cb145b4f0b67a080da380007027e</MD5OfBody>" +
				"<MD5OfMessageAttributes>57dd03eb020678b56fd5c31e88f4cff1</MD5OfMessageAttributes>" +
				"<MessageAttribute><Name>kind</Name><Value><DataType>String</DataType><StringValue>x</StringValue></Value></MessageAttribute>" +
				"<MessageId><uuid></MessageId><ReceiptHandle></ReceiptHandle></Message></ReceiveMessageResult>"},
		{"DeleteMessageBatch", "/", form("Action", "DeleteMessageBatch", "QueueUrl", queue,
			"DeleteMessageBatchRequestEntry.1.Id", "a", "DeleteMessageBatchRequestEntry.1.ReceiptHandle", "nonsense"),
			"<DeleteMessageBatchResult><BatchResultErrorEntry><Code>ReceiptHandleIsInvalid</Code><Id>a</Id>" +
				"<Message>The input receipt handle is invalid.</Message><SenderFault>true</SenderFault></BatchResultErrorEntry></DeleteMessageBatchResult>"},
		{"PurgeQueue", "/", form("Action", "PurgeQueue", "QueueUrl", queue), ""},
		{"DeleteQueue", "/000000000000/orders", form("Action", "DeleteQueue"), ""},
	}
	for _, step := range steps {
		status, got := c.query(step.path, step.form)
		if want := result(step.operation, step.want); status != http.StatusOK || got != want {
			t.Errorf("%s = %d\n%s\nwant 200\n%s", step.operation, status, got, want)
		}
	}
}

// Errors have their old codes, and two of them an old status [BOTO:sqs].
func TestErrorsInTheQueryProtocol(t *testing.T) {
	c := newCloud(t, func(o *sqs.Options) { o.StrictCooldowns = true })
	c.queue("orders")
	purge := form("Action", "PurgeQueue", "QueueUrl", "/000000000000/orders")
	c.query("/", purge)
	for name, tt := range map[string]struct {
		form   string
		status int
		code   string
	}{
		"a missing queue":               {form("Action", "PurgeQueue", "QueueUrl", "/000000000000/nowhere"), 400, "AWS.SimpleQueueService.NonExistentQueue"},
		"purged again":                  {purge, 403, "AWS.SimpleQueueService.PurgeQueueInProgress"},
		"no number":                     {form("Action", "ReceiveMessage", "QueueUrl", "/000000000000/orders", "MaxNumberOfMessages", "ten"), 400, "InvalidParameterValue"},
		"half an attribute":             {form("Action", "CreateQueue", "QueueName", "new", "Attribute.1.Name", "Policy"), 400, "MissingParameter"},
		"an item without number":        {form("Action", "CreateQueue", "QueueName", "new", "Attribute.a.Name", "Policy"), 400, "MalformedInput"},
		"an object as a name":           {form("Action", "CreateQueue", "QueueName.a", "new"), 400, "SerializationException"},
		"an operation that is not here": {form("Action", "AddPermission", "QueueUrl", "/000000000000/orders"), 400, "InvalidAction"},
		"a FIFO queue":                  {form("Action", "CreateQueue", "QueueName", "new.fifo"), 400, "AWS.SimpleQueueService.UnsupportedOperation"},
	} {
		t.Run(name, func(t *testing.T) {
			status, got := c.query("/", tt.form)
			if status != tt.status || !strings.Contains(got, "<Code>"+tt.code+"</Code>") {
				t.Errorf("answer = %d %s, want %d %s", status, got, tt.status, tt.code)
			}
		})
	}
}

// Whatever a form holds, the answer is well-formed XML.
func FuzzQuery(f *testing.F) {
	for _, seed := range []string{
		form("Action", "SendMessage", "QueueUrl", "/000000000000/orders", "MessageBody", "x", "MessageAttribute.1.Name", "a",
			"MessageAttribute.1.Value.DataType", "Binary", "MessageAttribute.1.Value.BinaryValue", "AAE="),
		form("Action", "SendMessageBatch", "QueueUrl", "/000000000000/orders", "SendMessageBatchRequestEntry.2.Id", "a",
			"SendMessageBatchRequestEntry.2.MessageBody", "x"),
		"Action=ReceiveMessage&QueueUrl=/000000000000/orders&AttributeName=All&MaxNumberOfMessages=10&VisibilityTimeout=0",
		"Action=CreateQueue&QueueName=b&Attribute.1.Name=DelaySeconds&Attribute.1.Value=1&Attribute=&Tag.1.1.1.1.1.1.1.1=",
		"Action=ListQueues", "%zz", "Action=PurgeQueue&.&..&Tag.01.Key=", "Action=ListQueues&" + strings.Repeat("Value.", 1000), "",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, form string) {
		s := sqs.New(sqs.Options{Clock: clock.New()})
		local{s, t}.queue("orders", "")
		w := httptest.NewRecorder()
		r := httptest.NewRequest("POST", "/", strings.NewReader(form))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		s.ServeHTTP(w, r.WithContext(ended(t))) // a long poll does not wait
		if w.Code >= 500 {
			t.Errorf("%q: %d %s", form, w.Code, w.Body)
		}
		for d := xml.NewDecoder(w.Body); ; {
			if _, err := d.Token(); errors.Is(err, io.EOF) {
				break
			} else if err != nil {
				t.Fatalf("%q: the answer is no XML: %v", form, err)
			}
		}
	})
}
