package dynamodb

import "context"

// write is one prepared change of one item: checked as far as that goes
// without the item, ready to run under the table's lock. Single writes and
// transactions share it.
type write struct {
	table     *table
	key       string
	condition *parsedCondition // nil: none
	// change returns the item's successor; nil deletes it.
	change func(old item) (item, error)
	// tooLarge is how AWS words an item over 400 KB here.
	tooLarge string
	// failureItem: a failed condition returns the item it looked at.
	failureItem bool
	// updated are the paths that UPDATED_OLD and UPDATED_NEW report.
	updated []path
	// checkOnly: a transaction's ConditionCheck, which leaves the item alone.
	checkOnly bool
}

const (
	putTooLarge    = "Item size has exceeded the maximum allowed size"
	updateTooLarge = "Item size to update has exceeded the maximum allowed size"
)

// evaluate finds what w will do without doing it. The table's lock is held.
func (w *write) evaluate() (old, fresh *row, err error) {
	old = w.table.rows.rows.get(w.key)
	if w.condition != nil && !w.condition.holds(old.item()) {
		var shown item
		if w.failureItem {
			shown = old.item()
		}
		return old, nil, conditionFailed(shown)
	}
	if w.checkOnly {
		return old, old, nil
	}
	it, err := w.change(old.item())
	if err != nil {
		return old, nil, err
	}
	if fresh = newRow(it); fresh != nil {
		err = w.table.checkStorable(fresh, w.tooLarge)
	}
	return old, fresh, err
}

// run evaluates and commits w by itself.
func (w *write) run() (old, fresh *row, c cost, err error) {
	w.table.mu.Lock()
	defer w.table.mu.Unlock()
	if w.table.deleted {
		return nil, nil, cost{}, noSuchTable()
	}
	if old, fresh, err = w.evaluate(); err != nil {
		return nil, nil, cost{}, err
	}
	return old, fresh, w.commit(old, fresh), nil
}

// commit stores what evaluate found. The table's lock is held.
func (w *write) commit(old, fresh *row) cost {
	if w.checkOnly || old == nil && fresh == nil {
		return cost{table: writeUnits(old.bytes())}
	}
	return w.table.replace(old, fresh)
}

// prepare resolves what all writes have in common. update is nil but for an
// UpdateItem.
func (s *Service) prepare(ctx context.Context, p *writeParameters, updateSrc *string) (*write, *update, error) {
	t, err := s.table(ctx, p.TableName)
	if err != nil {
		return nil, nil, err
	}
	if err := checkEnum(p.ReturnValuesOnConditionCheckFailure, "returnValuesOnConditionCheckFailure", "ALL_OLD", "NONE"); err != nil {
		return nil, nil, err
	}
	sc, err := newScope(p.ExpressionAttributeNames, p.ExpressionAttributeValues, p.ConditionExpression, updateSrc)
	if err != nil {
		return nil, nil, err
	}
	u, err := sc.update(updateSrc)
	if err != nil {
		return nil, nil, err
	}
	c, err := sc.condition("ConditionExpression", p.ConditionExpression)
	if err != nil {
		return nil, nil, err
	}
	w := &write{table: t, condition: c, failureItem: p.ReturnValuesOnConditionCheckFailure == "ALL_OLD"}
	return w, u, sc.done()
}

func (s *Service) preparePut(ctx context.Context, it item, p *writeParameters) (*write, error) {
	w, _, err := s.prepare(ctx, p, nil)
	if err != nil {
		return nil, err
	}
	if err := checkNames(it); err != nil {
		return nil, err
	}
	if err := w.table.keys().checkItem(it); err != nil {
		return nil, err
	}
	w.key = w.table.keys().rowKey(it)
	w.tooLarge = putTooLarge
	w.change = func(item) (item, error) { return it, nil }
	return w, nil
}

func (s *Service) prepareDelete(ctx context.Context, key item, p *writeParameters) (*write, error) {
	w, _, err := s.prepare(ctx, p, nil)
	if err != nil {
		return nil, err
	}
	if w.key, err = w.table.keyOf(key); err != nil {
		return nil, err
	}
	w.change = func(item) (item, error) { return nil, nil }
	return w, nil
}

func (s *Service) prepareCheck(ctx context.Context, key item, p *writeParameters) (*write, error) {
	if p.ConditionExpression == nil {
		return nil, validation("The parameter 'ConditionExpression' is required but was not present in the request")
	}
	w, err := s.prepareDelete(ctx, key, p)
	if err == nil {
		w.checkOnly = true
	}
	return w, err
}

func (s *Service) prepareUpdate(ctx context.Context, key item, src *string, p *writeParameters) (*write, error) {
	w, u, err := s.prepare(ctx, p, src)
	if err != nil {
		return nil, err
	}
	if w.key, err = w.table.keyOf(key); err != nil {
		return nil, err
	}
	w.updated = u.paths()
	for _, at := range w.updated {
		if w.table.keys().has(at[0].name) {
			return nil, validation("One or more parameter values were invalid: Cannot update attribute %s. This attribute is part of the key", at[0].name)
		}
	}
	w.tooLarge = updateTooLarge
	w.change = func(old item) (item, error) { return upsert(u, old, key) }
	return w, nil
}

// upsert updates old or, where there is none, a new item that has only its key.
// Operands see no key attributes of an item that does not exist yet.
func upsert(u *update, old, key item) (item, error) {
	fresh, err := u.apply(old)
	if err != nil {
		return nil, err
	}
	for name, v := range key {
		fresh[name] = v
	}
	for _, v := range fresh {
		if v.depth() > maxDepth {
			return nil, validation("Nesting Levels have exceeded supported limits: Attributes with nesting levels beyond the limit of %d", maxDepth)
		}
	}
	return fresh, nil
}

// checkNames refuses attributes without a name or with one over 64 KB.
func checkNames(it item) error {
	for name := range it {
		if name == "" || len(name) > 1<<16-1 {
			return validation("One or more parameter values were invalid: Attribute name must have a length of 1 to 65535")
		}
	}
	return nil
}

// keys is the table's own key schema, which never changes.
func (t *table) keys() keySchema { return t.rows.keys }

// keyOf returns the stored key for a request's Key.
func (t *table) keyOf(key item) (string, error) {
	if err := t.keys().checkKey(key); err != nil {
		return "", err
	}
	return t.keys().rowKey(key), nil
}
