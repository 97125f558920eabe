package queue_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"fanfare/shared/broadcast"
	"fanfare/shared/queue"
)

// visibility records which messages were made visible again, or fails.
type visibility struct {
	receipts []string
	err      error
}

func (v *visibility) ChangeMessageVisibility(ctx context.Context, in *sqs.ChangeMessageVisibilityInput, _ ...func(*sqs.Options)) (*sqs.ChangeMessageVisibilityOutput, error) {
	if *in.QueueUrl != queueURL || in.VisibilityTimeout != 0 {
		return nil, fmt.Errorf("queue %s, time-out %d", *in.QueueUrl, in.VisibilityTimeout)
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	v.receipts = append(v.receipts, *in.ReceiptHandle)
	return &sqs.ChangeMessageVisibilityOutput{}, v.err
}

// handling is a batch of messages, each handled by the function of its id.
type handling struct {
	api  visibility
	log  bytes.Buffer
	resp events.SQSEventResponse
}

func (h *handling) run(ctx context.Context, t *testing.T, ids []string, each func(context.Context, events.SQSMessage) error) {
	t.Helper()
	var event events.SQSEvent
	for _, id := range ids {
		event.Records = append(event.Records, events.SQSMessage{
			MessageId: id, ReceiptHandle: "receipt of " + id, Body: "the body is a secret",
			Attributes: map[string]string{"ApproximateReceiveCount": "3"},
		})
	}
	var err error
	h.resp, err = queue.NewBatch(&h.api, queueURL, slog.New(slog.NewTextHandler(&h.log, nil))).Handle(ctx, event, each)
	if err != nil {
		t.Fatalf("Handle: %v; an error would bring the whole batch back", err)
	}
	if strings.Contains(h.log.String(), "secret") {
		t.Errorf("the log holds a body: %s", h.log.String())
	}
}

func (h *handling) failed() (ids []string) {
	for _, f := range h.resp.BatchItemFailures {
		ids = append(ids, f.ItemIdentifier)
	}
	return ids
}

func TestAllOfABatchMaySucceed(t *testing.T) {
	var h handling
	var seen []string
	h.run(t.Context(), t, []string{"a", "b"}, func(_ context.Context, m events.SQSMessage) error {
		seen = append(seen, m.MessageId)
		return nil
	})
	if !slices.Equal(seen, []string{"a", "b"}) || h.failed() != nil || h.log.Len() != 0 {
		t.Errorf("saw %v, failed %v, log %s", seen, h.failed(), h.log.String())
	}
}

func TestWhatFailsOfABatchIsReportedAndTheRestIsDone(t *testing.T) {
	var h handling
	var seen []string
	h.run(t.Context(), t, []string{"a", "late", "b", "panics", "c"}, func(_ context.Context, m events.SQSMessage) error {
		switch seen = append(seen, m.MessageId); m.MessageId {
		case "late":
			return fmt.Errorf("unit 3: %w", broadcast.ErrUnfinished)
		case "panics":
			var none []int
			_ = none[len(seen)]
		}
		return nil
	})
	if len(seen) != 5 || !slices.Equal(h.failed(), []string{"late", "panics"}) {
		t.Errorf("saw %v, failed %v", seen, h.failed())
	}
	if len(h.api.receipts) != 0 {
		t.Errorf("%v come again at once; they must wait", h.api.receipts)
	}
	for _, part := range []string{"sqsMessageId=late", "receiveCount=3", "unfinished", "sqsMessageId=panics", "index out of range", "batch_test.go"} {
		if !strings.Contains(h.log.String(), part) {
			t.Errorf("the log lacks %s: %s", part, h.log.String())
		}
	}
}

func TestAMalformedMessageIsMadeVisibleAtOnce(t *testing.T) {
	var h handling
	h.run(t.Context(), t, []string{"a", "bad"}, func(_ context.Context, m events.SQSMessage) error {
		if m.MessageId != "bad" {
			return nil
		}
		_, err := broadcast.ParseMessage([]byte(m.Body), m.MessageId, queue.SentAt(m))
		return err
	})
	if !slices.Equal(h.failed(), []string{"bad"}) || !slices.Equal(h.api.receipts, []string{"receipt of bad"}) {
		t.Errorf("failed %v, made visible %v; want bad alone", h.failed(), h.api.receipts)
	}
}

func TestAMessageThatCannotBeReleasedOnlyWaits(t *testing.T) {
	h := handling{api: visibility{err: errors.New("AccessDenied")}}
	h.run(t.Context(), t, []string{"bad"}, func(context.Context, events.SQSMessage) error { return broadcast.ErrMalformed })
	if !slices.Equal(h.failed(), []string{"bad"}) || !strings.Contains(h.log.String(), "AccessDenied") {
		t.Errorf("failed %v, log %s", h.failed(), h.log.String())
	}
}

// Lambda kills the function at its deadline; what each did must be answered,
// and written down, before.
func TestEachMessageHasLessTimeThanTheFunction(t *testing.T) {
	for _, tt := range []struct{ function, reserve time.Duration }{
		{30 * time.Second, 3 * time.Second},
		{12 * time.Second, 3 * time.Second},
		{4 * time.Second, time.Second},
	} {
		synctest.Test(t, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), tt.function)
			defer cancel()
			var h handling
			h.run(ctx, t, []string{"slow", "next"}, func(ctx context.Context, _ events.SQSMessage) error {
				<-ctx.Done()
				return ctx.Err()
			})
			deadline, _ := ctx.Deadline()
			if left := time.Until(deadline); left != tt.reserve || ctx.Err() != nil {
				t.Errorf("of %v there are %v left, want %v", tt.function, left, tt.reserve)
			}
			if !slices.Equal(h.failed(), []string{"slow", "next"}) {
				t.Errorf("failed %v, want both", h.failed())
			}
		})
	}
}

func TestWithoutADeadlineThereIsNone(t *testing.T) {
	var h handling
	h.run(context.Background(), t, []string{"a"}, func(ctx context.Context, _ events.SQSMessage) error {
		if deadline, ok := ctx.Deadline(); ok {
			return fmt.Errorf("ends at %v", deadline)
		}
		return nil
	})
	if h.failed() != nil {
		t.Error(h.log.String())
	}
}

func TestSentAtIsTheQueuesTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for attribute, want := range map[string]time.Time{
			"1705751710900": time.UnixMilli(1705751710900),
			"":              time.Now(),
			"yesterday":     time.Now(),
		} {
			m := events.SQSMessage{Attributes: map[string]string{"SentTimestamp": attribute}}
			if got := queue.SentAt(m); !got.Equal(want) {
				t.Errorf("%q: got %v, want %v", attribute, got, want)
			}
		}
		if got := queue.SentAt(events.SQSMessage{}); !got.Equal(time.Now()) {
			t.Errorf("without attributes: got %v", got)
		}
	})
}

// The visibility time-out is minutes long; a broadcast to a million that is
// split in several calls must not wait it out between them.
func TestAPausedMessageIsMadeVisibleAtOnceEvenWhenItsTimeIsOver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		var h handling
		h.run(ctx, t, []string{"large"}, func(ctx context.Context, _ events.SQSMessage) error {
			<-ctx.Done()
			return fmt.Errorf("%w: 1500 units", broadcast.ErrPaused)
		})
		if !slices.Equal(h.failed(), []string{"large"}) || !slices.Equal(h.api.receipts, []string{"receipt of large"}) {
			t.Errorf("failed %v, made visible %v; want large in both", h.failed(), h.api.receipts)
		}
		if strings.Contains(h.log.String(), "ERROR") {
			t.Errorf("a pause is no error: %s", h.log.String())
		}
	})
}
