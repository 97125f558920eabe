package conformance

import (
	"runtime"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/lambda"
)

func TestFreezing(t *testing.T) { check(t, freezeClaims) }

var freezeClaims = []claim{
	{says: "a goroutine that was left behind stands still between invokes, and goes on with the next", sources: "[LDG:lambda-runtime-environment]", test: frozenBetweenInvokes},
	{says: "a function sees the time of the cloud's clock, on Linux", test: functionsSeeTheClock},
}

func frozenBetweenInvokes(t *testing.T) {
	c := shared(t)
	name, a := c.newFunction(t, nil, nil, func(call) order { return order{Beat: true} })
	other, _ := c.newFunction(t, nil, nil, nil)
	c.invoke(t, name)
	first := a.next("")
	for began := time.Now(); time.Since(began) < 300*time.Millisecond; {
		c.invoke(t, other) // time passes, and others run
	}
	c.invoke(t, name)
	second := a.next("")
	if first.PID != second.PID {
		t.Fatalf("processes %d and %d", first.PID, second.PID)
	}
	// It beats a thousand times a second. Between the answer and the freezing,
	// and while the next event comes in, it may.
	if second.Beats > 100 {
		t.Errorf("%d beats in 300 ms between two invokes", second.Beats)
	}
}

func functionsSeeTheClock(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("a process's clock can be set on Linux only")
	}
	c := fresh(t)
	// The process that starts is the one whose clock is set, not what a script
	// becomes.
	code := must(binaryCode())(t)
	name, a := c.newFunction(t, nil, func(in *lambda.CreateFunctionInput) { in.Code.ZipFile = code }, nil)
	c.invoke(t, name)
	a.next("")
	c.Clock().Advance(5 * time.Hour)
	c.invoke(t, name)
	if got, want := time.UnixMilli(a.next("").NowMS), c.Clock().Now(); want.Sub(got).Abs() > time.Minute {
		t.Errorf("the function's time is %v, the cloud's %v", got, want)
	}
}
