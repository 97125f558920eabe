package main

import (
	"fmt"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"time"

	"fanfare/shared/broadcast"
)

// sender is one of the two functions that post, with the queue that feeds it.
type sender struct {
	PostRate           float64       // posts a second of one environment
	Burst              time.Duration // for how long it makes up for a pause; 0 is the Manager's default
	MaximumConcurrency int
	BatchSize          int
	MaxReceiveCount    int
	Timeout            time.Duration
	MemoryGB           float64
}

// visibility is that of the sender's queue.
func (s sender) visibility() time.Duration { return 6 * s.Timeout }

// deployment is what infra/ deploys without variables.
type deployment struct {
	PostRate           float64 // of all senders together
	Broadcast, Deliver sender
}

// readInfra takes the numbers from where Terraform has them, so that the model
// cannot fall behind. What it does not find is an error.
func readInfra(dir string) (d deployment, err error) {
	r := reader{dir: dir}
	d.PostRate = r.number("variables.tf", `variable "post_rate" \{[^}]*?default\s*=\s*(\d+)`)
	d.Broadcast, d.Deliver = r.sender("broadcast"), r.sender("deliver")
	if six := r.number("modules/queue/main.tf", `visibility_timeout_seconds\s*=\s*(\d+) \* var\.consumer_timeout_seconds`); six != 6 {
		r.fail("the queues' visibility time-out is %v function time-outs, the model has 6", six)
	}
	r.shares(&d)
	return d, r.err
}

// reader reads numbers from files; its first error stays.
type reader struct {
	dir string
	err error
}

func (r *reader) fail(format string, args ...any) {
	if r.err == nil {
		r.err = fmt.Errorf(format, args...)
	}
}

// number is the first group of the pattern's only match.
func (r *reader) number(file, pattern string) float64 {
	text, err := os.ReadFile(filepath.Join(r.dir, file))
	if err != nil {
		r.fail("%w", err)
		return 0
	}
	found := regexp.MustCompile(`(?s)`+pattern).FindAllSubmatch(text, -1)
	if len(found) != 1 {
		r.fail("%s matches %s %d times, want once", file, pattern, len(found))
		return 0
	}
	n, err := strconv.ParseFloat(string(found[0][1]), 64)
	if err != nil {
		r.fail("%s: %w", file, err)
	}
	return n
}

func (r *reader) sender(name string) sender {
	of := func(setting string) int {
		return int(r.number("locals.tf", `\n    `+name+` = \{[^}]*?\n\s*`+setting+`\s*=\s*(\d+)`))
	}
	s := sender{
		MaximumConcurrency: of("maximum_concurrency"), BatchSize: of("batch_size"), MaxReceiveCount: of("max_receive_count"),
		Timeout:  time.Duration(r.number("locals.tf", `timeouts = \{[^}]*?\n\s*`+name+`\s*=\s*(\d+)`)) * time.Second,
		MemoryGB: r.number("functions.tf", `\n    `+name+` = \{[^}]*?memory_size\s*=\s*(\d+)`) / 1024,
	}
	if s.BatchSize != 1 {
		r.fail("%s takes %d messages a call, the model 1", name, s.BatchSize)
	}
	return s
}

// shares gives each sender its part of the rate, by the formulas of locals.tf.
func (r *reader) shares(d *deployment) {
	direct := r.number("locals.tf", `direct_percent\s*=\s*(\d+)`)
	d.Broadcast.PostRate = math.Floor(d.PostRate / float64(d.Broadcast.MaximumConcurrency+d.Deliver.MaximumConcurrency))
	d.Deliver.PostRate = math.Floor(d.PostRate * (100 - direct) / 100 / float64(d.Deliver.MaximumConcurrency))
	d.Deliver.Burst = broadcast.CatchUp
}
