package policy

import (
	"slices"
	"strings"
	"unicode/utf8"
)

// A pattern is matched as runes, among which these stand for what a text
// cannot hold.
const (
	anyRunes rune = -1 - iota // *: any number of runes, also none
	anyRune                   // ?: exactly one
	ownColon                  // a ':' that does not divide the pattern's ARN
)

// wildcards reads a pattern in which * and ? are wildcards.
func wildcards(pattern string) []rune {
	p := []rune(pattern)
	for i, r := range p {
		switch r {
		case '*':
			p[i] = anyRunes
		case '?':
			p[i] = anyRune
		}
	}
	return p
}

// literally reads a pattern that has no wildcards.
func literally(pattern string) []rune { return []rune(pattern) }

// expand reads a pattern and puts in the values of its policy variables:
// ${key}, ${key, 'default'}, and ${*}, ${?}, ${$} for those characters
// themselves. What a variable's value holds is never a wildcard. ok is false if
// a variable has no value or several: then nothing matches. See
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html.
func (q question) expand(pattern string, read func(string) []rune) (expanded []rune, ok bool) {
	for {
		before, rest, found := strings.Cut(pattern, "${")
		name, after, closed := strings.Cut(rest, "}")
		if !q.variables || !found || !closed {
			return append(expanded, read(pattern)...), true
		}
		value, ok := q.variable(name)
		if !ok {
			return nil, false
		}
		expanded = append(expanded, read(before)...)
		for _, r := range value {
			if r == ':' {
				r = ownColon
			}
			expanded = append(expanded, r)
		}
		pattern = after
	}
}

// isVoid reports whether an Allow's patterns have a variable without a value.
func (q question) isVoid(patterns []string) bool {
	return q.allows && slices.ContainsFunc(patterns, func(pattern string) bool {
		_, ok := q.expand(pattern, literally)
		return !ok
	})
}

func (q question) variable(name string) (string, bool) {
	if name == "*" || name == "?" || name == "$" {
		return name, true
	}
	key, fallback, hasFallback := strings.Cut(name, ",")
	if values := q.values(strings.TrimSpace(key)); len(values) == 1 {
		return values[0], true
	} else if len(values) > 1 {
		return "", false
	}
	fallback = strings.TrimSpace(fallback)
	if !hasFallback || len(fallback) < 2 || fallback[0] != '\'' || fallback[len(fallback)-1] != '\'' {
		return "", false
	}
	return fallback[1 : len(fallback)-1], true
}

// matchRunes matches a text against a pattern. Its time is at most the product
// of their lengths.
func matchRunes(p, text []rune) bool {
	star, mark := -1, 0 // the last * and where its match ends so far
	i, j := 0, 0
	for j < len(text) {
		switch {
		case i < len(p) && p[i] == anyRunes:
			star, mark = i, j
			i++
		case i < len(p) && (p[i] == anyRune || p[i] == text[j] || p[i] == ownColon && text[j] == ':'):
			i++
			j++
		case star >= 0:
			mark++
			i, j = star+1, mark
		default:
			return false
		}
	}
	for i < len(p) && p[i] == anyRunes {
		i++
	}
	return i == len(p)
}

// Actions and resources are compared with every statement for every request.
// Nearly all of them are ASCII and have no variables; the functions below match
// these as matchRunes and matchResource do, without making runes of them.

// isPlain reports whether a text is ASCII and has no policy variable.
func isPlain(text string) bool {
	for i := range len(text) {
		if text[i] >= utf8.RuneSelf || text[i] == '$' {
			return false
		}
	}
	return true
}

// matchPlainResource is matchResource.
func matchPlainResource(pattern, resource string) bool {
	if pattern == "*" || strings.Count(resource, ":") < arnParts-1 {
		return matchBytes(pattern, resource, exactly)
	}
	for range arnParts - 1 {
		p, restOfPattern, more := strings.Cut(pattern, ":")
		r, restOfResource, _ := strings.Cut(resource, ":")
		if !matchBytes(p, r, exactly) {
			return false
		}
		if !more {
			return true // missing parts are any
		}
		pattern, resource = restOfPattern, restOfResource
	}
	return matchBytes(pattern, resource, exactly)
}

func exactly(b byte) byte { return b }

// matchAction matches an action, whose letters' case does not matter.
func matchAction(pattern, action string) bool { return matchBytes(pattern, action, lower) }

// matchBytes is matchRunes for a pattern with wildcards, of letters folded by
// fold.
func matchBytes(pattern, text string, fold func(byte) byte) bool {
	star, mark := -1, 0
	i, j := 0, 0
	for j < len(text) {
		switch {
		case i < len(pattern) && pattern[i] == '*':
			star, mark = i, j
			i++
		case i < len(pattern) && (pattern[i] == '?' || fold(pattern[i]) == fold(text[j])):
			i++
			j++
		case star >= 0:
			mark++
			i, j = star+1, mark
		default:
			return false
		}
	}
	return strings.Trim(pattern[i:], "*") == ""
}

func lower(b byte) byte {
	if 'A' <= b && b <= 'Z' {
		return b + 'a' - 'A'
	}
	return b
}

// arnParts is how many parts an ARN has: arn, partition, service, region,
// account, and the resource, which is the whole rest.
const arnParts = 6

// matchARN compares part by part, so that a * does not reach across a colon,
// except in the resource.
func matchARN(pattern []rune, arn string) bool {
	p, a := splitARN(pattern), strings.SplitN(arn, ":", arnParts)
	if len(p) != arnParts || len(a) != arnParts {
		return false
	}
	for i := range p {
		if !matchRunes(p[i], []rune(a[i])) {
			return false
		}
	}
	return true
}

// matchResource is matchARN for a statement's resource, whose missing parts
// are any ("IAM JSON policy elements: Resource").
func matchResource(pattern []rune, resource string) bool {
	everything := len(pattern) == 1 && pattern[0] == anyRunes
	if everything || strings.Count(resource, ":") < arnParts-1 {
		return matchRunes(pattern, []rune(resource))
	}
	for n := len(splitARN(pattern)); n < arnParts; n++ {
		pattern = append(pattern, ':', anyRunes)
	}
	return matchARN(pattern, resource)
}

func splitARN(p []rune) [][]rune {
	var parts [][]rune
	for start, i := 0, 0; ; i++ {
		if i == len(p) || len(parts) == arnParts-1 {
			return append(parts, p[start:])
		}
		if p[i] == ':' {
			parts = append(parts, p[start:i])
			start = i + 1
		}
	}
}

// accountOf returns an ARN's account id, or nothing.
func accountOf(arn string) string {
	if parts := strings.SplitN(arn, ":", arnParts); len(parts) == arnParts {
		return parts[4]
	}
	return ""
}
