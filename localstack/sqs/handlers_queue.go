package sqs

import (
	"context"
	"encoding/base64"
	"maps"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"fanfare/localstack/awsproto"
)

func (s *Service) createQueue(ctx context.Context, in *createQueueInput) (queueURLOutput, error) {
	if err := checkQueueName(in.QueueName); err != nil {
		return queueURLOutput{}, err
	}
	attrs, err := normalizeAttributes(in.Attributes)
	if err != nil {
		return queueURLOutput{}, err
	}
	if err := checkTags(in.Tags, 0); err != nil {
		return queueURLOutput{}, err
	}
	k := queueKey{awsproto.CallFrom(ctx).Region, in.QueueName}
	url, err := s.create(k, attrs, in.Tags)
	return queueURLOutput{url}, err
}

func (s *Service) deleteQueue(ctx context.Context, in *queueInput) (none, error) {
	k, err := keyFromURL(ctx, in.QueueURL)
	if err != nil {
		return none{}, err
	}
	return none{}, s.delete(k)
}

func (s *Service) getQueueURL(ctx context.Context, in *getQueueURLInput) (queueURLOutput, error) {
	if in.QueueName == "" {
		return queueURLOutput{}, missingParameter("QueueName")
	}
	if owner := in.QueueOwnerAWSAccountID; owner != "" && owner != awsproto.AccountID {
		return queueURLOutput{}, ErrQueueNotFound
	}
	k := queueKey{awsproto.CallFrom(ctx).Region, in.QueueName}
	err := s.withQueue(k, func(*queue, time.Time) error { return nil })
	if err != nil {
		return queueURLOutput{}, err
	}
	return queueURLOutput{s.url(k)}, nil
}

func (s *Service) listQueues(ctx context.Context, in *listQueuesInput) (listQueuesOutput, error) {
	keys := s.list(awsproto.CallFrom(ctx).Region, func(q *queue) bool {
		return strings.HasPrefix(q.key.name, in.QueueNamePrefix)
	})
	page, next, err := page(keys, in.MaxResults, in.NextToken)
	return listQueuesOutput{s.urls(page), next}, err
}

func (s *Service) listDeadLetterSourceQueues(ctx context.Context, in *listDeadLetterSourceQueuesInput) (listDeadLetterSourceQueuesOutput, error) {
	k, err := keyFromURL(ctx, in.QueueURL)
	if err != nil {
		return listDeadLetterSourceQueuesOutput{}, err
	}
	if err := s.withQueue(k, func(*queue, time.Time) error { return nil }); err != nil {
		return listDeadLetterSourceQueuesOutput{}, err
	}
	page, next, err := page(s.sourcesOf(k), in.MaxResults, in.NextToken)
	return listDeadLetterSourceQueuesOutput{s.urls(page), next}, err
}

// sourcesOf returns the queues whose dead letters go to k.
func (s *Service) sourcesOf(k queueKey) []queueKey {
	return s.list(k.region, func(q *queue) bool {
		policy := decodeRedrivePolicy(q.attribute("RedrivePolicy"))
		return policy != nil && policy.dead == k
	})
}

func (s *Service) urls(keys []queueKey) []string {
	urls := make([]string, 0, len(keys))
	for _, k := range keys {
		urls = append(urls, s.url(k))
	}
	return urls
}

// page cuts one page of at most 1,000 from keys, which are sorted by name. The
// token is the last name of the page before. A next one is given only to
// callers that set maxResults, as in AWS.
func page(keys []queueKey, maxResults *int, token string) (out []queueKey, next string, err error) {
	limit := deref(maxResults, 1000)
	if limit < 1 || limit > 1000 {
		return nil, "", invalidValue(limit, "MaxResults", "Must be between 1 and 1000, if provided.")
	}
	if token != "" {
		last, err := base64.StdEncoding.DecodeString(token)
		if err != nil {
			return nil, "", invalidParameter("Invalid or expired next token.")
		}
		i := slices.IndexFunc(keys, func(k queueKey) bool { return k.name > string(last) })
		if i < 0 {
			return nil, "", nil
		}
		keys = keys[i:]
	}
	if len(keys) <= limit {
		return keys, "", nil
	}
	keys = keys[:limit]
	if maxResults != nil {
		next = base64.StdEncoding.EncodeToString([]byte(keys[limit-1].name))
	}
	return keys, next, nil
}

func (s *Service) getQueueAttributes(ctx context.Context, in *getQueueAttributesInput) (out getQueueAttributesOutput, err error) {
	k, err := keyFromURL(ctx, in.QueueURL)
	if err != nil {
		return out, err
	}
	for _, name := range in.AttributeNames {
		if !knownAttribute(name) {
			return out, invalidAttributeName(name)
		}
	}
	err = s.withQueue(k, func(q *queue, _ time.Time) error {
		out.Attributes = q.describe()
		return nil
	})
	if !slices.Contains(in.AttributeNames, "All") {
		maps.DeleteFunc(out.Attributes, func(name, _ string) bool { return !slices.Contains(in.AttributeNames, name) })
	}
	return out, err
}

func knownAttribute(name string) bool {
	switch name {
	case "All", "Policy", "RedrivePolicy", "RedriveAllowPolicy", "SqsManagedSseEnabled", "KmsMasterKeyId":
		return true
	}
	_, integer := integerAttributes[name]
	return integer || slices.Contains(computedAttributes, name) || slices.Contains(fifoAttributes, name)
}

func (s *Service) setQueueAttributes(ctx context.Context, in *setQueueAttributesInput) (none, error) {
	k, err := keyFromURL(ctx, in.QueueURL)
	if err != nil {
		return none{}, err
	}
	if len(in.Attributes) == 0 {
		return none{}, missingParameter("Attribute.Name")
	}
	changes, err := normalizeAttributes(in.Attributes)
	if err != nil {
		return none{}, err
	}
	return none{}, s.configure(k, changes)
}

func (s *Service) purgeQueue(ctx context.Context, in *queueInput) (none, error) {
	k, err := keyFromURL(ctx, in.QueueURL)
	if err != nil {
		return none{}, err
	}
	return none{}, s.withQueue(k, func(q *queue, now time.Time) error {
		if s.strictCooldowns && now.Sub(q.purged) < cooldown {
			return simpleQueueError("PurgeQueueInProgress",
				"Only one PurgeQueue operation on %s is allowed every 60 seconds.", k.name)
		}
		q.clear()
		q.purged = now
		return nil
	})
}

const maxTags = 50

// checkTags holds tags to
// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-queue-tags.html;
// others is how many the queue has besides.
func checkTags(tags map[string]string, others int) error {
	if len(tags)+others > maxTags {
		return invalidParameter("Too many tags added for queue: at most %d are allowed.", maxTags)
	}
	for key, value := range tags {
		if n := utf8.RuneCountInString(key); n < 1 || n > 128 || utf8.RuneCountInString(value) > 256 {
			return invalidParameter("Tag %q is invalid: keys have 1 to 128 characters, values at most 256.", key)
		}
		if strings.HasPrefix(strings.ToLower(key), "aws:") {
			return invalidParameter("Tag %q is invalid: keys that begin with aws: are reserved for use by AWS.", key)
		}
	}
	return nil
}

func (s *Service) tagQueue(ctx context.Context, in *tagQueueInput) (none, error) {
	k, err := keyFromURL(ctx, in.QueueURL)
	if err != nil {
		return none{}, err
	}
	if len(in.Tags) == 0 {
		return none{}, missingParameter("Tags")
	}
	return none{}, s.withQueue(k, func(q *queue, _ time.Time) error {
		others := 0
		for key := range q.tags {
			if _, replaced := in.Tags[key]; !replaced {
				others++
			}
		}
		if err := checkTags(in.Tags, others); err != nil {
			return err
		}
		maps.Copy(q.tags, in.Tags)
		return nil
	})
}

func (s *Service) untagQueue(ctx context.Context, in *untagQueueInput) (none, error) {
	k, err := keyFromURL(ctx, in.QueueURL)
	if err != nil {
		return none{}, err
	}
	if len(in.TagKeys) == 0 {
		return none{}, missingParameter("TagKeys")
	}
	return none{}, s.withQueue(k, func(q *queue, _ time.Time) error {
		for _, key := range in.TagKeys {
			delete(q.tags, key)
		}
		return nil
	})
}

func (s *Service) listQueueTags(ctx context.Context, in *queueInput) (out listQueueTagsOutput, err error) {
	k, err := keyFromURL(ctx, in.QueueURL)
	if err != nil {
		return out, err
	}
	err = s.withQueue(k, func(q *queue, _ time.Time) error {
		out.Tags = maps.Clone(q.tags)
		return nil
	})
	return out, err
}
