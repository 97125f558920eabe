package lambda

import (
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"os/exec"
	"runtime"
	"strings"
	"testing"
	"time"

	"fanfare/localstack/clock"
)

// needShiftableClocks skips where functions keep the machine's time.
func needShiftableClocks(t testing.TB) {
	t.Helper()
	if runtime.GOOS != "linux" || runtime.GOARCH != "amd64" && runtime.GOARCH != "arm64" {
		t.Skip("functions get the cloud's time on Linux only, on amd64 and arm64")
	}
}

type clockReading struct{ PID, UnixMillis, Left, Wall, Monotonic int64 }

// near reports whether a function's time is the cloud's, give or take a slow
// machine's second or two.
func near(t *testing.T, clk *clock.Clock, millis int64) {
	t.Helper()
	if d := clk.Since(time.UnixMilli(millis)); d < -time.Second || d > 10*time.Second {
		t.Errorf("the function's clock is %v behind the cloud's", d)
	}
}

// AWS's environments come and go, and each has the right time: so an Advance
// retires the environments that there are, and the next have the cloud's time.
func TestFunctionsSeeTheCloudsTime(t *testing.T) {
	needShiftableClocks(t)
	clk := clock.New()
	c := newCloud(t, Options{Clock: clk})
	c.create(t, "f", "clock")
	read := func() clockReading { return decode[clockReading](t, c.mustInvoke(t, "f", "{}").Payload) }
	first := read()
	near(t, clk, first.UnixMillis)
	for _, d := range []time.Duration{24 * time.Hour, 900 * time.Millisecond, 700*time.Millisecond + 1} {
		clk.Advance(d)
		got := read()
		near(t, clk, got.UnixMillis)
		if got.PID == first.PID {
			t.Error("an environment from before the Advance answered")
		}
		if got.Left < 20_000 || got.Left > 30_000 {
			t.Errorf("%d ms until the deadline on the function's clock, want just under 30 s", got.Left)
		}
		if got.Wall < 20 || got.Monotonic < 20 || got.Wall > 5000 || got.Monotonic > 5000 {
			t.Errorf("20 ms took %d ms by the wall clock and %d ms by the monotonic one", got.Wall, got.Monotonic)
		}
		if again := read(); again.PID != got.PID {
			t.Error("an environment with the right time was not used again")
		}
	}
}

func TestABusyEnvironmentIsRetiredAfterItsInvoke(t *testing.T) {
	needShiftableClocks(t)
	clk := clock.New()
	c := newCloud(t, Options{Clock: clk})
	c.create(t, "f", "sleep")
	pids := make(chan int, 1)
	go func() {
		res, _ := c.Invoke(context.Background(), Request{Function: "f", Payload: []byte(`{"millis":300}`)})
		var out struct{ PID int }
		_ = json.Unmarshal(res.Payload, &out)
		pids <- out.PID
	}()
	c.logs.wait(t, "START", 1)
	clk.Advance(time.Hour)
	before := <-pids
	if before == 0 {
		t.Fatal("the invoke under way was cut off")
	}
	if after := decode[map[string]int](t, c.mustInvoke(t, "f", "{}").Payload)["pid"]; after == before {
		t.Error("an environment with the old time answered")
	}
}

// A dynamically linked program takes the time through libc.
func TestABootstrapInPythonSeesTheCloudsTime(t *testing.T) {
	needShiftableClocks(t)
	clk := clock.New()
	clk.Advance(48 * time.Hour)
	c := newCloud(t, Options{Clock: clk})
	c.createScript(t, "f", pythonBootstrap(t, `{"clock": int(time.clock_gettime(time.CLOCK_REALTIME) * 1000), "unixMillis": int(time.time() * 1000)}`))
	got := decode[map[string]int64](t, c.mustInvoke(t, "f", "{}").Payload)
	near(t, clk, got["unixMillis"])
	near(t, clk, got["clock"])
}

// The three functions of the vDSO themselves, from C: clock_gettime,
// gettimeofday and time agree.
func TestEveryWayToTakeTheTimeIsShifted(t *testing.T) {
	needShiftableClocks(t)
	python := python(t)
	clk := clock.New()
	clk.Advance(time.Hour + 999*time.Millisecond)
	c := newCloud(t, Options{Clock: clk})
	c.createScript(t, "f", runtimeLoop(python, `
import ctypes
libc = ctypes.CDLL(None)
class pair(ctypes.Structure):
    _fields_ = [("sec", ctypes.c_long), ("part", ctypes.c_long)]
def answer(event):
    ts, coarse, tv, stored = pair(), pair(), pair(), ctypes.c_long()
    status = [libc.clock_gettime(0, ctypes.byref(ts)), libc.clock_gettime(5, ctypes.byref(coarse)), libc.gettimeofday(ctypes.byref(tv), None)]
    libc.time.restype = ctypes.c_long
    return {"status": status, "bad": libc.clock_gettime(12345, ctypes.byref(pair())), "ts": ts.sec * 1000 + ts.part // 1000000,
            "coarse": coarse.sec * 1000 + coarse.part // 1000000, "tv": tv.sec * 1000 + tv.part // 1000,
            "time": libc.time(ctypes.byref(stored)) * 1000, "stored": stored.value * 1000,
            "parts": [ts.part, coarse.part, tv.part]}
`))
	got := decode[struct {
		Status, Parts                []int64
		Bad                          int64
		TS, Coarse, TV, Time, Stored int64
	}](t, c.mustInvoke(t, "f", "{}").Payload)
	for what, millis := range map[string]int64{"clock_gettime": got.TS, "coarse": got.Coarse, "gettimeofday": got.TV, "time": got.Time, "time's argument": got.Stored} {
		t.Log(what)
		near(t, clk, millis)
	}
	if got.Bad != -1 || got.Status[0] != 0 || got.Status[1] != 0 || got.Status[2] != 0 {
		t.Errorf("status %v, of an unknown clock %d", got.Status, got.Bad)
	}
	for i, limit := range []int64{1e9, 1e9, 1e6} {
		if p := got.Parts[i]; p < 0 || p >= limit {
			t.Errorf("part of a second %d is %d, want less than %d", i, p, limit)
		}
	}
}

// Where it cannot be done, functions keep the machine's time, are reused as
// ever, and one warning says so.
func TestWhereTheClockCannotBeShiftedOneWarningSaysSo(t *testing.T) {
	needShiftableClocks(t)
	before := stub
	t.Cleanup(func() { stub = before })
	stub = clockStub{}

	var log strings.Builder
	clk := clock.New()
	clk.Advance(time.Hour)
	c := newCloud(t, Options{Clock: clk, IdleTimeout: 24 * time.Hour, Logger: slog.New(slog.NewTextHandler(&log, nil))})
	c.create(t, "f", "clock")
	first := decode[clockReading](t, c.mustInvoke(t, "f", "{}").Payload)
	clk.Advance(time.Hour)
	second := decode[clockReading](t, c.mustInvoke(t, "f", "{}").Payload)
	if d := time.Since(time.UnixMilli(first.UnixMillis)); d < 0 || d > time.Minute {
		t.Errorf("the function is %v behind the machine's time", d)
	}
	if first.Left < 20_000 || first.Left > 30_000 {
		t.Errorf("%d ms until the deadline on the function's clock", first.Left)
	}
	if second.PID != first.PID {
		t.Error("an environment was retired although another could not have a better time")
	}
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(log.String(), "machine's time"); n != 1 {
		t.Errorf("%d warnings, want 1: %s", n, log.String())
	}
}

// A bootstrap that becomes another program before its first event keeps the
// machine's time: it gets its deadlines in that, and a warning says so.
func TestABootstrapThatExecsAgainHasItsDeadlinesInItsOwnTime(t *testing.T) {
	needShiftableClocks(t)
	python := python(t)
	var log strings.Builder
	clk := clock.New()
	clk.Advance(5 * time.Hour)
	c := newCloud(t, Options{Clock: clk, IdleTimeout: 24 * time.Hour, Logger: slog.New(slog.NewTextHandler(&log, nil))})
	c.createScript(t, "f", "#!/bin/sh\nexec "+python+" -c '"+runtimeLoop("", `
left = 0
def answer(event):
    return {"PID": os.getpid(), "UnixMillis": int(time.time() * 1000), "Left": int(got.headers["Lambda-Runtime-Deadline-Ms"]) - int(time.time() * 1000)}
`)[len("#!"):]+"'\n")
	c.create(t, "go", "clock")
	read := func(name string) clockReading {
		return decode[clockReading](t, c.mustInvoke(t, name, "{}").Payload)
	}
	first := read("f")
	if d := time.Since(time.UnixMilli(first.UnixMillis)); d < 0 || d > time.Minute {
		t.Errorf("the function is %v behind the machine's time: this test needs another way to lose the cloud's", d)
	}
	if first.Left < 20_000 || first.Left > 30_000 {
		t.Errorf("%d ms until the deadline on the function's clock, want just under 30 s", first.Left)
	}
	clk.Advance(time.Hour)
	if second := read("f"); second.PID != first.PID {
		t.Error("an environment was retired although another could not have a better time")
	}
	near(t, clk, read("go").UnixMillis) // others are not given up on
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(log.String(), "started another program in its place"); n != 1 {
		t.Errorf("%d warnings, want 1: %s", n, log.String())
	}
}

func TestAProgramThatCannotStartIsNoReasonToGiveUpOnTheClock(t *testing.T) {
	needShiftableClocks(t)
	l := newLauncher(slog.New(slog.DiscardHandler))
	defer l.close()
	_ = l.do(func() error {
		_, _, err := l.run(func() *exec.Cmd {
			cmd := exec.Command("/does/not/exist")
			cmd.SysProcAttr = processAttributes()
			return cmd
		}, time.Hour)
		if err == nil || l.warned.Load() {
			t.Errorf("error %v, warned %v", err, l.warned.Load())
		}
		return nil
	})
}

// A vDSO that is not as expected is left alone.
func FuzzVDSO(f *testing.F) {
	f.Add("\x7fELF\x02\x01\x01")
	f.Fuzz(func(t *testing.T, image string) {
		patches, err := stub.patches(io.NewSectionReader(strings.NewReader(image), 0, maxVDSO), time.Hour)
		if err == nil && len(patches) != 1+len(stub.entries) {
			t.Errorf("%d patches", len(patches))
		}
		vdsoBase([]byte(image))
	})
}
