package suite

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	sqstypes "github.com/aws/aws-sdk-go-v2/service/sqs/types"
)

// The functions behind the two queues, which are named after them.
const (
	broadcaster = "fanfare-broadcast"
	deliverer   = "fanfare-deliver"
)

// queueOf is the URL of the queue that a function reads.
func (s *scenario) queueOf(function string) string {
	return strings.TrimSuffix(s.stack.Outputs.BroadcastQueueURL, broadcaster) + function
}

// pause keeps a function from reading its queue until resume, or the test's end.
func (s *scenario) pause(t *testing.T, function string) (resume func()) {
	t.Helper()
	api := lambda.NewFromConfig(s.config())
	alias := function + ":live" // which the queue's event source calls
	found, err := api.ListEventSourceMappings(t.Context(), &lambda.ListEventSourceMappingsInput{FunctionName: &alias})
	if err != nil || len(found.EventSourceMappings) != 1 {
		t.Fatalf("event sources of %s: %+v, error %v; want one", function, found, err)
	}
	id := found.EventSourceMappings[0].UUID
	s.enable(t, api, id, false)
	resume = func() { s.enable(t, api, id, true) }
	t.Cleanup(resume)
	return resume
}

func (s *scenario) enable(t *testing.T, api *lambda.Client, id *string, on bool) {
	t.Helper()
	ctx := context.WithoutCancel(t.Context()) // it has ended in the clean-up
	if _, err := api.UpdateEventSourceMapping(ctx, &lambda.UpdateEventSourceMappingInput{UUID: id, Enabled: &on}); err != nil {
		t.Fatal(err)
	}
	want := map[bool]string{true: "Enabled", false: "Disabled"}[on]
	s.eventually(func() string {
		out, err := api.GetEventSourceMapping(ctx, &lambda.GetEventSourceMappingInput{UUID: id})
		if err != nil || aws.ToString(out.State) != want {
			return fmt.Sprintf("event source %+v, error %v; want %s", out, err, want)
		}
		return ""
	})
}

// redeliverSoon makes what a killed function held visible after seconds, not
// minutes, until the test's end.
func (s *scenario) redeliverSoon(function string) {
	s.Helper()
	api, url := s.sqs(), s.queueOf(function)
	const visibility = sqstypes.QueueAttributeNameVisibilityTimeout
	was, err := api.GetQueueAttributes(s.Context(), &sqs.GetQueueAttributesInput{QueueUrl: &url, AttributeNames: []sqstypes.QueueAttributeName{visibility}})
	if err != nil {
		s.Fatal(err)
	}
	ctx := context.WithoutCancel(s.Context()) // it has ended in the clean-up
	set := func(seconds string) {
		_, err := api.SetQueueAttributes(ctx, &sqs.SetQueueAttributesInput{QueueUrl: &url, Attributes: map[string]string{string(visibility): seconds}})
		if err != nil {
			s.Error(err)
		}
	}
	set("4")
	s.Cleanup(func() { set(was.Attributes[string(visibility)]) })
}

// left is how many messages a function's queue holds, those in flight included.
func (s *scenario) left(function string) (n int) {
	s.Helper()
	url := s.queueOf(function)
	out, err := s.sqs().GetQueueAttributes(s.Context(), &sqs.GetQueueAttributesInput{QueueUrl: &url, AttributeNames: []sqstypes.QueueAttributeName{
		sqstypes.QueueAttributeNameApproximateNumberOfMessages, sqstypes.QueueAttributeNameApproximateNumberOfMessagesNotVisible,
	}})
	if err != nil {
		s.Fatal(err)
	}
	for name, text := range out.Attributes {
		m, err := strconv.Atoi(text)
		if err != nil {
			s.Fatalf("%s of %s is %q", name, function, text)
		}
		n += m
	}
	return n
}
