package sqs

import (
	"container/heap"
	"container/list"
	"slices"
	"time"
)

// A tenant of a standard queue is its messages' MessageGroupId. One that takes
// more than its share of the consumers is a noisy neighbour: the others go first
// until its backlog is gone, or until it has sent nothing for five minutes. It is
// noisy with more than a tenth of all that is in flight and at least
// noisyInFlight of its own, or with more than a tenth of the recent processing
// time. AWS publishes these thresholds, calls its own approximate, and does not
// say how long "recent" is: see recent.
// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-fair-queues-detailed.html
const (
	noisyInFlight   = 30
	noisyShareOneIn = 10
	forgiven        = 5 * time.Minute
	reviewEvery     = time.Second
)

// backlog holds the ready messages of one queue by MessageGroupId and decides
// whose turn it is: the oldest first, except that noisy groups wait, and among
// those the one with the fewest in flight goes first. Every operation costs at
// most the logarithm of the number of groups, but for one review a second.
type backlog struct {
	groups   map[string]*group   // those with a message ready or in flight, and idle ones
	idle     map[*group]struct{} // without a message, kept for the time that they took
	quiet    groupHeap           // those with ready messages
	noisy    groupHeap           // the same, noisy
	all      meter               // of all groups together
	reviewed time.Time
	turn     uint64
	size     int
}

// group is one tenant's share of a queue.
type group struct {
	name     string
	ready    list.List // of *message, in order of turn
	meter    meter
	lastSent time.Time
	noisy    bool
	index    int // in the heap that it is in
}

func newBacklog() *backlog {
	return &backlog{groups: map[string]*group{}, idle: map[*group]struct{}{}}
}

// inFlight is how many messages consumers hold.
func (b *backlog) inFlight() int { return b.all.inFlight }

func (b *backlog) group(name string) *group {
	g, ok := b.groups[name]
	if !ok {
		g = &group{name: name}
		b.groups[name] = g
	}
	delete(b.idle, g)
	return g
}

// push puts m behind everything that is ready.
func (b *backlog) push(m *message) {
	b.turn++
	m.Turn = b.turn
	g := b.group(m.Group)
	if m.Sent.After(g.lastSent) {
		g.lastSent = m.Sent
	}
	m.place = g.ready.PushBack(m)
	b.size++
	if g.ready.Len() == 1 {
		heap.Push(b.heapOf(g), g)
	}
}

// pop takes the message whose turn it is, nil if none is ready.
func (b *backlog) pop(now time.Time) *message {
	if now.Sub(b.reviewed) >= reviewEvery {
		b.review(now)
	}
	for len(b.quiet) > 0 {
		g := b.quiet[0]
		if !b.tooLoud(g, now) {
			return b.takeOldest(g)
		}
		b.mark(g, true)
	}
	if len(b.noisy) > 0 {
		return b.takeOldest(b.noisy[0])
	}
	return nil
}

// review forgives the groups that have long sent nothing, and frees the idle
// ones that would not be noisy if they came back: at most nine can be.
func (b *backlog) review(now time.Time) {
	b.reviewed = now
	for _, g := range slices.Clone(b.noisy) {
		if now.Sub(g.lastSent) >= forgiven {
			b.mark(g, false)
		}
	}
	for g := range b.idle {
		if !b.hogs(g, now) {
			delete(b.idle, g)
			delete(b.groups, g.name)
		}
	}
}

// mark moves a group with ready messages between the noisy and the quiet ones.
func (b *backlog) mark(g *group, noisy bool) {
	heap.Remove(b.heapOf(g), g.index)
	g.noisy = noisy
	heap.Push(b.heapOf(g), g)
}

// tooLoud reports whether g is over a threshold. Messages without a group each
// count as a tenant of their own, so together they never are.
func (b *backlog) tooLoud(g *group, now time.Time) bool {
	if g.name == "" || now.Sub(g.lastSent) >= forgiven {
		return false
	}
	n := g.meter.inFlight
	return n >= noisyInFlight && n*noisyShareOneIn > b.all.inFlight || b.hogs(g, now)
}

// hogs reports whether g took too much of the recent processing time.
func (b *backlog) hogs(g *group, now time.Time) bool {
	g.meter.advance(now)
	b.all.advance(now)
	return g.meter.spent*noisyShareOneIn > b.all.spent
}

func (b *backlog) takeOldest(g *group) *message {
	m := g.oldest()
	b.remove(m)
	return m
}

// remove takes the ready message m out, wherever it stands.
func (b *backlog) remove(m *message) {
	g := b.groups[m.Group]
	g.ready.Remove(m.place)
	m.place = nil
	b.size--
	if g.ready.Len() > 0 {
		heap.Fix(b.heapOf(g), g.index)
		return
	}
	heap.Remove(b.heapOf(g), g.index)
	g.noisy = false
	b.rest(g)
}

// started and ended count m in and out of flight.
func (b *backlog) started(m *message, at time.Time) { b.count(b.group(m.Group), 1, at) }
func (b *backlog) ended(m *message, at time.Time)   { b.count(b.groups[m.Group], -1, at) }

func (b *backlog) count(g *group, n int, at time.Time) {
	g.meter.add(n, at)
	b.all.add(n, at)
	if g.noisy { // then it is in the heap that goes by this number
		heap.Fix(&b.noisy, g.index)
	}
	b.rest(g)
}

// rest puts a group aside that has no message here any more. Tenants come and
// go: the next review frees those that took little.
func (b *backlog) rest(g *group) {
	if g.ready.Len() == 0 && g.meter.inFlight == 0 {
		b.idle[g] = struct{}{}
	}
}

func (b *backlog) heapOf(g *group) *groupHeap {
	if g.noisy {
		return &b.noisy
	}
	return &b.quiet
}

func (g *group) oldest() *message { return g.ready.Front().Value.(*message) }

// groupHeap orders groups by their oldest ready message, noisy ones first of all
// by what they have in flight (container/heap).
type groupHeap []*group

func (h groupHeap) Len() int { return len(h) }
func (h groupHeap) Less(i, j int) bool {
	a, b := h[i], h[j]
	if a.noisy && a.meter.inFlight != b.meter.inFlight {
		return a.meter.inFlight < b.meter.inFlight
	}
	return a.oldest().Turn < b.oldest().Turn
}
func (h groupHeap) Swap(i, j int) {
	h[i], h[j] = h[j], h[i]
	h[i].index, h[j].index = i, j
}

func (h *groupHeap) Push(x any) {
	g := x.(*group)
	g.index = len(*h)
	*h = append(*h, g)
}

func (h *groupHeap) Pop() any {
	last := len(*h) - 1
	g := (*h)[last]
	(*h)[last] = nil
	*h = (*h)[:last]
	return g
}
