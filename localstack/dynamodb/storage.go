package dynamodb

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"sync"
	"time"

	"fanfare/localstack/awsproto"
)

// maxItemSize is 400 KB, attribute names included.
const maxItemSize = 400 << 10

// tableID names a table: every region has its own.
type tableID struct{ region, name string }

func (a tableID) compare(b tableID) int {
	return cmp.Or(strings.Compare(a.region, b.region), strings.Compare(a.name, b.name))
}

// table is one table with all that it holds. mu guards everything but id.
type table struct {
	id tableID

	mu       sync.RWMutex
	settings tableSettings
	rows     *index
	indexes  []*index // global secondary indexes
	ttl      expiry
	deleted  bool
}

// tableSettings is what the control plane knows of a table. It is written into
// snapshots as it is.
type tableSettings struct {
	ARN                string
	ID                 string
	Created            time.Time
	Attributes         []attributeDefinition
	Keys               []keySchemaElement
	Billing            string    // PAY_PER_REQUEST or PROVISIONED
	OnDemandSince      time.Time // zero: never was
	Throughput         throughput
	SSE                *sseDescription
	DeletionProtection bool
	Class              string
	Tags               map[string]string
	TTL                ttlSettings
	Backups            backupSettings
	Indexes            []indexSettings
}

type indexSettings struct {
	Name       string
	Keys       []keySchemaElement
	Projection projectionSpec
	Throughput throughput
}

func newTable(id tableID, settings tableSettings) *table {
	t := &table{id: id, settings: settings}
	keys := resolveKeys(settings.Keys, settings.Attributes)
	t.rows = &index{keys: keys, base: keys}
	for _, x := range settings.Indexes {
		t.addIndex(x)
	}
	return t
}

// addIndex makes an index and fills it with what the table holds.
func (t *table) addIndex(x indexSettings) {
	fresh := &index{
		name: x.Name, base: t.rows.keys, projection: x.Projection,
		keys: resolveKeys(x.Keys, t.settings.Attributes),
	}
	for e := range t.rows.rows.ascend(keyRange{}) {
		fresh.replace(nil, e.row)
	}
	t.indexes = append(t.indexes, fresh)
}

func resolveKeys(schema []keySchemaElement, attributes []attributeDefinition) keySchema {
	var keys keySchema
	for _, k := range schema {
		a := keyAttribute{name: k.AttributeName}
		for _, d := range attributes {
			if d.AttributeName == k.AttributeName {
				a.kind = kindNamed(d.AttributeType)
			}
		}
		if k.KeyType == "HASH" {
			keys.hash = a
		} else {
			keys.sort = a
		}
	}
	return keys
}

// index returns the index called name; "" is the table itself.
func (t *table) index(name string) *index {
	if name == "" {
		return t.rows
	}
	for _, x := range t.indexes {
		if x.name == name {
			return x
		}
	}
	return nil
}

// checkStorable refuses an item that the table cannot hold.
func (t *table) checkStorable(r *row, tooLarge string) error {
	if err := t.rows.keys.checkItem(r.attrs); err != nil {
		return err
	}
	if r.size > maxItemSize {
		return validation("%s", tooLarge)
	}
	for _, x := range t.indexes {
		if err := x.checkKeys(r.attrs); err != nil {
			return err
		}
	}
	return nil
}

// replace puts fresh into the place of old; either may be nil. t.mu is held.
func (t *table) replace(old, fresh *row) cost {
	var c cost
	c.table = t.rows.replace(old, fresh)
	for _, x := range t.indexes {
		c.addIndex(x.name, x.replace(old, fresh))
	}
	t.ttl.replace(t.rows, old, fresh)
	return c
}

// tables is all of them, by region and name.
type tables struct {
	mu   sync.RWMutex
	byID map[tableID]*table
}

// get finds a table by its name in the request's region, or by its ARN.
func (ts *tables) get(ctx context.Context, name string) (*table, bool) {
	id := tableID{awsproto.CallFrom(ctx).Region, name}
	if strings.HasPrefix(name, "arn:") {
		parts := strings.SplitN(name, ":", 6)
		if len(parts) < 6 || !strings.HasPrefix(parts[5], "table/") {
			return nil, false
		}
		id = tableID{parts[3], strings.TrimPrefix(parts[5], "table/")}
	}
	ts.mu.RLock()
	defer ts.mu.RUnlock()
	t, ok := ts.byID[id]
	return t, ok
}

// sorted returns all tables in the order of their ids.
func (ts *tables) sorted() []*table {
	ts.mu.RLock()
	defer ts.mu.RUnlock()
	all := make([]*table, 0, len(ts.byID))
	for _, t := range ts.byID {
		all = append(all, t)
	}
	slices.SortFunc(all, func(a, b *table) int { return a.id.compare(b.id) })
	return all
}

// lockAll locks the tables for writing, always in the order of their ids, so
// that two transactions cannot wait for each other. It returns the unlock.
func lockAll(some []*table) func() {
	order := distinct(some)
	for _, t := range order {
		t.mu.Lock()
	}
	return func() {
		for _, t := range order {
			t.mu.Unlock()
		}
	}
}

// rLockAll is lockAll for reading.
func rLockAll(some []*table) func() {
	order := distinct(some)
	for _, t := range order {
		t.mu.RLock()
	}
	return func() {
		for _, t := range order {
			t.mu.RUnlock()
		}
	}
}

func distinct(some []*table) []*table {
	order := slices.Clone(some)
	slices.SortFunc(order, func(a, b *table) int { return a.id.compare(b.id) })
	return slices.Compact(order)
}
