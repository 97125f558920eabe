package dynamodb

// row is one stored item. It never changes: a write puts another in its place.
type row struct {
	attrs item
	size  int // bytes as AWS counts them
}

func newRow(it item) *row {
	if it == nil {
		return nil
	}
	return &row{it, it.size()}
}

func (r *row) item() item {
	if r == nil {
		return nil
	}
	return r.attrs
}

func (r *row) bytes() int {
	if r == nil {
		return 0
	}
	return r.size
}

// index is a sorted view of a table: the table itself or a global secondary
// index. Its table's lock guards it.
type index struct {
	name       string // "" for the table itself
	keys       keySchema
	base       keySchema // the table's
	projection projectionSpec
	rows       sortedMap
	bytes      int
}

// projectionSpec is what of an item a secondary index holds.
// The zero value holds all.
type projectionSpec struct {
	Type    string   `json:"ProjectionType,omitempty"`
	Include []string `json:"NonKeyAttributes,omitempty"`
}

func (p projectionSpec) all() bool { return p.Type == "" || p.Type == "ALL" }

// view returns the row that x holds for r, nil if it holds none: an item
// without the index's keys is not in it.
func (x *index) view(r *row) *row {
	if r == nil || x.name == "" {
		return r
	}
	for _, a := range x.keys.attributes() {
		if r.attrs[a.name].kind != a.kind {
			return nil
		}
	}
	if x.projection.all() {
		return r
	}
	out := x.base.pick(r.attrs)
	for _, a := range x.keys.attributes() {
		out[a.name] = r.attrs[a.name]
	}
	for _, name := range x.projection.Include {
		if v, ok := r.attrs[name]; ok {
			out[name] = v
		}
	}
	return newRow(out)
}

// rowKey is the key under which x stores an item or finds its place. In a
// secondary index, whose keys are not unique, the table's key follows.
func (x *index) rowKey(it item) string {
	key := x.keys.rowKey(it)
	if x.name != "" {
		key += x.base.rowKey(it)
	}
	return key
}

// replace takes from x what it holds for old and adds what it holds for fresh.
// It returns the write units that this costs x.
func (x *index) replace(old, fresh *row) float64 {
	was, is := x.view(old), x.view(fresh)
	if was != nil && is != nil {
		if a, b := x.rowKey(was.attrs), x.rowKey(is.attrs); a == b {
			return x.overwrite(a, was, is)
		}
	}
	units := 0.0
	if was != nil {
		x.rows.delete(x.rowKey(was.attrs))
		x.bytes -= was.size
		units += writeUnits(was.size)
	}
	if is != nil {
		x.rows.set(x.rowKey(is.attrs), is)
		x.bytes += is.size
		units += writeUnits(is.size)
	}
	return units
}

// overwrite is free for a secondary index that sees no change.
func (x *index) overwrite(key string, was, is *row) float64 {
	x.rows.set(key, is)
	x.bytes += is.size - was.size
	if x.name != "" && equalMaps(was.attrs, is.attrs) {
		return 0
	}
	return writeUnits(max(was.size, is.size))
}

// checkKeys refuses an item whose value for one of a secondary index's keys
// has the wrong type or is empty. Leaving it out altogether is fine.
func (x *index) checkKeys(it item) error {
	for _, a := range x.keys.attributes() {
		v, ok := it[a.name]
		switch {
		case !ok:
		case v.kind != a.kind:
			return validation("One or more parameter values were invalid: Type mismatch for Index Key %s Expected: %v Actual: %v IndexName: %s",
				a.name, a.kind, v.kind, x.name)
		case v.kind != kindN && v.text == "":
			return validation("One or more parameter values are not valid. A value specified for a secondary index key is not supported. "+
				"The AttributeValue for a key attribute cannot contain an empty string value. IndexName: %s, IndexKey: %s", x.name, a.name)
		case v.size() > maxHashKeySize || a == x.keys.sort && v.size() > maxRangeKeySize:
			return validation("One or more parameter values were invalid: Size of the index key %s has exceeded the maximum size limit. IndexName: %s", a.name, x.name)
		}
	}
	return nil
}
