package policy

import (
	"bytes"
	"cmp"
	"encoding/base64"
	"math"
	"net/netip"
	"strconv"
	"strings"
	"time"
	"unicode"
)

// comparison is what a condition operator does with one wanted value and one
// that the request has. What is no number, date or address compares to nothing,
// so it fails an operator, and meets its negation.
type comparison struct {
	compare func(q question, want, have string) bool
	negated bool
}

// comparisons are those of "IAM JSON policy elements: Condition operators",
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html.
var comparisons = map[string]comparison{
	"StringEquals":              {compare: stringEquals},
	"StringNotEquals":           {compare: stringEquals, negated: true},
	"StringEqualsIgnoreCase":    {compare: stringEqualsIgnoreCase},
	"StringNotEqualsIgnoreCase": {compare: stringEqualsIgnoreCase, negated: true},
	"StringLike":                {compare: stringLike},
	"StringNotLike":             {compare: stringLike, negated: true},

	// AWS treats the two kinds alike: both take wildcards.
	"ArnEquals":    {compare: arnLike},
	"ArnLike":      {compare: arnLike},
	"ArnNotEquals": {compare: arnLike, negated: true},
	"ArnNotLike":   {compare: arnLike, negated: true},

	"NumericEquals":            {compare: ordered(parseNumber, cmp.Compare, equal)},
	"NumericNotEquals":         {compare: ordered(parseNumber, cmp.Compare, equal), negated: true},
	"NumericLessThan":          {compare: ordered(parseNumber, cmp.Compare, less)},
	"NumericLessThanEquals":    {compare: ordered(parseNumber, cmp.Compare, lessOrEqual)},
	"NumericGreaterThan":       {compare: ordered(parseNumber, cmp.Compare, greater)},
	"NumericGreaterThanEquals": {compare: ordered(parseNumber, cmp.Compare, greaterOrEqual)},

	"DateEquals":            {compare: ordered(parseDate, time.Time.Compare, equal)},
	"DateNotEquals":         {compare: ordered(parseDate, time.Time.Compare, equal), negated: true},
	"DateLessThan":          {compare: ordered(parseDate, time.Time.Compare, less)},
	"DateLessThanEquals":    {compare: ordered(parseDate, time.Time.Compare, lessOrEqual)},
	"DateGreaterThan":       {compare: ordered(parseDate, time.Time.Compare, greater)},
	"DateGreaterThanEquals": {compare: ordered(parseDate, time.Time.Compare, greaterOrEqual)},

	"Bool":         {compare: boolEquals},
	"BinaryEquals": {compare: binaryEquals},
	"IpAddress":    {compare: inNetwork},
	"NotIpAddress": {compare: inNetwork, negated: true},
}

func stringEquals(q question, want, have string) bool {
	p, ok := q.expand(want, literally)
	return ok && matchRunes(p, []rune(have))
}

func stringEqualsIgnoreCase(q question, want, have string) bool {
	p, ok := q.expand(want, literally)
	for i, r := range p {
		p[i] = unicode.ToLower(r)
	}
	return ok && matchRunes(p, []rune(strings.ToLower(have)))
}

func stringLike(q question, want, have string) bool {
	p, ok := q.expand(want, wildcards)
	return ok && matchRunes(p, []rune(have))
}

func arnLike(q question, want, have string) bool {
	p, ok := q.expand(want, wildcards)
	return ok && matchARN(p, have)
}

func boolEquals(_ question, want, have string) bool {
	isBool := strings.EqualFold(want, "true") || strings.EqualFold(want, "false")
	return isBool && strings.EqualFold(want, have)
}

func binaryEquals(_ question, want, have string) bool {
	w, errWant := base64.StdEncoding.DecodeString(want)
	h, errHave := base64.StdEncoding.DecodeString(have)
	return errWant == nil && errHave == nil && bytes.Equal(w, h)
}

// inNetwork takes a network (203.0.113.0/24, 2001:db8::/32) or one address.
func inNetwork(_ question, want, have string) bool {
	addr, err := netip.ParseAddr(have)
	if err != nil {
		return false
	}
	addr = addr.Unmap()
	if one, err := netip.ParseAddr(want); err == nil {
		return one.Unmap() == addr
	}
	network, err := netip.ParsePrefix(want)
	return err == nil && network.Contains(addr)
}

// ordered compares the request's value with the wanted one; accept says which
// results (negative, 0, positive) match.
func ordered[T any](parse func(string) (T, bool), compare func(have, want T) int, accept func(int) bool) func(question, string, string) bool {
	return func(_ question, want, have string) bool {
		w, okWant := parse(want)
		h, okHave := parse(have)
		return okWant && okHave && accept(compare(h, w))
	}
}

func equal(c int) bool          { return c == 0 }
func less(c int) bool           { return c < 0 }
func lessOrEqual(c int) bool    { return c <= 0 }
func greater(c int) bool        { return c > 0 }
func greaterOrEqual(c int) bool { return c >= 0 }

func parseNumber(text string) (float64, bool) {
	n, err := strconv.ParseFloat(text, 64)
	return n, err == nil && !math.IsNaN(n)
}

// dateLayouts are the W3C's profile of ISO 8601, but for years and months alone.
var dateLayouts = []string{time.RFC3339, "2006-01-02T15:04Z07:00", time.DateOnly}

// parseDate reads a date, or the seconds since 1970.
func parseDate(text string) (time.Time, bool) {
	if seconds, err := strconv.ParseInt(text, 10, 64); err == nil {
		return time.Unix(seconds, 0), true
	}
	for _, layout := range dateLayouts {
		if t, err := time.Parse(layout, text); err == nil {
			return t, true
		}
	}
	return time.Time{}, false
}
