package main

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"fanfare/shared/protocol"
)

// count writes a number with a comma every three digits.
func count(n int) string {
	digits := strconv.Itoa(n)
	for i := len(digits) - 3; i > 0; i -= 3 {
		digits = digits[:i] + "," + digits[i:]
	}
	return digits
}

// plural writes how many of something there are.
func plural(n int, one string) string {
	if n == 1 {
		return "1 " + one
	}
	return count(n) + " " + one + "s"
}

// took writes a time with what of it matters.
func took(d time.Duration) string {
	switch {
	case d < time.Second:
		return fmt.Sprintf("%d ms", d.Milliseconds())
	case d < 2*time.Minute:
		return fmt.Sprintf("%.1f s", d.Seconds())
	default:
		return d.Round(time.Second).String()
	}
}

// clock writes a moment.
func clock(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05 UTC") }

// byType writes counts, the largest first.
func byType(counts map[string]int) string {
	kinds := slices.SortedFunc(maps.Keys(counts), func(a, b string) int {
		if counts[a] != counts[b] {
			return counts[b] - counts[a]
		}
		return strings.Compare(a, b)
	})
	parts := make([]string, len(kinds))
	for i, kind := range kinds {
		parts[i] = kind + " " + count(counts[kind])
	}
	return strings.Join(parts, ", ")
}

func describe(to protocol.Audience) string {
	switch {
	case to.Channel != "":
		return "channel " + to.Channel
	case to.User != "":
		return "user " + to.User
	case to.Tenant:
		return "everybody"
	default:
		return plural(len(to.Connections), "connection")
	}
}

// named is what a broadcast that found nobody was for, by the names that may be
// misspelt.
func named(tenant string, to protocol.Audience) string {
	if to.Tenant {
		return fmt.Sprintf("tenant %q", tenant)
	}
	return fmt.Sprintf("tenant %q, and %s", tenant, describe(to))
}
