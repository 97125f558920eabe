package main

import (
	"context"
	"encoding/json"
	"errors"
	"math/rand/v2"
	"strconv"
	"time"

	"fanfare/scripts/cost"
	"fanfare/shared/broadcast"
	"fanfare/shared/protocol"
	sqs "fanfare/shared/queue"
)

// cloud is what a broadcast passes through: two queues, two functions, whose
// code is that of shared/broadcast, and a table with an audience of any size.
// Every call of a service takes its latency and is counted.
type cloud struct {
	deployment deployment
	latencies  latencies
	engine     *engine
	rand       *rand.Rand
	over       bool

	connections int
	page        []string // ids of any page: who they are makes no difference
	progress    broadcast.Progress
	receipt     *broadcast.Receipt
	units       map[int]broadcast.UnitCounts

	broadcasts *queue[broadcast.Message]
	deliveries *queue[broadcast.Unit]

	usage  cost.Usage
	billed time.Duration // of both functions
	last   time.Duration // when the last client was answered for
	posts  int
}

// epoch is when the broadcast is accepted. It lies in the past so that no
// context's deadline, which is by the real clock, comes before it in the model.
var epoch = time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)

// frameBytes is the size of the frame that each client gets.
const frameBytes = 200

// Result is what became of a broadcast.
type Result struct {
	Connections int
	Posts       int           // one a connection, if nothing is repeated
	Time        time.Duration // from acceptance to the last client
	Units       int
	Calls       int // of the broadcast function and the deliver function
	Splits      int // of them, calls of the broadcast function
	Lambdas     int // at work at the same time, at most
	Dead        int // dead letters
	Usage       cost.Usage
}

// simulate sends one broadcast to a tenant with so many connections, on a cloud
// where nothing else happens and no environment is warm.
func simulate(d deployment, l latencies, connections int, seed uint64) Result {
	c := &cloud{
		deployment: d, latencies: l, engine: newEngine(), rand: rand.New(rand.NewPCG(seed, 0)),
		connections: connections, page: make([]string, broadcast.UnitSize), units: map[int]broadcast.UnitCounts{},
	}
	for i := range c.page {
		c.page[i] = "R1kmxc2VNjMCFIA=" // as long as API Gateway's
	}
	c.broadcasts = newQueue(c, d.Broadcast, c.split)
	c.deliveries = newQueue(c, d.Deliver, c.deliver)
	c.broadcasts.put(message[broadcast.Message]{body: broadcast.Message{
		Tenant: "acme", To: protocol.Audience{Tenant: true}, Data: json.RawMessage(`1`), MessageID: "m", Time: epoch.UnixMilli(),
	}})
	c.engine.run()
	c.over = true
	c.broadcasts.close()
	c.deliveries.close()
	return c.result()
}

func (c *cloud) result() Result {
	r := Result{
		Connections: c.connections, Posts: c.posts, Time: c.last, Units: c.progress.Units,
		Splits: c.broadcasts.calls, Calls: c.broadcasts.calls + c.deliveries.calls,
		Lambdas: c.broadcasts.most + c.deliveries.most, Dead: c.broadcasts.dead + c.deliveries.dead, Usage: c.usage,
	}
	r.Units = max(r.Units, len(c.units))
	plan := cost.DefaultDeployment().Plan(cost.Broadcast{
		Tenant: "acme", To: protocol.Audience{Tenant: true}, Recipients: c.connections, FrameBytes: frameBytes,
	})
	r.Usage[cost.Messages] = float64(c.posts * cost.MessagesOf(frameBytes))
	r.Usage[cost.ReadUnits] = plan.Usage[cost.ReadUnits] // of pages and units; how many they are is the same
	r.Usage[cost.QueueRequests] = plan.Usage[cost.QueueRequests] + float64(2*(c.broadcasts.calls-1))
	r.Usage[cost.Invocations] = float64(r.Calls)
	r.Usage[cost.GBSeconds] = c.billed.Seconds() * c.deployment.Deliver.MemoryGB
	return r
}

// wait is a call of a service.
func (c *cloud) wait(p *process, l latency) { p.sleep(l.sample(c.rand)) }

func (c *cloud) clock() time.Time { return epoch.Add(c.engine.now) }

// until is a context whose deadline is by the model's clock.
type until struct {
	context.Context
	at time.Time
}

func (u until) Deadline() (time.Time, bool) { return u.at, true }

// call is the context of a function's call, as queue.Batch hands it on.
func (c *cloud) call(s sender) context.Context {
	return until{context.Background(), c.clock().Add(s.Timeout - sqs.Reserve)}
}

// split is a call of the broadcast function.
func (c *cloud) split(p *process, m *manager, msg broadcast.Message) outcome {
	at := ports{c, p, m}
	splitter := broadcast.Splitter{
		Audience: at, Ledger: at, Units: at, Now: c.clock,
		Deliverer: &broadcast.Deliverer{Send: at.sendAll, Ledger: at, Now: c.clock},
	}
	_, err := splitter.Run(c.call(c.deployment.Broadcast), msg)
	switch {
	case err == nil:
		return done
	case errors.Is(err, broadcast.ErrPaused):
		c.wait(p, c.latencies.remove)
		return again
	}
	return later
}

// deliver is a call of the deliver function.
func (c *cloud) deliver(p *process, m *manager, u broadcast.Unit) outcome {
	at := ports{c, p, m}
	deliverer := broadcast.Deliverer{Send: at.sendAll, Ledger: at, Now: c.clock}
	if _, err := deliverer.Deliver(c.call(c.deployment.Deliver), u); err != nil {
		return later
	}
	return done
}

// ports are the services as one call of a function sees them.
type ports struct {
	cloud   *cloud
	process *process
	manager *manager
}

// reach takes a call's time, and ends it at the context's deadline.
func (p ports) reach(ctx context.Context, l latency) error {
	p.cloud.wait(p.process, l)
	if u, ok := ctx.(until); ok && !p.cloud.clock().Before(u.at) {
		return context.DeadlineExceeded
	}
	return nil
}

// Members counts the pages: a cursor is the number of the first row.
func (p ports) Members(ctx context.Context, _ string, _ protocol.Audience, cursor string, limit int) (broadcast.Page, error) {
	if err := p.reach(ctx, p.cloud.latencies.query); err != nil {
		return broadcast.Page{}, err
	}
	from, _ := strconv.Atoi(cursor) // "" is the first
	n := min(limit, p.cloud.connections-from)
	page := broadcast.Page{IDs: p.cloud.page[:n]}
	if from+n < p.cloud.connections {
		page.Next = strconv.Itoa(from + n)
	}
	return page, nil
}

func (p ports) Claim(ctx context.Context, r broadcast.Receipt) (broadcast.Receipt, error) {
	if err := p.write(ctx); err != nil {
		return broadcast.Receipt{}, err
	}
	if p.cloud.receipt == nil {
		p.cloud.receipt = &r
	}
	stored := *p.cloud.receipt
	stored.Progress = p.cloud.progress
	return stored, nil
}

func (p ports) Advance(ctx context.Context, _ string, from, to broadcast.Progress) error {
	if err := p.write(ctx); err != nil {
		return err
	}
	if p.cloud.progress != from {
		return broadcast.ErrCursorMoved
	}
	p.cloud.progress = to
	return nil
}

func (p ports) PutUnit(ctx context.Context, _ string, counts broadcast.UnitCounts) error {
	if err := p.write(ctx); err != nil {
		return err
	}
	p.cloud.units[counts.N] = counts
	return nil
}

func (p ports) Unit(ctx context.Context, _ string, n int) (broadcast.UnitCounts, error) {
	if err := p.reach(ctx, p.cloud.latencies.get); err != nil {
		return broadcast.UnitCounts{}, err
	}
	if counts, ok := p.cloud.units[n]; ok {
		return counts, nil
	}
	return broadcast.UnitCounts{}, broadcast.ErrNotFound
}

func (p ports) write(ctx context.Context) error {
	p.cloud.usage[cost.WriteUnits]++ // every row is below 1 KB where nothing fails
	return p.reach(ctx, p.cloud.latencies.write)
}

func (p ports) SendUnit(ctx context.Context, u broadcast.Unit) error {
	if err := p.reach(ctx, p.cloud.latencies.send); err != nil {
		return err
	}
	p.cloud.deliveries.put(message[broadcast.Unit]{body: u})
	return nil
}

// sendAll is a broadcast.SendFunc.
func (p ports) sendAll(_ context.Context, ids []string, _ []byte, _ func(string, error)) error {
	c := p.cloud
	end := p.manager.send(c.engine.now, len(ids), func(at time.Duration) { c.last = max(c.last, at) })
	c.posts += len(ids)
	p.process.sleep(end - c.engine.now)
	return nil
}
