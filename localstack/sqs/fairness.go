package sqs

import (
	"container/heap"
	"container/list"
)

// A group whose messages make up more than a tenth of all that is in flight,
// with at least noisyInFlight of its own, is a noisy neighbour: the others go
// first until its backlog is gone. These are the published thresholds; AWS calls
// its own approximate. Its second measure, the share of processing time, is not
// taken here.
// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-fair-queues-detailed.html
const (
	noisyInFlight   = 30
	noisyShareOneIn = 10
)

// backlog holds the ready messages of one queue by MessageGroupId and decides
// whose turn it is: oldest first, except that noisy groups wait. Every
// operation costs at most the logarithm of the number of groups.
type backlog struct {
	groups map[string]*group // those with a message ready or in flight
	quiet  groupHeap         // those with ready messages, the oldest message on top
	noisy  groupHeap
	turn   uint64
	size   int
}

// group is one tenant's share of a queue.
type group struct {
	name     string
	ready    list.List // of *message, in order of turn
	inFlight int
	noisy    bool
	index    int // in the heap that it is in
}

func newBacklog() *backlog { return &backlog{groups: map[string]*group{}} }

func (b *backlog) group(name string) *group {
	g, ok := b.groups[name]
	if !ok {
		g = &group{name: name}
		b.groups[name] = g
	}
	return g
}

// push puts m behind everything that is ready.
func (b *backlog) push(m *message) {
	b.turn++
	m.Turn = b.turn
	g := b.group(m.Group)
	m.place = g.ready.PushBack(m)
	b.size++
	if g.ready.Len() == 1 {
		heap.Push(b.heapOf(g), g)
	}
}

// pop takes the message whose turn it is, nil if none is ready; inFlight is the
// number of the queue's messages in flight.
func (b *backlog) pop(inFlight int) *message {
	for len(b.quiet) > 0 {
		g := b.quiet[0]
		if !g.tooLoud(inFlight) {
			return b.takeOldest(g)
		}
		heap.Pop(&b.quiet)
		g.noisy = true
		heap.Push(&b.noisy, g)
	}
	if len(b.noisy) > 0 {
		return b.takeOldest(b.noisy[0])
	}
	return nil
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
	b.forget(g)
}

// started and ended count m in and out of flight.
func (b *backlog) started(m *message) { b.group(m.Group).inFlight++ }

func (b *backlog) ended(m *message) {
	g := b.groups[m.Group]
	g.inFlight--
	b.forget(g)
}

// forget frees a group that has nothing here any more: tenants come and go.
func (b *backlog) forget(g *group) {
	if g.ready.Len() == 0 && g.inFlight == 0 {
		delete(b.groups, g.name)
	}
}

func (b *backlog) heapOf(g *group) *groupHeap {
	if g.noisy {
		return &b.noisy
	}
	return &b.quiet
}

// tooLoud reports whether g is over the thresholds. Messages without a group
// each count as a tenant of their own, so together they never are.
func (g *group) tooLoud(inFlight int) bool {
	return g.name != "" && g.inFlight >= noisyInFlight && g.inFlight*noisyShareOneIn > inFlight
}

func (g *group) oldest() *message { return g.ready.Front().Value.(*message) }

// groupHeap orders groups by their oldest ready message (container/heap).
type groupHeap []*group

func (h groupHeap) Len() int           { return len(h) }
func (h groupHeap) Less(i, j int) bool { return h[i].oldest().Turn < h[j].oldest().Turn }
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
