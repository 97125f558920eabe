package sqs_test

import (
	"encoding/json"
	"net/http/httptest"
	"strings"
	"testing"

	"fanfare/localstack/sqs"
)

// FuzzRequests: whatever is sent to an operation, it answers with JSON, and with
// an error only of those that are the client's fault.
func FuzzRequests(f *testing.F) {
	const queue = `{"QueueUrl":"http://x/000000000000/orders"`
	for operation, body := range map[string]string{
		"CreateQueue":                  `{"QueueName":"new","Attributes":{"RedrivePolicy":"{\"deadLetterTargetArn\":\"arn:aws:sqs:us-east-1:000000000000:orders\",\"maxReceiveCount\":1}"},"tags":{"a":"b"}}`,
		"ListQueues":                   `{"MaxResults":1,"NextToken":"b3JkZXJz"}`,
		"SetQueueAttributes":           queue + `,"Attributes":{"RedriveAllowPolicy":"{\"redrivePermission\":\"byQueue\",\"sourceQueueArns\":[]}"}}`,
		"GetQueueAttributes":           queue + `,"AttributeNames":["All"]}`,
		"SendMessage":                  queue + `,"MessageBody":"x","DelaySeconds":900,"MessageGroupId":"g","MessageAttributes":{"a":{"DataType":"Binary","BinaryValue":"AAE="}}}`,
		"SendMessageBatch":             queue + `,"Entries":[{"Id":"a","MessageBody":"x"},null]}`,
		"ReceiveMessage":               queue + `,"MaxNumberOfMessages":10,"VisibilityTimeout":0,"AttributeNames":["All"],"MessageAttributeNames":["a.*"]}`,
		"ChangeMessageVisibilityBatch": queue + `,"Entries":[{"Id":"a","ReceiptHandle":"YSBiIDE=","VisibilityTimeout":1}]}`,
		"StartMessageMoveTask":         `{"SourceArn":"arn:aws:sqs:us-east-1:000000000000:orders"}`,
		"TagQueue":                     queue + `,"Tags":{"":""}}`,
		"DeleteQueue":                  queue + `}`,
		"PurgeQueue":                   `null`,
		"":                             `[`,
	} {
		f.Add(operation, body)
	}
	f.Fuzz(func(t *testing.T, operation, body string) {
		s := sqs.New(sqs.Options{})
		l := local{s, t}
		arn := l.queue("orders", "")
		l.send(arn, "x")
		w := httptest.NewRecorder()
		r := httptest.NewRequest("POST", "/", strings.NewReader(body))
		r.Header.Set("X-Amz-Target", "AmazonSQS."+operation)
		s.ServeHTTP(w, r.WithContext(ended(t))) // a long poll does not wait
		if w.Code >= 500 || !json.Valid(w.Body.Bytes()) {
			t.Errorf("%s %s: %d %s", operation, body, w.Code, w.Body)
		}
		if _, err := s.Snapshot(); err != nil {
			t.Error(err)
		}
	})
}
