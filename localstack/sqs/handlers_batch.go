package sqs

import (
	"context"
	"regexp"

	"fanfare/localstack/awsproto"
)

const maxBatch = 10

var batchEntryID = regexp.MustCompile(`^[A-Za-z0-9_-]{1,80}$`)

// runBatch does one for each entry. What is wrong with the batch as a whole
// refuses all of it; an entry that fails by itself is listed in Failed.
func runBatch[E, R any](kind string, entries []E, id func(E) string, one func(E) (R, error)) (out batchOutput[R], err error) {
	if err := checkBatch(kind, entries, id); err != nil {
		return out, err
	}
	for _, e := range entries {
		result, err := one(e)
		if err != nil {
			out.Failed = append(out.Failed, failure(id(e), err))
			continue
		}
		out.Successful = append(out.Successful, result)
	}
	return out, nil
}

func checkBatch[E any](kind string, entries []E, id func(E) string) error {
	if len(entries) == 0 {
		return simpleQueueError("EmptyBatchRequest", "There should be at least one %s in the request.", kind)
	}
	if len(entries) > maxBatch {
		return simpleQueueError("TooManyEntriesInBatchRequest",
			"Maximum number of entries per request are %d. You have sent %d.", maxBatch, len(entries))
	}
	seen := map[string]bool{}
	for _, e := range entries {
		id := id(e)
		if !batchEntryID.MatchString(id) {
			return simpleQueueError("InvalidBatchEntryId", "A batch entry id can only contain alphanumeric characters, "+
				"hyphens and underscores. It can be at most 80 letters long.")
		}
		if seen[id] {
			return simpleQueueError("BatchEntryIdsNotDistinct", "Id %s repeated.", id)
		}
		seen[id] = true
	}
	return nil
}

// failure lists an error under its old name, which batches have kept.
func failure(id string, err error) batchFailure {
	e := awsproto.AsError(err)
	code := e.QueryCode
	if code == "" {
		code = e.Code
	}
	return batchFailure{ID: id, SenderFault: e.Status < 500, Code: code, Message: e.Message}
}

func (s *Service) sendMessageBatch(ctx context.Context, in *sendMessageBatchInput) (out batchOutput[sendMessageBatchResult], err error) {
	k, err := s.existing(ctx, in.QueueURL)
	if err != nil {
		return out, err
	}
	total := 0
	for _, e := range in.Entries {
		total += e.size()
	}
	if total > maxMessageBytes {
		return out, simpleQueueError("BatchRequestTooLong",
			"Batch requests cannot be longer than %d bytes. You have sent %d bytes.", maxMessageBytes, total)
	}
	return runBatch("SendMessageBatchRequestEntry", in.Entries,
		func(e sendMessageBatchEntry) string { return e.ID },
		func(e sendMessageBatchEntry) (sendMessageBatchResult, error) {
			sent, err := s.send(ctx, k, &e.outgoing)
			return sendMessageBatchResult{e.ID, sent}, err
		})
}

func (s *Service) deleteMessageBatch(ctx context.Context, in *deleteMessageBatchInput) (out batchOutput[batchID], err error) {
	k, err := s.existing(ctx, in.QueueURL)
	if err != nil {
		return out, err
	}
	return runBatch("DeleteMessageBatchRequestEntry", in.Entries,
		func(e deleteMessageBatchEntry) string { return e.ID },
		func(e deleteMessageBatchEntry) (batchID, error) {
			return batchID{e.ID}, s.deleteOne(k, e.ReceiptHandle)
		})
}

func (s *Service) changeMessageVisibilityBatch(ctx context.Context, in *changeMessageVisibilityBatchInput) (out batchOutput[batchID], err error) {
	k, err := s.existing(ctx, in.QueueURL)
	if err != nil {
		return out, err
	}
	return runBatch("ChangeMessageVisibilityBatchRequestEntry", in.Entries,
		func(e changeMessageVisibilityBatchEntry) string { return e.ID },
		func(e changeMessageVisibilityBatchEntry) (batchID, error) {
			return batchID{e.ID}, s.changeOne(k, e.ReceiptHandle, e.VisibilityTimeout)
		})
}

// existing resolves a URL to a queue that is there: a missing queue refuses a
// batch as a whole.
func (s *Service) existing(ctx context.Context, queueURL string) (queueKey, error) {
	k, err := keyFromURL(ctx, queueURL)
	if err != nil {
		return k, err
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	_, err = s.find(k)
	return k, err
}
