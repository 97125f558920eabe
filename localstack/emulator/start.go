package emulator

import (
	"context"
	"fmt"
	"maps"
	"runtime"
	"slices"
	"strings"
	"time"
)

// TB is what Start, Build and Setenv use of *testing.T, *testing.B and
// *testing.F. It is not testing.TB because this package is also the local cloud's
// program, which is to be without "testing".
type TB interface {
	Helper()
	Cleanup(func())
	Failed() bool
	Logf(format string, args ...any)
	Errorf(format string, args ...any)
	Fatalf(format string, args ...any)
	Setenv(key, value string)
}

// testAddr is where a test's cloud listens: at a free port, and under the one
// name that no other program can have for the same port. ("localhost" may also
// be ::1, where the port can be somebody else's.)
const (
	testHost = "127.0.0.1"
	testAddr = testHost + ":0"
)

// closeTimeout is how long sockets and functions may take to end after a test.
const closeTimeout = 10 * time.Second

// Start starts a local cloud for a test, empty, at a free port of loopback:
//
//	func TestOrders(t *testing.T) {
//		cloud := emulator.Start(t)
//		queues := sqs.NewFromConfig(cloud.Config())
//		…
//	}
//
// It stops when the test and its subtests have ended, with all that functions
// have left behind. If the test failed, its log then shows the last that the
// cloud had to say: what functions printed, requests that failed, warnings. What
// still ran when the test ended is logged too.
//
// Options change how the cloud starts, as the SDK's do:
//
//	emulator.Start(t, func(o *emulator.Options) { o.Snapshot = "testdata/cloud.zip" })
//
// A Logger, OnRequest or FunctionLog that an option sets gets what would else be
// in the test's log. Time and faults are the cloud's own: cloud.Clock(),
// cloud.Faults(). Tests with a cloud each may run in parallel. For one that many
// tests share, use New in TestMain.
func Start(t TB, options ...func(*Options)) *Emulator {
	t.Helper()
	log := &testLog{}
	cloud, err := startForTest(log, options)
	if err != nil {
		t.Fatalf("start the local cloud: %v", err)
	}
	t.Cleanup(func() {
		t.Helper()
		busy := cloud.lambda.Busy()
		ctx, cancel := context.WithTimeout(context.Background(), closeTimeout) // the test's own has ended
		defer cancel()
		if err := cloud.Close(ctx); err != nil {
			t.Errorf("stop the local cloud: %v", err)
		}
		if t.Failed() || panics() {
			t.Logf("the local cloud's log:\n%s", log)
		}
		if len(busy) > 0 {
			t.Logf("functions still ran when the test ended: %s", countedNames(busy))
		}
	})
	return cloud
}

func startForTest(log *testLog, options []func(*Options)) (*Emulator, error) {
	o := Options{Addr: testAddr, Hostname: testHost}
	for _, option := range options {
		option(&o)
	}
	log.listen(&o)
	cloud, err := New(o)
	if err != nil {
		return nil, err
	}
	if err := cloud.Start(); err != nil {
		_ = cloud.Close(context.Background()) // nothing runs in it yet
		return nil, err
	}
	return cloud, nil
}

// panics reports whether it is called because of a panic. A test's clean-up then
// runs before the test counts as failed.
func panics() bool {
	var callers [64]uintptr
	frames := runtime.CallersFrames(callers[:runtime.Callers(1, callers[:])])
	for {
		frame, more := frames.Next()
		if frame.Function == "runtime.gopanic" || !more {
			return more
		}
	}
}

// countedNames lists what is there more than once with how often.
func countedNames(count map[string]int) string {
	var list []string
	for _, name := range slices.Sorted(maps.Keys(count)) {
		if n := count[name]; n > 1 {
			name = fmt.Sprintf("%s (%d times)", name, n)
		}
		list = append(list, name)
	}
	return strings.Join(list, ", ")
}
