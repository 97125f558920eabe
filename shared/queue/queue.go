// Package queue is the SQS side of a broadcast: it puts broadcasts and units
// on their queues, and takes a Lambda batch apart again.
//
//	units := queue.NewPublisher(sqs.NewFromConfig(cfg), deliveryQueueURL)
//	err := units.SendUnit(ctx, unit)
//
//	// in a Lambda behind the queue
//	batch := queue.NewBatch(sqs.NewFromConfig(cfg), deliveryQueueURL, logger)
//	return batch.Handle(ctx, event, func(ctx context.Context, m events.SQSMessage) error { … })
//
// It does not promise order, nor that a message comes only once: SQS does
// neither. A message's body is never logged.
package queue

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"fanfare/shared/broadcast"
	"fanfare/shared/protocol"
)

// Sender is what a Publisher needs of the SQS client.
type Sender interface {
	SendMessage(context.Context, *sqs.SendMessageInput, ...func(*sqs.Options)) (*sqs.SendMessageOutput, error)
}

// Publisher writes to one queue.
type Publisher struct {
	api Sender
	url string
}

var _ broadcast.UnitQueue = (*Publisher)(nil)

// NewPublisher returns a Publisher to the queue at url.
func NewPublisher(api Sender, url string) *Publisher { return &Publisher{api: api, url: url} }

// SendBroadcast puts m on the broadcast queue. nil means that SQS has it.
func (p *Publisher) SendBroadcast(ctx context.Context, m broadcast.Message) error {
	return p.send(ctx, "broadcast "+m.MessageID, m.Tenant, m)
}

// SendUnit puts u on the delivery queue. nil means that SQS has it.
func (p *Publisher) SendUnit(ctx context.Context, u broadcast.Unit) error {
	return p.send(ctx, fmt.Sprintf("unit %d of broadcast %s", u.N, u.MessageID), u.Tenant, u)
}

// GroupID is the MessageGroupId of a tenant's messages: SQS then keeps a tenant
// with many of them from delaying the others ("fair queues" of standard queues).
// Back ends that publish by themselves should set it too. It is the tenant's
// name or, where SQS would not take that as a group, a digest of it.
//
// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-fair-queues.html
func GroupID(tenant string) string {
	if isGroupID(tenant) {
		return tenant
	}
	sum := sha256.Sum256([]byte(tenant))
	return "sha256:" + hex.EncodeToString(sum[:])
}

// isGroupID tells whether SendMessage takes s as MessageGroupId: 1 to 128
// letters, digits and punctuation of ASCII, and no space. To compile a regular
// expression for that took a cold start 0.3 ms.
func isGroupID(s string) bool {
	return s != "" && len(s) <= 128 && !strings.ContainsFunc(s, func(r rune) bool { return r < '!' || r > '~' })
}

// send writes the body as protocol.Encode does, not json.Marshal: what was
// accepted by its size must not grow on the way.
func (p *Publisher) send(ctx context.Context, what, tenant string, v any) error {
	body, err := protocol.Encode(v)
	if err == nil {
		text, group := string(body), GroupID(tenant)
		_, err = p.api.SendMessage(ctx, &sqs.SendMessageInput{QueueUrl: &p.url, MessageBody: &text, MessageGroupId: &group})
	}
	if err != nil {
		return fmt.Errorf("queue %s: %w", what, err)
	}
	return nil
}
