package cloudwatch

import (
	"errors"
	"fmt"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// Metric math, as much of it as alarms on counters, sums and shares need:
// https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/using-metric-math.html
//
// There are the arithmetic, comparing and logical operators, arrays, and ABS,
// AVG, CEIL, FILL (with a number or REPEAT), FLOOR, IF, MAX, METRICS, MIN and SUM.
// An expression with another of AWS's functions is understood to be one, and
// its alarm is not evaluated.

// points is a time series: one value for each period, the oldest first, NaN
// where there is none.
type points []float64

// mathKind is AWS's "data type" of an expression.
type mathKind int

const (
	scalarKind mathKind = iota // S
	seriesKind                 // TS
	listKind                   // TS[]
)

func (k mathKind) String() string {
	return [...]string{"a number", "a time series", "an array of time series"}[k]
}

// mathValue is the result of a part of an expression: of its kind's member.
type mathValue struct {
	scalar float64
	series points
	list   []points
}

// mathNode is a part of an expression that was read.
type mathNode struct {
	kind mathKind
	eval func(mathInput) mathValue
}

// mathInput is what an expression is evaluated on.
type mathInput struct {
	periods int
	series  func(id string) points
}

// notEvaluated says why AWS would evaluate something that the local cloud does not.
type notEvaluated string

func (e notEvaluated) Error() string { return string(e) }

func notEvaluatedf(format string, args ...any) error {
	return notEvaluated(fmt.Sprintf(format, args...))
}

// otherFunctions are those that AWS has and this file has not.
var otherFunctions = strings.Fields("ANOMALY_DETECTION_BAND DATAPOINT_COUNT DATE DAY DB_PERF_INSIGHTS DIFF DIFF_TIME EPOCH FIRST HOUR " +
	"INSIGHT_RULE_METRIC LAMBDA LAST LOG LOG10 METRIC_COUNT MINUTE MONTH PERIOD RATE REMOVE_EMPTY RUNNING_SUM SEARCH SERVICE_QUOTA SLICE " +
	"SORT STDDEV TIME_SERIES YEAR")

var (
	mathToken  = regexp.MustCompile(`^(?:\d+(?:\.\d*)?(?:[eE][-+]?\d+)?|\.\d+|[A-Za-z_][A-Za-z0-9_]*|"[^"]*"|'[^']*'|[<>=!]=|&&|\|\||[-+*/^<>(),\[\]])`)
	mathNumber = regexp.MustCompile(`^[\d.]`)
	mathName   = regexp.MustCompile(`^[A-Za-z_]`)
)

// maxMathDepth bounds the recursion; the longest expression has 2,048 characters.
const maxMathDepth = 100

// parseMath reads an expression. ids are the other queries that it may name, and
// metrics those of them that METRICS() stands for. The error is a notEvaluated
// where AWS would take the expression.
func parseMath(expression string, ids map[string]mathKind, metrics []string) (mathNode, error) {
	if strings.HasPrefix(strings.ToUpper(strings.TrimSpace(expression)), "SELECT ") {
		return mathNode{}, notEvaluatedf("has no Metrics Insights queries (%.64s)", expression)
	}
	p := mathParser{ids: ids, metrics: metrics}
	for rest := strings.TrimLeft(expression, " \t\r\n"); rest != ""; rest = strings.TrimLeft(rest, " \t\r\n") {
		token := mathToken.FindString(rest)
		if token == "" {
			return mathNode{}, fmt.Errorf("unexpected %.16q", rest)
		}
		p.tokens = append(p.tokens, token)
		rest = rest[len(token):]
	}
	node, err := p.operation(0)
	if err == nil && p.next() != "" {
		err = fmt.Errorf("unexpected %q", p.next())
	}
	return node, err
}

type mathParser struct {
	tokens  []string
	depth   int
	ids     map[string]mathKind
	metrics []string
}

// next is the token to come, "" at the end.
func (p *mathParser) next() string {
	if len(p.tokens) == 0 {
		return ""
	}
	return p.tokens[0]
}

func (p *mathParser) take() string {
	token := p.next()
	if token != "" {
		p.tokens = p.tokens[1:]
	}
	return token
}

func (p *mathParser) expect(token string) error {
	if got := p.take(); got != token {
		return fmt.Errorf("expected %q, not %q", token, got)
	}
	return nil
}

// mathOperators from the loosest to the tightest.
var mathOperators = [][]string{{"OR", "||"}, {"AND", "&&"}, {"==", "!=", "<=", ">=", "<", ">"}, {"+", "-"}, {"*", "/"}, {"^"}}

// operation reads operators of a level and tighter ones.
func (p *mathParser) operation(level int) (mathNode, error) {
	if level == len(mathOperators) {
		return p.operand()
	}
	left, err := p.operation(level + 1)
	for err == nil && slices.Contains(mathOperators[level], p.next()) {
		operator := p.take()
		var right mathNode
		if right, err = p.operation(level + 1); err == nil {
			left, err = combine(operator, left, right)
		}
	}
	return left, err
}

// operand reads what stands between operators.
func (p *mathParser) operand() (mathNode, error) {
	if p.depth++; p.depth > maxMathDepth {
		return mathNode{}, errors.New("it is nested too deeply")
	}
	defer func() { p.depth-- }()
	switch token := p.take(); {
	case token == "":
		return mathNode{}, errors.New("it ends too early")
	case token == "-":
		operand, err := p.operand()
		if err != nil {
			return mathNode{}, err
		}
		return combine("-", scalarNode(0), operand)
	case token == "(":
		node, err := p.operation(0)
		if err != nil {
			return mathNode{}, err
		}
		return node, p.expect(")")
	case token == "[":
		members, err := p.arguments("]")
		if err != nil {
			return mathNode{}, err
		}
		return arrayNode(members)
	case mathNumber.MatchString(token):
		n, err := strconv.ParseFloat(token, 64)
		return scalarNode(n), err
	case mathName.MatchString(token) && p.next() == "(":
		p.take()
		return p.call(token)
	case mathName.MatchString(token):
		kind, ok := p.ids[token]
		if !ok {
			return mathNode{}, fmt.Errorf("no query has the id %s", token)
		}
		return mathNode{kind, func(in mathInput) mathValue { return mathValue{series: in.series(token)} }}, nil
	default:
		return mathNode{}, fmt.Errorf("unexpected %q", token)
	}
}

// arguments reads up to the end, which it takes too.
func (p *mathParser) arguments(end string) ([]mathNode, error) {
	var list []mathNode
	for p.next() != end {
		if len(list) > 0 {
			if err := p.expect(","); err != nil {
				return nil, err
			}
		}
		node, err := p.operation(0)
		if err != nil {
			return nil, err
		}
		list = append(list, node)
	}
	return list, p.expect(end)
}

// call reads a function's arguments, behind the bracket.
func (p *mathParser) call(name string) (mathNode, error) {
	switch {
	case slices.Contains(otherFunctions, name):
		return mathNode{}, notEvaluatedf("does not evaluate %s()", name)
	case name == "METRICS":
		return p.metricsCall()
	case name == "FILL":
		return p.fillCall()
	}
	args, err := p.arguments(")")
	if err != nil {
		return mathNode{}, err
	}
	if name == "IF" {
		return ifNode(args)
	}
	if len(args) != 1 {
		return mathNode{}, fmt.Errorf("there is no function %s with %d arguments", name, len(args))
	}
	switch name {
	case "ABS":
		return eachNode(args[0], math.Abs), nil
	case "CEIL":
		return eachNode(args[0], math.Ceil), nil
	case "FLOOR":
		return eachNode(args[0], math.Floor), nil
	case "SUM":
		return foldNode(name, args[0], sum)
	case "AVG":
		return foldNode(name, args[0], func(v []float64) float64 { return sum(v) / float64(len(v)) })
	case "MIN":
		return foldNode(name, args[0], slices.Min[[]float64])
	case "MAX":
		return foldNode(name, args[0], slices.Max[[]float64])
	}
	return mathNode{}, fmt.Errorf("there is no function %s", name)
}

// metricsCall is METRICS(), all metrics of the alarm, or METRICS("err"), those
// with that in their ids.
func (p *mathParser) metricsCall() (mathNode, error) {
	part := ""
	if p.next() != ")" {
		token := p.take()
		if token == "" || token[0] != '"' && token[0] != '\'' {
			return mathNode{}, fmt.Errorf("METRICS() takes a text, not %q", token)
		}
		part = strings.Trim(token, `"'`)
	}
	var ids []string
	for _, id := range p.metrics {
		if strings.Contains(id, part) {
			ids = append(ids, id)
		}
	}
	node := mathNode{listKind, func(in mathInput) mathValue {
		list := make([]points, len(ids))
		for i, id := range ids {
			list[i] = in.series(id)
		}
		return mathValue{list: list}
	}}
	return node, p.expect(")")
}

// fillCall is FILL(series, 0) or FILL(series, REPEAT). A series without any value
// is filled too: AWS does not say so, but the expressions that people have in use
// count on it.
func (p *mathParser) fillCall() (mathNode, error) {
	series, err := p.operation(0)
	if err == nil {
		err = p.expect(",")
	}
	if err != nil {
		return mathNode{}, err
	}
	if word := p.next(); word == "REPEAT" || word == "LINEAR" {
		p.take()
		if word == "LINEAR" {
			return mathNode{}, notEvaluatedf("does not evaluate FILL() with LINEAR")
		}
		return over(series, repeat), p.expect(")")
	}
	filler, err := p.operation(0)
	switch {
	case err != nil:
		return mathNode{}, err
	case series.kind == scalarKind:
		return mathNode{}, errors.New("FILL() fills a time series, not a number")
	case filler.kind != scalarKind:
		return mathNode{}, notEvaluatedf("does not evaluate FILL() with %s", filler.kind)
	}
	node := mathNode{series.kind, func(in mathInput) mathValue {
		with := filler.eval(in).scalar
		return over(series, func(s points) points {
			return mapped(s, func(v float64) float64 {
				if math.IsNaN(v) {
					return with
				}
				return v
			})
		}).eval(in)
	}}
	return node, p.expect(")")
}
