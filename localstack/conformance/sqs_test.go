package conformance

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
)

func TestSQS(t *testing.T) { check(t, sqsClaims) }

var sqsClaims = []claim{
	{says: "a long poll ends with the message that it waits for", sources: "[BOTO:sqs ReceiveMessage]", test: sqsLongPoll},
	{says: "a message that was received is invisible until its visibility time-out, by the cloud's clock", sources: "[BOTO:sqs ReceiveMessage]", test: sqsVisibility},
	{says: "a message received maxReceiveCount times goes to the dead-letter queue", sources: "[BOTO:sqs RedrivePolicy]", test: sqsRedrive},
	{says: "a delayed message comes after its delay", sources: "[BOTO:sqs DelaySeconds]", test: sqsDelay},
	{says: "a group that takes more than a tenth of the processing time lets others go first, until its backlog is gone", sources: "[WEB:sqs-fair-queues-detailed]", test: sqsFair},
	{says: "a message of more than 1 MiB is refused", sources: "[WEB:quotas-queues]", test: sqsTooLarge},
	{says: "a batch has at most 10 entries, each with an id of its own", sources: "[BOTO:sqs SendMessageBatch]", test: sqsBatch},
	{says: "after DeleteQueue the queue is QueueDoesNotExist", sources: "[BOTO:sqs QueueDoesNotExist]", test: sqsDeleted},
}

func (q queue) receive(t *testing.T, wait int32) []types.Message {
	t.Helper()
	return must(q.cloud.sqs.ReceiveMessage(t.Context(), &sqs.ReceiveMessageInput{
		QueueUrl: &q.url, MaxNumberOfMessages: 10, WaitTimeSeconds: wait,
		MessageSystemAttributeNames: []types.MessageSystemAttributeName{types.MessageSystemAttributeNameAll},
	}))(t).Messages
}

func sqsLongPoll(t *testing.T) {
	q := shared(t).newQueue(t, nil)
	began := time.Now()
	got := make(chan []types.Message, 1)
	go func() {
		out, _ := q.cloud.sqs.ReceiveMessage(t.Context(), &sqs.ReceiveMessageInput{QueueUrl: &q.url, WaitTimeSeconds: 20})
		if out == nil {
			out = &sqs.ReceiveMessageOutput{}
		}
		got <- out.Messages
	}()
	q.send(t, "hello")
	if messages := <-got; len(messages) != 1 || time.Since(began) > 15*time.Second {
		t.Errorf("%d messages after %v", len(messages), time.Since(began))
	}
}

func sqsVisibility(t *testing.T) {
	q := fresh(t).newQueue(t, map[string]string{"VisibilityTimeout": "60"})
	q.send(t, "hello")
	if got := q.receive(t, 0); len(got) != 1 {
		t.Fatalf("%d messages", len(got))
	}
	q.Clock().Advance(50 * time.Second)
	if got := q.receive(t, 0); len(got) != 0 {
		t.Errorf("after 50 s: %d messages", len(got))
	}
	q.Clock().Advance(10 * time.Second)
	if got := q.receive(t, 1); len(got) != 1 || got[0].Attributes["ApproximateReceiveCount"] != "2" {
		t.Errorf("after 60 s: %v", got)
	}
}

// withDeadLetters is a queue that gives a message up after so many receives.
func (c *cloud) withDeadLetters(t *testing.T, receives, visibility string) (work, dead queue) {
	t.Helper()
	dead = c.newQueue(t, nil)
	work = c.newQueue(t, map[string]string{
		"VisibilityTimeout": visibility,
		"RedrivePolicy":     `{"deadLetterTargetArn":"` + dead.arn + `","maxReceiveCount":` + receives + `}`,
	})
	return work, dead
}

func sqsRedrive(t *testing.T) {
	work, dead := fresh(t).withDeadLetters(t, "2", "30")
	work.send(t, "poison")
	for range 2 {
		if got := work.receive(t, 1); len(got) != 1 {
			t.Fatalf("%d messages", len(got))
		}
		work.Clock().Advance(31 * time.Second)
	}
	if got := work.receive(t, 0); len(got) != 0 {
		t.Errorf("a third time: %v", got)
	}
	if got := dead.receive(t, 1); len(got) != 1 || aws.ToString(got[0].Body) != "poison" {
		t.Errorf("dead letters %v", got)
	}
}

func sqsFair(t *testing.T) {
	q := fresh(t).newQueue(t, map[string]string{"VisibilityTimeout": "600"})
	send := func(group string, n int) {
		for range n {
			must(q.cloud.sqs.SendMessage(t.Context(), &sqs.SendMessageInput{QueueUrl: &q.url, MessageBody: &group, MessageGroupId: &group}))(t)
		}
	}
	next := func() string {
		got := q.receive(t, 0)
		var bodies []string
		for _, m := range got {
			bodies = append(bodies, *m.Body)
		}
		return strings.Join(slices.Compact(bodies), ", then ")
	}
	send("noisy", 25)
	first := next()
	q.Clock().Advance(10 * time.Second) // its ten are being processed
	send("quiet", 2)
	if got := []string{first, next(), next()}; !slices.Equal(got, []string{"noisy", "quiet, then noisy", "noisy"}) {
		t.Errorf("ten at a time came %q", got)
	}
}

func sqsDelay(t *testing.T) {
	q := fresh(t).newQueue(t, nil)
	must(q.cloud.sqs.SendMessage(t.Context(), &sqs.SendMessageInput{QueueUrl: &q.url, MessageBody: aws.String("later"), DelaySeconds: 300}))(t)
	if got := q.receive(t, 0); len(got) != 0 {
		t.Errorf("at once: %v", got)
	}
	q.Clock().Advance(300 * time.Second)
	if got := q.receive(t, 1); len(got) != 1 {
		t.Errorf("after the delay: %v", got)
	}
}

func sqsTooLarge(t *testing.T) {
	q := shared(t).newQueue(t, nil)
	q.send(t, strings.Repeat("x", 1<<20))
	_, err := q.cloud.sqs.SendMessage(t.Context(), &sqs.SendMessageInput{QueueUrl: &q.url, MessageBody: aws.String(strings.Repeat("x", 1<<20+1))})
	if httpStatus(err) != 400 {
		t.Errorf("error %v", err)
	}
}

func sqsBatch(t *testing.T) {
	q := shared(t).newQueue(t, nil)
	batch := func(ids ...string) error {
		in := &sqs.SendMessageBatchInput{QueueUrl: &q.url}
		for _, id := range ids {
			in.Entries = append(in.Entries, types.SendMessageBatchRequestEntry{Id: aws.String(id), MessageBody: aws.String(id)})
		}
		_, err := q.cloud.sqs.SendMessageBatch(t.Context(), in)
		return err
	}
	if err := batch(strings.Split("abcdefghij", "")...); err != nil {
		t.Error(err)
	}
	wantCode(t, batch(strings.Split("abcdefghijk", "")...), "AWS.SimpleQueueService.TooManyEntriesInBatchRequest")
	wantCode(t, batch("a", "a"), "AWS.SimpleQueueService.BatchEntryIdsNotDistinct")
}

func sqsDeleted(t *testing.T) {
	q := shared(t).newQueue(t, nil)
	must(q.cloud.sqs.DeleteQueue(t.Context(), &sqs.DeleteQueueInput{QueueUrl: &q.url}))(t)
	_, err := q.cloud.sqs.SendMessage(t.Context(), &sqs.SendMessageInput{QueueUrl: &q.url, MessageBody: aws.String("x")})
	wantCode(t, err, "AWS.SimpleQueueService.NonExistentQueue")
}
