package dynamodb

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"fanfare/localstack/awsproto"
)

// Limits of a transaction.
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/transaction-apis.html
const (
	maxTransactActions = 100
	maxTransactBytes   = 4 << 20
	tokenLifetime      = 10 * time.Minute
	maxTokenLength     = 36
)

// tokens remembers the transactions of the last ten minutes by their
// ClientRequestToken, so that a repeated one does nothing.
type tokens struct {
	mu   sync.Mutex
	done map[string]doneTransaction
}

type doneTransaction struct {
	Request string // digest
	At      time.Time
}

func (s *Service) transactWriteItems(ctx context.Context, in *transactWriteInput) (*transactWriteOutput, error) {
	if err := checkCapacityMode(in.ReturnConsumedCapacity); err != nil {
		return nil, err
	}
	if err := checkEnum(in.ReturnItemCollectionMetrics, "returnItemCollectionMetrics", "SIZE", "NONE"); err != nil {
		return nil, err
	}
	writes, err := s.prepareTransaction(ctx, in)
	if err != nil {
		return nil, err
	}
	if in.ClientRequestToken == "" {
		costs, err := runTransaction(writes)
		return transactOutput(in.ReturnConsumedCapacity, costs, useTransactWrite), err
	}
	return s.transactOnce(ctx, in, writes)
}

// transactOnce runs a transaction with a token. Transactions with tokens run
// one after another: that is what makes two with the same token one.
func (s *Service) transactOnce(ctx context.Context, in *transactWriteInput, writes []*write) (*transactWriteOutput, error) {
	if len(in.ClientRequestToken) > maxTokenLength {
		return nil, constraint(in.ClientRequestToken, "clientRequestToken", "Member must have length less than or equal to %d", maxTokenLength)
	}
	request, err := json.Marshal(in.TransactItems) // items marshal in order
	if err != nil {
		return nil, err
	}
	sum := sha256.Sum256(request)
	digest := hex.EncodeToString(sum[:])
	key := awsproto.CallFrom(ctx).Region + "/" + in.ClientRequestToken

	s.tokens.mu.Lock()
	defer s.tokens.mu.Unlock()
	now := s.clock.Now()
	if before, ok := s.tokens.done[key]; ok && now.Sub(before.At) < tokenLifetime {
		if before.Request != digest {
			return nil, awsproto.Errorf(400, "IdempotentParameterMismatchException",
				"Idempotent parameters mismatch: the token was used with another request")
		}
		return transactOutput(in.ReturnConsumedCapacity, repeatCosts(writes), useTransactRead), nil
	}
	costs, err := runTransaction(writes)
	if err != nil {
		return nil, err
	}
	s.tokens.done[key] = doneTransaction{digest, now}
	s.tokens.expire(now)
	return transactOutput(in.ReturnConsumedCapacity, costs, useTransactWrite), nil
}

// expire forgets old tokens, now and then: a full sweep whenever the map has
// grown is cheap enough.
func (ts *tokens) expire(now time.Time) {
	if len(ts.done)%256 == 0 {
		maps.DeleteFunc(ts.done, func(_ string, d doneTransaction) bool { return now.Sub(d.At) >= tokenLifetime })
	}
}

func (s *Service) prepareTransaction(ctx context.Context, in *transactWriteInput) ([]*write, error) {
	if n := len(in.TransactItems); n < 1 || n > maxTransactActions {
		return nil, transactLength(n)
	}
	writes := make([]*write, len(in.TransactItems))
	seen := make(targets, len(writes))
	for i := range in.TransactItems {
		w, err := s.prepareTransactItem(ctx, &in.TransactItems[i])
		if err != nil {
			return nil, err
		}
		if err := seen.add(w.table, w.key); err != nil {
			return nil, err
		}
		writes[i] = w
	}
	return writes, nil
}

// targets are the items that a transaction touches.
type targets map[target]bool

type target struct {
	table *table
	key   string
}

func (ts targets) add(t *table, key string) error {
	if at := (target{t, key}); !ts[at] {
		ts[at] = true
		return nil
	}
	return validation("Transaction request cannot include multiple operations on one item")
}

func transactLength(n int) error {
	rule := "Member must have length less than or equal to 100"
	if n == 0 {
		rule = "Member must have length greater than or equal to 1"
	}
	return constraint("[...]", "transactItems", "%s", rule)
}

func (s *Service) prepareTransactItem(ctx context.Context, in *transactWriteItem) (*write, error) {
	kinds := 0
	for _, given := range []bool{in.ConditionCheck != nil, in.Put != nil, in.Delete != nil, in.Update != nil} {
		if given {
			kinds++
		}
	}
	switch {
	case kinds != 1:
		return nil, validation("TransactItems can only contain one of Check, Put, Update or Delete")
	case in.ConditionCheck != nil:
		return s.prepareCheck(ctx, in.ConditionCheck.Key, &in.ConditionCheck.writeParameters)
	case in.Put != nil:
		return s.preparePut(ctx, in.Put.Item, &in.Put.writeParameters)
	case in.Delete != nil:
		return s.prepareDelete(ctx, in.Delete.Key, &in.Delete.writeParameters)
	}
	if in.Update.UpdateExpression == nil {
		return nil, validation("The parameter 'UpdateExpression' is required but was not present in the request")
	}
	return s.prepareUpdate(ctx, in.Update.Key, in.Update.UpdateExpression, &in.Update.writeParameters)
}

// tableCosts is what a transaction costs, by table name.
type tableCosts map[string]*cost

func (tc tableCosts) add(t *table, c cost) {
	if tc[t.id.name] == nil {
		tc[t.id.name] = &cost{}
	}
	tc[t.id.name].add(c.times(transactionFactor))
}

// runTransaction evaluates every write and commits all or none.
func runTransaction(writes []*write) (tableCosts, error) {
	involved := make([]*table, len(writes))
	for i, w := range writes {
		involved[i] = w.table
	}
	defer lockAll(involved)()
	for _, t := range involved {
		if t.deleted {
			return nil, noSuchTable()
		}
	}
	olds, news := make([]*row, len(writes)), make([]*row, len(writes))
	reasons, failed, bytes := make([]cancellationReason, len(writes)), false, 0
	for i, w := range writes {
		var err error
		olds[i], news[i], err = w.evaluate()
		reasons[i] = reasonFor(err)
		failed = failed || err != nil
		bytes += max(olds[i].bytes(), news[i].bytes())
	}
	if failed {
		return nil, canceled(reasons)
	}
	if bytes > maxTransactBytes {
		return nil, transactTooLarge()
	}
	costs := tableCosts{}
	for i, w := range writes {
		costs.add(w.table, w.commit(olds[i], news[i]))
	}
	return costs, nil
}

// repeatCosts: answering a transaction again reads its items instead.
func repeatCosts(writes []*write) tableCosts {
	costs := tableCosts{}
	for _, w := range writes {
		w.table.mu.RLock()
		costs.add(w.table, cost{table: readUnits(w.table.rows.rows.get(w.key).bytes(), true)})
		w.table.mu.RUnlock()
	}
	return costs
}

func reasonFor(err error) cancellationReason {
	if err == nil {
		return cancellationReason{Code: "None"}
	}
	e := awsproto.AsError(err)
	switch e.Code {
	case "ConditionalCheckFailedException":
		shown, _ := e.Fields["Item"].(item)
		return cancellationReason{Code: "ConditionalCheckFailed", Message: e.Message, Item: shown}
	case "ValidationException":
		return cancellationReason{Code: "ValidationError", Message: e.Message}
	}
	return cancellationReason{Code: e.Code, Message: e.Message}
}

func canceled(reasons []cancellationReason) error {
	codes := make([]string, len(reasons))
	for i, r := range reasons {
		codes[i] = r.Code
	}
	e := awsproto.Errorf(400, "TransactionCanceledException",
		"Transaction cancelled, please refer cancellation reasons for specific reasons [%s]", strings.Join(codes, ", "))
	e.Fields = map[string]any{"CancellationReasons": reasons}
	return e
}

func transactOutput(mode string, costs tableCosts, use capacityUse) *transactWriteOutput {
	return &transactWriteOutput{ConsumedCapacity: costs.report(mode, use)}
}

func (tc tableCosts) report(mode string, use capacityUse) []*consumedCapacity {
	var out []*consumedCapacity
	for _, name := range slices.Sorted(maps.Keys(tc)) {
		if c := tc[name].report(mode, name, use); c != nil {
			out = append(out, c)
		}
	}
	return out
}

// transactGetItems reads all items at one moment.
func (s *Service) transactGetItems(ctx context.Context, in *transactGetInput) (*transactGetOutput, error) {
	if err := checkCapacityMode(in.ReturnConsumedCapacity); err != nil {
		return nil, err
	}
	gets, err := s.prepareTransactGet(ctx, in)
	if err != nil {
		return nil, err
	}
	involved := make([]*table, len(gets))
	for i, g := range gets {
		involved[i] = g.table
	}
	defer rLockAll(involved)()
	out, costs, bytes := &transactGetOutput{}, tableCosts{}, 0
	for _, g := range gets {
		r, err := g.read()
		if err != nil {
			return nil, err
		}
		if bytes += r.bytes(); bytes > maxTransactBytes {
			return nil, transactTooLarge()
		}
		costs.add(g.table, cost{table: readUnits(r.bytes(), true)})
		out.Responses = append(out.Responses, itemResponse{g.answer(r)})
	}
	out.ConsumedCapacity = costs.report(in.ReturnConsumedCapacity, useTransactRead)
	return out, nil
}

func transactTooLarge() error {
	return validation("Collective size of items in transaction cannot exceed 4MB")
}

func (s *Service) prepareTransactGet(ctx context.Context, in *transactGetInput) ([]*get, error) {
	if n := len(in.TransactItems); n < 1 || n > maxTransactActions {
		return nil, transactLength(n)
	}
	gets, seen := make([]*get, len(in.TransactItems)), make(targets, len(in.TransactItems))
	for i, t := range in.TransactItems {
		if t.Get == nil {
			return nil, validation("The parameter 'TransactItems.%d.member.Get' is required but was not present in the request", i+1)
		}
		g, err := s.prepareGet(ctx, t.Get.TableName, t.Get.Key, t.Get.ProjectionExpression, t.Get.ExpressionAttributeNames)
		if err == nil {
			err = seen.add(g.table, g.key)
		}
		if err != nil {
			return nil, err
		}
		gets[i] = g
	}
	return gets, nil
}
