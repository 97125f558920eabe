package conformance

import (
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	sqstypes "github.com/aws/aws-sdk-go-v2/service/sqs/types"
)

func TestEventSources(t *testing.T) { check(t, eventSourceClaims) }

var eventSourceClaims = []claim{
	{says: "the SQS event has AWS's fields, no more and no fewer", sources: "[LDG:with-sqs]", test: sourceEvent},
	{says: "messages are deleted when the function has succeeded", sources: "[LDG:with-sqs]", test: sourceDeletes},
	{says: "messages of a function that has failed come again after the visibility time-out, all of them", sources: "[LDG:with-sqs]", test: sourceFails},
	{says: "with ReportBatchItemFailures only what is named comes again", sources: "[LDG:services-sqs-errorhandling]", test: sourcePartial},
	{says: "a batch item failure without an identifier fails the whole batch", sources: "[LDG:services-sqs-errorhandling]", test: sourceMalformed},
	{says: "without ReportBatchItemFailures a partial answer counts as success", sources: "[LDG:services-sqs-errorhandling]", test: sourceNotReporting},
	{says: "what fails maxReceiveCount times goes to the dead-letter queue", sources: "[LDG:with-sqs]", test: sourceRedrive},
	{says: "a batch is handed over when it is full, before its window ends", sources: "[LDG:with-sqs]", test: sourceFullBatch},
	{says: "a batch that is not full is handed over when its window ends", sources: "[LDG:with-sqs]", test: sourceWindow},
	{says: "a batch ends at 6 MB of payload, the rest goes into the next", sources: "[LDG:invocation-eventsourcemapping]", test: sourceLargeBatch},
	{says: "messages of one batch whose chains of requests differ come in invokes of their own", sources: "[LDG:invocation-recursion]", unverified: true, test: sourceChains},
	{says: "MaximumConcurrency bounds the invokes at the same time", sources: "[LDG:with-sqs]", test: sourceConcurrency},
	{says: "a disabled mapping takes nothing", sources: "[BOTO:lambda UpdateEventSourceMapping]", test: sourceDisabled},
	refusesMapping("a queue whose visibility time-out is below the function's is refused", "[LDG:with-sqs]", "InvalidParameterValueException",
		func(t *testing.T, c *cloud, in *lambda.CreateEventSourceMappingInput) {
			in.EventSourceArn = aws.String(c.newQueue(t, map[string]string{"VisibilityTimeout": "19"}).arn)
		}),
	refusesMapping("a queue that does not exist is refused", "[BOTO:lambda CreateEventSourceMapping]", "InvalidParameterValueException",
		func(_ *testing.T, _ *cloud, in *lambda.CreateEventSourceMappingInput) {
			in.EventSourceArn = aws.String("arn:aws:sqs:" + region + ":" + account + ":nobody")
		}),
	refusesMapping("a function that does not exist is ResourceNotFoundException", "[BOTO:lambda CreateEventSourceMapping]", "ResourceNotFoundException",
		func(_ *testing.T, _ *cloud, in *lambda.CreateEventSourceMappingInput) {
			in.FunctionName = aws.String("nobody")
		}),
	refusesMapping("a batch size above 10 needs a window", "[LDG:with-sqs]", "InvalidParameterValueException",
		func(_ *testing.T, _ *cloud, in *lambda.CreateEventSourceMappingInput) { in.BatchSize = aws.Int32(11) }),
	refusesMapping("a batch size above 10,000 is refused", "[LDG:with-sqs]", "ValidationException",
		func(_ *testing.T, _ *cloud, in *lambda.CreateEventSourceMappingInput) {
			in.BatchSize, in.MaximumBatchingWindowInSeconds = aws.Int32(10001), aws.Int32(1)
		}),
	refusesMapping("a window above 300 seconds is refused", "[LDG:with-sqs]", "ValidationException",
		func(_ *testing.T, _ *cloud, in *lambda.CreateEventSourceMappingInput) {
			in.MaximumBatchingWindowInSeconds = aws.Int32(301)
		}),
	refusesMapping("a MaximumConcurrency below 2 is refused", "[LDG:with-sqs]", "ValidationException",
		func(_ *testing.T, _ *cloud, in *lambda.CreateEventSourceMappingInput) {
			in.ScalingConfig = &types.ScalingConfig{MaximumConcurrency: aws.Int32(1)}
		}),
	{says: "a second mapping of the same queue and function is ResourceConflictException", sources: "[BOTO:lambda CreateEventSourceMapping]", test: sourceTwice},
}

// mapping is a function that reads a queue.
type mapping struct {
	queue
	*actor
	uuid string
}

// mapQueue lets the shared function read the queue.
func mapQueue(t *testing.T, q queue, change func(*lambda.CreateEventSourceMappingInput), do func(call) order) mapping {
	t.Helper()
	a := director.cast(t, q.arn, do)
	in := &lambda.CreateEventSourceMappingInput{EventSourceArn: &q.arn, FunctionName: &q.function}
	if change != nil {
		change(in)
	}
	out := must(q.lambda.CreateEventSourceMapping(t.Context(), in))(t)
	return mapping{q, a, *out.UUID}
}

func reports(in *lambda.CreateEventSourceMappingInput) {
	in.FunctionResponseTypes = []types.FunctionResponseType{types.FunctionResponseTypeReportBatchItemFailures}
}

func sourceEvent(t *testing.T) {
	q := shared(t).newQueue(t, nil)
	m := mapQueue(t, q, nil, nil)
	must(q.cloud.sqs.SendMessage(t.Context(), &sqs.SendMessageInput{
		QueueUrl: &q.url, MessageBody: aws.String("hello"),
		MessageAttributes: map[string]sqstypes.MessageAttributeValue{"colour": {DataType: aws.String("String"), StringValue: aws.String("blue")}},
	}))(t)
	golden(t, "sqs.json", m.next("batch").Event)
}

func sourceDeletes(t *testing.T) {
	m := mapQueue(t, shared(t).newQueue(t, nil), nil, nil)
	m.send(t, "one", "two")
	for seen := 0; seen < 2; {
		seen += len(m.next("batch").Records)
	}
	m.becomes(t, "0 waiting, 0 in flight")
}

// failing plays a function that reports these bodies as failed.
func failing(bodies ...string) func(call) order {
	return func(c call) order {
		failures := []map[string]string{}
		for _, r := range c.Records {
			for _, body := range bodies {
				if r.Body == body {
					failures = append(failures, map[string]string{"itemIdentifier": r.MessageID})
				}
			}
		}
		return order{Answer: map[string]any{"batchItemFailures": failures}}
	}
}

// settled waits until the queue's function has seen these bodies and the queue
// has come to rest, and returns how often each was seen.
func (m mapping) settled(t *testing.T, state string) map[string]int {
	t.Helper()
	m.becomes(t, state)
	seen := map[string]int{}
	for {
		select {
		case c := <-m.of("batch"):
			for _, r := range c.Records {
				seen[r.Body]++
			}
		default:
			return seen
		}
	}
}

func sourceFails(t *testing.T) {
	var works atomic.Bool
	m := mapQueue(t, fresh(t).newQueue(t, nil), nil, func(call) order {
		if works.Load() {
			return ok("")
		}
		return order{Error: "not today"}
	})
	m.send(t, "one", "two")
	m.becomes(t, "0 waiting, 2 in flight")
	for seen := 0; seen < 2; {
		seen += len(m.next("batch").Records)
	}
	works.Store(true)
	m.Clock().Advance(31 * time.Second)
	if seen := m.settled(t, "0 waiting, 0 in flight"); seen["one"] != 1 || seen["two"] != 1 {
		t.Errorf("after the time-out came %v", seen)
	}
}

func sourcePartial(t *testing.T) {
	m := mapQueue(t, fresh(t).newQueue(t, nil), reports, failing("bad"))
	m.send(t, "good", "bad", "also good")
	for seen := 0; seen < 3; {
		seen += len(m.next("batch").Records)
	}
	m.becomes(t, "0 waiting, 1 in flight")
	m.Clock().Advance(31 * time.Second)
	if again := m.next("batch"); len(again.Records) != 1 || again.Records[0].Body != "bad" || again.Records[0].Attributes["ApproximateReceiveCount"] != "2" {
		t.Errorf("again came %s", again.Event)
	}
}

func sourceMalformed(t *testing.T) {
	m := mapQueue(t, shared(t).newQueue(t, map[string]string{"VisibilityTimeout": "600"}), func(in *lambda.CreateEventSourceMappingInput) {
		reports(in)
		in.BatchSize = aws.Int32(1)
	}, func(c call) order {
		if c.Records[0].Body == "good" {
			return order{Answer: map[string]any{"batchItemFailures": []any{}}}
		}
		return order{Answer: map[string]any{"batchItemFailures": []any{map[string]string{"itemIdentifier": ""}}}}
	})
	m.send(t, "malformed", "good")
	m.next("batch")
	m.next("batch")
	m.becomes(t, "0 waiting, 1 in flight")
}

func sourceNotReporting(t *testing.T) {
	m := mapQueue(t, shared(t).newQueue(t, nil), nil, failing("bad"))
	m.send(t, "bad")
	m.next("batch")
	m.becomes(t, "0 waiting, 0 in flight")
}

func sourceRedrive(t *testing.T) {
	work, dead := fresh(t).withDeadLetters(t, "2", "30")
	m := mapQueue(t, work, nil, func(call) order { return order{Error: "not today"} })
	m.send(t, "poison")
	for range 2 {
		m.next("batch")
		m.becomes(t, "0 waiting, 1 in flight")
		m.Clock().Advance(31 * time.Second)
	}
	dead.becomes(t, "1 waiting, 0 in flight")
	m.becomes(t, "0 waiting, 0 in flight")
	m.never("batch")
}

func windowed(size, seconds int32) func(*lambda.CreateEventSourceMappingInput) {
	return func(in *lambda.CreateEventSourceMappingInput) {
		in.BatchSize, in.MaximumBatchingWindowInSeconds = &size, &seconds
	}
}

func sourceFullBatch(t *testing.T) {
	m := mapQueue(t, shared(t).newQueue(t, map[string]string{"VisibilityTimeout": "600"}), windowed(3, 300), nil)
	m.send(t, "one", "two", "three")
	if got := m.next("batch"); len(got.Records) != 3 {
		t.Errorf("%d messages came", len(got.Records))
	}
}

func sourceWindow(t *testing.T) {
	m := mapQueue(t, fresh(t).newQueue(t, map[string]string{"VisibilityTimeout": "3600"}), windowed(10, 200), nil)
	m.send(t, "one", "two")
	m.becomes(t, "0 waiting, 2 in flight")
	m.Clock().Advance(100 * time.Second)
	m.never("batch")
	// The window began a moment after the first message was taken.
	eventually(t, func() string {
		m.Clock().Advance(101 * time.Second)
		select {
		case got := <-m.of("batch"):
			if len(got.Records) != 2 {
				t.Errorf("%d messages came", len(got.Records))
			}
			return ""
		default:
			return "nothing came after the window"
		}
	})
}

func sourceLargeBatch(t *testing.T) {
	q := shared(t).newQueue(t, map[string]string{"VisibilityTimeout": "600"})
	m := mapQueue(t, q, windowed(8, 1), nil)
	for range 8 {
		m.send(t, strings.Repeat("x", 1<<20))
	}
	seen := 0
	for seen < 8 {
		n := len(m.next("batch").Records)
		if n > 5 {
			t.Errorf("%d MB in one event", n)
		}
		seen += n
	}
	m.becomes(t, "0 waiting, 0 in flight")
}

// sourceChains sends a message of a long chain with one of none. One event for
// both would have to count the runs of the one, or forget them.
func sourceChains(t *testing.T) {
	m := mapQueue(t, shared(t).newQueue(t, map[string]string{"VisibilityTimeout": "600"}), windowed(2, 300), nil)
	const chain = "Root=1-5759e988-bd862e3fe1be46a994272793;Lineage=a87bd80c:15"
	must(m.cloud.sqs.SendMessage(t.Context(), &sqs.SendMessageInput{
		QueueUrl: &m.url, MessageBody: aws.String("late"),
		MessageSystemAttributes: map[string]sqstypes.MessageSystemAttributeValue{"AWSTraceHeader": {DataType: aws.String("String"), StringValue: aws.String(chain)}},
	}))(t)
	m.send(t, "fresh")
	for range 2 {
		got := m.next("batch")
		if len(got.Records) != 1 {
			t.Fatalf("%d messages in one event", len(got.Records))
		}
		if counted := strings.Contains(got.Trace, "a87bd80c:15"); counted != (got.Records[0].Body == "late") {
			t.Errorf("%s has the trace %s", got.Records[0].Body, got.Trace)
		}
	}
}

func sourceConcurrency(t *testing.T) {
	var running, most atomic.Int64
	g := newGate(t)
	m := mapQueue(t, shared(t).newQueue(t, nil), func(in *lambda.CreateEventSourceMappingInput) {
		in.BatchSize, in.ScalingConfig = aws.Int32(1), &types.ScalingConfig{MaximumConcurrency: aws.Int32(2)}
	}, func(c call) order {
		now := running.Add(1)
		for before := most.Load(); now > before && !most.CompareAndSwap(before, now); before = most.Load() {
		}
		g.hold(c)
		running.Add(-1)
		return ok("")
	})
	m.send(t, strings.Split("abcdef", "")...)
	g.wait(t)
	g.wait(t)
	m.becomes(t, "4 waiting, 2 in flight")
	g.open()
	m.becomes(t, "0 waiting, 0 in flight")
	if most.Load() != 2 {
		t.Errorf("%d invokes at the same time", most.Load())
	}
}

func sourceDisabled(t *testing.T) {
	m := mapQueue(t, shared(t).newQueue(t, nil), func(in *lambda.CreateEventSourceMappingInput) { in.Enabled = aws.Bool(false) }, nil)
	m.send(t, "waits")
	if got := m.state(t); got != "1 waiting, 0 in flight" {
		t.Errorf("disabled: %s", got)
	}
	must(m.lambda.UpdateEventSourceMapping(t.Context(), &lambda.UpdateEventSourceMappingInput{UUID: &m.uuid, Enabled: aws.Bool(true)}))(t)
	m.next("batch")
	m.becomes(t, "0 waiting, 0 in flight")
}

// refusesMapping claims that a mapping which is right but for one thing is
// refused with the code.
func refusesMapping(says, sources, code string, spoil func(*testing.T, *cloud, *lambda.CreateEventSourceMappingInput)) claim {
	return claim{says: "CreateEventSourceMapping: " + says, sources: sources, test: func(t *testing.T) {
		c := shared(t)
		in := &lambda.CreateEventSourceMappingInput{EventSourceArn: aws.String(c.newQueue(t, nil).arn), FunctionName: &c.function}
		spoil(t, c, in)
		_, err := c.lambda.CreateEventSourceMapping(t.Context(), in)
		wantCode(t, err, code)
	}}
}

func sourceTwice(t *testing.T) {
	m := mapQueue(t, shared(t).newQueue(t, nil), nil, nil)
	_, err := m.lambda.CreateEventSourceMapping(t.Context(), &lambda.CreateEventSourceMappingInput{EventSourceArn: &m.arn, FunctionName: &m.function})
	wantCode(t, err, "ResourceConflictException")
	if err == nil || !strings.Contains(fmt.Sprint(err), m.uuid) {
		t.Errorf("the error does not name the mapping: %v", err)
	}
}
