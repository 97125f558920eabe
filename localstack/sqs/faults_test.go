package sqs_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"fanfare/localstack/awsproto"
	"fanfare/localstack/faults"
	"fanfare/localstack/sqs"
)

func faulty(t *testing.T, rule faults.Rule) *faults.Set {
	t.Helper()
	set := faults.New(1)
	rule.Service = "sqs"
	if _, err := set.Add(rule); err != nil {
		t.Fatal(err)
	}
	return set
}

func TestADelayFaultMakesEachMessageOfAQueueLate(t *testing.T) {
	c := newCloud(t, func(o *sqs.Options) {
		o.Faults = faulty(t, faults.Rule{Operation: "SendMessage", Resource: "orders", After: 1, Fault: faults.Fault{Delay: time.Minute}})
	})
	url, arn := c.queue("orders")
	_, other := c.queue("other")
	c.send(other, "of another queue")
	if _, err := c.client.SendMessageBatch(t.Context(), &sdk.SendMessageBatchInput{QueueUrl: &url, Entries: []types.SendMessageBatchRequestEntry{
		{Id: aws.String("a"), MessageBody: aws.String("before the fault")},
		{Id: aws.String("b"), MessageBody: aws.String("late")},
		{Id: aws.String("c"), MessageBody: aws.String("later"), DelaySeconds: 5},
	}}); err != nil {
		t.Fatal(err)
	}
	c.expect("at once", other, "of another queue")
	c.expect("at once", arn, "before the fault")
	c.expectCounts("at once", url, "0/1/2")
	c.clock.Advance(time.Minute)
	c.expect("after the fault's delay", arn, "before the fault", "late")
	c.clock.Advance(5 * time.Second)
	c.expect("after both delays", arn, "later")
}

func TestAReceiveFaultReachesEventSources(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := sqs.New(sqs.Options{Faults: faulty(t, faults.Rule{Operation: "ReceiveMessage",
			Fault: faults.Fault{Latency: time.Second, Status: 503, Code: "ServiceUnavailable", Message: "on purpose"}})})
		arn := local{s, t}.queue("orders", "")

		start := time.Now()
		_, err := s.Receive(t.Context(), arn, 10, 0)
		e, ok := errors.AsType[*awsproto.Error](err)
		if !ok || e.Status != 503 || e.Code != "ServiceUnavailable" || e.Message != "on purpose" {
			t.Errorf("Receive = %v, want the rule's error", err)
		}
		if got := time.Since(start); got != time.Second {
			t.Errorf("Receive took %v, want the rule's second", got)
		}

		ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
		defer cancel()
		if _, err := s.Receive(ctx, arn, 10, 0); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Receive whose context ends = %v, want its error", err)
		}
	})
}
