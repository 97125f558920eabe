package scale

import (
	"testing"
	"time"
)

// The tenants of BenchmarkFair. The small one's broadcasts are one unit, which
// the broadcast function sends itself; the middle one's are two, which wait in
// the delivery queue.
const (
	largeTenant  = 5_000
	middleTenant = 600
	smallTenant  = 20
	largeAtOnce  = 4  // of its broadcasts that wait or run at any moment
	smallSamples = 30 // broadcasts of a quiet tenant, alone and beside the large one
)

// BenchmarkFair measures how long a quiet tenant's broadcasts take, from being
// published to the last client, alone and while a large tenant broadcasts
// without pause. What it may wait for is one unit of the large one: the excess
// is what its p99 grew by beyond the p99 of a unit.
func BenchmarkFair(b *testing.B) {
	for b.Loop() {
		d := deploy(b)
		large := &load{deployment: d, crowd: crowd{startClients(b)}}
		quiet := crowd{startClients(b)}
		d.mustSeat(large.crowd[0], firstAddr, "large", largeTenant)
		d.mustSeat(quiet[0], firstAddr+1, "middle", middleTenant)
		d.mustSeat(quiet[0], firstAddr+1, "small", smallTenant)

		nothing := func() {}
		smallAlone := d.latencies(quiet, "small", smallTenant, nothing)
		middleAlone := d.latencies(quiet, "middle", middleTenant, nothing)
		d.reports.take(0) // those of the quiet ones
		smallBeside := d.latencies(quiet, "small", smallTenant, large.topUp)
		middleBeside := d.latencies(quiet, "middle", middleTenant, large.topUp)
		large.finish()
		unit, _ := d.reports.take(0.99)

		for _, t := range []struct {
			name          string
			alone, beside []time.Duration
		}{{"small", smallAlone, smallBeside}, {"middle", middleAlone, middleBeside}} {
			alone, beside := quantile(t.alone, 0.99), quantile(t.beside, 0.99)
			b.ReportMetric(alone.Seconds(), "s-"+t.name+"-alone")
			b.ReportMetric(beside.Seconds(), "s-"+t.name+"-beside")
			b.ReportMetric((beside-alone).Seconds()/unit.Seconds(), "units-"+t.name+"-waits")
		}
		b.ReportMetric(unit.Seconds(), "s-unit")
		b.ReportMetric(float64(large.broadcasts), "large-broadcasts")
	}
	b.ReportMetric(0, "ns/op")
}

func (d *deployment) mustSeat(c *clients, addr byte, tenant string, n int) {
	d.Helper()
	if err := d.seat(c, addr, "u", tenant, n, connectRate); err != nil {
		d.Fatal(err)
	}
}

// latencies are those of a tenant's broadcasts, one after the other; before is
// called before each.
func (d *deployment) latencies(c crowd, tenant string, n int, before func()) []time.Duration {
	d.Helper()
	took := make([]time.Duration, 0, smallSamples)
	for range smallSamples {
		before()
		id, at := d.publish(tenant, `{"tenant":true}`)
		d.await(c, id, n)
		last := int64(0)
		for _, arrival := range c.count(d, id, true).Arrivals {
			last = max(last, arrival)
		}
		took = append(took, time.UnixMicro(last).Sub(at))
	}
	return took
}

// await waits until n clients have a message.
func (d *deployment) await(c crowd, messageID string, n int) {
	d.Helper()
	for deadline := time.Now().Add(time.Minute); c.count(d, messageID, false).Clients < n; time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			d.Fatalf("not all %d clients have message %s", n, messageID)
		}
	}
}

// load is a tenant's broadcasts that are under way.
type load struct {
	*deployment
	crowd      crowd
	waiting    []string // messages, oldest first
	broadcasts int
}

// topUp sees to it that atOnce of the broadcasts wait or run.
func (l *load) topUp() {
	l.Helper()
	for len(l.waiting) > 0 && l.crowd.count(l, l.waiting[0], false).Clients >= largeTenant {
		l.waiting = l.waiting[1:]
	}
	for len(l.waiting) < largeAtOnce {
		id, _ := l.publish("large", `{"tenant":true}`)
		l.waiting = append(l.waiting, id)
		l.broadcasts++
	}
}

// finish waits for all of them.
func (l *load) finish() {
	l.Helper()
	for _, id := range l.waiting {
		l.await(l.crowd, id, largeTenant)
	}
}
