package sqs

import (
	"context"
	"errors"
	"time"
)

// QueueInfo is what other services need to know of a queue.
type QueueInfo struct {
	ARN, Name, URL    string
	VisibilityTimeout time.Duration
	Policy            string // JSON, "" for none; whoever authorizes calls evaluates it
}

// Lookup describes the queue with that ARN, false if there is none.
func (s *Service) Lookup(queueARN string) (QueueInfo, bool) {
	var info QueueInfo
	k, ok := parseARN(queueARN)
	if !ok {
		return info, false
	}
	err := s.withQueue(k, func(q *queue, _ time.Time) error {
		info = QueueInfo{
			ARN: k.arn(), Name: k.name, URL: s.url(k),
			VisibilityTimeout: q.set.visibility, Policy: q.attrs["Policy"],
		}
		return nil
	})
	return info, err == nil
}

// Send puts body on the queue as SendMessage without further parameters does,
// and returns the message's id. The errors are ErrQueueNotFound, ErrClosed and
// the *awsproto.Error of a body that is empty, too large or holds forbidden
// characters.
func (s *Service) Send(ctx context.Context, queueARN, body string) (messageID string, err error) {
	k, ok := parseARN(queueARN)
	if !ok {
		return "", ErrQueueNotFound
	}
	out, err := s.send(ctx, k, &outgoing{MessageBody: body})
	return out.MessageID, err
}

// Receive takes up to max messages (at least 1; AWS's bound of 10 does not hold
// here) with all attributes, hidden for the queue's visibility timeout. It waits
// up to wait of the cloud's time for the first one and then returns none without
// an error. It returns ErrQueueNotFound, also when the queue is deleted
// meanwhile, ErrClosed, ctx's error, or the *awsproto.Error of a fault rule for
// ReceiveMessage.
func (s *Service) Receive(ctx context.Context, queueARN string, max int, wait time.Duration) ([]Message, error) {
	k, ok := parseARN(queueARN)
	if !ok {
		return nil, ErrQueueNotFound
	}
	if max < 1 {
		return nil, invalidValue(max, "MaxNumberOfMessages", "Must be at least 1.")
	}
	if err := s.receiveFault(ctx, k); err != nil {
		return nil, err
	}
	return s.receive(ctx, k, receiveRequest{limit: max, wait: &wait})
}

// Delete removes the messages with these receipt handles. A handle that a later
// receive has replaced deletes nothing and is no error, as in AWS. All handles
// are tried; the error joins what failed, ErrReceiptHandle among it.
func (s *Service) Delete(queueARN string, receiptHandles ...string) error {
	k, ok := parseARN(queueARN)
	if !ok {
		return ErrQueueNotFound
	}
	var failed []error
	for _, handle := range receiptHandles {
		failed = append(failed, s.deleteOne(k, handle))
	}
	return errors.Join(failed...)
}

// ChangeVisibility hides a received message for d from now, in whole seconds
// from 0 (visible at once) to 12 hours after it was received. It returns
// ErrQueueNotFound, ErrReceiptHandle, ErrNotInFlight, or the *awsproto.Error of
// a timeout out of bounds or a handle that is out of date.
func (s *Service) ChangeVisibility(queueARN, receiptHandle string, d time.Duration) error {
	k, ok := parseARN(queueARN)
	if !ok {
		return ErrQueueNotFound
	}
	seconds := int(d / time.Second)
	return s.changeOne(k, receiptHandle, &seconds)
}
