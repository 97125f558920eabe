package dynamodb

import (
	"encoding/base64"
	"strings"
)

// This file has the checks that AWS makes on an expression before it looks at
// any item: operators and literals that cannot fit.

// conditionFunctions are the functions that are conditions, with their
// number of operands. size() is an operand, not a condition.
var conditionFunctions = map[string]int{
	"attribute_exists":     1,
	"attribute_not_exists": 1,
	"attribute_type":       2,
	"begins_with":          2,
	"contains":             2,
}

func (p *parser) functionCondition() (condition, error) {
	name := p.next().text
	want, ok := conditionFunctions[name]
	if !ok {
		return nil, p.errorf("Invalid function name; function: %s", name)
	}
	if err := p.countOperator(); err != nil {
		return nil, err
	}
	args, err := p.arguments(name, want)
	if err != nil {
		return nil, err
	}
	if err := p.checkFunction(name, args); err != nil {
		return nil, err
	}
	return functionCondition{name, args}, nil
}

func (p *parser) checkFunction(name string, args []operand) error {
	switch name {
	case "attribute_exists", "attribute_not_exists":
		if args[0].path == nil || args[0].size {
			return p.errorf("Operator or function requires a document path; operator or function: %s", name)
		}
		return nil
	case "begins_with":
		for _, a := range args {
			if k := a.kind(); k != kindNone && k != kindS && k != kindB {
				return p.wrongType(name, k)
			}
		}
	case "attribute_type":
		return p.checkTypeName(name, args[1])
	}
	return p.checkDistinct(name, args[0], args[1])
}

func (p *parser) checkTypeName(function string, o operand) error {
	if o.path != nil {
		return p.errorf("Incorrect operand type for operator or function; operator or function: %s, operand type: %s",
			function, "{NS,SS,L,BS,N,M,B,BOOL,NULL,S}")
	}
	if k := o.kind(); k != kindS {
		return p.wrongType(function, k)
	}
	if kindNamed(o.literal.text) == kindNone {
		return p.errorf("Invalid attribute type name found; type: %s, valid types: {B,NULL,SS,BOOL,L,BS,N,NS,S,M}", o.literal.text)
	}
	return nil
}

func (p *parser) comparison(left operand, operator string) (condition, error) {
	right, err := p.operand()
	if err != nil {
		return nil, err
	}
	if operator != "=" && operator != "<>" {
		if err := p.checkScalars(operator, left, right); err != nil {
			return nil, err
		}
	}
	if err := p.checkDistinct(operator, left, right); err != nil {
		return nil, err
	}
	return comparison{operator, left, right}, nil
}

func (p *parser) checkScalars(operator string, operands ...operand) error {
	for _, o := range operands {
		if k := o.kind(); k != kindNone && !k.isScalar() {
			return p.wrongType(operator, k)
		}
	}
	return nil
}

func (p *parser) checkDistinct(operator string, first, second operand) error {
	if first.path == nil || second.path == nil || first.size != second.size || first.path.String() != second.path.String() {
		return nil
	}
	return p.errorf("The first operand must be distinct from the remaining operands for this operator or function; "+
		"operator: %s, first operand: %v", operator, first.path)
}

func (p *parser) between(what operand) (condition, error) {
	low, err := p.operand()
	if err != nil {
		return nil, err
	}
	if !p.acceptWord("AND") {
		return nil, p.syntaxError()
	}
	high, err := p.operand()
	if err != nil {
		return nil, err
	}
	if err := p.checkBounds(low, high); err != nil {
		return nil, err
	}
	return betweenCondition{what, low, high}, p.checkScalars("BETWEEN", what, low, high)
}

func (p *parser) checkBounds(low, high operand) error {
	if low.path != nil || high.path != nil || low.size || high.size {
		return nil
	}
	problem := ""
	if low.literal.kind != high.literal.kind {
		problem = "same data type for lower and upper bounds"
	} else if order, ok := low.literal.compare(high.literal); ok && order > 0 {
		problem = "upper bound to be greater than or equal to lower bound"
	}
	if problem == "" {
		return nil
	}
	return p.errorf("The BETWEEN operator requires %s; lower bound operand: AttributeValue: %s, upper bound operand: AttributeValue: %s",
		problem, shown(low.literal), shown(high.literal))
}

// shown prints a value as AWS's messages do: {S:abc}.
func shown(v value) string {
	switch {
	case v.kind == kindB:
		return "{B:" + base64.StdEncoding.EncodeToString([]byte(v.text)) + "}"
	case v.kind.isScalar():
		return "{" + v.kind.String() + ":" + v.text + "}"
	}
	return strings.ReplaceAll(string(appendValue(nil, v)), `"`, "")
}

// maxInOperands is AWS's limit of an IN list.
const maxInOperands = 100

func (p *parser) in(what operand) (condition, error) {
	if err := p.expect("("); err != nil {
		return nil, err
	}
	list, err := p.operands()
	if err != nil {
		return nil, err
	}
	if len(list) > maxInOperands {
		return nil, p.wrongCount("IN", len(list)+1)
	}
	return inCondition{what, list}, nil
}

func (p *parser) wrongCount(function string, got int) error {
	return p.errorf("Incorrect number of operands for operator or function; operator or function: %s, number of operands: %d", function, got)
}

func (p *parser) wrongType(function string, k kind) error {
	return p.errorf("Incorrect operand type for operator or function; operator or function: %s, operand type: %v", function, k)
}
