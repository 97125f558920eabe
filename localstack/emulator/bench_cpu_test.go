package emulator_test

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// BenchmarkCPU measures how much processor time a message takes, of the
// program and of its functions. Unlike messages a second it hardly depends on
// what else the machine does, so it is what to compare two versions by:
// LOCALSTACK_PROGRAM names a program to measure instead of this one's.
func BenchmarkCPU(b *testing.B) {
	needsLinux(b)
	path := os.Getenv("LOCALSTACK_PROGRAM")
	if path == "" {
		path = program(b)
	}
	c, _ := launch(b, path)
	defer c.stop()
	f := c.function("bench", c.role(), benchZip(b), nil)
	s := dialMessages(b, "ws://"+c.api(map[string]string{"echo": f, "post": f}, "echo"))
	for _, action := range []string{"echo", "post"} {
		s.answered(action) // starts the processes
	}
	own, functions := map[string][]float64{}, map[string][]float64{}
	for b.Loop() {
		for _, action := range []string{"echo", "post"} {
			cloud, children := c.ticks()
			s.answered(action)
			cloudAfter, childrenAfter := c.ticks()
			own[action] = append(own[action], microseconds(cloudAfter-cloud))
			functions[action] = append(functions[action], microseconds(childrenAfter-children))
		}
	}
	for _, action := range []string{"echo", "post"} {
		b.ReportMetric(median(own[action]), "us-cloud/"+action)
		b.ReportMetric(median(functions[action]), "us-function/"+action)
	}
	b.ReportMetric(0, "ns/op")
}

// microseconds of one message, of the clock ticks that a round of them took.
// A tick is 10 ms on every Linux that Go runs on (USER_HZ).
func microseconds(ticks int) float64 { return float64(ticks) * 1e4 / messagesInRound }

// ticks is the processor time that the program and its children have taken
// (proc(5), /proc/pid/stat: the fields after the name).
func (c localCloud) ticks() (own, children int) {
	stats, err := filepath.Glob("/proc/[0-9]*/stat")
	if err != nil {
		c.tb.Fatal(err)
	}
	const parent, user, system = 1, 11, 12
	for _, path := range stats {
		stat, err := os.ReadFile(path)
		if err != nil {
			continue // it has ended
		}
		fields := strings.Fields(string(stat[bytes.LastIndexByte(stat, ')')+1:]))
		u, _ := strconv.Atoi(fields[user])
		s, _ := strconv.Atoi(fields[system])
		switch pid := strconv.Itoa(c.cmd.Process.Pid); {
		case path == fmt.Sprintf("/proc/%s/stat", pid):
			own = u + s
		case fields[parent] == pid:
			children += u + s
		}
	}
	return own, children
}
