package emulator

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"fanfare/localstack/lambda"
	"fanfare/localstack/sqs"
)

func newTestPoller(t *testing.T) *poller {
	t.Helper()
	functions := lambda.New(lambda.Options{})
	t.Cleanup(func() { _ = functions.Close() })
	return &poller{
		cloud: &Emulator{lambda: functions}, log: slog.New(slog.DiscardHandler),
		mapping: lambda.Mapping{FunctionARN: "arn:aws:lambda:eu-west-1:000000000000:function:f"},
	}
}

// bodies are those of the events that batches make, which must be as small as
// an invoke takes.
func bodies(t *testing.T, batches []*sourceBatch) (all [][]string) {
	t.Helper()
	for _, b := range batches {
		var event struct{ Records []struct{ Body string } }
		if err := json.Unmarshal(b.event(), &event); err != nil {
			t.Fatal(err)
		}
		if n := len(b.event()); n > maxSourceEvent {
			t.Errorf("an event of %d bytes", n)
		}
		if len(event.Records) != len(b.messages) {
			t.Errorf("%d records of %d messages", len(event.Records), len(b.messages))
		}
		var some []string
		for _, r := range event.Records {
			some = append(some, r.Body)
		}
		all = append(all, some)
	}
	return all
}

// A batch ends at 6 MB, as they are sent: a quote takes two bytes
// [LDG:invocation-eventsourcemapping].
func TestABatchEndsAtThePayloadsLimit(t *testing.T) {
	for what, tt := range map[string]struct {
		body string
		want []int
	}{
		"small ones stay together":   {"x", []int{10}},
		"1 MB each":                  {strings.Repeat("x", 1<<20), []int{5, 5}},
		"1 MB of quotes each":        {strings.Repeat(`"`, 1<<20), []int{2, 2, 2, 2, 2}},
		"1 MB of angle brackets":     {strings.Repeat("<", 1<<20), []int{5, 5}},
		"1 MB of line separators":    {strings.Repeat("\u2028", 1<<20/3), []int{2, 2, 2, 2, 2}},
		"what just fits in an event": {strings.Repeat("x", 600_000), []int{10}},
	} {
		t.Run(what, func(t *testing.T) {
			messages := make([]sqs.Message, 10)
			for i := range messages {
				messages[i] = sqs.Message{MessageID: fmt.Sprint(i), Body: tt.body}
			}
			var got []int
			for _, some := range bodies(t, newTestPoller(t).divide(messages)) {
				got = append(got, len(some))
				if some[0] != tt.body {
					t.Error("another body")
				}
			}
			if fmt.Sprint(got) != fmt.Sprint(tt.want) {
				t.Errorf("events of %v messages, want %v", got, tt.want)
			}
		})
	}
}

// AWS counts the runs in each chain for itself [LDG:invocation-recursion]: a
// message is not counted with the runs of another's chain.
func TestABatchDoesNotMixChainsOfRequests(t *testing.T) {
	header := func(trace string) map[string]string { return map[string]string{"AWSTraceHeader": trace} }
	batches := newTestPoller(t).divide([]sqs.Message{
		{Body: "a"},
		{Body: "b", Attributes: header("Root=1;Lineage=a87bd80c:1|68fd508a:5")},
		{Body: "c", Attributes: header("Root=2")},
		{Body: "d", Attributes: header("Root=3;Lineage=a87bd80c:2|68fd508a:5")},
		{Body: "e", Attributes: header("Root=4;Lineage=a87bd80c:1%7C68fd508a:5")},
		{Body: "f"},
	})
	if got := fmt.Sprint(bodies(t, batches)); got != "[[a c f] [b e] [d]]" {
		t.Errorf("batches %s", got)
	}
	if got := batches[1].trace; got != "Root=1;Lineage=a87bd80c:1|68fd508a:5" {
		t.Errorf("trace %s", got)
	}
}
