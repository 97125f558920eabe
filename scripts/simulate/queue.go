package main

import "time"

// message is one on a queue.
type message[T any] struct {
	body     T
	receives int
}

// queue is an SQS queue that one function reads by an event source mapping. Its
// pollers take one message at a time, and wait for the function's answer.
type queue[T any] struct {
	cloud      *cloud
	settings   sender
	visible    []message[T]
	idle       []*process // pollers that wait for a message
	pollers    int        // there are so many
	growing    bool       // another one is on its way
	handle     func(*process, *manager, T) outcome
	warm       []*manager // of the environments that do nothing
	calls      int
	busy, most int // environments at work, and the most of them at a time
	dead       int // dead letters
}

// outcome is what a function's answer does to its message.
type outcome int

const (
	done  outcome = iota // deleted
	again                // visible at once: the function has said so
	later                // visible after the visibility time-out
)

// How pollers grow: https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-scaling.html
const (
	firstPollers = 5
	growEvery    = time.Minute / 300
)

func newQueue[T any](c *cloud, s sender, handle func(*process, *manager, T) outcome) *queue[T] {
	q := &queue[T]{cloud: c, settings: s, handle: handle}
	for range min(firstPollers, s.MaximumConcurrency) {
		q.poll()
	}
	return q
}

// put makes a message visible; the oldest idle poller takes it.
func (q *queue[T]) put(m message[T]) {
	q.visible = append(q.visible, m)
	if len(q.idle) > 0 {
		p := q.idle[0]
		q.idle = q.idle[1:]
		q.cloud.engine.after(0, p.resume)
	} else {
		q.grow()
	}
}

// grow adds pollers, one at a time, while messages wait.
func (q *queue[T]) grow() {
	if q.growing || len(q.visible) == 0 || q.pollers == q.settings.MaximumConcurrency {
		return
	}
	q.growing = true
	q.cloud.engine.after(growEvery, func() {
		q.growing = false
		q.poll()
		q.grow()
	})
}

// close ends the pollers.
func (q *queue[T]) close() {
	for _, p := range q.idle {
		p.resume()
	}
}

func (q *queue[T]) poll() {
	q.pollers++
	q.cloud.engine.spawn(func(p *process) {
		for !q.cloud.over {
			if len(q.visible) == 0 {
				q.idle = append(q.idle, p)
				p.park()
				continue
			}
			m := q.visible[0]
			q.visible = q.visible[1:]
			q.take(p, m)
		}
	})
}

// take is a poller's way with one message.
func (q *queue[T]) take(p *process, m message[T]) {
	c := q.cloud
	received := c.engine.now
	c.wait(p, c.latencies.arrive)
	m.receives++
	env := q.environment(p)
	q.calls++
	begun := c.engine.now
	outcome := q.handle(p, env, m.body)
	c.billed += c.engine.now - begun
	q.warm = append(q.warm, env)
	q.busy--
	if outcome == done {
		c.wait(p, c.latencies.remove)
		return
	}
	if m.receives >= q.settings.MaxReceiveCount {
		q.dead++
		return
	}
	wait := time.Duration(0)
	if outcome == later {
		wait = q.settings.visibility() - (c.engine.now - received)
	}
	c.engine.after(max(wait, 0), func() { q.put(m) })
}

// environment takes a warm one, or waits until a new one has started.
func (q *queue[T]) environment(p *process) *manager {
	q.busy++
	q.most = max(q.most, q.busy)
	if n := len(q.warm); n > 0 {
		env := q.warm[n-1]
		q.warm = q.warm[:n-1]
		return env
	}
	before := q.cloud.engine.now
	q.cloud.wait(p, q.cloud.latencies.start)
	q.cloud.billed += q.cloud.engine.now - before
	return newManager(q.cloud.engine.now, q.settings.PostRate, q.settings.Burst, q.cloud.latencies.post, q.cloud.rand)
}
