package main

import "testing"

func TestParseReadsWhatGoTestPrints(t *testing.T) {
	got := parse([]byte(`goos: linux
BenchmarkPost/concurrency-32-2         	      15	         0.2715 x-SDK	         1.278 x-plain	       0 B/op
BenchmarkVerify-16 	 100	 12345 ns/op
BenchmarkVerify-16 	 100	 99999 ns/op
BenchmarkVerify-16 	 100	 11111 ns/op
PASS
`))
	for key, want := range map[string]float64{
		"Post/concurrency-32 x-SDK": 0.2715, "Post/concurrency-32 x-plain": 1.278, "Verify ns/op": 12345,
	} {
		if got[key] != want {
			t.Errorf("%s = %v, want %v; all: %v", key, got[key], want, got)
		}
	}
}

func TestAFigureBeyondItsLimitIsMissed(t *testing.T) {
	for name, c := range map[string]struct {
		limit  limit
		got    map[string]float64
		missed int
	}{
		"above at most":          {atMost(1), map[string]float64{"B u": 1.01}, 1},
		"below at most":          {atMost(1), map[string]float64{"B u": 0.99}, 0},
		"below zero, at most":    {atMost(0.3), map[string]float64{"B u": -0.01}, 0},
		"below at least":         {atLeast(1), map[string]float64{"B u": 0.99}, 1},
		"above at least":         {atLeast(1), map[string]float64{"B u": 1.01}, 0},
		"in words":               {limit{words: "w"}, map[string]float64{"B u": 1e9}, 0},
		"not measured":           {atMost(1), nil, 1},
		"not measured, at least": {atLeast(1), nil, 1},
		"not measured, in words": {limit{words: "w"}, nil, 1},
	} {
		t.Run(name, func(t *testing.T) {
			l := line{what: "w", benchmark: "B", unit: "u", limit: c.limit}
			if missed := l.print(c.got); missed != c.missed {
				t.Errorf("missed = %d, want %d", missed, c.missed)
			}
		})
	}
}
