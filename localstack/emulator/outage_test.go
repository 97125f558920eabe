package emulator

import (
	"slices"
	"testing"
)

func TestAnOutageIsToldOfAtGrowingIntervals(t *testing.T) {
	var o outage
	told := func(failures int) (list []int) {
		for i := range failures {
			if o.failed() {
				list = append(list, i+1)
			}
		}
		return list
	}
	if got, want := told(100), []int{1, 2, 4, 8, 16, 32, 64}; !slices.Equal(got, want) {
		t.Errorf("told of failures %v, want %v", got, want)
	}
	o.over()
	if got, want := told(3), []int{1, 2}; !slices.Equal(got, want) {
		t.Errorf("the next time told of failures %v, want %v", got, want)
	}
}
