package sqs_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"fanfare/localstack/sqs"
)

// [WEB:sqs-visibility-timeout; BOTO:sqs ChangeMessageVisibility].
func TestVisibilityTimeout(t *testing.T) {
	c := newCloud(t)
	url, arn := c.queue("orders", "VisibilityTimeout", "30")
	c.send(arn, "x")
	first := c.expect("at once", arn, "x")[0]
	c.clock.Advance(seconds(29))
	c.expect("after 29 s", arn)
	c.expectCounts("after 29 s", url, "0/1/0")

	if err := c.ChangeVisibility(arn, first.ReceiptHandle, seconds(10)); err != nil {
		t.Fatal(err)
	}
	c.clock.Advance(seconds(9))
	c.expect("9 s into the new timeout", arn)
	c.clock.Advance(seconds(1))
	c.expectCounts("10 s into the new timeout", url, "1/0/0")
	second := c.expect("10 s into the new timeout", arn, "x")[0]
	if got := second.Attributes["ApproximateReceiveCount"]; got != "2" {
		t.Errorf("receive count = %s, want 2", got)
	}
	if second.Attributes["ApproximateFirstReceiveTimestamp"] != first.Attributes["ApproximateFirstReceiveTimestamp"] {
		t.Error("the time of the first receive changed")
	}

	if err := c.ChangeVisibility(arn, second.ReceiptHandle, 0); err != nil {
		t.Fatal(err)
	}
	c.expect("released", arn, "x")
}

// Twelve hours, counted from the receiving [BOTO:sqs ChangeMessageVisibility;
// WEB:sqs-visibility-timeout].
func TestAMessageIsHiddenForTwelveHoursAtMost(t *testing.T) {
	c := newCloud(t)
	_, arn := c.queue("orders", "VisibilityTimeout", "43200")
	c.send(arn, "x")
	handle := c.receive(arn)[0].ReceiptHandle
	c.clock.Advance(11 * time.Hour)
	if err := c.ChangeVisibility(arn, handle, 59*time.Minute); err != nil {
		t.Errorf("59 more minutes after 11 hours: %v", err)
	}
	if err := c.ChangeVisibility(arn, handle, 61*time.Minute); err == nil {
		t.Error("61 more minutes after 11 hours were accepted")
	}
}

// 0 is allowed [BOTO:sqs ReceiveMessage].
func TestReceivingWithoutATimeoutLeavesTheMessageVisible(t *testing.T) {
	c := newCloud(t)
	url, arn := c.queue("orders", "VisibilityTimeout", "0")
	c.send(arn, "x")
	c.expect("first", arn, "x")
	c.expectCounts("still there", url, "1/0/0")
	c.expect("second", arn, "x")
}

// A message's own delay comes before the queue's [WEB:sqs-message-timers].
func TestDelays(t *testing.T) {
	c := newCloud(t)
	url, arn := c.queue("orders", "DelaySeconds", "10")
	_, err := c.client.SendMessage(t.Context(), &sdk.SendMessageInput{QueueUrl: &url, MessageBody: aws.String("own delay"), DelaySeconds: 20})
	if err != nil {
		t.Fatal(err)
	}
	c.send(arn, "queue's delay")
	c.expect("at once", arn)
	c.expectCounts("at once", url, "0/0/2")
	c.clock.Advance(seconds(10))
	c.expect("after 10 s", arn, "queue's delay")
	c.clock.Advance(seconds(10))
	c.expect("after 20 s", arn, "own delay")
}

// [BOTO:sqs SetQueueAttributes MessageRetentionPeriod].
func TestRetention(t *testing.T) {
	c := newCloud(t)
	url, arn := c.queue("orders", "MessageRetentionPeriod", "60")
	c.send(arn, "in flight")
	handle := c.receive(arn)[0].ReceiptHandle
	c.send(arn, "ready")
	c.clock.Advance(seconds(59))
	c.expectCounts("after 59 s", url, "2/0/0")
	c.clock.Advance(seconds(1))
	c.expectCounts("after 60 s", url, "0/0/0")
	if err := c.Delete(arn, handle); err != nil {
		t.Errorf("deleting an expired message: %v, want success", err)
	}
}

// The message id stays, and its retention counts from the first sending [WEB:sqs-dead-letter-queues].
func TestDeadLetters(t *testing.T) {
	c := newCloud(t)
	deadURL, dead := c.queue("dead")
	url, arn := c.queue("orders", "RedrivePolicy", policy(dead, "2"), "VisibilityTimeout", "30")
	c.send(arn, "poison")
	sent := c.receive(arn)[0]
	c.clock.Advance(seconds(30))
	c.expect("second receive", arn, "poison")
	c.clock.Advance(seconds(30))
	c.expectCounts("before a third receive", url, "1/0/0")
	c.expect("third receive", arn)
	c.expectCounts("after it", url, "0/0/0")
	c.expectCounts("after it", deadURL, "1/0/0")

	got := c.expect("the dead-letter queue", dead, "poison")[0]
	if got.MessageID != sent.MessageID || got.Attributes["SentTimestamp"] != sent.Attributes["SentTimestamp"] {
		t.Error("a dead letter lost its id or the time it was sent")
	}
	if got.Attributes["DeadLetterQueueSourceArn"] != arn || got.Attributes["ApproximateReceiveCount"] != "1" {
		t.Errorf("attributes of a dead letter = %v", got.Attributes)
	}
}

func TestWithoutItsDeadLetterQueueAMessageStays(t *testing.T) {
	c := newCloud(t)
	deadURL, dead := c.queue("dead")
	_, arn := c.queue("orders", "RedrivePolicy", policy(dead, "1"), "VisibilityTimeout", "0")
	c.send(arn, "poison")
	if _, err := c.client.DeleteQueue(t.Context(), &sdk.DeleteQueueInput{QueueUrl: &deadURL}); err != nil {
		t.Fatal(err)
	}
	for range 3 {
		c.expect("dead-letter queue deleted", arn, "poison")
	}
}

// Without a destination a message goes back to its source; there it is a new
// message [WEB:sqs-dead-letter-queues; BOTO:sqs StartMessageMoveTask].
func TestMoveTasks(t *testing.T) {
	c := newCloud(t)
	deadURL, dead := c.queue("dead")
	url, arn := c.queue("orders", "RedrivePolicy", policy(dead, "1"), "VisibilityTimeout", "0")
	c.send(arn, "poison")
	c.receive(arn)
	c.receive(arn)
	c.expectCounts("before the move", deadURL, "1/0/0")
	start := func(in *sdk.StartMessageMoveTaskInput) error {
		_, err := c.client.StartMessageMoveTask(t.Context(), in)
		return err
	}
	if err := start(&sdk.StartMessageMoveTaskInput{SourceArn: &dead}); err != nil {
		t.Fatal(err)
	}
	c.expectCounts("back where it came from", url, "1/0/0")
	if m := c.expect("a new life", arn, "poison")[0]; m.Attributes["ApproximateReceiveCount"] != "1" {
		t.Errorf("receive count after the move = %s, want 1", m.Attributes["ApproximateReceiveCount"])
	}

	c.send(dead, "sent here directly")
	if err := start(&sdk.StartMessageMoveTaskInput{SourceArn: &dead}); err != nil {
		t.Fatal(err)
	}
	out, err := c.client.ListMessageMoveTasks(t.Context(), &sdk.ListMessageMoveTasksInput{SourceArn: &dead, MaxResults: aws.Int32(10)})
	if err != nil || len(out.Results) != 2 {
		t.Fatalf("ListMessageMoveTasks = %+v, %v; want two", out, err)
	}
	if last := out.Results[0]; *last.Status != "FAILED" || *last.FailureReason != "CouldNotDetermineMessageSource" {
		t.Errorf("last task = %+v, want FAILED: the message has no source", last)
	}
	if first := out.Results[1]; *first.Status != "COMPLETED" || first.ApproximateNumberOfMessagesMoved != 1 {
		t.Errorf("first task = %+v, want one message moved", first)
	}
	c.expectCounts("a failed move loses nothing", deadURL, "1/0/0")

	if _, ok := errors.AsType[*types.ResourceNotFoundException](start(&sdk.StartMessageMoveTaskInput{SourceArn: aws.String(dead + "er")})); !ok {
		t.Error("a source that is not there was not refused with ResourceNotFoundException")
	}
	expectCode(t, start(&sdk.StartMessageMoveTaskInput{SourceArn: &arn}), "InvalidParameterValue")
	expectCode(t, start(&sdk.StartMessageMoveTaskInput{SourceArn: &dead, MaxNumberOfMessagesPerSecond: aws.Int32(5)}),
		"AWS.SimpleQueueService.UnsupportedOperation")
}

// A long poll over HTTP, with the clock in the test's hand.
func TestLongPollOverHTTPFollowsTheClock(t *testing.T) {
	c := newCloud(t)
	url, arn := c.queue("orders", "DelaySeconds", "15")
	c.send(arn, "late")
	got := make(chan int)
	go func() {
		out, err := c.client.ReceiveMessage(t.Context(), &sdk.ReceiveMessageInput{QueueUrl: &url, WaitTimeSeconds: 20})
		if err != nil {
			t.Errorf("ReceiveMessage: %v", err)
			got <- 0
			return
		}
		got <- len(out.Messages)
	}()
	c.clock.Advance(seconds(15))
	if n := <-got; n != 1 {
		t.Errorf("the long poll got %d messages, want 1", n)
	}
}

// poll runs Receive in the background of a synctest bubble.
type poll struct {
	mu       sync.Mutex
	done     bool
	messages []sqs.Message
	err      error
}

func startPoll(ctx context.Context, s *sqs.Service, arn string, wait time.Duration) *poll {
	p := new(poll)
	go func() {
		messages, err := s.Receive(ctx, arn, 10, wait)
		p.mu.Lock()
		defer p.mu.Unlock()
		p.messages, p.err, p.done = messages, err, true
	}()
	synctest.Wait()
	return p
}

func (p *poll) expect(t *testing.T, when string, done bool, messages int) {
	t.Helper()
	synctest.Wait()
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.done != done || len(p.messages) != messages {
		t.Errorf("%s: done = %v with %d messages (%v), want %v with %d", when, p.done, len(p.messages), p.err, done, messages)
	}
}

// [WEB:sqs-short-and-long-polling].
func TestLongPolls(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, c := bubble(t)
		arn := s.queue("orders", "")

		empty := startPoll(t.Context(), s.Service, arn, seconds(20))
		time.Sleep(seconds(19))
		empty.expect(t, "after 19 s of nothing", false, 0)
		time.Sleep(seconds(1))
		empty.expect(t, "after 20 s of nothing", true, 0)
		if empty.err != nil {
			t.Errorf("an empty long poll: %v, want no error", empty.err)
		}

		waiting := startPoll(t.Context(), s.Service, arn, seconds(20))
		s.send(arn, "x")
		waiting.expect(t, "once a message is sent", true, 1)

		again := startPoll(t.Context(), s.Service, arn, time.Minute)
		c.Advance(seconds(29))
		again.expect(t, "while the message is hidden", false, 0)
		c.Advance(seconds(1))
		again.expect(t, "when it is visible again", true, 1)

		third := startPoll(t.Context(), s.Service, arn, seconds(20))
		if err := s.ChangeVisibility(arn, again.messages[0].ReceiptHandle, 0); err != nil {
			t.Fatal(err)
		}
		third.expect(t, "when it is released", true, 1)
	})
}

func TestALongPollEndsWithItsQueueItsContextOrTheService(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, _ := bubble(t)
		orders, other := s.queue("orders", ""), s.queue("other", "")
		ctx, cancel := context.WithCancel(t.Context())
		deleted := startPoll(t.Context(), s.Service, orders, seconds(20))
		cancelled := startPoll(ctx, s.Service, other, seconds(20))
		closed := startPoll(t.Context(), s.Service, other, seconds(20))

		s.call("DeleteQueue", `{"QueueUrl":"http://x/000000000000/orders"}`)
		cancel()
		synctest.Wait()
		s.Close()
		synctest.Wait()
		for _, tt := range []struct {
			poll *poll
			want error
		}{{deleted, sqs.ErrQueueNotFound}, {cancelled, context.Canceled}, {closed, sqs.ErrClosed}} {
			if !errors.Is(tt.poll.err, tt.want) {
				t.Errorf("error = %v, want %v", tt.poll.err, tt.want)
			}
		}
	})
}

// Two queues that are each other's dead-letter queue must not block each other,
// and a poller at one wakes for what the other buries.
func TestAPollerOfTheDeadLetterQueueWakes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, c := bubble(t)
		dead := s.queue("dead", "")
		arn := s.queue("orders", policy(dead, "1"))
		s.send(arn, "poison")
		startPoll(t.Context(), s.Service, arn, 0).expect(t, "first receive", true, 1)
		c.Advance(seconds(30))
		poller := startPoll(t.Context(), s.Service, dead, time.Minute)
		startPoll(t.Context(), s.Service, arn, 0).expect(t, "second receive", true, 0)
		poller.expect(t, "at the dead-letter queue", true, 1)
	})
}

// The whole of a fair queue in cloud time: a tenant whose few messages take long
// waits for the others [WEB:sqs-fair-queues-detailed].
func TestATenantThatTakesTheConsumersTimeWaits(t *testing.T) {
	c := newCloud(t)
	url, arn := c.queue("orders", "VisibilityTimeout", "600")
	send := func(group, body string) {
		t.Helper()
		in := &sdk.SendMessageInput{QueueUrl: &url, MessageBody: &body}
		if group != "" {
			in.MessageGroupId = &group
		}
		if _, err := c.client.SendMessage(t.Context(), in); err != nil {
			t.Fatal(err)
		}
	}
	process := func(body string, took time.Duration) {
		t.Helper()
		m := c.expect("processing", arn, body)[0]
		c.clock.Advance(took)
		if err := c.Delete(arn, m.ReceiptHandle); err != nil {
			t.Fatal(err)
		}
	}
	for range 4 {
		send("slow", "long")
		process("long", time.Minute)
		send("", "short")
		process("short", time.Minute)
	}
	send("slow", "long")
	send("fast", "waits least")
	c.expect("in the queue", arn, "waits least", "long")
}

// A consumer that is stopped in a long poll is no error in the log.
func TestALongPollWhoseClientHasGoneAnswersNothing(t *testing.T) {
	c := newCloud(t)
	url, _ := c.queue("orders")
	w := httptest.NewRecorder()
	r := httptest.NewRequestWithContext(ended(t), "POST", "/", strings.NewReader(`{"QueueUrl":"`+url+`","WaitTimeSeconds":20}`))
	r.Header.Set("X-Amz-Target", "AmazonSQS.ReceiveMessage")
	c.ServeHTTP(w, r)
	if w.Code != http.StatusOK || w.Body.String() != "{}" {
		t.Errorf("answer = %d %s, want 200 and no message", w.Code, w.Body)
	}
}
