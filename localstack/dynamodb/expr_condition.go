package dynamodb

import (
	"strings"
	"unicode/utf8"
)

// condition is a compiled condition or filter. A nil item is one that does
// not exist: it has no attributes.
type condition interface {
	holds(it item) bool
}

type (
	andCondition  struct{ left, right condition }
	orCondition   struct{ left, right condition }
	notCondition  struct{ inner condition }
	parenthesized struct{ condition } // lives only while parsing
	comparison    struct {
		operator    string
		left, right operand
	}
	betweenCondition struct{ what, low, high operand }
	inCondition      struct {
		what operand
		list []operand
	}
	functionCondition struct {
		name string
		args []operand
	}
)

// operand is a path, a literal, or the size of either.
type operand struct {
	path    path
	literal value // where path is nil
	size    bool
}

// kind is the operand's type where the expression alone tells it.
func (o operand) kind() kind {
	switch {
	case o.size:
		return kindN
	case o.path == nil:
		return o.literal.kind
	}
	return kindNone
}

func (o operand) resolve(it item) (value, bool) {
	v, ok := o.literal, true
	if o.path != nil {
		v, ok = o.path.lookup(it)
	}
	if ok && o.size {
		return sizeOf(v)
	}
	return v, ok
}

// sizeOf is the function size(): characters of a string, bytes of a binary,
// members of a collection. Other types have no size.
func sizeOf(v value) (value, bool) {
	n := 0
	switch v.kind {
	case kindS:
		n = utf8.RuneCountInString(v.text)
	case kindB:
		n = len(v.text)
	case kindM:
		n = len(v.m)
	case kindL, kindSS, kindNS, kindBS:
		n = len(v.list)
	default:
		return value{}, false
	}
	return numberValue(n), true
}

func (c andCondition) holds(it item) bool { return c.left.holds(it) && c.right.holds(it) }
func (c orCondition) holds(it item) bool  { return c.left.holds(it) || c.right.holds(it) }
func (c notCondition) holds(it item) bool { return !c.inner.holds(it) }

// holds: with a missing operand, only '<>' is true.
func (c comparison) holds(it item) bool {
	left, okLeft := c.left.resolve(it)
	right, okRight := c.right.resolve(it)
	both := okLeft && okRight
	switch c.operator {
	case "=":
		return both && left.equal(right)
	case "<>":
		return !both || !left.equal(right)
	}
	return both && ordered(left, c.operator, right)
}

func ordered(left value, operator string, right value) bool {
	order, ok := left.compare(right)
	if !ok {
		return false
	}
	switch operator {
	case "<":
		return order < 0
	case "<=":
		return order <= 0
	case ">":
		return order > 0
	}
	return order >= 0
}

func (c betweenCondition) holds(it item) bool {
	v, ok := c.what.resolve(it)
	low, okLow := c.low.resolve(it)
	high, okHigh := c.high.resolve(it)
	return ok && okLow && okHigh && ordered(v, ">=", low) && ordered(v, "<=", high)
}

func (c inCondition) holds(it item) bool {
	v, ok := c.what.resolve(it)
	if !ok {
		return false
	}
	for _, o := range c.list {
		if w, ok := o.resolve(it); ok && v.equal(w) {
			return true
		}
	}
	return false
}

func (c functionCondition) holds(it item) bool {
	v, ok := c.args[0].resolve(it)
	switch c.name {
	case "attribute_exists":
		return ok
	case "attribute_not_exists":
		return !ok
	}
	w, okArg := c.args[1].resolve(it)
	if !ok || !okArg {
		return false
	}
	switch c.name {
	case "attribute_type":
		return v.kind == kindNamed(w.text)
	case "begins_with":
		return v.kind == w.kind && (v.kind == kindS || v.kind == kindB) && strings.HasPrefix(v.text, w.text)
	}
	return contains(v, w)
}

// contains: a substring, a member of a set, or an element of a list.
func contains(v, w value) bool {
	switch {
	case v.kind == kindS || v.kind == kindB:
		return v.kind == w.kind && strings.Contains(v.text, w.text)
	case v.kind == kindL || v.kind.isSet():
		for _, member := range v.list {
			if member.equal(w) {
				return true
			}
		}
	}
	return false
}

// parsedCondition is a condition and the paths it reads.
type parsedCondition struct {
	condition
	paths []path
}

// condition compiles src; what names the parameter. A nil src gives nil.
func (s *scope) condition(what string, src *string) (*parsedCondition, error) {
	if src == nil {
		return nil, nil
	}
	p, err := s.parser(what, *src)
	if err != nil {
		return nil, err
	}
	c, err := p.orCondition()
	if err == nil {
		err = p.end()
	}
	if err != nil {
		return nil, err
	}
	return &parsedCondition{withoutParentheses(c), p.paths}, nil
}

func withoutParentheses(c condition) condition {
	if inner, ok := c.(parenthesized); ok {
		return inner.condition
	}
	return c
}

func (p *parser) orCondition() (condition, error) {
	left, err := p.andCondition()
	for err == nil && p.acceptWord("OR") {
		var right condition
		if right, err = p.andCondition(); err == nil {
			err = p.countOperator()
		}
		left = orCondition{withoutParentheses(left), withoutParentheses(right)}
	}
	return left, err
}

func (p *parser) andCondition() (condition, error) {
	left, err := p.notCondition()
	for err == nil && p.acceptWord("AND") {
		var right condition
		if right, err = p.notCondition(); err == nil {
			err = p.countOperator()
		}
		left = andCondition{withoutParentheses(left), withoutParentheses(right)}
	}
	return left, err
}

func (p *parser) notCondition() (condition, error) {
	if !p.acceptWord("NOT") {
		return p.primaryCondition()
	}
	if err := p.countOperator(); err != nil {
		return nil, err
	}
	inner, err := p.notCondition()
	return notCondition{withoutParentheses(inner)}, err
}

// primaryCondition reads a comparison, a function, or a condition in
// parentheses. Doubled parentheses are an error in AWS.
func (p *parser) primaryCondition() (condition, error) {
	if !p.peek().symbol("(") || p.operandInParentheses() {
		return p.predicate()
	}
	p.next()
	inner, err := p.orCondition()
	if err != nil {
		return nil, err
	}
	if err := p.expect(")"); err != nil {
		return nil, err
	}
	if _, doubled := inner.(parenthesized); doubled {
		return nil, p.errorf("The expression has redundant parentheses;")
	}
	return parenthesized{inner}, nil
}

// operandInParentheses looks behind the matching parenthesis: an operator
// there says that "(a)" is an operand, not a condition.
func (p *parser) operandInParentheses() bool {
	depth := 0
	for i := p.pos; i < len(p.tokens); i++ {
		switch t := p.tokens[i]; {
		case t.symbol("("):
			depth++
		case t.symbol(")"):
			if depth--; depth == 0 {
				next := p.tokens[i+1] // at least tokenEOF
				return isComparator(next) || next.is("BETWEEN") || next.is("IN")
			}
		case t.is("AND"), t.is("OR"), t.is("NOT"): // never inside an operand
			return false
		}
	}
	return false
}

func isComparator(t token) bool {
	if t.kind != tokenSymbol {
		return false
	}
	switch t.text {
	case "=", "<>", "<", "<=", ">", ">=":
		return true
	}
	return false
}

// predicate reads what stands between AND, OR and NOT.
func (p *parser) predicate() (condition, error) {
	if f := p.peek(); p.atFunction() && f.text != "size" {
		return p.functionCondition()
	}
	left, err := p.operand()
	if err != nil {
		return nil, err
	}
	if err := p.countOperator(); err != nil {
		return nil, err
	}
	switch t := p.peek(); {
	case isComparator(t):
		p.next()
		return p.comparison(left, t.text)
	case t.is("BETWEEN"):
		p.next()
		return p.between(left)
	case t.is("IN"):
		p.next()
		return p.in(left)
	case left.size:
		return nil, p.errorf("The function is not allowed to be used this way in an expression; function: size")
	}
	return nil, p.syntaxError()
}

func (p *parser) atFunction() bool {
	return p.peek().kind == tokenWord && p.tokens[p.pos+1].symbol("(") && !isKeyword(p.peek())
}

// operand reads a path, a :value or size(…), in parentheses or not.
func (p *parser) operand() (operand, error) {
	switch {
	case p.accept("("):
		if p.peek().symbol("(") {
			return operand{}, p.errorf("The expression has redundant parentheses;")
		}
		o, err := p.operand()
		if err == nil {
			err = p.expect(")")
		}
		return o, err
	case p.atFunction():
		return p.sizeFunction()
	case p.peek().kind == tokenValue:
		v, err := p.value()
		return operand{literal: v}, err
	}
	at, err := p.path()
	return operand{path: at}, err
}

func (p *parser) sizeFunction() (operand, error) {
	name := p.next().text
	if name != "size" {
		if conditionFunctions[name] == 0 {
			return operand{}, p.errorf("Invalid function name; function: %s", name)
		}
		return operand{}, p.errorf("The function is not allowed to be used this way in an expression; function: %s", name)
	}
	args, err := p.arguments(name, 1)
	if err != nil {
		return operand{}, err
	}
	switch k := args[0].kind(); k {
	case kindN, kindBool, kindNull:
		return operand{}, p.wrongType(name, k)
	}
	args[0].size = true
	return args[0], nil
}

// arguments reads "(a, b)" and insists on their number.
func (p *parser) arguments(function string, want int) ([]operand, error) {
	if err := p.expect("("); err != nil {
		return nil, err
	}
	args, err := p.operands()
	if err != nil {
		return nil, err
	}
	if len(args) != want {
		return nil, p.wrongCount(function, len(args))
	}
	return args, nil
}

// operands reads a list up to its closing parenthesis.
func (p *parser) operands() ([]operand, error) {
	var list []operand
	for {
		o, err := p.operand()
		if err != nil {
			return nil, err
		}
		list = append(list, o)
		if !p.accept(",") {
			return list, p.expect(")")
		}
	}
}
