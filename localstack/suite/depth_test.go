package suite

import (
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/sqs"
	sqstypes "github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"fanfare/shared/broadcast"
)

// AWS stops a chain in which one function runs 16 times, and counts in the trace
// header that SQS keeps with each message. A client's broadcast to more than one
// unit is the longest chain that Fanfare has: message, broadcast, deliver, each
// once. [LDG:invocation-recursion]
func TestAClientsBroadcastIsAChainOfThreeFunctions(t *testing.T) {
	s := beginAlone(t, ownAPI)
	c := s.dial("u", s.tenant)
	for i := range broadcast.UnitSize {
		s.ghost(fmt.Sprintf("Ghost%010d=", i), 2*time.Minute)
	}
	resume := s.pause(t, deliverer)
	c.ask(`{"action":"broadcast","to":{"tenant":true},"data":1}`, "accepted")
	units := s.peek(deliverer, 2)
	for _, u := range units {
		trace := u.Attributes[string(sqstypes.MessageSystemAttributeNameAWSTraceHeader)]
		runs := lineage(t, trace)
		total := 1 // that of the deliverer, which is next
		for _, n := range runs {
			total += n
		}
		if len(runs) != 2 || total != 3 {
			t.Errorf("unit with trace header %q: %d runs with the deliverer's, of %d functions before it; want 3 and 2", trace, total, len(runs))
		}
	}
	resume()
	c.message()
}

// peek waits for n messages of a paused function's queue and puts them back.
func (s *scenario) peek(function string, n int) (all []sqstypes.Message) {
	s.Helper()
	api, queue := s.sqs(), s.queueOf(function)
	s.eventually(func() string {
		out, err := api.ReceiveMessage(s.Context(), &sqs.ReceiveMessageInput{
			QueueUrl: &queue, MaxNumberOfMessages: 10, WaitTimeSeconds: 1,
			MessageSystemAttributeNames: []sqstypes.MessageSystemAttributeName{sqstypes.MessageSystemAttributeNameAWSTraceHeader},
		})
		if err != nil {
			s.Fatal(err)
		}
		if all = append(all, out.Messages...); len(all) < n {
			return fmt.Sprintf("%d messages for %s, want %d", len(all), function, n)
		}
		return ""
	})
	for _, m := range all {
		if _, err := api.ChangeMessageVisibility(s.Context(), &sqs.ChangeMessageVisibilityInput{QueueUrl: &queue, ReceiptHandle: m.ReceiptHandle, VisibilityTimeout: 0}); err != nil {
			s.Fatal(err)
		}
	}
	return all
}

// lineage reads how often each function has run in a chain of requests:
//
//	Root=1-5759e988-bd862e3fe1be46a994272793;Lineage=a87bd80c:1|68fd508a:5
func lineage(t *testing.T, trace string) map[string]int {
	t.Helper()
	plain, err := url.PathUnescape(trace) // SDKs write the bar as %7C
	if err != nil {
		t.Fatal(err)
	}
	runs := map[string]int{}
	for part := range strings.SplitSeq(plain, ";") {
		list, ok := strings.CutPrefix(part, "Lineage=")
		if !ok {
			continue
		}
		for hop := range strings.SplitSeq(list, "|") {
			name, count, _ := strings.Cut(hop, ":")
			n, err := strconv.Atoi(count)
			if err != nil {
				t.Fatalf("trace header %q: %v", trace, err)
			}
			runs[name] += n
		}
	}
	return runs
}
