package dynamodb

import (
	"cmp"
	"context"
	"encoding/base64"
	"encoding/json"
	"maps"
	"slices"
)

// Action is something that a request does, as policies see it: most requests
// have one, a batch one for each table, a transaction one for each of its parts.
type Action struct {
	Name         string // "PutItem"; in a transaction also "ConditionCheckItem"
	Table, Index string // as the request names them; no Index is the table itself
	// Keys are the condition keys that AWS has for it, by name: LeadingKeys,
	// Attributes, Select, ReturnValues, ReturnConsumedCapacity and
	// EnclosingOperation, each behind "dynamodb:". What the request lets open has
	// the value that it then takes; what it cannot have is absent. See
	// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/specifying-conditions.html
	// and https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/transaction-apis-iam.html.
	Keys map[string][]string
}

// Actions reads what a request of the data plane does; of other operations it
// tells nothing. It checks nothing: what it cannot read, the operation refuses.
func (s *Service) Actions(ctx context.Context, operation string, body []byte) []Action {
	read, ok := map[string]func(context.Context, []byte) []Action{
		"GetItem": s.getActions, "PutItem": s.putActions, "UpdateItem": s.updateActions, "DeleteItem": s.deleteActions,
		"Query": s.queryActions, "Scan": s.scanActions, "BatchGetItem": s.batchGetActions, "BatchWriteItem": s.batchWriteActions,
		"TransactGetItems": s.transactGetActions, "TransactWriteItems": s.transactWriteActions,
	}[operation]
	if !ok {
		return nil
	}
	return read(ctx, body)
}

// readInput decodes as the operation does. What is wrong with it, the operation
// will say.
func readInput[In any](body []byte) *In {
	in := new(In)
	_ = json.Unmarshal(body, in) // as far as it goes
	return in
}

// access collects an Action.
type access struct {
	Action
	keys       keySchema // of the table or index; empty if there is none
	attributes map[string]bool
}

func (s *Service) access(ctx context.Context, name, tableName, indexName string) *access {
	a := &access{Action: Action{Name: name, Table: tableName, Index: indexName, Keys: map[string][]string{}}, attributes: map[string]bool{}}
	if t, ok := s.tables.get(ctx, tableName); ok {
		t.mu.RLock()
		defer t.mu.RUnlock()
		if x := t.index(indexName); x != nil {
			a.keys = x.keys
		}
	}
	return a
}

func (a *access) set(key, value string) { a.Keys["dynamodb:"+key] = []string{value} }

// touches takes a whole item, or a key.
func (a *access) touches(it item) {
	for name := range it {
		a.attributes[name] = true
	}
	if v, ok := it[a.keys.hash.name]; ok {
		a.leads(v)
	}
}

func (a *access) leads(v value) {
	text := v.text
	if v.kind == kindB {
		text = base64.StdEncoding.EncodeToString([]byte(text))
	}
	const key = "dynamodb:LeadingKeys"
	if !slices.Contains(a.Keys[key], text) {
		a.Keys[key] = append(a.Keys[key], text)
	}
}

// scope is for expressions, whose attributes are noted.
func (a *access) scope(names expressionNames, values expressionValues) *scope {
	return &scope{names: names, values: values, used: map[string]bool{}, attributes: a.attributes}
}

// reads notes a projection. Where nothing is chosen everything is.
func (a *access) reads(src *string, names expressionNames) {
	_, _ = a.scope(names, nil).projection(src) // refused by the operation
	selected := "ALL_ATTRIBUTES"
	if src != nil {
		selected = "SPECIFIC_ATTRIBUTES"
	}
	a.set("Select", selected)
}

func (a *access) writes(p *writeParameters, updateSrc *string) {
	sc := a.scope(p.ExpressionAttributeNames, p.ExpressionAttributeValues)
	_, _ = sc.update(updateSrc) // both are refused by the operation
	_, _ = sc.condition("ConditionExpression", p.ConditionExpression)
}

func (a *access) answers(p *answerParameters) {
	a.set("ReturnValues", cmp.Or(p.ReturnValues, "NONE"))
	a.reports(p.ReturnConsumedCapacity)
}

func (a *access) reports(capacity string) {
	a.set("ReturnConsumedCapacity", cmp.Or(capacity, "NONE"))
}

func (a *access) done() Action {
	if len(a.attributes) > 0 {
		a.Keys["dynamodb:Attributes"] = slices.Sorted(maps.Keys(a.attributes))
	}
	return a.Action
}

func (s *Service) getActions(ctx context.Context, body []byte) []Action {
	in := readInput[getItemInput](body)
	a := s.access(ctx, "GetItem", in.TableName, "")
	a.touches(in.Key)
	a.reads(in.ProjectionExpression, in.ExpressionAttributeNames)
	a.reports(in.ReturnConsumedCapacity)
	return []Action{a.done()}
}

func (s *Service) putActions(ctx context.Context, body []byte) []Action {
	in := readInput[putItemInput](body)
	a := s.access(ctx, "PutItem", in.TableName, "")
	a.touches(in.Item)
	a.writes(&in.writeParameters, nil)
	a.answers(&in.answerParameters)
	return []Action{a.done()}
}

func (s *Service) updateActions(ctx context.Context, body []byte) []Action {
	in := readInput[updateItemInput](body)
	a := s.access(ctx, "UpdateItem", in.TableName, "")
	a.touches(in.Key)
	a.writes(&in.writeParameters, in.UpdateExpression)
	a.answers(&in.answerParameters)
	return []Action{a.done()}
}

func (s *Service) deleteActions(ctx context.Context, body []byte) []Action {
	in := readInput[deleteItemInput](body)
	a := s.access(ctx, "DeleteItem", in.TableName, "")
	a.touches(in.Key)
	a.writes(&in.writeParameters, nil)
	a.answers(&in.answerParameters)
	return []Action{a.done()}
}

func (s *Service) queryActions(ctx context.Context, body []byte) []Action {
	in := readInput[queryInput](body)
	a := s.access(ctx, "Query", in.TableName, in.IndexName)
	if in.KeyConditionExpression != nil {
		sc := a.scope(in.ExpressionAttributeNames, in.ExpressionAttributeValues)
		if q, err := sc.keyCondition(*in.KeyConditionExpression, a.keys); err == nil { // else it is refused
			a.leads(q.hash)
		}
	}
	a.pages(&in.pageParameters)
	return []Action{a.done()}
}

// scanActions has no LeadingKeys: a Scan reads all of them.
func (s *Service) scanActions(ctx context.Context, body []byte) []Action {
	in := readInput[scanInput](body)
	a := s.access(ctx, "Scan", in.TableName, in.IndexName)
	a.pages(&in.pageParameters)
	return []Action{a.done()}
}

func (a *access) pages(in *pageParameters) {
	_, _ = a.scope(in.ExpressionAttributeNames, in.ExpressionAttributeValues).condition("FilterExpression", in.FilterExpression) // refused by the operation
	a.reads(in.ProjectionExpression, in.ExpressionAttributeNames)
	switch {
	case in.Select != "":
		a.set("Select", in.Select)
	case in.ProjectionExpression == nil && in.IndexName != "":
		a.set("Select", "ALL_PROJECTED_ATTRIBUTES")
	}
	a.reports(in.ReturnConsumedCapacity)
}

func (s *Service) batchGetActions(ctx context.Context, body []byte) (all []Action) {
	in := readInput[batchGetInput](body)
	for _, name := range slices.Sorted(maps.Keys(in.RequestItems)) {
		request := in.RequestItems[name]
		a := s.access(ctx, "BatchGetItem", name, "")
		for _, key := range request.Keys {
			a.touches(key)
		}
		a.reads(request.ProjectionExpression, request.ExpressionAttributeNames)
		a.reports(in.ReturnConsumedCapacity)
		all = append(all, a.done())
	}
	return all
}

func (s *Service) batchWriteActions(ctx context.Context, body []byte) (all []Action) {
	in := readInput[batchWriteInput](body)
	for _, name := range slices.Sorted(maps.Keys(in.RequestItems)) {
		a := s.access(ctx, "BatchWriteItem", name, "")
		for _, request := range in.RequestItems[name] {
			if request.PutRequest != nil {
				a.touches(request.PutRequest.Item)
			}
			if request.DeleteRequest != nil {
				a.touches(request.DeleteRequest.Key)
			}
		}
		a.reports(in.ReturnConsumedCapacity)
		all = append(all, a.done())
	}
	return all
}

func (s *Service) transactGetActions(ctx context.Context, body []byte) (all []Action) {
	in := readInput[transactGetInput](body)
	for _, part := range in.TransactItems {
		if part.Get == nil {
			continue
		}
		a := s.access(ctx, "GetItem", part.Get.TableName, "")
		a.touches(part.Get.Key)
		a.reads(part.Get.ProjectionExpression, part.Get.ExpressionAttributeNames)
		a.encloses("TransactGetItems", in.ReturnConsumedCapacity)
		all = append(all, a.done())
	}
	return all
}

func (a *access) encloses(operation, capacity string) {
	a.set("EnclosingOperation", operation)
	a.reports(capacity)
}

func (s *Service) transactWriteActions(ctx context.Context, body []byte) (all []Action) {
	in := readInput[transactWriteInput](body)
	add := func(name string, it item, p *writeParameters, updateSrc *string) {
		a := s.access(ctx, name, p.TableName, "")
		a.touches(it)
		a.writes(p, updateSrc)
		a.encloses("TransactWriteItems", in.ReturnConsumedCapacity)
		all = append(all, a.done())
	}
	for _, part := range in.TransactItems { // one that has several is refused by the operation
		if p := part.ConditionCheck; p != nil {
			add("ConditionCheckItem", p.Key, &p.writeParameters, nil)
		}
		if p := part.Put; p != nil {
			add("PutItem", p.Item, &p.writeParameters, nil)
		}
		if p := part.Update; p != nil {
			add("UpdateItem", p.Key, &p.writeParameters, p.UpdateExpression)
		}
		if p := part.Delete; p != nil {
			add("DeleteItem", p.Key, &p.writeParameters, nil)
		}
	}
	return all
}
