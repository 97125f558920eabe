package queue

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"strconv"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"fanfare/shared/broadcast"
)

// VisibilityChanger is what a Batch needs of the SQS client.
type VisibilityChanger interface {
	ChangeMessageVisibility(context.Context, *sqs.ChangeMessageVisibilityInput, ...func(*sqs.Options)) (*sqs.ChangeMessageVisibilityOutput, error)
}

// Batch handles a Lambda's batch of SQS messages one by one and reports those
// that failed, so that SQS delivers only them again ("partial batch response").
type Batch struct {
	api VisibilityChanger
	url string
	log *slog.Logger
}

// NewBatch returns a Batch for messages of the queue at url.
func NewBatch(api VisibilityChanger, url string, log *slog.Logger) *Batch {
	return &Batch{api: api, url: url, log: log}
}

// Handle calls each for every message. A message that fails comes again after
// the queue's visibility time-out, and goes to the dead-letter queue when it
// has failed too often. One that can never be understood
// (broadcast.ErrMalformed) need not wait: it is made visible at once, and so is
// in the dead-letter queue within seconds. Nor need one whose work goes on in
// another call (broadcast.ErrPaused); each such call counts as a receive.
//
// The context of each ends before the function's own does, so that there is
// time to record what was left and to answer: where Lambda itself has to end
// the call, all of the batch comes again.
//
// https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html
func (b *Batch) Handle(ctx context.Context, event events.SQSEvent, each func(context.Context, events.SQSMessage) error) (events.SQSEventResponse, error) {
	whole := ctx
	ctx, cancel := early(ctx)
	defer cancel()
	var resp events.SQSEventResponse
	for _, m := range event.Records {
		err := b.one(ctx, m, each)
		if err == nil {
			continue
		}
		b.report(ctx, m, err)
		if errors.Is(err, broadcast.ErrMalformed) || errors.Is(err, broadcast.ErrPaused) {
			b.release(whole, m)
		}
		resp.BatchItemFailures = append(resp.BatchItemFailures, events.SQSBatchItemFailure{ItemIdentifier: m.MessageId})
	}
	return resp, nil
}

// report logs why a message is to come again: as an error, unless it is meant to.
func (b *Batch) report(ctx context.Context, m events.SQSMessage, err error) {
	level, text := slog.LevelError, "message failed"
	if errors.Is(err, broadcast.ErrPaused) {
		level, text = slog.LevelInfo, "message goes on in another call"
	}
	b.log.Log(ctx, level, text, "sqsMessageId", m.MessageId,
		"receiveCount", m.Attributes["ApproximateReceiveCount"], "error", err)
}

// Reserve is kept of a call's time; of a very short call, a quarter.
const Reserve = 3 * time.Second

func early(ctx context.Context) (context.Context, context.CancelFunc) {
	deadline, ok := ctx.Deadline()
	if !ok {
		return context.WithCancel(ctx)
	}
	return context.WithDeadline(ctx, deadline.Add(-min(Reserve, time.Until(deadline)/4)))
}

// one turns a panic into a failure of its message: the others of the batch
// must not fail with it.
func (b *Batch) one(ctx context.Context, m events.SQSMessage, each func(context.Context, events.SQSMessage) error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			b.log.ErrorContext(ctx, "panic", "sqsMessageId", m.MessageId, "stack", string(debug.Stack()))
			err = fmt.Errorf("panic: %v", p)
		}
	}()
	return each(ctx, m)
}

// release makes a message visible again at once. If that fails, the visibility
// time-out does the same later.
func (b *Batch) release(ctx context.Context, m events.SQSMessage) {
	_, err := b.api.ChangeMessageVisibility(ctx, &sqs.ChangeMessageVisibilityInput{
		QueueUrl: &b.url, ReceiptHandle: &m.ReceiptHandle, VisibilityTimeout: 0,
	})
	if err != nil {
		b.log.WarnContext(ctx, "message waits for its visibility time-out", "sqsMessageId", m.MessageId, "error", err)
	}
}

// SentAt returns when the message was put on its queue, or now where SQS does
// not say.
func SentAt(m events.SQSMessage) time.Time {
	ms, err := strconv.ParseInt(m.Attributes["SentTimestamp"], 10, 64)
	if err != nil {
		return time.Now()
	}
	return time.UnixMilli(ms)
}
