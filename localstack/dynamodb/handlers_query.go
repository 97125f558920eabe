package dynamodb

import (
	"context"
	"math"
	"math/bits"
)

// maxPageBytes is how much a Query or Scan reads before it stops, counted
// before the filter. The item that crosses the line is still in the page.
const maxPageBytes = 1 << 20

func (s *Service) query(ctx context.Context, in *queryInput) (*pageOutput, error) {
	if in.KeyConditionExpression == nil {
		return nil, validation("Either the KeyConditions or KeyConditionExpression parameter must be specified in the request.")
	}
	p, sc, err := s.preparePage(ctx, &in.pageParameters, in.KeyConditionExpression)
	if err != nil {
		return nil, err
	}
	q, err := sc.keyCondition(*in.KeyConditionExpression, p.index.keys)
	if err != nil {
		return nil, err
	}
	if err := p.compile(sc, &in.pageParameters); err != nil {
		return nil, err
	}
	if err := p.index.keys.checkFilter(p.filter); err != nil {
		return nil, err
	}
	p.rows = q.rows
	p.backward = in.ScanIndexForward != nil && !*in.ScanIndexForward
	if err := p.startAfter(in.ExclusiveStartKey, prefixRange(partitionPrefix(q.hash))); err != nil {
		return nil, err
	}
	return p.run(&in.pageParameters)
}

func (s *Service) scan(ctx context.Context, in *scanInput) (*pageOutput, error) {
	segment, err := in.segment()
	if err != nil {
		return nil, err
	}
	p, sc, err := s.preparePage(ctx, &in.pageParameters, nil)
	if err != nil {
		return nil, err
	}
	if err := p.compile(sc, &in.pageParameters); err != nil {
		return nil, err
	}
	p.rows = segment
	if err := p.startAfter(in.ExclusiveStartKey, segment); err != nil {
		return nil, err
	}
	return p.run(&in.pageParameters)
}

const maxSegments = 1_000_000

// segment is the part of all stored keys that a parallel scan's worker reads:
// an equal share of the partition hashes.
func (in *scanInput) segment() (keyRange, error) {
	switch {
	case in.Segment == nil && in.TotalSegments == nil:
		return keyRange{}, nil
	case in.TotalSegments == nil:
		return keyRange{}, validation("The TotalSegments parameter is required but was not present in the request when Segment parameter is present")
	case in.Segment == nil:
		return keyRange{}, validation("The Segment parameter is required but was not present in the request when parameter TotalSegments is present")
	case *in.TotalSegments < 1 || *in.TotalSegments > maxSegments:
		return keyRange{}, constraint(*in.TotalSegments, "totalSegments", "Member must have value between 1 and %d", maxSegments)
	case *in.Segment < 0:
		return keyRange{}, constraint(*in.Segment, "segment", "Member must have value greater than or equal to 0")
	case *in.Segment >= *in.TotalSegments:
		return keyRange{}, validation("The Segment parameter is zero-based and must be less than parameter TotalSegments: Segment: %d is not less than TotalSegments: %d",
			*in.Segment, *in.TotalSegments)
	}
	return keyRange{segmentStart(*in.Segment, *in.TotalSegments), segmentStart(*in.Segment+1, *in.TotalSegments)}, nil
}

// segmentStart is the first stored key of a segment, "" for the two ends.
func segmentStart(n, total int) string {
	if n == 0 || n == total {
		return ""
	}
	start, _ := bits.Div64(uint64(n), 0, uint64(total)) // n·2^64 / total
	return hashPrefix(start)
}

// page is one prepared Query or Scan.
type page struct {
	table      *table
	index      *index
	rows       keyRange
	backward   bool
	limit      int
	filter     *parsedCondition
	projection *projection
}

// preparePage checks what Query and Scan have in common and finds the index.
func (s *Service) preparePage(ctx context.Context, in *pageParameters, keyCondition *string) (*page, *scope, error) {
	if err := in.check(); err != nil {
		return nil, nil, err
	}
	if err := checkCapacityMode(in.ReturnConsumedCapacity); err != nil {
		return nil, nil, err
	}
	p := &page{limit: math.MaxInt}
	if in.Limit != nil {
		if p.limit = *in.Limit; p.limit < 1 {
			return nil, nil, constraint(p.limit, "limit", "Member must have value greater than or equal to 1")
		}
	}
	var err error
	if p.table, err = s.table(ctx, in.TableName); err != nil {
		return nil, nil, err
	}
	if err := p.findIndex(in); err != nil {
		return nil, nil, err
	}
	sc, err := newScope(in.ExpressionAttributeNames, in.ExpressionAttributeValues, keyCondition, in.FilterExpression, in.ProjectionExpression)
	return p, sc, err
}

func (p *page) findIndex(in *pageParameters) error {
	p.table.mu.RLock()
	p.index = p.table.index(in.IndexName)
	p.table.mu.RUnlock()
	switch {
	case p.index == nil:
		return validation("The table does not have the specified index: %s", in.IndexName)
	case in.IndexName != "" && in.ConsistentRead:
		return validation("Consistent reads are not supported on global secondary indexes")
	}
	return p.checkSelect(in)
}

func (p *page) checkSelect(in *pageParameters) error {
	if err := checkEnum(in.Select, "select", "SPECIFIC_ATTRIBUTES", "COUNT", "ALL_ATTRIBUTES", "ALL_PROJECTED_ATTRIBUTES"); err != nil {
		return err
	}
	switch {
	case in.Select == "ALL_PROJECTED_ATTRIBUTES" && in.IndexName == "":
		return validation("ALL_PROJECTED_ATTRIBUTES can be used only when Querying using an IndexName")
	case in.Select == "ALL_ATTRIBUTES" && !p.index.projection.all():
		return validation("One or more parameter values were invalid: Select type ALL_ATTRIBUTES is not supported for global secondary index %s "+
			"because its projection type is not ALL", in.IndexName)
	case in.Select == "SPECIFIC_ATTRIBUTES" && in.ProjectionExpression == nil:
		return validation("Must specify the AttributesToGet or ProjectionExpression when choosing to get SPECIFIC_ATTRIBUTES")
	case in.ProjectionExpression != nil && in.Select != "" && in.Select != "SPECIFIC_ATTRIBUTES":
		return validation("Cannot specify the ProjectionExpression when choosing to get %s", in.Select)
	}
	return nil
}

// compile reads filter and projection, the last users of the scope.
func (p *page) compile(sc *scope, in *pageParameters) error {
	var err error
	if p.filter, err = sc.condition("FilterExpression", in.FilterExpression); err != nil {
		return err
	}
	if p.projection, err = sc.projection(in.ProjectionExpression); err != nil {
		return err
	}
	return sc.done()
}

// startAfter moves the page's beginning behind an ExclusiveStartKey, which
// must lie within bounds. The item itself need not exist any more.
func (p *page) startAfter(key item, bounds keyRange) error {
	if key == nil {
		return nil
	}
	if !p.isStartKey(key) {
		return validation("The provided starting key is invalid")
	}
	at := p.index.rowKey(key)
	if !bounds.contains(at) {
		return validation("The provided starting key is outside query boundaries based on provided conditions")
	}
	if p.backward {
		p.rows = p.rows.before(at)
	} else {
		p.rows = p.rows.after(at)
	}
	return nil
}

// isStartKey: the index's and the table's key attributes, and no others.
func (p *page) isStartKey(key item) bool {
	attributes := p.startAttributes()
	names := map[string]bool{}
	for _, a := range attributes {
		names[a.name] = true
		if key[a.name].kind != a.kind {
			return false
		}
	}
	return len(names) == len(key)
}

func (p *page) startAttributes() []keyAttribute {
	attributes := p.index.keys.attributes()
	if p.index.name != "" {
		attributes = append(attributes, p.table.keys().attributes()...)
	}
	return attributes
}

// run reads the page. Rows never change, so the lock is held only to collect
// them: filter and projection come after it.
func (p *page) run(in *pageParameters) (*pageOutput, error) {
	found, bytes, more, err := p.collect()
	if err != nil {
		return nil, err
	}
	out := &pageOutput{ScannedCount: len(found)}
	items := make([]item, 0, len(found))
	for _, r := range found {
		if p.filter == nil || p.filter.holds(r.attrs) {
			out.Count++
			if in.Select != "COUNT" {
				items = append(items, p.projection.of(r.attrs))
			}
		}
	}
	if in.Select != "COUNT" {
		out.Items = &items
	}
	if more {
		out.LastEvaluatedKey = p.lastKey(found[len(found)-1].attrs)
	}
	out.ConsumedCapacity = p.cost(bytes, in.ConsistentRead).report(in.ReturnConsumedCapacity, p.table.id.name, useSimple)
	return out, nil
}

// collect reads rows up to the limits. more tells that a limit ended the page,
// though nothing may follow: AWS does not look ahead either.
func (p *page) collect() (found []*row, bytes int, more bool, err error) {
	p.table.mu.RLock()
	defer p.table.mu.RUnlock()
	if p.table.deleted {
		return nil, 0, false, noSuchTable()
	}
	if p.rows.hi != "" && p.rows.lo >= p.rows.hi {
		return nil, 0, false, nil
	}
	rows := p.index.rows.ascend(p.rows)
	if p.backward {
		rows = p.index.rows.descend(p.rows)
	}
	for e := range rows {
		found = append(found, e.row)
		bytes += e.row.size
		if len(found) >= p.limit || bytes >= maxPageBytes {
			return found, bytes, true, nil
		}
	}
	return found, bytes, false, nil
}

func (p *page) lastKey(it item) item {
	key := make(item, 4)
	for _, a := range p.startAttributes() {
		key[a.name] = it[a.name]
	}
	return key
}

func (p *page) cost(bytes int, consistent bool) cost {
	units := readUnits(bytes, consistent)
	if p.index.name == "" {
		return cost{table: units}
	}
	var c cost
	c.addIndex(p.index.name, units)
	return c
}
