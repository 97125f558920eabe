package sqs

import (
	"context"
	"encoding/base64"
	"net/http"
	"slices"
	"time"

	"fanfare/localstack/awsproto"
)

const (
	keptMoves         = 10
	noSource          = "CouldNotDetermineMessageSource"
	noSuchDestination = "AWS.SimpleQueueService.NonExistentQueue"
)

// startMessageMoveTask redrives a dead-letter queue. AWS does it in the
// background; here it is done when the call returns, so there is nothing to
// cancel and no rate to set.
func (s *Service) startMessageMoveTask(_ context.Context, in *startMessageMoveTaskInput) (out startMessageMoveTaskOutput, err error) {
	if in.MaxNumberOfMessagesPerSecond != nil {
		return out, unsupported("the local cloud moves all messages at once: MaxNumberOfMessagesPerSecond is not supported")
	}
	from, err := s.moveSource(in.SourceARN)
	if err != nil {
		return out, err
	}
	if len(s.sourcesOf(from)) == 0 {
		return out, invalidParameter("Source queue must be configured as a Dead Letter Queue.")
	}
	if in.DestinationARN != "" {
		to, ok := parseARN(in.DestinationARN)
		if !ok || !s.exists(to) {
			return out, resourceNotFound("The resource that you specified for the DestinationArn parameter doesn't exist.")
		}
		if to == from {
			return out, invalidParameter("Source queue arn and destination queue arn must not be the same.")
		}
	}
	if err := s.move(from, in.DestinationARN); err != nil {
		return out, err
	}
	out.TaskHandle = base64.StdEncoding.EncodeToString([]byte(awsproto.NewRequestID() + " " + in.SourceARN))
	return out, nil
}

func (s *Service) listMessageMoveTasks(_ context.Context, in *listMessageMoveTasksInput) (out listMessageMoveTasksOutput, err error) {
	from, err := s.moveSource(in.SourceARN)
	if err != nil {
		return out, err
	}
	limit := deref(in.MaxResults, 1)
	if limit < 1 || limit > keptMoves {
		return out, invalidValue(limit, "MaxResults", "Must be between 1 and 10, if provided.")
	}
	err = s.withQueue(from, func(q *queue, _ time.Time) error {
		out.Results = slices.Clone(q.moves[:min(limit, len(q.moves))])
		return nil
	})
	return out, err
}

func (s *Service) moveSource(arn string) (queueKey, error) {
	if arn == "" {
		return queueKey{}, missingParameter("SourceArn")
	}
	k, ok := parseARN(arn)
	if !ok || !s.exists(k) {
		return k, resourceNotFound("The resource that you specified for the SourceArn parameter doesn't exist.")
	}
	return k, nil
}

func resourceNotFound(message string) error {
	e := newError("ResourceNotFoundException", "ResourceNotFoundException", "%s", message)
	e.Status = http.StatusNotFound
	return e
}

func (s *Service) exists(k queueKey) bool {
	s.mu.RLock()
	defer s.mu.RUnlock()
	_, err := s.find(k)
	return err == nil
}

// move sends what is ready in the dead-letter queue to the destination or, if
// that is "", each message to where it came from. A message that does not say
// where that was ends the task as FAILED and stays.
func (s *Service) move(from queueKey, destination string) error {
	s.mu.Lock() // one queue after the other is locked; nobody may see a message in neither
	defer s.mu.Unlock()
	q, err := s.find(from)
	if err != nil {
		return err
	}
	q.mu.Lock()
	now := s.clock.Now()
	q.settle(now)
	task := moveTask{
		SourceARN: from.arn(), DestinationARN: destination, Status: "COMPLETED",
		StartedTimestamp: now.UnixMilli(), ToMove: int64(q.backlog.size),
	}
	var moving []*message
	for m := q.backlog.pop(now); m != nil; m = q.backlog.pop(now) {
		moving = append(moving, m)
	}
	for _, m := range moving {
		if reason := s.redrive(m, q, destination, now); reason != "" {
			task.Status, task.FailureReason = "FAILED", reason
			q.backlog.push(m)
			continue
		}
		q.forget(m)
		task.Moved++
	}
	q.moves = append([]moveTask{task}, q.moves[:min(len(q.moves), keptMoves-1)]...)
	q.mu.Unlock()
	return nil
}

// redrive sends a copy of m, which from holds, on its way again: to SQS it is a new message, with a
// new id and a new life. It returns why it could not, or "". s.mu is held for
// writing, which alone allows to lock a second queue.
func (s *Service) redrive(m *message, from *queue, destination string, now time.Time) (failure string) {
	if destination == "" {
		destination = m.Source
	}
	if destination == "" {
		return noSource
	}
	to, _ := parseARN(destination)
	target, ok := s.queues[to]
	if !ok || target == from {
		return noSuchDestination
	}
	target.mu.Lock()
	defer target.mu.Unlock()
	r := m.record
	r.ID, r.Sent, r.Source, r.Receives = awsproto.NewRequestID(), now, "", 0
	r.FirstReceived, r.LastReceived = time.Time{}, time.Time{}
	target.add(newMessage(r), 0, now)
	return ""
}
