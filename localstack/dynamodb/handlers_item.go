package dynamodb

import "context"

func (s *Service) getItem(ctx context.Context, in *getItemInput) (*getItemOutput, error) {
	if err := in.check(); err != nil {
		return nil, err
	}
	if err := checkCapacityMode(in.ReturnConsumedCapacity); err != nil {
		return nil, err
	}
	g, err := s.prepareGet(ctx, in.TableName, in.Key, in.ProjectionExpression, in.ExpressionAttributeNames)
	if err != nil {
		return nil, err
	}
	r, err := g.run()
	if err != nil {
		return nil, err
	}
	c := cost{table: readUnits(r.bytes(), in.ConsistentRead)}
	return &getItemOutput{
		Item:             g.answer(r),
		ConsumedCapacity: c.report(in.ReturnConsumedCapacity, g.table.id.name, useSimple),
	}, nil
}

// get is one prepared read of one item.
type get struct {
	table      *table
	key        string
	projection *projection
}

func (s *Service) prepareGet(ctx context.Context, name string, key item, src *string, names expressionNames) (*get, error) {
	t, err := s.table(ctx, name)
	if err != nil {
		return nil, err
	}
	picked, err := projectionAlone(src, names)
	if err != nil {
		return nil, err
	}
	rowKey, err := t.keyOf(key)
	if err != nil {
		return nil, err
	}
	return &get{t, rowKey, picked}, nil
}

// projectionAlone compiles a projection that is its request's only expression.
func projectionAlone(src *string, names expressionNames) (*projection, error) {
	sc, err := newScope(names, nil, src)
	if err != nil {
		return nil, err
	}
	picked, err := sc.projection(src)
	if err != nil {
		return nil, err
	}
	return picked, sc.done()
}

func (g *get) run() (*row, error) {
	g.table.mu.RLock()
	defer g.table.mu.RUnlock()
	return g.read()
}

// read needs the table's lock.
func (g *get) read() (*row, error) {
	if g.table.deleted {
		return nil, noSuchTable()
	}
	return g.table.rows.rows.get(g.key), nil
}

// answer is nil where there is no item; a projection that finds nothing in an
// item is an empty one.
func (g *get) answer(r *row) *item {
	if r == nil {
		return nil
	}
	it := g.projection.of(r.attrs)
	return &it
}

func (s *Service) putItem(ctx context.Context, in *putItemInput) (*writeOutput, error) {
	if err := in.checkAnswer("NONE", "ALL_OLD"); err != nil {
		return nil, err
	}
	w, err := s.preparePut(ctx, in.Item, &in.writeParameters)
	if err != nil {
		return nil, err
	}
	return w.answer(&in.answerParameters)
}

func (s *Service) deleteItem(ctx context.Context, in *deleteItemInput) (*writeOutput, error) {
	if err := in.checkAnswer("NONE", "ALL_OLD"); err != nil {
		return nil, err
	}
	w, err := s.prepareDelete(ctx, in.Key, &in.writeParameters)
	if err != nil {
		return nil, err
	}
	return w.answer(&in.answerParameters)
}

func (s *Service) updateItem(ctx context.Context, in *updateItemInput) (*writeOutput, error) {
	if err := in.checkAnswer("NONE", "ALL_OLD", "UPDATED_OLD", "ALL_NEW", "UPDATED_NEW"); err != nil {
		return nil, err
	}
	w, err := s.prepareUpdate(ctx, in.Key, in.UpdateExpression, &in.writeParameters)
	if err != nil {
		return nil, err
	}
	return w.answer(&in.answerParameters)
}

// checkAnswer checks what a write asks to be told. ReturnItemCollectionMetrics
// only ever reports on local secondary indexes, which no table here has.
func (p *answerParameters) checkAnswer(returnValues ...string) error {
	if err := p.check(); err != nil {
		return err
	}
	if err := checkEnum(p.ReturnValues, "returnValues", "ALL_NEW", "UPDATED_OLD", "ALL_OLD", "NONE", "UPDATED_NEW"); err != nil {
		return err
	}
	if checkEnum(p.ReturnValues, "", returnValues...) != nil {
		return validation("ReturnValues can only be ALL_OLD or NONE")
	}
	if err := checkEnum(p.ReturnItemCollectionMetrics, "returnItemCollectionMetrics", "SIZE", "NONE"); err != nil {
		return err
	}
	return checkCapacityMode(p.ReturnConsumedCapacity)
}

// answer runs w and says what was asked for.
func (w *write) answer(p *answerParameters) (*writeOutput, error) {
	old, fresh, c, err := w.run()
	if err != nil {
		return nil, err
	}
	out := &writeOutput{ConsumedCapacity: c.report(p.ReturnConsumedCapacity, w.table.id.name, useSimple)}
	switch p.ReturnValues {
	case "ALL_OLD":
		out.Attributes = old.item()
	case "ALL_NEW":
		out.Attributes = fresh.item()
	case "UPDATED_OLD":
		out.Attributes = w.projectUpdated(old)
	case "UPDATED_NEW":
		out.Attributes = w.projectUpdated(fresh)
	}
	return out, nil
}

func (w *write) projectUpdated(r *row) item {
	if r == nil || len(w.updated) == 0 {
		return nil
	}
	return newProjection(w.updated).of(r.attrs)
}
