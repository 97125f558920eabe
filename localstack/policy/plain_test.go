package policy

import "testing"

// What is quick decides as what is thorough does.
func FuzzPlainResources(f *testing.F) {
	for _, seed := range [][2]string{
		{"*", "arn:aws:sqs:r:a:q"}, {"arn:aws:sqs:*:*:o?*s", "arn:aws:sqs:r:a:orders"}, {"arn:aws:sqs", "arn:aws:sqs:r:a:q"},
		{"arn:aws:sqs:*:q", "arn:aws:sqs:r:a:q"}, {"arn:aws:lambda:*:*:f*", "arn:aws:lambda:r:a:f:1"}, {"q", "q"}, {"", ""}, {"a:*", "a"}, {"**", "a:b:c:d:e:f"},
	} {
		f.Add(seed[0], seed[1])
	}
	f.Fuzz(func(t *testing.T, pattern, resource string) {
		if !isPlain(pattern) || !isPlain(resource) {
			return
		}
		if got, want := matchPlainResource(pattern, resource), matchResource(wildcards(pattern), resource); got != want {
			t.Errorf("%q matches %q: %v, want %v", pattern, resource, got, want)
		}
	})
}
