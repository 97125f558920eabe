package policy

import (
	"regexp"
	"strings"
	"testing"
)

// FuzzWildcards compares with the regular expression that says the same.
func FuzzWildcards(f *testing.F) {
	f.Add("*", "")
	f.Add("a*b?c", "axxbyc")
	f.Add("*a*a*a*b", strings.Repeat("a", 50))
	f.Add("arn:aws:execute-api:*:a/*/$connect", "arn:aws:execute-api:us-east-1:a/prod/$connect")
	f.Fuzz(func(t *testing.T, pattern, text string) {
		pattern, text = strings.ToValidUTF8(pattern, "x"), strings.ToValidUTF8(text, "x")
		if len(pattern) > 200 {
			t.Skip("longer than any regular expression should be")
		}
		quoted := strings.NewReplacer(`\*`, `.*`, `\?`, `.`).Replace(regexp.QuoteMeta(pattern))
		want := regexp.MustCompile(`(?s)^(?:` + quoted + `)$`).MatchString(text)
		if got := matchRunes(wildcards(pattern), []rune(text)); got != want {
			t.Errorf("%q matches %q: %v", pattern, text, got)
		}
	})
}
