package policy

import (
	"slices"
	"strings"
)

// operator is a condition operator with all that its name says.
type operator struct {
	comparison
	every, some bool // ForAllValues:, ForAnyValue:
	ifExists    bool // …IfExists
	null        bool // Null, which looks at the key alone
}

// parseOperator reads "StringLike", "ForAnyValue:ArnLikeIfExists", "Null".
func parseOperator(name string) (o operator, ok bool) {
	if name == "Null" {
		return operator{null: true}, true
	}
	name, o.every = strings.CutPrefix(name, "ForAllValues:")
	if !o.every {
		name, o.some = strings.CutPrefix(name, "ForAnyValue:")
	}
	name, o.ifExists = strings.CutSuffix(name, "IfExists")
	o.comparison, ok = comparisons[name]
	return o, ok
}

// byConditions reports whether all conditions hold.
func (q question) byConditions(c map[string]map[string][]string) bool {
	for name, keys := range c {
		o, ok := parseOperator(name)
		if !ok { // Parse refuses it; a document made by hand must not permit by it
			return false
		}
		for key, want := range keys {
			if !q.holds(o, q.values(key), want) {
				return false
			}
		}
	}
	return true
}

// holds compares the values that the request has for a key with those that the
// statement wants, one of which must match; of a negated operator, none may. See
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-single-vs-multi-valued-context-keys.html.
func (q question) holds(o operator, have, want []string) bool {
	if o.null {
		absent := func(w string) bool { return strings.EqualFold(w, "true") == (len(have) == 0) }
		return slices.ContainsFunc(want, absent)
	}
	if len(have) == 0 {
		return o.ifExists || o.every || o.negated && !o.some
	}
	if o.negated && q.isVoid(want) {
		return false
	}
	match := func(h string) bool {
		return o.negated != slices.ContainsFunc(want, func(w string) bool { return o.compare(q, w, h) })
	}
	if o.every || o.negated && !o.some {
		return !slices.ContainsFunc(have, func(h string) bool { return !match(h) })
	}
	return slices.ContainsFunc(have, match)
}
