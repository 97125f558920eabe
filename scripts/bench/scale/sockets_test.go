package scale

import (
	"context"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"fanfare/localstack/faults"
	"fanfare/shared/protocol"
	"fanfare/shared/store"
)

// The audiences of BenchmarkSockets: two users of the tenant with many devices,
// and all of the tenant. Each process of clients opens a third.
const (
	processes   = 3
	fewSockets  = 1_000
	moreSockets = 5_000
	allSockets  = 15_000
)

// BenchmarkSockets broadcasts to 1,000, 5,000 and 15,000 real sockets: once
// each, and to the 15,000 once more while a deliverer is killed every second
// and one post in a hundred is throttled and another fails.
func BenchmarkSockets(b *testing.B) {
	for b.Loop() {
		d := deploy(b)
		all := d.fill()
		audiences := []struct {
			n  int
			to string
		}{{fewSockets, `{"user":"few"}`}, {moreSockets, `{"user":"more"}`}, {allSockets, `{"tenant":true}`}}
		var lost, doubled, small int
		for _, a := range audiences {
			id, at := d.publish("crowd", a.to)
			got := d.follow(all, id, at, a.n, nil)
			unit, mb := d.reports.take(0.95)
			lost, doubled = lost+a.n-got.clients, doubled+got.doubled
			name := strconv.Itoa(a.n)
			b.ReportMetric(got.last.Seconds(), "s-"+name)
			b.ReportMetric(float64(got.clients)/got.last.Seconds(), "posts/s-"+name)
			b.ReportMetric(float64(mb), "MB-"+name)
			if a.n == fewSockets {
				small = mb
			}
			if a.n == allSockets {
				b.ReportMetric(unit.Seconds(), "s-unit")
				b.ReportMetric(float64(mb)/float64(small), "x-memory")
			}
		}
		b.ReportMetric(float64(lost), "lost")
		b.ReportMetric(float64(doubled), "doubled")
		b.ReportMetric(d.readUnits("crowd"), "x-bytes")
		d.broadcastAmidFaults(all)
	}
	b.ReportMetric(0, "ns/op")
}

// fill opens all sockets at the rate that an account may.
func (d *deployment) fill() crowd {
	d.Helper()
	all := make(crowd, processes)
	errs := make([]error, processes)
	var work sync.WaitGroup
	for i := range all {
		all[i] = startClients(d)
		work.Go(func() { errs[i] = d.openThird(all[i], byte(firstAddr+i)) })
	}
	work.Wait()
	for _, err := range errs {
		if err != nil {
			d.Fatal(err)
		}
	}
	return all
}

func (d *deployment) openThird(c *clients, addr byte) error {
	const rate = float64(connectRate) / processes
	for _, part := range []struct {
		user string
		n    int
	}{
		{"few", fewSockets}, {"more", moreSockets}, {"rest", allSockets - fewSockets - moreSockets},
	} {
		n := part.n / processes
		if addr == firstAddr {
			n += part.n % processes
		}
		if err := d.seat(c, addr, part.user, "crowd", n, rate); err != nil {
			return err
		}
	}
	return nil
}

// broadcastAmidFaults reports how often clients got the message twice, which a
// killed deliverer cannot avoid, and how many did not get it.
func (d *deployment) broadcastAmidFaults(all crowd) {
	b := d.TB.(*testing.B)
	d.mustFail(faults.Rule{Service: "execute-api", Operation: "PostToConnection", Probability: 0.01, Fault: faults.Fault{Throttle: true}})
	d.mustFail(faults.Rule{Service: "execute-api", Operation: "PostToConnection", Probability: 0.01, Fault: faults.Fault{Status: 500}})
	ctx, stop := context.WithCancel(b.Context())
	killed := make(chan int)
	go func() { killed <- killEverySecond(ctx) }()
	skipped := time.Duration(0)
	id, at := d.publish("crowd", `{"tenant":true}`)
	got := d.follow(all, id, at, allSockets, func() bool {
		if skipped >= maxSkipped {
			return false
		}
		// The units of the killed come back.
		d.cloud().Clock().Advance(deliverVisibility)
		skipped += deliverVisibility
		return true
	})
	stop()
	b.ReportMetric(float64(<-killed), "killed")
	b.ReportMetric(float64(allSockets-got.clients), "lost-amid-faults")
	b.ReportMetric(float64(got.doubled), "doubled-amid-faults")
	b.ReportMetric(got.last.Seconds(), "s-amid-faults")
	d.cloud().Faults().Reset(1)
	if got.clients < allSockets {
		d.explain(id)
	}
}

// explain logs what the receipt says of a broadcast that has not reached all.
func (d *deployment) explain(messageID string) {
	d.Helper()
	r, err := d.table().Receipt(d.Context(), messageID)
	if err != nil {
		d.Fatal(err)
	}
	d.Logf("progress %+v with %d units recorded: %+v", r.Progress, len(r.Units), r.Summary(maxReceives))
	for _, u := range r.Units {
		if u.Delivered < u.Size {
			d.Logf("unit %d: attempt %d delivered %d of %d, %d gone, failed %v, %d remaining", u.N, u.Attempts, u.Delivered, u.Size, u.Gone, u.Failed, len(u.Remaining))
		}
	}
}

const (
	// deliverVisibility is the delivery queue's: six time-outs of 30 s.
	deliverVisibility = 181 * time.Second
	// maxSkipped stays below API Gateway's idle time-out of 10 minutes.
	maxSkipped = 3 * deliverVisibility
	// maxReceives is how often a unit is tried (infra/modules/queue).
	maxReceives = 5
)

func (d *deployment) mustFail(r faults.Rule) {
	d.Helper()
	if _, err := d.cloud().Faults().Add(r); err != nil {
		d.Fatal(err)
	}
}

// table is the deployed one, as the functions use it.
func (d *deployment) table() *store.DynamoDB {
	return store.NewDynamoDB(dynamodb.NewFromConfig(d.config()), d.Outputs.TableName, store.Options{Now: d.cloud().Clock().Now})
}

// readUnits is what the tenant's pages cost, beyond the one unit that each shard
// rounds up to, over the bytes that they hold in units of 4 KB.
func (d *deployment) readUnits(tenant string) float64 {
	d.Helper()
	bill := &meter{API: dynamodb.NewFromConfig(d.config())}
	table := store.NewDynamoDB(bill, d.Outputs.TableName, store.Options{})
	for cursor := ""; ; {
		page, err := table.Members(d.Context(), tenant, protocol.Audience{Tenant: true}, cursor, 500)
		if err != nil {
			d.Fatal(err)
		}
		if cursor = page.Next; cursor == "" {
			return bill.perByte()
		}
	}
}
