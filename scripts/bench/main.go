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
	limit     float64 // at most; 0 means that running without error is the promise
}

var suites = []suite{
	{"./shared/gateway", "Post", "15x", 0, []line{
		{"one post, concurrency 1: ours / plain unsigned POST", "Post/concurrency-1", "x-plain", 1.35},
		{"one post, concurrency 32: ours / plain unsigned POST", "Post/concurrency-32", "x-plain", 1.35},
		{"one post, concurrency 1: ours / SDK's PostToConnection", "Post/concurrency-1", "x-SDK", 0.70},
		{"one post, concurrency 32: ours / SDK's PostToConnection", "Post/concurrency-32", "x-SDK", 0.40},
		{"allocations of one post: ours / plain", "Post/concurrency-1", "x-plain-allocs", 1.25},
	}},
	{"./shared/connection", "FixedPool", "15x", 0, []line{
		{"broadcast to 10,000, 10 ms stub, pool of 10 / ten bare loops", "FixedPool", "x-bare-loops", 1.02},
	}},
	{"./shared/connection", "AdaptivePool", "15x", 0, []line{
		{"the same, adaptive, cold (s)", "AdaptivePool", "s-cold", 0.8},
		{"the same, adaptive, warm (s)", "AdaptivePool", "s-warm", 0.5},
	}},
	{"./shared/connection", "TokenBucket", "3x", 0, []line{
		{"20,000 at 2,000/s with 429s, rate unknown (s)", "TokenBucket/RateUnknown", "s", 12},
		{"429s of its posts (%)", "TokenBucket/RateUnknown", "%-throttled", 3},
		{"20,000 at 2,000/s, rate known (s)", "TokenBucket/RateKnown", "s", 12},
		{"429s of its posts (%)", "TokenBucket/RateKnown", "%-throttled", 3},
	}},
	{"./shared/connection", "GoneAndFailing", "3x", 0, []line{
		{"100,000, 10% gone, 1% failing: each live one once, each gone one cleaned up once (ns a run)", "GoneAndFailing", "ns/op", 0},
	}},
	{"./shared/connection", "Bookkeeping", "2000000x", 7, []line{
		{"bookkeeping per send of a broadcast (ns)", "Bookkeeping/Broadcast", "ns/op", 350},
		{"its allocations (below 1 is none)", "Bookkeeping/Broadcast", "allocs/op", 0.5},
		{"bookkeeping per send, adaptive (ns)", "Bookkeeping/BroadcastAdaptive", "ns/op", 350},
		{"bookkeeping per send while others fail (ns)", "Bookkeeping/BroadcastWhileOthersFail", "ns/op", 350},
		{"bookkeeping of a single Send (ns)", "Bookkeeping/Send", "ns/op", 350},
		{"its allocations: its Message", "Bookkeeping/Send", "allocs/op", 1},
	}},
	{"./shared/connection", "Metrics", "2000x", 7, []line{
		{"snapshot of the metrics (ns)", "Metrics/Snapshot", "ns/op", 100_000},
	}},
	{"./shared/auth", "Verify", "2000x", 0, []line{
		{"verification of a token / bare rsa.VerifyPKCS1v15", "Verify/key", "x-bare-rsa", 2.3},
		{"the same, key from a JWKS URL", "Verify/jwks", "x-bare-rsa", 2.3},
	}},
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
	limit, note, missed := "none lost, none doubled", "", 0
	if l.limit > 0 {
		limit = "≤ " + strconv.FormatFloat(l.limit, 'g', 6, 64)
	}
	if !ok || l.limit > 0 && got > l.limit {
		note, missed = " **missed**", 1
	}
	fmt.Printf("| %s | %s | %.4g%s |\n", l.what, limit, got, note)
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
