package emulator_test

import (
	"context"
	"fmt"
	"os"
	"slices"
)

// standIn is what an Example, which has no *testing.T, has in its place. What a
// test would report, it panics with.
type standIn struct {
	ctx      context.Context
	cleanups []func()
}

// exampleT returns a standIn and what is to be deferred: the end of its test.
func exampleT() (t *standIn, end func()) {
	ctx, cancel := context.WithCancel(context.Background())
	t = &standIn{ctx: ctx}
	return t, func() {
		cancel()
		for _, f := range slices.Backward(t.cleanups) {
			f()
		}
	}
}

func (t *standIn) Context() context.Context     { return t.ctx }
func (t *standIn) Cleanup(f func())             { t.cleanups = append(t.cleanups, f) }
func (*standIn) Helper()                        {}
func (*standIn) Failed() bool                   { return false }
func (*standIn) Logf(format string, a ...any)   { fmt.Fprintf(os.Stderr, format+"\n", a...) }
func (*standIn) Errorf(format string, a ...any) { panic(fmt.Sprintf(format, a...)) }
func (*standIn) Fatalf(format string, a ...any) { panic(fmt.Sprintf(format, a...)) }
func (*standIn) Setenv(string, string)          { panic("an Example does not change the environment") }
