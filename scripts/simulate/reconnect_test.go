package main

import (
	"cmp"
	"container/heap"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"strings"
	"testing"
	"time"
)

// After an outage all clients come back, and a whole account has 500 new
// connections a second ("Quotas for configuring and running a WebSocket API"). The
// README tells clients how to wait; these are its figures, on a token bucket as the
// local cloud has it, which AWS does not describe closer.
const (
	newConnections = 500.0 // a second
	longestWait    = 300.0 // seconds, of the README's back-off
	ofSocket       = 7200  // seconds that a socket lives at most
)

// returns plays n clients that wait random(0, window) first, and
// random(0, min(300, window × 2^tries)) after a refusal, while others take their
// share of the connections.
func returns(n int, window, others float64) (last float64, refused, tries int) {
	random := rand.New(rand.NewPCG(1, 2)) // the same in every run
	var queue arrivals
	for range n {
		queue = append(queue, arrival{random.Float64() * window, 0})
	}
	heap.Init(&queue)
	tokens, at := newConnections, 0.0
	for queue.Len() > 0 {
		next := heap.Pop(&queue).(arrival)
		tokens = min(newConnections, tokens+(newConnections-others)*(next.at-at))
		at = next.at
		if tries++; tokens >= 1 {
			tokens--
			continue
		}
		refused++
		wait := min(longestWait, window*math.Pow(2, float64(next.tries+1)))
		heap.Push(&queue, arrival{at + random.Float64()*wait, next.tries + 1})
	}
	return at, refused, tries
}

type arrival struct {
	at    float64
	tries int
}

type arrivals []arrival

func (a arrivals) Len() int           { return len(a) }
func (a arrivals) Less(i, j int) bool { return cmp.Less(a[i].at, a[j].at) }
func (a arrivals) Swap(i, j int)      { a[i], a[j] = a[j], a[i] }
func (a *arrivals) Push(x any)        { *a = append(*a, x.(arrival)) }
func (a *arrivals) Pop() any {
	last := (*a)[len(*a)-1]
	*a = (*a)[:len(*a)-1]
	return last
}

func TestTheReadmesAdviceBringsClientsBack(t *testing.T) {
	readme, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	for n, label := range map[int]string{10_000: "10,000", 100_000: "100,000"} {
		row := "| " + label + " "
		for _, window := range []float64{1, float64(n) / newConnections, float64(n) / 400} {
			last, refused, tries := returns(n, window, float64(n)/ofSocket)
			row += fmt.Sprintf("| %s; %.0f%% ", time.Duration(last*float64(time.Second)).Round(time.Second), 100*float64(refused)/float64(tries))
			if window == float64(n)/400 && (refused > 0 || last > window) {
				t.Errorf("%s clients over N / 400 s: the last after %v s, %d refused", label, last, refused)
			}
		}
		if row += "|"; !strings.Contains(string(readme), row+"\n") {
			t.Errorf("the README has another row than\n%s", row)
		}
	}
}
