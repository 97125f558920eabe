package emulator_test

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awslambda "github.com/aws/aws-sdk-go-v2/service/lambda"
	lambdatypes "github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"fanfare/localstack/emulator"
	"fanfare/localstack/lambda"
)

// source is a queue whose messages the test's function gets.
type source struct {
	*world
	queue string // URL
	uuid  string // of the mapping

	mu    sync.Mutex
	lines []string // of the function's log
}

func startSource(t *testing.T, in awslambda.CreateEventSourceMappingInput) *source {
	t.Helper()
	s := new(source)
	s.world = start(t, emulator.Options{FunctionLog: func(l lambda.LogLine) {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.lines = append(s.lines, l.Text)
	}})
	in.FunctionName = aws.String(s.deployFunction())
	s.queue = *must(sqs.NewFromConfig(s.config()).CreateQueue(t.Context(), &sqs.CreateQueueInput{QueueName: aws.String("work")})).QueueUrl
	in.EventSourceArn = aws.String("arn:aws:sqs:eu-west-1:000000000000:work")
	s.uuid = *must(awslambda.NewFromConfig(s.config()).CreateEventSourceMapping(t.Context(), &in)).UUID
	return s
}

func (s *source) update(in awslambda.UpdateEventSourceMappingInput) {
	in.UUID = &s.uuid
	must(awslambda.NewFromConfig(s.config()).UpdateEventSourceMapping(s.t.Context(), &in))
}

func (s *source) send(bodies ...string) {
	for _, body := range bodies {
		must(sqs.NewFromConfig(s.config()).SendMessage(s.t.Context(), &sqs.SendMessageInput{QueueUrl: &s.queue, MessageBody: &body}))
	}
}

// log returns the lines so far that begin with one of the prefixes.
func (s *source) log(prefixes ...string) []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var found []string
	for _, line := range s.lines {
		for _, prefix := range prefixes {
			if strings.HasPrefix(line, prefix) {
				found = append(found, line)
			}
		}
	}
	return found
}

// Messages that come within the window after the first go into one batch
// [LDG:with-sqs].
func TestABatchWindowGathersMessages(t *testing.T) {
	s := startSource(t, awslambda.CreateEventSourceMappingInput{BatchSize: aws.Int32(100), MaximumBatchingWindowInSeconds: aws.Int32(25)})
	for range 3 {
		s.send("ok")
	}
	api := sqs.NewFromConfig(s.config())
	eventually(t, func() string {
		a := must(api.GetQueueAttributes(t.Context(), &sqs.GetQueueAttributesInput{QueueUrl: &s.queue, AttributeNames: []sqsAttribute{"All"}})).Attributes
		if n := a["ApproximateNumberOfMessagesNotVisible"]; n != "3" {
			return n + " messages gathered"
		}
		return ""
	})
	if early := s.log("handled"); len(early) != 0 {
		t.Errorf("invoked before the window's end: %q", early)
	}
	s.cloud.Clock().Advance(26 * time.Second) // less than the visibility time-out
	eventually(t, func() string {
		if got := s.log("handled"); len(got) != 1 || got[0] != "handled  3" {
			return fmt.Sprintf("invokes %q, want one with all three", got)
		}
		return ""
	})
}

// A mapping has at most MaximumConcurrency invokes under way
// [LDG:services-sqs-scaling].
func TestMaximumConcurrencyBoundsTheInvokesOfAQueue(t *testing.T) {
	s := startSource(t, awslambda.CreateEventSourceMappingInput{
		BatchSize: aws.Int32(1), ScalingConfig: &lambdatypes.ScalingConfig{MaximumConcurrency: aws.Int32(2)},
	})
	const messages = 6
	for range messages {
		s.send("wait")
	}
	eventually(t, func() string {
		if n := len(s.log("END ")); n < messages {
			return fmt.Sprintf("%d invokes have ended", n)
		}
		return ""
	})
	now, most := 0, 0
	for _, line := range s.log("START ", "END ") {
		if strings.HasPrefix(line, "START") {
			now++
		} else {
			now--
		}
		most = max(most, now)
	}
	if most != 2 {
		t.Errorf("%d invokes at the same time, want 2", most)
	}
}

// Ten messages of 1 MB are more than one invoke takes [LDG:invocation-eventsourcemapping].
func TestLargeMessagesAreDeliveredInSeveralBatches(t *testing.T) {
	s := startSource(t, awslambda.CreateEventSourceMappingInput{BatchSize: aws.Int32(10), Enabled: aws.Bool(false)})
	for range 10 {
		s.send(strings.Repeat("x", 1<<20))
	}
	s.update(awslambda.UpdateEventSourceMappingInput{Enabled: aws.Bool(true)})
	eventually(t, func() string {
		a := must(sqs.NewFromConfig(s.config()).GetQueueAttributes(t.Context(), &sqs.GetQueueAttributesInput{QueueUrl: &s.queue, AttributeNames: []sqsAttribute{"All"}})).Attributes
		if waiting, inFlight := a["ApproximateNumberOfMessages"], a["ApproximateNumberOfMessagesNotVisible"]; waiting != "0" || inFlight != "0" {
			return waiting + " messages wait, " + inFlight + " in flight"
		}
		return ""
	})
	if got := s.log("handled"); len(got) != 2 {
		t.Errorf("invokes %q, want two", got)
	}
}

// The invokes of a poller that a change has replaced count for the mapping's
// concurrency, and its cloud waits for them.
func TestAReplacedPollersInvokesCount(t *testing.T) {
	s := startSource(t, awslambda.CreateEventSourceMappingInput{
		BatchSize: aws.Int32(1), ScalingConfig: &lambdatypes.ScalingConfig{MaximumConcurrency: aws.Int32(2)},
	})
	for range 6 {
		s.send("wait")
	}
	for n := range 2 {
		eventually(t, func() string {
			if len(s.log("START ")) < 2*n+2 {
				return "not under way"
			}
			return ""
		})
		s.update(awslambda.UpdateEventSourceMappingInput{BatchSize: aws.Int32(1)})
	}
	s.update(awslambda.UpdateEventSourceMappingInput{Enabled: aws.Bool(false)})
	if err := s.cloud.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	now, most := 0, 0
	for _, line := range s.log("START ", "REPORT ") {
		if strings.HasPrefix(line, "START") {
			now++
		} else {
			now--
		}
		if most = max(most, now); strings.Contains(line, "Status: error") {
			t.Errorf("an invoke was cut off: %s", line)
		}
	}
	if most != 2 || now != 0 {
		t.Errorf("%d invokes at the same time, want 2; %d have not ended", most, now)
	}
}

func TestAMappingGoesOnWhenItsQueueReturns(t *testing.T) {
	s := startSource(t, awslambda.CreateEventSourceMappingInput{BatchSize: aws.Int32(1)})
	api := sqs.NewFromConfig(s.config())
	must(api.DeleteQueue(t.Context(), &sqs.DeleteQueueInput{QueueUrl: &s.queue}))
	eventually(t, func() string {
		if !strings.Contains(s.world.log.String(), "event source cannot read its queue") {
			return "nobody was told"
		}
		return ""
	})
	s.queue = *must(api.CreateQueue(t.Context(), &sqs.CreateQueueInput{QueueName: aws.String("work")})).QueueUrl
	s.send("ok")
	eventually(t, func() string {
		if len(s.log("handled")) == 0 {
			return "the message was not handled"
		}
		return ""
	})
}
