// Simulate is `make simulate`: it tells what broadcasts to audiences of any size
// take within AWS, in time, Lambdas, units and dollars. Units are split and
// delivered by the functions' own code (shared/broadcast), in virtual time, on a
// model of what is around it: two queues and their pollers, environments, the
// table and @connections. The numbers of infra/ are read from there.
//
// First it holds the model to a run in real time, on this machine.
package main

import (
	"flag"
	"fmt"
	"io"
	"os"
	"time"

	"fanfare/shared/broadcast"
)

// sizes are the audiences of the table in the README. The last is the most
// that an account without raised quotas can have.
var sizes = []int{10_000, 100_000, 1_000_000, mostConnections}

// mostConnections: API Gateway takes 500 new connections a second, and ends each
// after two hours.
const mostConnections = 500 * 2 * 60 * 60

// seed of the README's figures; a test tries others.
const seed = 1

func main() {
	connections := flag.Int("connections", 0, "simulate an audience of `N` connections only")
	updateFiles := flag.Bool("update", false, "write the table into README.md and the plot into "+plotFile)
	flag.Parse()
	if flag.NArg() > 0 || *connections < 0 || *connections > 0 && *updateFiles {
		fmt.Fprintln(os.Stderr, "simulate: -connections takes a number above 0, and the README has the usual ones; there are no other arguments")
		os.Exit(2)
	}
	if err := run(os.Stdout, *connections, *updateFiles); err != nil {
		fmt.Fprintln(os.Stderr, "simulate:", err)
		os.Exit(1)
	}
}

func run(out io.Writer, connections int, updateFiles bool) error {
	d, err := readInfra("infra")
	if err != nil {
		return err
	}
	l := aws()
	printWorld(out, d, l)
	if err := check(out); err != nil {
		return err
	}
	simulated := sizes
	if connections > 0 {
		simulated = []int{connections}
	}
	results := simulateAll(d, l, simulated)
	fmt.Fprintf(out, "\n%s", table(d, results))
	if most := simulated[len(simulated)-1]; most > mostConnections {
		fmt.Fprintf(out, "\nmore than %s connections need a raised quota: API Gateway takes 500 new ones a second and ends each after two hours.\n"+
			"%s need %d a second (Service Quotas: New connections per second of WebSocket APIs)\n",
			count(mostConnections), count(most), (most+7199)/7200)
	}
	if updateFiles {
		if err := update(".", d, results); err != nil {
			return err
		}
	}
	return promises(d, results)
}

func simulateAll(d deployment, l latencies, sizes []int) []Result {
	results := make([]Result, len(sizes))
	for i, n := range sizes {
		results[i] = simulate(d, l, n, seed)
	}
	return results
}

func printWorld(out io.Writer, d deployment, l latencies) {
	fmt.Fprintf(out, "post_rate %s; %d deliverers at %s posts a second, %d splitters; units of %d\n",
		count(int(d.PostRate)), d.Deliver.MaximumConcurrency, count(int(d.Deliver.PostRate)), d.Broadcast.MaximumConcurrency, broadcast.UnitSize)
	for _, one := range l.all() {
		fmt.Fprintf(out, "  %-40s p50 %3d ms, p99 %3d ms  %s\n", one.what, one.p50.Milliseconds(), one.p99.Milliseconds(), one.source)
	}
}

// check compares the model with a run in real time.
func check(out io.Writer) error {
	const connections, rate = 6000, 2000
	took, post, err := localRun(connections, rate)
	if err != nil {
		return err
	}
	model := modelOf(connections, rate, post)
	off := float64(model)/float64(took) - 1
	fmt.Fprintf(out, "checked: %s connections at post_rate %s on this machine take %.2f s, in the model %.2f s (%+.1f%%)\n",
		count(connections), count(rate), took.Seconds(), model.Seconds(), 100*off)
	if off < -tolerance || off > tolerance {
		return fmt.Errorf("the model is not within %.0f%% of the run on this machine", 100*tolerance)
	}
	return nil
}

// tolerance of the model.
const tolerance = 0.15

// bound is what the time of a broadcast is promised to be at most.
func bound(d deployment, connections int) time.Duration {
	return time.Duration(1.05*float64(connections)/d.PostRate*float64(time.Second)) + 3*time.Second
}

// promises returns what the results do not keep. A client of a larger audience
// must not cost more than one of the smallest.
func promises(d deployment, results []Result) error {
	each := results[0].Usage.Dollars() / float64(results[0].Connections)
	for _, r := range results {
		if most := bound(d, r.Connections); r.Time > most {
			return fmt.Errorf("%s connections take %v, promised are %v", count(r.Connections), r.Time, most)
		}
		if r.Posts != r.Connections || r.Dead > 0 {
			return fmt.Errorf("%s connections got %d posts, and there are %d dead letters", count(r.Connections), r.Posts, r.Dead)
		}
		if r.Usage.Dollars() > each*float64(r.Connections) {
			return fmt.Errorf("cost grows faster than the audience: at %s connections", count(r.Connections))
		}
	}
	return nil
}
