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

func sum(values []float64) (total float64) {
	for _, v := range values {
		total += v
	}
	return total
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

func repeat(s points) points {
	filled, last := make(points, len(s)), math.NaN()
	for i, v := range s {
		if !math.IsNaN(v) {
			last = v
		}
		filled[i] = last
	}
	return filled
}

func mapped(s points, f func(float64) float64) points {
	out := make(points, len(s))
	for i, v := range s {
		out[i] = f(v)
	}
	return out
}

func scalarNode(n float64) mathNode {
	return mathNode{scalarKind, func(mathInput) mathValue { return mathValue{scalar: n} }}
}

// over applies f to a series, or to each of an array.
func over(node mathNode, f func(points) points) mathNode {
	return mathNode{node.kind, func(in mathInput) mathValue {
		v := node.eval(in)
		out := mathValue{scalar: v.scalar}
		if node.kind == seriesKind {
			out.series = f(v.series)
		}
		for _, s := range v.list {
			out.list = append(out.list, f(s))
		}
		return out
	}}
}

func eachNode(node mathNode, f func(float64) float64) mathNode {
	if node.kind == scalarKind {
		return mathNode{scalarKind, func(in mathInput) mathValue { return mathValue{scalar: f(node.eval(in).scalar)} }}
	}
	return over(node, func(s points) points { return mapped(s, f) })
}

func arrayNode(members []mathNode) (mathNode, error) {
	if len(members) == 0 {
		return mathNode{}, errors.New("an array must have members")
	}
	for _, m := range members {
		if m.kind == listKind {
			return mathNode{}, errors.New("an array cannot have an array as a member")
		}
	}
	return mathNode{listKind, func(in mathInput) mathValue {
		var list []points
		for _, m := range members {
			list = append(list, m.seriesOf(in))
		}
		return mathValue{list: list}
	}}, nil
}

// seriesOf is the node's value as a series; a number is the same at any time.
func (n mathNode) seriesOf(in mathInput) points {
	v := n.eval(in)
	if n.kind == seriesKind {
		return v.series
	}
	return slices.Repeat(points{v.scalar}, in.periods)
}

// foldNode folds an array into a series, and a series into a number. Missing
// values do not count, and of nothing the result is missing.
func foldNode(name string, node mathNode, f func([]float64) float64) (mathNode, error) {
	fold := func(values []float64) float64 {
		there := slices.DeleteFunc(slices.Clone(values), math.IsNaN)
		if len(there) == 0 {
			return math.NaN()
		}
		return f(there)
	}
	switch node.kind {
	case listKind:
		return mathNode{seriesKind, func(in mathInput) mathValue {
			list := node.eval(in).list
			out := make(points, in.periods)
			for i := range out {
				column := make([]float64, len(list))
				for j, s := range list {
					column[j] = s[i]
				}
				out[i] = fold(column)
			}
			return mathValue{series: out}
		}}, nil
	case seriesKind:
		return mathNode{scalarKind, func(in mathInput) mathValue { return mathValue{scalar: fold(node.eval(in).series)} }}, nil
	default:
		return mathNode{}, fmt.Errorf("%s() takes a time series or an array of them, not a number", name)
	}
}

// ifNode is IF(condition, then, otherwise): at each time one of both, and where
// the condition or what it chooses is missing, nothing.
func ifNode(args []mathNode) (mathNode, error) {
	if len(args) < 2 || len(args) > 3 {
		return mathNode{}, fmt.Errorf("IF() takes 2 or 3 arguments, not %d", len(args))
	}
	kind := scalarKind
	for _, a := range args {
		if a.kind == listKind {
			return mathNode{}, errors.New("IF() takes no array of time series")
		}
		kind = max(kind, a.kind)
	}
	if kind == scalarKind {
		return mathNode{}, errors.New("IF() needs a time series among its arguments")
	}
	return mathNode{seriesKind, func(in mathInput) mathValue {
		var sides []points
		for _, a := range args {
			sides = append(sides, a.seriesOf(in))
		}
		out := make(points, in.periods)
		for i, condition := range sides[0] {
			switch {
			case math.IsNaN(condition):
				out[i] = math.NaN()
			case condition != 0:
				out[i] = sides[1][i]
			case len(sides) == 3:
				out[i] = sides[2][i]
			default:
				out[i] = math.NaN()
			}
		}
		return mathValue{series: out}
	}}, nil
}

// combine applies an operator: to numbers, to a series point by point, to each
// series of an array. Where one side is missing, so is the result.
func combine(operator string, left, right mathNode) (mathNode, error) {
	apply := func(a, b float64) float64 { return operate(operator, a, b) }
	switch {
	case left.kind == listKind && right.kind == listKind:
		return mathNode{}, fmt.Errorf("%s cannot stand between two arrays", operator)
	case left.kind == scalarKind && right.kind == scalarKind:
		return mathNode{scalarKind, func(in mathInput) mathValue {
			return mathValue{scalar: apply(left.eval(in).scalar, right.eval(in).scalar)}
		}}, nil
	case left.kind == listKind:
		return mathNode{listKind, func(in mathInput) mathValue {
			with := right.seriesOf(in)
			return over(left, func(s points) points { return zipped(s, with, apply) }).eval(in)
		}}, nil
	case right.kind == listKind:
		return mathNode{listKind, func(in mathInput) mathValue {
			with := left.seriesOf(in)
			return over(right, func(s points) points { return zipped(with, s, apply) }).eval(in)
		}}, nil
	default:
		return mathNode{seriesKind, func(in mathInput) mathValue {
			return mathValue{series: zipped(left.seriesOf(in), right.seriesOf(in), apply)}
		}}, nil
	}
}

func zipped(a, b points, f func(a, b float64) float64) points {
	out := make(points, len(a))
	for i := range a {
		out[i] = f(a[i], b[i])
	}
	return out
}

func operate(operator string, a, b float64) float64 {
	if math.IsNaN(a) || math.IsNaN(b) {
		return math.NaN()
	}
	switch operator {
	case "+":
		return a + b
	case "-":
		return a - b
	case "*":
		return a * b
	case "/":
		return finite(a / b)
	case "^":
		return finite(math.Pow(a, b))
	case "==":
		return truth(a == b)
	case "!=":
		return truth(a != b)
	case "<":
		return truth(a < b)
	case "<=":
		return truth(a <= b)
	case ">":
		return truth(a > b)
	case ">=":
		return truth(a >= b)
	case "AND", "&&":
		return truth(a != 0 && b != 0)
	default: // OR
		return truth(a != 0 || b != 0)
	}
}

// finite makes what has no value, such as a division by 0, missing.
func finite(v float64) float64 {
	if math.IsInf(v, 0) {
		return math.NaN()
	}
	return v
}

func truth(b bool) float64 {
	if b {
		return 1
	}
	return 0
}
