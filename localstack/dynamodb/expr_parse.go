package dynamodb

import (
	"strconv"
	"strings"
)

// parser reads one expression by recursive descent. The grammar is AWS's:
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Expressions.OperatorsAndFunctions.html
type parser struct {
	what      string // "ConditionExpression", as messages name it
	src       string
	tokens    []token
	pos       int
	scope     *scope
	operators int
	paths     []path // every path met, for rules about key attributes
}

func (s *scope) parser(what, src string) (*parser, error) {
	p := &parser{what: what, src: src, scope: s}
	if strings.TrimSpace(src) == "" {
		return nil, p.errorf("The expression can not be empty;")
	}
	if len(src) > maxExpressionSize {
		return nil, p.errorf("Expression size has exceeded the maximum allowed size; expression size: %d", len(src))
	}
	p.tokens = lex(src)
	return p, nil
}

func (p *parser) errorf(format string, args ...any) error {
	return validation("Invalid "+p.what+": "+format, args...)
}

func (p *parser) peek() token { return p.tokens[p.pos] }

// next consumes a token; the end stays where it is.
func (p *parser) next() token {
	t := p.tokens[p.pos]
	if t.kind != tokenEOF {
		p.pos++
	}
	return t
}

func (p *parser) accept(symbol string) bool {
	if p.peek().symbol(symbol) {
		p.pos++
		return true
	}
	return false
}

func (p *parser) acceptWord(keyword string) bool {
	if p.peek().is(keyword) {
		p.pos++
		return true
	}
	return false
}

func (p *parser) expect(symbol string) error {
	if !p.accept(symbol) {
		return p.syntaxError()
	}
	return nil
}

func (p *parser) end() error {
	if p.peek().kind != tokenEOF {
		return p.syntaxError()
	}
	return nil
}

// syntaxError points at the next token, with its neighbours as "near".
func (p *parser) syntaxError() error {
	t := p.peek()
	from, to := t.start, t.end
	if p.pos > 0 {
		from = p.tokens[p.pos-1].start
	}
	if p.pos+1 < len(p.tokens) {
		to = p.tokens[p.pos+1].end
	}
	return p.errorf(`Syntax error; token: "%s", near: "%s"`, t.text, p.src[from:to])
}

// countOperator keeps expressions within AWS's number of operators.
func (p *parser) countOperator() error {
	p.operators++
	if p.operators > maxOperators {
		return p.errorf("The expression contains too many operators; operator count: %d", p.operators)
	}
	return nil
}

// path reads a.b[0]. Names stand for themselves unless reserved.
func (p *parser) path() (path, error) {
	var steps path
	for {
		name, err := p.pathName()
		if err != nil {
			return nil, err
		}
		steps = append(steps, step{name: name})
		for p.accept("[") {
			index, err := p.index()
			if err != nil {
				return nil, err
			}
			steps = append(steps, step{index: index})
		}
		if len(steps) > maxDepth {
			return nil, p.errorf("The document path has too many nesting elements; nesting levels: %d", len(steps))
		}
		if !p.accept(".") {
			p.paths = append(p.paths, steps)
			if p.scope.attributes != nil {
				p.scope.attributes[steps[0].name] = true
			}
			return steps, nil
		}
	}
}

func (p *parser) pathName() (string, error) {
	switch t := p.peek(); t.kind {
	case tokenName:
		p.pos++
		name, ok := p.scope.names[t.text]
		if !ok {
			return "", p.errorf("An expression attribute name used in the document path is not defined; attribute name: %s", t.text)
		}
		p.scope.used[t.text] = true
		return name, nil
	case tokenWord:
		if isKeyword(t) {
			return "", p.syntaxError()
		}
		if isReserved(t.text) {
			return "", p.errorf("Attribute name is a reserved keyword; reserved keyword: %s", t.text)
		}
		p.pos++
		return t.text, nil
	}
	return "", p.syntaxError()
}

// isKeyword tells the words of the grammar itself: meeting one where a name
// should be is a syntax error. (They are reserved as names, too.)
func isKeyword(t token) bool {
	for _, k := range [...]string{"AND", "OR", "NOT", "BETWEEN", "IN", "SET", "REMOVE", "ADD", "DELETE"} {
		if t.is(k) {
			return true
		}
	}
	return false
}

func (p *parser) index() (int, error) {
	t := p.peek()
	if t.kind != tokenNumber {
		return 0, p.syntaxError()
	}
	n, err := strconv.Atoi(t.text)
	if err != nil || n > 1<<31-1 {
		return 0, p.errorf("List index is not within the allowable range; index: [%s]", t.text)
	}
	p.pos++
	return n, p.expect("]")
}

// value reads a :value.
func (p *parser) value() (value, error) {
	t := p.peek()
	if t.kind != tokenValue {
		return value{}, p.syntaxError()
	}
	p.pos++
	v, ok := p.scope.values[t.text]
	if !ok {
		return value{}, p.errorf("An expression attribute value used in expression is not defined; attribute value: %s", t.text)
	}
	p.scope.used[t.text] = true
	return v, nil
}

// projection compiles a ProjectionExpression. A nil src gives nil.
func (s *scope) projection(src *string) (*projection, error) {
	if src == nil {
		return nil, nil
	}
	p, err := s.parser("ProjectionExpression", *src)
	if err != nil {
		return nil, err
	}
	for {
		if _, err := p.path(); err != nil {
			return nil, err
		}
		if !p.accept(",") {
			break
		}
	}
	if err := p.end(); err != nil {
		return nil, err
	}
	if err := checkDistinctPaths(p.what, p.paths); err != nil {
		return nil, err
	}
	return newProjection(p.paths), nil
}
