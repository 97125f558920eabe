package emulator

import (
	"context"
	"sync/atomic"
	"testing"
	"testing/synctest"
)

func TestSlots(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		s := newSlots()
		s.resize(2)
		var held atomic.Int64
		take := func() {
			if s.acquire(ctx) {
				held.Add(1)
			}
		}
		for range 4 {
			go take()
		}
		for _, step := range []struct {
			do   func()
			want int // how many have got a slot so far
			what string
		}{
			{func() {}, 2, "no more than the limit"},
			{s.release, 3, "one more for each that ends"},
			{func() { s.resize(1) }, 3, "a lower limit takes nothing away"},
			{s.release, 3, "but counts what is held already"},
			{func() { s.resize(2) }, 4, "a higher one lets more in"},
			{func() { go take() }, 4, "and no more than that"},
			{cancel, 4, "who has waited in vain gets none"},
		} {
			synctest.Wait()
			step.do()
			synctest.Wait()
			if held := int(held.Load()); held != step.want {
				t.Fatalf("%s: %d have got a slot, want %d", step.what, held, step.want)
			}
		}
	})
}
