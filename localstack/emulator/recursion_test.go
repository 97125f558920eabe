package emulator_test

import (
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"fanfare/localstack/emulator"
)

// A function that sends what it gets to the queue it gets it from runs 16 times:
// the SDK in it passes the trace header on, which carries the count. The message
// of the 17th ends in the dead-letter queue [LDG:invocation-recursion].
func TestALoopThroughAQueueStopsAfter16Runs(t *testing.T) {
	w := start(t, emulator.Options{})
	ctx := t.Context()
	function := w.deployFunction()
	api := sqs.NewFromConfig(w.config())
	dead := must(api.CreateQueue(ctx, &sqs.CreateQueueInput{QueueName: aws.String("dead")}))
	queue := must(api.CreateQueue(ctx, &sqs.CreateQueueInput{QueueName: aws.String("loop"), Attributes: map[string]string{
		"RedrivePolicy": `{"deadLetterTargetArn":"arn:aws:sqs:eu-west-1:000000000000:dead","maxReceiveCount":1}`,
	}}))
	must(lambda.NewFromConfig(w.config()).CreateEventSourceMapping(ctx, &lambda.CreateEventSourceMappingInput{
		EventSourceArn: aws.String("arn:aws:sqs:eu-west-1:000000000000:loop"), FunctionName: &function,
	}))
	must(api.SendMessage(ctx, &sqs.SendMessageInput{QueueUrl: queue.QueueUrl, MessageBody: aws.String("pass on to " + *queue.QueueUrl)}))

	eventually(t, func() string {
		if log := w.log.String(); !strings.Contains(log, "recursive loop stopped") {
			return "the loop goes on: " + log
		}
		return ""
	})
	w.cloud.Clock().Advance(31 * time.Second) // its visibility time-out
	eventually(t, func() string {
		out := must(api.ReceiveMessage(ctx, &sqs.ReceiveMessageInput{QueueUrl: dead.QueueUrl}))
		if len(out.Messages) == 0 {
			return "nothing in the dead-letter queue"
		}
		return ""
	})
	out := must(cloudwatchlogs.NewFromConfig(w.config()).FilterLogEvents(ctx, &cloudwatchlogs.FilterLogEventsInput{
		LogGroupName: aws.String("/aws/lambda/echo"), FilterPattern: aws.String("handled"),
	}))
	if runs := len(out.Events); runs != 16 {
		t.Errorf("%d runs, want 16", runs)
	}
}
