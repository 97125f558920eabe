package sqs

import (
	"context"
	"maps"
	"slices"
	"strings"
	"time"

	"fanfare/localstack/awsproto"
)

func (s *Service) sendMessage(ctx context.Context, in *sendMessageInput) (sendMessageOutput, error) {
	k, err := keyFromURL(ctx, in.QueueURL)
	if err != nil {
		return sendMessageOutput{}, err
	}
	return s.send(ctx, k, &in.outgoing)
}

// send checks o against the queue's limits and puts it there.
func (s *Service) send(ctx context.Context, k queueKey, o *outgoing) (out sendMessageOutput, err error) {
	err = s.withQueue(k, func(q *queue, now time.Time) error {
		if err := o.check(q.set.maxBytes); err != nil {
			return err
		}
		delay := q.set.delay
		if o.DelaySeconds != nil {
			delay = time.Duration(*o.DelaySeconds) * time.Second
		}
		delay += s.faults.DecideDelay("sqs", "SendMessage", k.name)
		m := newMessage(o.record(ctx, now))
		q.add(m, delay, now)
		out = sendMessageOutput{
			MessageID: m.ID, MD5OfMessageBody: m.md5,
			MD5OfMessageAttributes:       md5OfAttributes(m.Attributes),
			MD5OfMessageSystemAttributes: md5OfAttributes(o.MessageSystemAttributes),
		}
		return nil
	})
	return out, err
}

// record makes the stored form. The sender is the account: who exactly signed
// the request is for IAM to know.
func (o *outgoing) record(ctx context.Context, now time.Time) record {
	trace := traceFrom(ctx)
	if a, ok := o.MessageSystemAttributes["AWSTraceHeader"]; ok {
		trace = *a.StringValue
	}
	return record{
		ID: awsproto.NewRequestID(), Body: o.MessageBody, Attributes: o.MessageAttributes,
		Group: o.MessageGroupID, Trace: trace, Sender: awsproto.AccountID, Sent: now,
	}
}

func (s *Service) receiveMessage(ctx context.Context, in *receiveMessageInput) (out receiveMessageOutput, err error) {
	k, err := keyFromURL(ctx, in.QueueURL)
	if err != nil {
		return out, err
	}
	req, err := in.request()
	if err != nil {
		return out, err
	}
	messages, err := s.receive(ctx, k, req)
	if ctx.Err() != nil && len(messages) == 0 {
		return out, nil // the client has gone: that is no failure of ours
	}
	for _, m := range messages {
		out.Messages = append(out.Messages, in.show(m))
	}
	return out, err
}

// request checks the parameters.
func (in *receiveMessageInput) request() (receiveRequest, error) {
	req := receiveRequest{limit: deref(in.MaxNumberOfMessages, 1)}
	if req.limit < 1 || req.limit > 10 {
		return req, invalidValue(req.limit, "MaxNumberOfMessages", "Must be between 1 and 10, if provided.")
	}
	if n := in.WaitTimeSeconds; n != nil {
		if *n < 0 || *n > 20 {
			return req, invalidValue(*n, "WaitTimeSeconds", "Must be >= 0 and <= 20, if provided.")
		}
		req.wait = new(time.Duration(*n) * time.Second)
	}
	if n := in.VisibilityTimeout; n != nil {
		if err := checkVisibility(*n); err != nil {
			return req, err
		}
		req.visibility = new(time.Duration(*n) * time.Second)
	}
	if in.ReceiveRequestAttemptID != "" {
		return req, invalidValue(in.ReceiveRequestAttemptID, "ReceiveRequestAttemptId",
			"The request includes a parameter that is not valid for this queue type.")
	}
	for _, name := range in.systemNames() {
		if !slices.Contains(messageSystemAttributes, name) {
			return req, invalidAttributeName(name)
		}
	}
	return req, nil
}

var messageSystemAttributes = []string{
	"All", "SenderId", "SentTimestamp", "ApproximateReceiveCount", "ApproximateFirstReceiveTimestamp",
	"MessageGroupId", "AWSTraceHeader", "DeadLetterQueueSourceArn",
	"SequenceNumber", "MessageDeduplicationId", // of FIFO queues: valid to ask for, never there
}

// systemNames joins the parameter with its predecessor, AttributeNames.
func (in *receiveMessageInput) systemNames() []string {
	return slices.Concat(in.AttributeNames, in.MessageSystemAttributeNames)
}

// show leaves out of m what the receiver did not ask for. The sum covers what
// is left, because that is what the SDK can check.
func (in *receiveMessageInput) show(m Message) receivedMessage {
	system := in.systemNames()
	if !slices.Contains(system, "All") {
		maps.DeleteFunc(m.Attributes, func(name, _ string) bool { return !slices.Contains(system, name) })
	}
	maps.DeleteFunc(m.MessageAttributes, func(name string, _ MessageAttribute) bool {
		return !slices.ContainsFunc(in.MessageAttributeNames, func(wanted string) bool { return attributeMatches(name, wanted) })
	})
	return receivedMessage{
		MessageID: m.MessageID, ReceiptHandle: m.ReceiptHandle, Body: m.Body, MD5OfBody: m.MD5OfBody,
		Attributes: m.Attributes, MessageAttributes: m.MessageAttributes,
		MD5OfMessageAttributes: md5OfAttributes(m.MessageAttributes),
	}
}

// attributeMatches knows a name, All, .* and the prefix form "order.*".
func attributeMatches(name, wanted string) bool {
	if wanted == "All" || wanted == ".*" {
		return true
	}
	if prefix, ok := strings.CutSuffix(wanted, ".*"); ok {
		return strings.HasPrefix(name, prefix)
	}
	return name == wanted
}

func (s *Service) deleteMessage(ctx context.Context, in *deleteMessageInput) (none, error) {
	k, err := keyFromURL(ctx, in.QueueURL)
	if err != nil {
		return none{}, err
	}
	return none{}, s.deleteOne(k, in.ReceiptHandle)
}

// deleteOne deletes the message of a receipt handle. One that has been replaced
// by a later receive, or whose message is gone, succeeds without doing anything.
func (s *Service) deleteOne(k queueKey, handle string) error {
	return s.withQueue(k, func(q *queue, now time.Time) error {
		r, err := parseReceipt(handle)
		if err != nil {
			return err
		}
		m, err := q.find(r)
		if m != nil {
			q.remove(m, now)
		}
		return err
	})
}

func (s *Service) changeMessageVisibility(ctx context.Context, in *changeMessageVisibilityInput) (none, error) {
	k, err := keyFromURL(ctx, in.QueueURL)
	if err != nil {
		return none{}, err
	}
	return none{}, s.changeOne(k, in.ReceiptHandle, in.VisibilityTimeout)
}

func (s *Service) changeOne(k queueKey, handle string, timeout *int) error {
	return s.withQueue(k, func(q *queue, now time.Time) error {
		r, err := parseReceipt(handle)
		if err != nil {
			return err
		}
		if timeout == nil {
			return missingParameter("VisibilityTimeout")
		}
		if err := checkVisibility(*timeout); err != nil {
			return err
		}
		return q.changeVisibility(r, time.Duration(*timeout)*time.Second, now)
	})
}

func checkVisibility(seconds int) error {
	if seconds < 0 || seconds > maxVisibilitySeconds {
		return invalidValue(seconds, "VisibilityTimeout", "VisibilityTimeout must be an integer between 0 and 43200.")
	}
	return nil
}
