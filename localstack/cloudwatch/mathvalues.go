package cloudwatch

import (
	"errors"
	"fmt"
	"math"
	"slices"
)

// What metric math does to numbers, time series and arrays; mathexpr.go reads it.

func sum(values []float64) (total float64) {
	for _, v := range values {
		total += v
	}
	return total
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
