package main

import (
	"context"
	"encoding/json"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"fanfare/shared/broadcast"
	"fanfare/shared/connection"
	"fanfare/shared/protocol"
	"fanfare/shared/store"
)

// localRun sends one broadcast in real time: the functions' Splitter, Deliverer
// and Managers on an in-memory table, a queue in memory and posts that take 10
// ms. It returns the time to the last post's answer, and what a post took.
func localRun(connections int, postRate float64) (took time.Duration, post latency, err error) {
	d := localDeployment(postRate)
	table := store.NewMemory(store.Options{})
	ctx, now := context.Background(), time.Now()
	for i := range connections {
		c := connection.Connection{ID: fmt.Sprintf("R1kmxc2V%07d=", i), Tenant: "acme", User: "u", ConnectedAt: now, ExpiresAt: now.Add(time.Hour)}
		if err := table.Put(ctx, c); err != nil {
			return 0, post, err
		}
	}
	stub := &stub{}
	newDeliverer := func(s sender) *broadcast.Deliverer {
		m := connection.NewManager(table, stub, connection.Options{Adaptive: true, Rate: s.PostRate, BurstPeriod: s.Burst})
		return &broadcast.Deliverer{Send: broadcast.ByManager(m), Ledger: table, Now: time.Now}
	}
	units := make(unitQueue, connections/broadcast.UnitSize+1)
	splitter := broadcast.Splitter{
		Audience: table, Ledger: table, Claims: table, Units: units, Deliverer: newDeliverer(d.Broadcast), Now: time.Now,
	}
	var deliverers sync.WaitGroup
	errs := make(chan error, d.Deliver.MaximumConcurrency)
	for range d.Deliver.MaximumConcurrency {
		deliverer := newDeliverer(d.Deliver)
		deliverers.Go(func() {
			for u := range units {
				if _, err := deliverer.Deliver(ctx, u); err != nil {
					errs <- err
					return
				}
			}
		})
	}
	start := time.Now()
	_, err = splitter.Run(ctx, broadcast.Message{
		Tenant: "acme", To: protocol.Audience{Tenant: true}, Data: json.RawMessage(`1`), MessageID: "m", Time: start.UnixMilli(),
	})
	close(units)
	deliverers.Wait()
	took = time.Since(start)
	close(errs)
	if err == nil {
		err = <-errs
	}
	if n := stub.posts.Load(); err == nil && n != int64(connections) {
		err = fmt.Errorf("%d posts to %d connections", n, connections)
	}
	mean := time.Duration(stub.took.Load() / max(1, stub.posts.Load()))
	return took, latency{what: "post", p50: mean}, err
}

// localDeployment is infra's with another rate.
func localDeployment(postRate float64) deployment {
	deliver := sender{PostRate: postRate * 0.96 / 6, Burst: broadcast.CatchUp, MaximumConcurrency: 6, MaxReceiveCount: 5, Timeout: time.Minute}
	split := sender{PostRate: postRate / 10, MaximumConcurrency: 4, MaxReceiveCount: 5, Timeout: time.Minute}
	return deployment{PostRate: postRate, Broadcast: split, Deliver: deliver}
}

// modelOf is the model's time for a localRun: of all latencies there is only
// that of the posts.
func modelOf(connections int, postRate float64, post latency) time.Duration {
	return simulate(localDeployment(postRate), latencies{post: post}, connections, seed).Time
}

// sleeper is a Sender whose posts take so long.
type sleeper time.Duration

func (s sleeper) Post(context.Context, string, *connection.Message) error {
	time.Sleep(time.Duration(s))
	return nil
}

// unitQueue is the delivery queue.
type unitQueue chan broadcast.Unit

func (q unitQueue) SendUnit(ctx context.Context, u broadcast.Unit) error {
	select {
	case q <- u:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// stub is @connections.
type stub struct {
	posts atomic.Int64
	took  atomic.Int64 // ns of all posts together
}

func (s *stub) Post(ctx context.Context, _ string, _ *connection.Message) error {
	start := time.Now()
	select {
	case <-time.After(10 * time.Millisecond):
	case <-ctx.Done():
		return ctx.Err()
	}
	s.took.Add(int64(time.Since(start)))
	s.posts.Add(1)
	return nil
}
