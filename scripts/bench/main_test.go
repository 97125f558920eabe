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

func TestAFigureOverItsLimitIsMissed(t *testing.T) {
	l := line{what: "w", benchmark: "B", unit: "u", limit: 1}
	if l.print(map[string]float64{"B u": 1.01}) != 1 {
		t.Error("over the limit and not missed")
	}
	if l.print(map[string]float64{}) != 1 {
		t.Error("not measured and not missed")
	}
	if l.print(map[string]float64{"B u": 0.99}) != 0 {
		t.Error("under the limit and missed")
	}
}
