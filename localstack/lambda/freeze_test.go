package lambda

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// stopped reports whether a process stands still; it skips where that cannot be
// seen.
func stopped(t testing.TB, pid int) bool {
	t.Helper()
	if _, err := os.Stat("/proc/self/stat"); err != nil {
		t.Skip("no /proc to see a stopped process in")
	}
	stat, _ := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	return strings.Contains(string(stat), ") T ")
}

// beatsOf invokes a function that has left a goroutine behind.
func beatsOf(t *testing.T, c *cloud, millis int) (before, after int64) {
	t.Helper()
	got := decode[map[string]int64](t, c.mustInvoke(t, "f", fmt.Sprintf(`{"millis":%d}`, millis)).Payload)
	return got["before"], got["after"]
}

// A goroutine that a handler leaves behind stands still between invokes and goes
// on at the next one [LDG:lambda-runtime-environment].
func TestWorkLeftBehindStallsUntilTheNextInvoke(t *testing.T) {
	const pause = 300 * time.Millisecond // in which it would beat some 200 times
	wait := func() { <-time.After(pause) }
	t.Run("frozen [LDG:lambda-runtime-environment]", func(t *testing.T) {
		c := newCloud(t, Options{})
		c.create(t, "f", "left behind")
		_, left := beatsOf(t, c, 30)
		wait()
		found, after := beatsOf(t, c, 30)
		if found-left > 20 {
			t.Errorf("%d beats between two invokes, want next to none", found-left)
		}
		if after <= found {
			t.Error("it did not go on when the environment thawed")
		}
	})
	t.Run("UnlikeAWSKeepIdleFunctionsRunning", func(t *testing.T) {
		c := newCloud(t, Options{UnlikeAWSKeepIdleFunctionsRunning: true})
		c.create(t, "f", "left behind")
		_, left := beatsOf(t, c, 30)
		wait()
		if found, _ := beatsOf(t, c, 30); found-left <= 20 {
			t.Errorf("%d beats between two invokes, want about 200", found-left)
		}
	})
}

func TestAFrozenEnvironmentThawsForItsNextInvoke(t *testing.T) {
	c := newCloud(t, Options{})
	c.create(t, "f", "sleep")
	pid := decode[map[string]int](t, c.mustInvoke(t, "f", "{}").Payload)["pid"]
	eventually(t, "the process stands still", func() bool { return stopped(t, pid) })
	if again := decode[map[string]int](t, c.mustInvoke(t, "f", "{}").Payload)["pid"]; again != pid {
		t.Error("another process answered")
	}
}

// All that a handler prints is in the log before its process freezes, even what
// it prints last.
func TestTheLogIsCompleteWhenTheProcessFreezes(t *testing.T) {
	c := newCloud(t, Options{})
	c.create(t, "f", "print")
	c.mustInvoke(t, "f", `{"value":"first|second"}`)
	texts := strings.Join(c.logs.texts(), "\n")
	if !strings.Contains(texts, "first\nsecond\nno line end\nEND RequestId") {
		t.Errorf("log %q", texts)
	}
}

func TestAFrozenProcessThatIsKilledIsReplaced(t *testing.T) {
	c := newCloud(t, Options{})
	c.create(t, "f", "sleep")
	pid := decode[map[string]int](t, c.mustInvoke(t, "f", "{}").Payload)["pid"]
	eventually(t, "the process stands still", func() bool { return stopped(t, pid) })
	if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	eventually(t, "its death is noticed", func() bool { return c.idle() == 0 })
	if res := c.mustInvoke(t, "f", "{}"); res.FunctionError != "" {
		t.Errorf("answer %s", res.Payload)
	}
}

// Each of many invokes of a frozen environment thaws it in time.
func TestFreezingAndThawingInQuickSuccession(t *testing.T) {
	c := newCloud(t, Options{})
	c.create(t, "f", "")
	for i := range 300 {
		want := fmt.Sprint(i)
		if res, err := c.Invoke(context.Background(), Request{Function: "f", Payload: []byte(want)}); err != nil || string(res.Payload) != want {
			t.Fatalf("invoke %d: %s %v", i, res.Payload, err)
		}
	}
}

// A function keeps its connection to a server while it is frozen: the server's
// time-out for headers, which the local cloud has too, does not count while a
// connection is idle, and the kernel answers keep-alive probes for the process.
func TestAKeptAliveConnectionSurvivesTheFreeze(t *testing.T) {
	var opened atomic.Int32
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("hello")) }))
	server.Config.ReadHeaderTimeout = 50 * time.Millisecond
	server.Config.ConnState = func(_ net.Conn, s http.ConnState) {
		if s == http.StateNew {
			opened.Add(1)
		}
	}
	server.Start()
	defer server.Close()
	c := newCloud(t, Options{})
	c.create(t, "f", "get")
	for range 3 {
		if res := c.mustInvoke(t, "f", fmt.Sprintf(`{"value":%q}`, server.URL)); string(res.Payload) != `"hello"` {
			t.Fatalf("answer %s", res.Payload)
		}
		<-time.After(150 * time.Millisecond) // frozen
	}
	if n := opened.Load(); n != 1 {
		t.Errorf("%d connections for 3 invokes, want the one", n)
	}
}

// While another environment is at work a freeze may be late, but it comes.
func TestAnEnvironmentFreezesWhileAnotherIsAtWork(t *testing.T) {
	c := newCloud(t, Options{})
	c.create(t, "f", "sleep")
	var long sync.WaitGroup
	defer long.Wait()
	long.Go(func() { c.mustInvoke(t, "f", `{"millis":1500}`) })
	pid := decode[map[string]int](t, c.mustInvoke(t, "f", "{}").Payload)["pid"]
	eventually(t, "the process stands still", func() bool { return stopped(t, pid) })
	if again := decode[map[string]int](t, c.mustInvoke(t, "f", "{}").Payload)["pid"]; again != pid {
		t.Error("another process answered")
	}
}
