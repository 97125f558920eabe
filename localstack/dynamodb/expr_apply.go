package dynamodb

import (
	"maps"
	"slices"
)

// Errors that only the item at hand can cause.
func noSuchOperand() error {
	return validation("The provided expression refers to an attribute that does not exist in the item")
}

func invalidPath() error {
	return validation("The document path provided in the update expression is invalid for update")
}

func wrongOperandType() error {
	return validation("An operand in the update expression has an incorrect data type")
}

// updater applies one update. out shares with old what does not change.
type updater struct {
	old, out item
}

// setAll evaluates before it writes: SET a = b, b = a swaps. Elements beyond
// a list's end are appended in the order of their indexes.
func (w *updater) setAll(actions []updateAction) error {
	ready := slices.Clone(actions)
	for i, a := range ready {
		v, err := a.operand.evaluate(w.old)
		if err != nil {
			return err
		}
		ready[i].literal = v
	}
	slices.SortStableFunc(ready, byLastIndex)
	for _, a := range ready {
		if err := w.put(a.path, a.literal); err != nil {
			return err
		}
	}
	return nil
}

// removeAll goes from the highest index down, so that every index means what
// it meant in the old item.
func (w *updater) removeAll(actions []updateAction) error {
	last := slices.SortedStableFunc(slices.Values(actions), func(a, b updateAction) int { return byLastIndex(b, a) })
	for _, a := range last {
		if err := w.remove(a.path); err != nil {
			return err
		}
	}
	return nil
}

func (o setOperand) evaluate(it item) (value, error) {
	switch o.function {
	case "":
		return o.plain(it)
	case "if_not_exists":
		if v, ok := o.args[0].path.lookup(it); ok {
			return v, nil
		}
		return o.args[1].evaluate(it)
	}
	a, err := o.args[0].evaluate(it)
	if err != nil {
		return value{}, err
	}
	b, err := o.args[1].evaluate(it)
	if err != nil {
		return value{}, err
	}
	if o.function == "list_append" {
		return listAppend(a, b)
	}
	return sum(a, b, o.function == "-")
}

func (o setOperand) plain(it item) (value, error) {
	if o.path == nil {
		return o.literal, nil
	}
	v, ok := o.path.lookup(it)
	if !ok {
		return value{}, noSuchOperand()
	}
	return v, nil
}

func listAppend(a, b value) (value, error) {
	if a.kind != kindL || b.kind != kindL {
		return value{}, wrongOperandType()
	}
	return value{kind: kindL, list: slices.Concat(a.list, b.list)}, nil
}

func sum(a, b value, minus bool) (value, error) {
	if a.kind != kindN || b.kind != kindN {
		return value{}, wrongOperandType()
	}
	text, err := addNumbers(a.text, b.text, minus)
	return value{kind: kindN, text: text}, err
}

// combine replaces what a's path leads to by f of it and the literal. f's
// second result is false where the attribute is to go.
func (w *updater) combine(a updateAction, f func(present *value, literal value) (value, bool, error)) error {
	var present *value
	if v, ok := a.path.lookup(w.out); ok {
		present = &v
	}
	v, keep, err := f(present, a.literal)
	switch {
	case err != nil:
		return err
	case keep:
		return w.put(a.path, v)
	case present != nil:
		return w.remove(a.path)
	}
	return nil
}

func addTo(present *value, literal value) (value, bool, error) {
	if present == nil {
		return literal, true, nil
	}
	if present.kind != literal.kind {
		return value{}, false, wrongOperandType()
	}
	if literal.kind == kindN {
		v, err := sum(*present, literal, false)
		return v, true, err
	}
	members := texts(present.list)
	union := slices.Clone(present.list)
	for _, m := range literal.list {
		if !members[m.text] {
			union = append(union, m)
		}
	}
	return value{kind: literal.kind, list: union}, true, nil
}

// deleteFrom drops the attribute with the set's last member: there are no
// empty sets.
func deleteFrom(present *value, literal value) (value, bool, error) {
	if present == nil {
		return value{}, false, nil
	}
	if present.kind != literal.kind {
		return value{}, false, wrongOperandType()
	}
	gone := texts(literal.list)
	rest := slices.DeleteFunc(slices.Clone(present.list), func(m value) bool { return gone[m.text] })
	return value{kind: literal.kind, list: rest}, len(rest) > 0, nil
}

func (w *updater) put(p path, v value) error {
	if len(p) == 1 {
		w.out[p[0].name] = v
		return nil
	}
	return w.rebuild(p, func(parent value, last step) (value, error) { return withChild(parent, last, v) })
}

func (w *updater) remove(p path) error {
	if len(p) == 1 {
		delete(w.out, p[0].name)
		return nil
	}
	return w.rebuild(p, withoutChild)
}

// rebuild replaces the container that p's last step reaches into, and a copy
// of each container on the way to it.
func (w *updater) rebuild(p path, f func(parent value, last step) (value, error)) error {
	root, ok := w.out[p[0].name]
	if !ok {
		return invalidPath()
	}
	v, err := rebuildIn(root, p[1:], f)
	if err == nil {
		w.out[p[0].name] = v
	}
	return err
}

func rebuildIn(v value, steps path, f func(value, step) (value, error)) (value, error) {
	if len(steps) == 1 {
		return f(v, steps[0])
	}
	child, ok := steps[0].child(v)
	if !ok {
		return value{}, invalidPath()
	}
	rebuilt, err := rebuildIn(child, steps[1:], f)
	if err != nil {
		return value{}, err
	}
	return withChild(v, steps[0], rebuilt)
}

// withChild returns a copy of parent with child at s; an index beyond the
// end appends.
func withChild(parent value, s step, child value) (value, error) {
	switch {
	case s.name != "" && parent.kind == kindM:
		parent.m = maps.Clone(parent.m)
		parent.m[s.name] = child
	case s.name == "" && parent.kind == kindL:
		parent.list = slices.Clone(parent.list)
		if s.index < len(parent.list) {
			parent.list[s.index] = child
		} else {
			parent.list = append(parent.list, child)
		}
	default:
		return value{}, invalidPath()
	}
	return parent, nil
}

// withoutChild returns a copy of parent without what s leads to, if it does.
func withoutChild(parent value, s step) (value, error) {
	switch {
	case s.name != "" && parent.kind == kindM:
		parent.m = maps.Clone(parent.m)
		delete(parent.m, s.name)
	case s.name == "" && parent.kind == kindL:
		if s.index < len(parent.list) {
			parent.list = slices.Delete(slices.Clone(parent.list), s.index, s.index+1)
		}
	default:
		return value{}, invalidPath()
	}
	return parent, nil
}
