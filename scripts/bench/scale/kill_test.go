package scale

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"time"
)

// workers is how many deliverers there may be (infra/locals.tf).
const workers = 6

// killEverySecond kills one of the workers a second, until ctx ends, and returns
// how many were in the middle of their posts: an idle one is not missed. (A fault
// rule's kill would let the unit be recorded first.)
func killEverySecond(ctx context.Context) (killed int) {
	every := time.NewTicker(time.Second)
	defer every.Stop()
	for {
		select {
		case <-ctx.Done():
			return killed
		case <-every.C:
		}
		busy := deliverers()
		if i := rand.IntN(workers); i < len(busy) && kill(busy[i]) == nil {
			killed++
		}
	}
}

func kill(pid int) error {
	p, err := os.FindProcess(pid)
	if err != nil {
		return err
	}
	return p.Kill()
}

// deliverers are the processes of this one's that deliver now: those that wait
// for their next unit are stopped (proc(5), stat: T). There are none without
// Linux's /proc.
func deliverers() (pids []int) {
	self := os.Getpid()
	stats, err := filepath.Glob("/proc/[0-9]*/stat")
	if err != nil {
		return nil
	}
	for _, path := range stats {
		pid, err := strconv.Atoi(filepath.Base(filepath.Dir(path)))
		if err != nil {
			continue
		}
		stat, err := os.ReadFile(path)
		_, rest, _ := bytes.Cut(stat, []byte(") ")) // behind the name
		var state byte
		var parent int
		if _, scanErr := fmt.Sscanf(string(rest), "%c %d", &state, &parent); err != nil || scanErr != nil || parent != self || state == 'T' || state == 'Z' {
			continue
		}
		if env, err := os.ReadFile(fmt.Sprintf("/proc/%d/environ", pid)); err == nil && bytes.Contains(env, []byte("AWS_LAMBDA_FUNCTION_NAME=fanfare-deliver\x00")) {
			pids = append(pids, pid)
		}
	}
	return pids
}
