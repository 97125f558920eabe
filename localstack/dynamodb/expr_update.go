package dynamodb

import (
	"cmp"
	"slices"
	"strings"
)

// update is a compiled UpdateExpression.
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Expressions.UpdateExpressions.html
type update struct {
	set, remove, add, delete []updateAction
}

// updateAction is one part of a section: what happens to one path.
type updateAction struct {
	path    path
	operand setOperand // SET
	literal value      // ADD and DELETE
}

// setOperand is the right side of a SET: a path, a literal, or an operator or
// function over further operands.
type setOperand struct {
	function string // "", "+", "-", "if_not_exists", "list_append"
	path     path
	literal  value
	args     []setOperand
}

// update compiles src. A nil src gives an update that changes nothing.
func (s *scope) update(src *string) (*update, error) {
	if src == nil {
		return &update{}, nil
	}
	p, err := s.parser("UpdateExpression", *src)
	if err != nil {
		return nil, err
	}
	u := &update{}
	for first := true; first || p.peek().kind != tokenEOF; first = false {
		if err := p.section(u); err != nil {
			return nil, err
		}
	}
	return u, checkDistinctPaths(p.what, u.paths())
}

func (u *update) actions() []updateAction {
	return slices.Concat(u.set, u.remove, u.add, u.delete)
}

func (u *update) paths() []path {
	actions := u.actions()
	paths := make([]path, len(actions))
	for i, a := range actions {
		paths[i] = a.path
	}
	return paths
}

func (p *parser) section(u *update) error {
	t := p.peek()
	name := strings.ToUpper(t.text)
	sections := map[string]struct {
		into *[]updateAction
		read func() (updateAction, error)
	}{
		"SET":    {&u.set, p.setAction},
		"REMOVE": {&u.remove, p.removeAction},
		"ADD": {&u.add, func() (updateAction, error) {
			return p.literalAction("ADD", func(k kind) bool { return k == kindN || k.isSet() })
		}},
		"DELETE": {&u.delete, func() (updateAction, error) { return p.literalAction("DELETE", kind.isSet) }},
	}
	section, ok := sections[name]
	if !ok || t.kind != tokenWord {
		return p.syntaxError()
	}
	if *section.into != nil {
		return p.errorf(`The "%s" section can only be used once in an update expression;`, name)
	}
	p.next()
	for {
		action, err := section.read()
		if err != nil {
			return err
		}
		if err := p.countOperator(); err != nil {
			return err
		}
		*section.into = append(*section.into, action)
		if !p.accept(",") {
			return nil
		}
	}
}

func (p *parser) setAction() (updateAction, error) {
	target, err := p.path()
	if err != nil {
		return updateAction{}, err
	}
	if err := p.expect("="); err != nil {
		return updateAction{}, err
	}
	o, err := p.setValue()
	return updateAction{path: target, operand: o}, err
}

func (p *parser) removeAction() (updateAction, error) {
	target, err := p.path()
	return updateAction{path: target}, err
}

func (p *parser) literalAction(section string, allowed func(kind) bool) (updateAction, error) {
	target, err := p.path()
	if err != nil {
		return updateAction{}, err
	}
	v, err := p.value()
	if err != nil {
		return updateAction{}, err
	}
	if !allowed(v.kind) {
		return updateAction{}, p.errorf("Incorrect operand type for operator or function; operator: %s, operand type: %s, typeSet: ALLOWED_FOR_%s_OPERAND",
			section, longNames[v.kind], section)
	}
	return updateAction{path: target, literal: v}, nil
}

// longNames are the types as the ADD and DELETE messages spell them.
var longNames = map[kind]string{
	kindS: "STRING", kindN: "NUMBER", kindB: "BINARY", kindBool: "BOOLEAN", kindNull: "NULL",
	kindM: "MAP", kindL: "LIST", kindSS: "STRING_SET", kindNS: "NUMBER_SET", kindBS: "BINARY_SET",
}

// setValue reads operand, operand + operand or operand - operand.
func (p *parser) setValue() (setOperand, error) {
	left, err := p.setOperand()
	if err != nil {
		return setOperand{}, err
	}
	t := p.peek()
	if !t.symbol("+") && !t.symbol("-") {
		return left, nil
	}
	p.next()
	if err := p.countOperator(); err != nil {
		return setOperand{}, err
	}
	right, err := p.setOperand()
	if err != nil {
		return setOperand{}, err
	}
	return setOperand{function: t.text, args: []setOperand{left, right}}, p.checkLiterals(t.text, kindN, left, right)
}

func (p *parser) setOperand() (setOperand, error) {
	switch {
	case p.accept("("):
		o, err := p.setValue()
		if err == nil {
			err = p.expect(")")
		}
		return o, err
	case p.atFunction():
		return p.setFunction()
	case p.peek().kind == tokenValue:
		v, err := p.value()
		return setOperand{literal: v}, err
	}
	source, err := p.path()
	return setOperand{path: source}, err
}

func (p *parser) setFunction() (setOperand, error) {
	o := setOperand{function: p.next().text}
	if o.function != "if_not_exists" && o.function != "list_append" {
		return o, p.errorf("Invalid function name; function: %s", o.function)
	}
	if err := p.expect("("); err != nil {
		return o, err
	}
	for {
		arg, err := p.setOperand()
		if err != nil {
			return o, err
		}
		o.args = append(o.args, arg)
		if !p.accept(",") {
			break
		}
	}
	if err := p.expect(")"); err != nil {
		return o, err
	}
	return o, p.checkSetFunction(o)
}

func (p *parser) checkSetFunction(o setOperand) error {
	switch {
	case len(o.args) != 2:
		return p.wrongCount(o.function, len(o.args))
	case o.function == "list_append":
		return p.checkLiterals(o.function, kindL, o.args...)
	case o.args[0].path == nil:
		return p.errorf("Operator or function requires a document path; operator or function: %s", o.function)
	}
	return nil
}

// checkLiterals refuses literals of another type than want.
func (p *parser) checkLiterals(function string, want kind, args ...setOperand) error {
	for _, a := range args {
		if k := a.literal.kind; k != kindNone && k != want {
			return p.wrongType(function, k)
		}
	}
	return nil
}

// apply returns old with the update made. All operands read old, whatever
// else the update does; old itself stays as it is.
func (u *update) apply(old item) (item, error) {
	w := updater{old: old, out: make(item, len(old)+len(u.set)+len(u.add))}
	for name, v := range old {
		w.out[name] = v
	}
	if err := w.setAll(u.set); err != nil {
		return nil, err
	}
	for _, a := range u.add {
		if err := w.combine(a, addTo); err != nil {
			return nil, err
		}
	}
	for _, a := range u.delete {
		if err := w.combine(a, deleteFrom); err != nil {
			return nil, err
		}
	}
	return w.out, w.removeAll(u.remove)
}

// byLastIndex orders actions by the list index that their paths end with.
func byLastIndex(a, b updateAction) int {
	return cmp.Compare(a.path[len(a.path)-1].index, b.path[len(b.path)-1].index)
}
