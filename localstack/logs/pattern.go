package logs

import (
	"strings"
	"unicode"
)

// pattern is a filter pattern for unstructured events. An event matches if it
// contains all of must, one of any (if there are some), and none of not; case
// counts.
// https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/FilterAndPatternSyntax.html
type pattern struct {
	must, any, not []string
}

// parsePattern reads terms and "quoted phrases", each optionally marked by ?
// (one of these) or - (not this). The JSON form {…}, the column form […] and
// %regular expressions% are refused.
func parsePattern(s string) (pattern, error) {
	var p pattern
	rest := strings.TrimSpace(s)
	if rest != "" {
		switch rest[0] {
		case '{':
			return p, unsupported("JSON filter patterns ({ $.field = … }); use terms or a \"quoted phrase\"")
		case '[':
			return p, unsupported("space-delimited filter patterns ([a, b, …]); use terms or a \"quoted phrase\"")
		}
	}
	for rest != "" {
		list := &p.must
		switch rest[0] {
		case '?':
			list, rest = &p.any, rest[1:]
		case '-':
			list, rest = &p.not, rest[1:]
		}
		term, tail, err := nextTerm(rest)
		if err != nil {
			return p, err
		}
		*list = append(*list, term)
		rest = strings.TrimLeftFunc(tail, unicode.IsSpace)
	}
	if len(p.any) > 0 && len(p.must)+len(p.not) > 0 {
		// AWS ignores the ?terms then, which nobody means.
		return p, invalidParameter("Invalid filter pattern: ?terms can not be combined with others")
	}
	return p, nil
}

// nextTerm takes one term or phrase from the front of s.
func nextTerm(s string) (term, rest string, err error) {
	if s, quoted := strings.CutPrefix(s, `"`); quoted {
		return nextPhrase(s)
	}
	if strings.HasPrefix(s, "%") {
		return "", "", unsupported("regular expressions (%…%) in filter patterns")
	}
	term, rest = s, ""
	if i := strings.IndexFunc(s, unicode.IsSpace); i >= 0 {
		term, rest = s[:i], s[i:]
	}
	if term == "" || strings.ContainsFunc(term, needsQuotes) {
		return "", "", invalidParameter("Invalid filter pattern: invalid character(s) in term %q; put it in double quotes", term)
	}
	return term, rest, nil
}

func needsQuotes(r rune) bool {
	return r != '_' && !unicode.IsLetter(r) && !unicode.IsDigit(r)
}

// nextPhrase reads up to the closing quote; \" and \\ stand for themselves.
func nextPhrase(s string) (phrase, rest string, err error) {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		switch {
		case s[i] == '\\' && i+1 < len(s):
			i++
			b.WriteByte(s[i])
		case s[i] == '"' && b.Len() == 0:
			return "", "", invalidParameter("Invalid filter pattern: a phrase is empty")
		case s[i] == '"':
			return b.String(), s[i+1:], nil
		default:
			b.WriteByte(s[i])
		}
	}
	return "", "", invalidParameter("Invalid filter pattern: a quote is not closed")
}

func (p pattern) match(message string) bool {
	has := func(term string) bool { return strings.Contains(message, term) }
	for _, term := range p.must {
		if !has(term) {
			return false
		}
	}
	for _, term := range p.not {
		if has(term) {
			return false
		}
	}
	for _, term := range p.any {
		if has(term) {
			return true
		}
	}
	return len(p.any) == 0
}
