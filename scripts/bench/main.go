// Bench is `make bench`: it runs the benchmarks whose figures the project
// promises, and prints them as a table beside what was promised. Ratios are of
// things measured in the same run, because machines drift; the figures in the
// README are a copy of this table with the machine they come from.
package main

import (
	"bufio"
	"bytes"
	"context"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"
)

// A suite is one run of `go test -bench`.
type suite struct {
	pkg, bench, time string
	runs             int // of which the median counts; 0 is one: the benchmark takes the median itself
	lines            []line
}

// A line is one figure of a suite.
type line struct {
	what      string
	benchmark string // as printed, without "Benchmark" and the number of processors
	unit      string
	limit     limit
}

// A limit is what was promised of a figure: a bound, or in words what the
// benchmark itself sees to.
type limit struct {
	words string
	bound float64
	least bool // at least bound, not at most
}

func atMost(bound float64) limit  { return limit{bound: bound} }
func atLeast(bound float64) limit { return limit{bound: bound, least: true} }

func (l limit) missedBy(got float64) bool {
	switch {
	case l.words != "":
		return false
	case l.least:
		return got < l.bound
	}
	return got > l.bound
}

func (l limit) String() string {
	bound := strconv.FormatFloat(l.bound, 'g', 6, 64)
	switch {
	case l.words != "":
		return l.words
	case l.least:
		return "≥ " + bound
	}
	return "≤ " + bound
}

var suites = []suite{
	{"./shared/gateway", "Post", "15x", 0, []line{
		{"one post, concurrency 1: ours / plain unsigned POST", "Post/concurrency-1", "x-plain", atMost(1.35)},
		{"one post, concurrency 32: ours / plain unsigned POST", "Post/concurrency-32", "x-plain", atMost(1.35)},
		{"one post, concurrency 1: ours / SDK's PostToConnection", "Post/concurrency-1", "x-SDK", atMost(0.70)},
		{"one post, concurrency 32: ours / SDK's PostToConnection", "Post/concurrency-32", "x-SDK", atMost(0.40)},
		{"allocations of one post: ours / plain", "Post/concurrency-1", "x-plain-allocs", atMost(1.25)},
	}},
	{"./shared/connection", "FixedPool", "15x", 0, []line{
		{"broadcast to 10,000, 10 ms stub, pool of 10 / ten bare loops", "FixedPool", "x-bare-loops", atMost(1.02)},
	}},
	{"./shared/connection", "AdaptivePool", "15x", 0, []line{
		{"the same, adaptive, cold (s)", "AdaptivePool", "s-cold", atMost(0.8)},
		{"the same, adaptive, warm (s)", "AdaptivePool", "s-warm", atMost(0.5)},
	}},
	{"./shared/connection", "TokenBucket", "3x", 0, []line{
		{"20,000 at 2,000/s with 429s, rate unknown (s)", "TokenBucket/RateUnknown", "s", atMost(12)},
		{"429s of its posts (%)", "TokenBucket/RateUnknown", "%-throttled", atMost(3)},
		{"20,000 at 2,000/s, rate known (s)", "TokenBucket/RateKnown", "s", atMost(12)},
		{"429s of its posts (%)", "TokenBucket/RateKnown", "%-throttled", atMost(3)},
	}},
	{"./shared/connection", "GoneAndFailing", "3x", 0, []line{
		{"100,000, 10% gone, 1% failing: each live one once, each gone one cleaned up once (ns a run)", "GoneAndFailing", "ns/op", limit{words: "none lost, none doubled"}},
	}},
	{"./shared/connection", "Bookkeeping", "2000000x", 7, []line{
		{"bookkeeping per send of a broadcast (ns)", "Bookkeeping/Broadcast", "ns/op", atMost(350)},
		{"its allocations (below 1 is none)", "Bookkeeping/Broadcast", "allocs/op", atMost(0.5)},
		{"bookkeeping per send, adaptive (ns)", "Bookkeeping/BroadcastAdaptive", "ns/op", atMost(350)},
		{"bookkeeping per send while others fail (ns)", "Bookkeeping/BroadcastWhileOthersFail", "ns/op", atMost(350)},
		{"bookkeeping of a single Send (ns)", "Bookkeeping/Send", "ns/op", atMost(350)},
		{"its allocations: its Message", "Bookkeeping/Send", "allocs/op", atMost(1)},
	}},
	{"./shared/connection", "Metrics", "2000x", 7, []line{
		{"snapshot of the metrics (ns)", "Metrics/Snapshot", "ns/op", atMost(100_000)},
	}},
	{"./shared/auth", "Verify", "2000x", 0, []line{
		{"verification of a token / bare rsa.VerifyPKCS1v15", "Verify/key", "x-bare-rsa", atMost(2.3)},
		{"the same, key from a JWKS URL", "Verify/jwks", "x-bare-rsa", atMost(2.3)},
	}},
	{"./scripts/bench/coldstart", "ColdStart", "200x", 0, coldStart()},
	{"./localstack/emulator", "Start", "15x", 0, []line{
		{"local cloud: from start to its first answer (ms)", "Start", "ms-ready", atMost(100)},
	}},
	{"./localstack/emulator", "Footprint", "3x", 0, []line{
		{"its own memory, Fanfare deployed, nobody connected (MB)", "Footprint", "MB", atMost(60)},
	}},
	{"./localstack/emulator", "IdleSockets", "1x", 3, []line{
		{"its memory for each of 10,000 idle sockets (KB)", "IdleSockets", "KB-idle", atMost(16)},
		{"the same after load (KB)", "IdleSockets", "KB-loaded", atMost(32)},
	}},
	{"./localstack/emulator", "PostToConnection", "7x", 0, []line{
		{"posts to @connections, signed and verified / neither", "PostToConnection", "x-unsigned", atLeast(0.65)},
		{"posts, signed and verified, concurrency 32 (1/s)", "PostToConnection", "posts/s", atLeast(5000)},
	}},
	{"./localstack/emulator", "Messages", "5x", 0, []line{
		{"messages through warm Go functions, one way (1/s)", "Messages", "oneway/s", atLeast(2500)},
		{"the same with a route response (1/s)", "Messages", "echo/s", atLeast(2000)},
		{"the same answered by @connections (1/s)", "Messages", "posted/s", atLeast(1800)},
		{"beside them: the same functions on a bare Runtime API loop (1/s)", "Messages", "bare/s", limit{words: "the wall for those above"}},
	}},
	{"./localstack/emulator", "RoundTrip", "5x", 0, []line{
		{"round trip at 1,000/s offered, p50 (ms)", "RoundTrip", "ms-p50", atMost(3)},
		{"the same, p99 (ms)", "RoundTrip", "ms-p99", atMost(15)},
	}},
	{"./localstack/lambda", "Freeze", "7x", 0, []line{
		{"what freezing between invokes adds to p50 (ms)", "Freeze", "ms-added", atMost(0.3)},
	}},
	// Time to the last client: 1.05 x clients / the deliverers' rate (7,680 of the default 8,000) + 3 s.
	{"./scripts/bench/scale", "Sockets", "1x", 0, []line{
		{"one broadcast to 1,000 real sockets, whole stack: time to the last client (s)", "Sockets", "s-1000", atMost(3.1)},
		{"the same to 5,000 (s)", "Sockets", "s-5000", atMost(3.7)},
		{"the same to 15,000 (s)", "Sockets", "s-15000", atMost(5.1)},
		{"its posts (1/s)", "Sockets", "posts/s-15000", limit{words: "the deliverers may 7,680"}},
		{"its units: p95 of their time (s)", "Sockets", "s-unit", atMost(1.2)},
		{"most memory of one sender, 15,000 (MB)", "Sockets", "MB-15000", atMost(64)},
		{"the same / that of 1,000", "Sockets", "x-memory", atMost(1.25)},
		{"read units but one a shard / bytes of the members in 4 KB", "Sockets", "x-bytes", atMost(1.1)},
		{"clients of the three who did not get it", "Sockets", "lost", atMost(0)},
		{"who got it twice", "Sockets", "doubled", atMost(0)},
		{"15,000 with one worker of six killed a second, 1% 429, 1% 500: not got", "Sockets", "lost-amid-faults", atMost(0)},
		{"got twice", "Sockets", "doubled-amid-faults", limit{words: "a killed worker's unit comes again"}},
		{"workers killed in the middle of a unit", "Sockets", "killed", atLeast(1)},
		{"time to the last client without the visibility time-outs (s)", "Sockets", "s-amid-faults", limit{words: "2 s of quiet before each is skipped"}},
	}},
	{"./scripts/bench/scale", "Fair", "1x", 0, []line{
		{"small tenant (20) while a large one (5,000) broadcasts: what its p99 grows by / one unit", "Fair", "units-small-waits", atMost(1)},
		{"the same of one that needs the delivery queue (600)", "Fair", "units-middle-waits", atMost(1)},
		{"the unit: p99 of its time (s)", "Fair", "s-unit", limit{words: "three tenants' clients share the machine"}},
	}},
	{"./scripts/bench/scale", "InMemory", "1x", 0, []line{
		{"one broadcast to 50,000 connections in memory, 10 ms stub: time to the last (s)", "InMemory", "s-50000", atMost(9.8)},
		{"its posts (1/s)", "InMemory", "posts/s-50000", limit{words: "the deliverers may 7,680"}},
		{"read units but one a shard / bytes of the members in 4 KB", "InMemory", "x-bytes", atMost(1.1)},
		{"connections that did not get it", "InMemory", "lost", atMost(0)},
		{"that got it twice", "InMemory", "doubled", atMost(0)},
		{"with one worker of six killed a second, 1% 429, 1% 500: not got", "InMemory", "lost-amid-faults", atMost(0)},
		{"got twice", "InMemory", "doubled-amid-faults", limit{words: "a killed worker's unit comes again"}},
		{"workers killed", "InMemory", "killed", atLeast(1)},
	}},
}

// coldStart returns the lines of the functions' cold starts: time from execution
// to the first call for an invoke, medians of starts that take turns.
func coldStart() []line {
	lines := []line{
		{"cold start of a bare aws-lambda-go program (ms)", "ColdStart", "ms-bare", limit{words: "the floor for those below"}},
		{"the same, p95", "ColdStart", "ms-p95-bare", limit{words: "what else the machine does"}},
		{"one that registers for SIGTERM, as broadcast and deliver do / bare", "ColdStart", "x-bare-finish", limit{words: "of theirs"}},
	}
	for _, name := range []string{"connect", "message", "disconnect", "broadcast", "deliver"} {
		lines = append(lines,
			line{"cold start of " + name + " / bare", "ColdStart", "x-" + name, atMost(2)},
			line{"what it takes more than bare (ms)", "ColdStart", "ms-over-" + name, atMost(5)},
			line{"its executable (MB)", "ColdStart", "MB-" + name, atMost(12)})
	}
	return append(lines,
		line{"p95 of the slowest (ms)", "ColdStart", "ms-p95-slowest", limit{words: "what else the machine does"}},
		line{"connect: from execution to its answer to a first client (ms)", "ColdStart", "ms-answer-connect", limit{words: "table without network or TLS"}},
		line{"message: the same to a first ping (ms)", "ColdStart", "ms-answer-message", limit{words: "table without network or TLS"}})
}

func main() {
	only := flag.String("only", "", "run only suites whose benchmark matches this `regexp`")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	missed, err := run(ctx, *only)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
	if missed > 0 {
		fmt.Fprintf(os.Stderr, "bench: %d figures miss their limit\n", missed)
		os.Exit(1)
	}
}

func run(ctx context.Context, only string) (missed int, err error) {
	filter, err := regexp.Compile(only)
	if err != nil {
		return 0, err
	}
	fmt.Printf("Measured with `make bench` on %s.\n\n| what | limit | measured |\n|---|---|---|\n", machine())
	for _, s := range suites {
		if !filter.MatchString(s.bench) {
			continue
		}
		fmt.Fprintf(os.Stderr, "… %s %s\n", s.pkg, s.bench)
		figures, err := s.run(ctx)
		if err != nil {
			return missed, err
		}
		for _, l := range s.lines {
			missed += l.print(figures)
		}
	}
	return missed, nil
}

// print writes a line of the table and returns 1 if it misses its limit.
func (l line) print(figures map[string]float64) int {
	got, ok := figures[l.benchmark+" "+l.unit]
	note, missed := "", 0
	if !ok || l.limit.missedBy(got) {
		note, missed = " **missed**", 1
	}
	fmt.Printf("| %s | %s | %.4g%s |\n", l.what, l.limit, got, note)
	return missed
}

// run returns the figures by "<benchmark> <unit>".
func (s suite) run(ctx context.Context) (map[string]float64, error) {
	cmd := exec.CommandContext(ctx, "go", "test", "-run", "^$", "-bench", "^Benchmark"+s.bench+"$", "-benchtime", s.time, "-benchmem", "-count", strconv.Itoa(max(s.runs, 1)), "-timeout", "30m", s.pkg)
	out, err := cmd.CombinedOutput()
	if err != nil {
		return nil, fmt.Errorf("%s: %w\n%s", s.bench, err, out)
	}
	return parse(out), nil
}

// processors is the suffix that go test puts behind a benchmark's name.
var processors = regexp.MustCompile(`-\d+$`)

// parse returns the median of each figure in lines such as
//
//	BenchmarkPost/concurrency-1-2   15   0.27 x-SDK   1.21 x-plain
func parse(out []byte) map[string]float64 {
	runs := map[string][]float64{}
	for lines := bufio.NewScanner(bytes.NewReader(out)); lines.Scan(); {
		fields := strings.Fields(lines.Text())
		if len(fields) < 4 || !strings.HasPrefix(fields[0], "Benchmark") {
			continue
		}
		name := processors.ReplaceAllString(strings.TrimPrefix(fields[0], "Benchmark"), "")
		for i := 2; i+1 < len(fields); i += 2 {
			if v, err := strconv.ParseFloat(fields[i], 64); err == nil {
				runs[name+" "+fields[i+1]] = append(runs[name+" "+fields[i+1]], v)
			}
		}
	}
	figures := map[string]float64{}
	for key, values := range runs {
		slices.Sort(values)
		figures[key] = values[len(values)/2]
	}
	return figures
}

// machine names the processor as far as the system tells.
func machine() string {
	model := runtime.GOARCH
	if info, err := os.ReadFile("/proc/cpuinfo"); err == nil {
		for line := range strings.SplitSeq(string(info), "\n") {
			if name, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(name) == "model name" {
				model = strings.TrimSpace(value)
				break
			}
		}
	}
	return fmt.Sprintf("%d cores of %s, %s, %s", runtime.NumCPU(), model, runtime.GOOS, runtime.Version())
}
