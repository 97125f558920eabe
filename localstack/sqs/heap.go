package sqs

import (
	"container/heap"
	"time"
)

// timeHeap holds messages by a time that each has, the earliest on top. It
// knows where each message is, so that any can leave in logarithmic time: with
// 100,000 messages in flight nothing may scan them.
type timeHeap struct {
	items []*message
	at    func(*message) time.Time
	index func(*message) *int // where the message remembers its place
}

func (h *timeHeap) add(m *message)    { heap.Push(h, m) }
func (h *timeHeap) remove(m *message) { heap.Remove(h, *h.index(m)) }
func (h *timeHeap) fix(m *message)    { heap.Fix(h, *h.index(m)) }

// top returns the earliest message, nil if there is none.
func (h *timeHeap) top() *message {
	if len(h.items) == 0 {
		return nil
	}
	return h.items[0]
}

// The rest is container/heap's interface.

func (h *timeHeap) Len() int           { return len(h.items) }
func (h *timeHeap) Less(i, j int) bool { return h.at(h.items[i]).Before(h.at(h.items[j])) }
func (h *timeHeap) Swap(i, j int) {
	h.items[i], h.items[j] = h.items[j], h.items[i]
	*h.index(h.items[i]), *h.index(h.items[j]) = i, j
}

func (h *timeHeap) Push(x any) {
	m := x.(*message)
	*h.index(m) = len(h.items)
	h.items = append(h.items, m)
}

func (h *timeHeap) Pop() any {
	last := len(h.items) - 1
	m := h.items[last]
	h.items[last] = nil
	h.items = h.items[:last]
	*h.index(m) = -1
	return m
}
