package dynamodb

import (
	"context"
	"maps"
	"slices"
)

// Limits of the batch operations. An answer of 16 MB is counted in decimal: of 100
// items of 300 KB each "the system returns 52 items (so as not to exceed the 16 MB
// limit)". 25 items of at most 400 KB never reach the same limit of a write.
// https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_BatchGetItem.html
const (
	maxBatchGet      = 100
	maxBatchWrite    = 25
	maxBatchGetBytes = 16_000_000
)

func duplicateKeys() error { return validation("Provided list of item keys contains duplicates") }

func (s *Service) batchGetItem(ctx context.Context, in *batchGetInput) (*batchGetOutput, error) {
	if err := checkCapacityMode(in.ReturnConsumedCapacity); err != nil {
		return nil, err
	}
	total := 0
	for _, request := range in.RequestItems {
		total += len(request.Keys)
	}
	if len(in.RequestItems) == 0 {
		return nil, constraint("{}", "requestItems", "Member must have length greater than or equal to 1")
	}
	if total > maxBatchGet {
		return nil, validation("Too many items requested for the BatchGetItem call")
	}
	plans := make(map[string][]*get, len(in.RequestItems))
	for name, request := range in.RequestItems {
		gets, err := s.prepareBatchGet(ctx, name, request)
		if err != nil {
			return nil, err
		}
		plans[name] = gets
	}
	return runBatchGet(in, plans)
}

func (s *Service) prepareBatchGet(ctx context.Context, name string, request keysAndAttributes) ([]*get, error) {
	if present(request.AttributesToGet) {
		return nil, unsupported("the legacy parameter AttributesToGet; use expressions instead")
	}
	if len(request.Keys) == 0 {
		return nil, constraint("[]", "requestItems."+name+".member.keys", "Member must have length greater than or equal to 1")
	}
	gets := make([]*get, 0, len(request.Keys))
	seen := make(map[string]bool, len(request.Keys))
	for _, key := range request.Keys {
		g, err := s.prepareGet(ctx, name, key, request.ProjectionExpression, request.ExpressionAttributeNames)
		if err != nil {
			return nil, err
		}
		if seen[g.key] {
			return nil, duplicateKeys()
		}
		seen[g.key] = true
		gets = append(gets, g)
	}
	return gets, nil
}

// runBatchGet reads what fits the answer; the rest is unprocessed.
func runBatchGet(in *batchGetInput, plans map[string][]*get) (*batchGetOutput, error) {
	out := &batchGetOutput{Responses: map[string][]item{}, UnprocessedKeys: map[string]keysAndAttributes{}}
	read := 0
	for _, name := range slices.Sorted(maps.Keys(plans)) {
		request, c := in.RequestItems[name], cost{}
		out.Responses[name] = []item{}
		for i, g := range plans[name] {
			r, err := g.run()
			if err != nil {
				return nil, err
			}
			if read += r.bytes(); read > maxBatchGetBytes {
				request.Keys = request.Keys[i:]
				out.UnprocessedKeys[name] = request
				break
			}
			c.table += readUnits(r.bytes(), request.ConsistentRead)
			if it := g.answer(r); it != nil {
				out.Responses[name] = append(out.Responses[name], *it)
			}
		}
		if report := c.report(in.ReturnConsumedCapacity, plans[name][0].table.id.name, useSimple); report != nil {
			out.ConsumedCapacity = append(out.ConsumedCapacity, report)
		}
	}
	return out, nil
}

// batchWriteItem checks the whole batch before it writes any of it, and then
// leaves nothing unprocessed.
func (s *Service) batchWriteItem(ctx context.Context, in *batchWriteInput) (*batchWriteOutput, error) {
	if err := checkCapacityMode(in.ReturnConsumedCapacity); err != nil {
		return nil, err
	}
	if err := checkEnum(in.ReturnItemCollectionMetrics, "returnItemCollectionMetrics", "SIZE", "NONE"); err != nil {
		return nil, err
	}
	plans, err := s.prepareBatchWrite(ctx, in)
	if err != nil {
		return nil, err
	}
	out := &batchWriteOutput{UnprocessedItems: map[string][]writeRequest{}}
	for _, name := range slices.Sorted(maps.Keys(plans)) {
		var sum cost
		for _, w := range plans[name] {
			_, _, c, err := w.run()
			if err != nil {
				return nil, err
			}
			sum.add(c)
		}
		if report := sum.report(in.ReturnConsumedCapacity, plans[name][0].table.id.name, useSimple); report != nil {
			out.ConsumedCapacity = append(out.ConsumedCapacity, report)
		}
	}
	return out, nil
}

func (s *Service) prepareBatchWrite(ctx context.Context, in *batchWriteInput) (map[string][]*write, error) {
	if len(in.RequestItems) == 0 {
		return nil, constraint("{}", "requestItems", "Member must have length greater than or equal to 1")
	}
	plans, total := make(map[string][]*write, len(in.RequestItems)), 0
	for name, requests := range in.RequestItems {
		if total += len(requests); total > maxBatchWrite {
			return nil, validation("Too many items requested for the BatchWriteItem call")
		}
		if len(requests) == 0 {
			return nil, constraint("[]", "requestItems."+name+".member", "Member must have length greater than or equal to 1")
		}
		seen := make(map[string]bool, len(requests))
		for _, request := range requests {
			w, err := s.prepareWriteRequest(ctx, name, request)
			if err != nil {
				return nil, err
			}
			if seen[w.key] {
				return nil, duplicateKeys()
			}
			seen[w.key] = true
			plans[name] = append(plans[name], w)
		}
	}
	return plans, nil
}

func (s *Service) prepareWriteRequest(ctx context.Context, name string, request writeRequest) (*write, error) {
	p := &writeParameters{TableName: name}
	switch {
	case request.PutRequest != nil && request.DeleteRequest != nil:
		return nil, validation("Supplied AttributeValue has more than one datatypes set, must contain exactly one of the supported datatypes")
	case request.PutRequest != nil:
		w, err := s.preparePut(ctx, request.PutRequest.Item, p)
		if err == nil {
			err = w.table.checkStorableLocked(newRow(request.PutRequest.Item), putTooLarge)
		}
		return w, err
	case request.DeleteRequest != nil:
		return s.prepareDelete(ctx, request.DeleteRequest.Key, p)
	}
	return nil, validation("Supplied AttributeValue is empty, must contain exactly one of the supported datatypes")
}

func (t *table) checkStorableLocked(r *row, tooLarge string) error {
	t.mu.RLock()
	defer t.mu.RUnlock()
	return t.checkStorable(r, tooLarge)
}
