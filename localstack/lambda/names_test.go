package lambda

import (
	"strings"
	"testing"
)

func TestParseReference(t *testing.T) {
	long := strings.Repeat("a", 65)
	for _, tt := range []struct {
		text string
		want reference
		ok   bool
	}{
		{"connect", reference{"", "000000000000", "connect", ""}, true},
		{"connect:live", reference{"", "000000000000", "connect", "live"}, true},
		{"connect:$LATEST", reference{"", "000000000000", "connect", "$LATEST"}, true},
		{"function:connect", reference{"", "000000000000", "connect", ""}, true},
		{"123456789012:function:connect:7", reference{"", "123456789012", "connect", "7"}, true},
		{"arn:aws:lambda:eu-west-1:123456789012:function:connect", reference{"eu-west-1", "123456789012", "connect", ""}, true},
		{"arn:aws-us-gov:lambda:us-gov-west-1:123456789012:function:connect:live", reference{"us-gov-west-1", "123456789012", "connect", "live"}, true},
		{"", reference{}, false},
		{"a:b:c", reference{}, false},
		{"connect:", reference{}, false},
		{"connect:no!", reference{}, false},
		{"con nect", reference{}, false},
		{long, reference{}, false},
		{"arn:aws:sqs:eu-west-1:123456789012:connect", reference{}, false},
		{"arn:aws:lambda:eu-west-1:12:function:connect", reference{}, false},
		{"arn:aws:lambda:eu-west-1:123456789012:function:connect:live:more", reference{}, false},
	} {
		got, err := parseReference(tt.text)
		if (err == nil) != tt.ok || got != tt.want {
			t.Errorf("parseReference(%q) = %+v, %v", tt.text, got, err)
		}
	}
}

func FuzzParseReference(f *testing.F) {
	for _, seed := range []string{"f", "f:1", "function:f", "000000000000:function:f:live", arnHead + "f:$LATEST", "arn:::::::"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		ref, err := parseReference(text)
		if err != nil {
			return
		}
		if ref.region == "" {
			ref.region = "us-east-1"
		}
		again, err := parseReference(ref.qualified())
		if err != nil || again != ref {
			t.Errorf("%q is %+v, but its ARN %q is %+v (%v)", text, ref, ref.qualified(), again, err)
		}
	})
}
