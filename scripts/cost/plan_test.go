package cost_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"fanfare/scripts/cost"
	"fanfare/shared/protocol"
)

func toTenant(n int) cost.Broadcast {
	return cost.Broadcast{Tenant: "acme", To: protocol.Audience{Tenant: true}, Recipients: n, FrameBytes: 200}
}

func TestPostsUnitsAndQueueMessages(t *testing.T) {
	for n, want := range map[int][4]int{ // posts, units, queue messages, senders
		0:         {0, 0, 1, 1},
		1:         {1, 1, 1, 1},
		500:       {500, 1, 1, 1},
		501:       {501, 2, 3, 2},
		3_000:     {3_000, 6, 7, 6},
		1_000_000: {1_000_000, 2_000, 2_001, 6},
	} {
		p := cost.DefaultDeployment().Plan(toTenant(n))
		if got := [4]int{p.Posts, p.Units, p.QueueMessages, p.Senders}; got != want {
			t.Errorf("%d recipients: %v, want %v", n, got, want)
		}
		if p.Usage[cost.Invocations] != float64(p.QueueMessages) {
			t.Errorf("%d recipients: %v calls for %d queue messages, each taken alone", n, p.Usage[cost.Invocations], p.QueueMessages)
		}
	}
}

func TestAFrameOver32KBIsMeteredInPieces(t *testing.T) {
	b := toTenant(1000)
	b.FrameBytes = 128 << 10
	p := cost.DefaultDeployment().Plan(b)
	if p.Posts != 1000 || p.Messages != 4000 || p.Usage[cost.Messages] != 4000 {
		t.Errorf("%d posts, %d messages, %v metered", p.Posts, p.Messages, p.Usage[cost.Messages])
	}
	// Each of three queue messages is over 128 KB: sent and received in three chunks.
	if got := p.Usage[cost.QueueRequests]; got != 3*7 {
		t.Errorf("%v queue requests, want 21", got)
	}
}

func TestTheTimeIsThatOfTheSendersShares(t *testing.T) {
	slow := cost.DefaultDeployment()
	slow.PostRate = 100
	fast := cost.DefaultDeployment()
	fast.PostRate = 100_000
	for _, tt := range []struct {
		name string
		d    cost.Deployment
		n    int
		rate float64
		time time.Duration
	}{
		{"nobody", cost.DefaultDeployment(), 0, 800, 0},
		{"one unit goes at one sender's share", cost.DefaultDeployment(), 500, 800, 625 * time.Millisecond},
		{"six at six deliverers'", cost.DefaultDeployment(), 3000, 7680, 391 * time.Millisecond},
		{"the seventh waits for a second round", cost.DefaultDeployment(), 3500, 7680, 781 * time.Millisecond},
		{"a million", cost.DefaultDeployment(), 1_000_000, 7680, 130469 * time.Millisecond},
		{"at another rate", slow, 600, 32, 31250 * time.Millisecond},
		{"no faster than it is split", fast, 1_000_000, 96_000, 70 * time.Second},
	} {
		p := tt.d.Plan(toTenant(tt.n))
		if p.Rate != tt.rate || p.Duration.Round(time.Millisecond) != tt.time {
			t.Errorf("%s: %v at %v a second, want %v at %v", tt.name, p.Duration, p.Rate, tt.time, tt.rate)
		}
	}
}

func TestCostGrowsNoFasterThanTheAudience(t *testing.T) {
	d := cost.DefaultDeployment()
	before := d.Plan(toTenant(10_000)).Usage.Dollars() / 10_000
	for _, n := range []int{100_000, 1_000_000, 3_600_000} {
		each := d.Plan(toTenant(n)).Usage.Dollars() / float64(n)
		if each > before {
			t.Errorf("%d recipients cost $%.9f each, fewer of them cost $%.9f", n, each, before)
		}
		before = each
	}
}

func TestAListStandsInTheRowThatMoves(t *testing.T) {
	ids := slices.Repeat([]string{"R1kmxc2VNjMCFIA="}, 1000)
	b := cost.Broadcast{Tenant: "acme", To: protocol.Audience{Connections: ids}, Recipients: 1000, FrameBytes: 200}
	p := cost.DefaultDeployment().Plan(b)
	// 1,000 look-ups, two units and the look behind a full page.
	if got := p.Usage[cost.ReadUnits]; got != 1003 {
		t.Errorf("%v read units, want 1003", got)
	}
	// The row of 19 KB is put once and moved three times; two units' counts.
	if got := p.Usage[cost.WriteUnits]; got != 4*19+2 {
		t.Errorf("%v write units, want 78", got)
	}
}

func ExampleDeployment_Plan() {
	p := cost.DefaultDeployment().Plan(cost.Broadcast{
		Tenant: "acme", To: protocol.Audience{Tenant: true}, Recipients: 1_000_000, FrameBytes: 200,
	})
	fmt.Printf("%d units, %.0f s, $%.2f\n", p.Units, p.Duration.Seconds(), p.Usage.Dollars())
	// Output: 2000 units, 130 s, $1.02
}
