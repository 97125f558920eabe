package dynamodb

import (
	"slices"
	"strconv"
	"strings"
)

// step is one part of a document path: a name or, with name "", a list index.
// (An attribute inside a map may not have an empty name in an expression.)
type step struct {
	name  string
	index int
}

// path is a document path, a.b[0]. Its first step is always a name.
type path []step

// String shows a path as AWS's messages do: [a, b, [0]].
func (p path) String() string {
	shown := make([]string, len(p))
	for i, s := range p {
		if shown[i] = s.name; s.name == "" {
			shown[i] = "[" + strconv.Itoa(s.index) + "]"
		}
	}
	return "[" + strings.Join(shown, ", ") + "]"
}

// lookup finds what p leads to.
func (p path) lookup(it item) (value, bool) {
	v, ok := it[p[0].name]
	for _, s := range p[1:] {
		if !ok {
			return value{}, false
		}
		v, ok = s.child(v)
	}
	return v, ok
}

func (s step) child(v value) (value, bool) {
	if s.name != "" {
		w, ok := v.m[s.name] // a nil map for all but M
		return w, ok
	}
	if v.kind != kindL || s.index >= len(v.list) {
		return value{}, false
	}
	return v.list[s.index], true
}

// checkDistinctPaths refuses two paths of which one reaches into the other
// (overlap), or that need the same attribute to be both map and list
// (conflict).
func checkDistinctPaths(what string, paths []path) error {
	for i, later := range paths {
		for _, earlier := range paths[:i] {
			if relation := relate(earlier, later); relation != "" {
				return validation("Invalid %s: Two document paths %s with each other; "+
					"must remove or rewrite one of these paths; path one: %v, path two: %v", what, relation, earlier, later)
			}
		}
	}
	return nil
}

func relate(a, b path) string {
	for i := range min(len(a), len(b)) {
		if a[i] == b[i] {
			continue
		}
		if (a[i].name == "") != (b[i].name == "") {
			return "conflict"
		}
		return ""
	}
	return "overlap"
}

// projection is a compiled ProjectionExpression; nil takes everything.
type projection struct{ root pickTree }

func newProjection(paths []path) *projection {
	p := new(projection)
	for _, at := range paths {
		p.root.add(at)
	}
	return p
}

// of returns the parts of it that p's paths lead to, nested as they were.
// Elements picked out of a list close up, in the list's order.
func (p *projection) of(it item) item {
	if p == nil {
		return it
	}
	out := make(item, len(p.root.names))
	for name, t := range p.root.names {
		if v, ok := it[name]; ok {
			if picked, ok := t.pick(v); ok {
				out[name] = picked
			}
		}
	}
	return out
}

// pickTree is a set of paths; a node without children takes all there is.
type pickTree struct {
	names   map[string]*pickTree
	indexes map[int]*pickTree
}

func (t *pickTree) add(p path) {
	if len(p) == 0 {
		return
	}
	t.childFor(p[0]).add(p[1:])
}

func (t *pickTree) childFor(s step) *pickTree {
	if s.name == "" {
		if t.indexes == nil {
			t.indexes = map[int]*pickTree{}
		}
		if t.indexes[s.index] == nil {
			t.indexes[s.index] = &pickTree{}
		}
		return t.indexes[s.index]
	}
	if t.names == nil {
		t.names = map[string]*pickTree{}
	}
	if t.names[s.name] == nil {
		t.names[s.name] = &pickTree{}
	}
	return t.names[s.name]
}

func (t *pickTree) pick(v value) (value, bool) {
	switch {
	case t.names == nil && t.indexes == nil:
		return v, true
	case v.kind == kindM:
		return t.pickMembers(v)
	case v.kind == kindL:
		return t.pickElements(v)
	}
	return value{}, false
}

func (t *pickTree) pickMembers(v value) (value, bool) {
	out := value{kind: kindM, m: map[string]value{}}
	for name, child := range t.names {
		if w, ok := v.m[name]; ok {
			if picked, ok := child.pick(w); ok {
				out.m[name] = picked
			}
		}
	}
	return out, len(out.m) > 0
}

func (t *pickTree) pickElements(v value) (value, bool) {
	out := value{kind: kindL}
	indexes := make([]int, 0, len(t.indexes))
	for i := range t.indexes {
		indexes = append(indexes, i)
	}
	slices.Sort(indexes)
	for _, i := range indexes {
		if i < len(v.list) {
			if picked, ok := t.indexes[i].pick(v.list[i]); ok {
				out.list = append(out.list, picked)
			}
		}
	}
	return out, len(out.list) > 0
}
