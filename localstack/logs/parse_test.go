package logs

import (
	"errors"
	"slices"
	"testing"

	"fanfare/localstack/awsproto"
)

func FuzzParsePattern(f *testing.F) {
	for _, seed := range []string{"", "ERROR", `?a ?"b c"`, `-x "y\"z"`, "{ $.a = 1 }", "[a, b]", `"\`, "%a%"} {
		f.Add(seed, "an ERROR a b c")
	}
	f.Fuzz(func(t *testing.T, s, message string) {
		p, err := parsePattern(s)
		if err != nil {
			if _, ok := errors.AsType[*awsproto.Error](err); !ok {
				t.Errorf("%q: %v is no AWS error", s, err)
			}
			return
		}
		if slices.Contains(slices.Concat(p.must, p.any, p.not), "") {
			t.Errorf("%q has an empty term, which matches everything: %+v", s, p)
		}
		p.match(message)
	})
}

func FuzzParseCursor(f *testing.F) {
	f.Add("f/1700000000000/12")
	f.Add("b/-1/0")
	f.Add("x/1/2/3")
	f.Fuzz(func(t *testing.T, token string) {
		c, err := parseCursor(token)
		if err != nil {
			return
		}
		if again, err := parseCursor(c.String()); err != nil || again != c {
			t.Errorf("%q: %+v became %+v, %v", token, c, again, err)
		}
	})
}

func FuzzParseGroupARN(f *testing.F) {
	f.Add("arn:aws:logs:us-east-1:000000000000:log-group:/aws/lambda/x:*")
	f.Add("arn:aws:logs:us-east-1:000000000000:log-group:x:log-stream:y")
	f.Fuzz(func(t *testing.T, arn string) {
		if name, err := parseGroupARN(arn); err == nil && checkGroupName(name) != nil {
			t.Errorf("%q names %q, which no group can have", arn, name)
		}
	})
}
