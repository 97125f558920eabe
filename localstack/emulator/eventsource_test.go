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
	must(awslambda.NewFromConfig(s.config()).CreateEventSourceMapping(t.Context(), &in))
	return s
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
