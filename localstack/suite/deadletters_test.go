package suite

import (
	"context"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	sqstypes "github.com/aws/aws-sdk-go-v2/service/sqs/types"
)

// A RedriveAllowPolicy takes away and gives nothing: without it every queue of the
// account could use our dead letters, in which somebody looks for our messages.
func TestDeadLetterQueuesTakeOnlyTheirOwnQueues(t *testing.T) {
	s := beginAlone(t, ownProcess)
	api := s.sqs()
	for _, function := range []string{broadcaster, deliverer} {
		out, err := api.GetQueueAttributes(t.Context(), &sqs.GetQueueAttributesInput{
			QueueUrl: aws.String(s.queueOf(function)), AttributeNames: []sqstypes.QueueAttributeName{"RedrivePolicy"},
		})
		if err != nil {
			t.Fatal(err)
		}
		redrive := map[string]string{"RedrivePolicy": out.Attributes["RedrivePolicy"]}
		name := "stranger-to-" + function
		_, err = api.CreateQueue(t.Context(), &sqs.CreateQueueInput{QueueName: &name, Attributes: redrive})
		if err == nil || !strings.Contains(err.Error(), "RedriveAllowPolicy") {
			t.Errorf("a queue that is not ours sends to the dead letters of %s: %v", function, err)
		}
		if _, err := api.SetQueueAttributes(t.Context(), &sqs.SetQueueAttributesInput{QueueUrl: aws.String(s.queueOf(function)), Attributes: redrive}); err != nil {
			t.Errorf("%s itself: %v", function, err)
		}
		s.dropQueue(name)
	}
}

// dropQueue takes away what a failed test has made.
func (s *scenario) dropQueue(name string) {
	ctx := context.WithoutCancel(s.Context())
	if out, err := s.sqs().GetQueueUrl(ctx, &sqs.GetQueueUrlInput{QueueName: &name}); err == nil {
		if _, err := s.sqs().DeleteQueue(ctx, &sqs.DeleteQueueInput{QueueUrl: out.QueueUrl}); err != nil {
			s.Error(err)
		}
	}
}
