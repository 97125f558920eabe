package sqs_test

import (
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

func TestEachMessageIsReceivedOnceWhenDeletedInTime(t *testing.T) {
	const senders, receivers, each = 8, 8, 250
	s, _ := bubble(t)
	arn := s.queue("orders", "")
	var received sync.Map
	var left atomic.Int64
	left.Store(senders * each)

	var wg sync.WaitGroup
	for i := range senders {
		wg.Go(func() {
			for n := range each {
				if _, err := s.Send(t.Context(), arn, fmt.Sprintf("%d/%d", i, n)); err != nil {
					t.Error(err)
				}
			}
		})
	}
	for range receivers {
		wg.Go(func() {
			for left.Load() > 0 {
				// Short, so that receivers also end when others took the last.
				got, err := s.Receive(t.Context(), arn, 10, 5*time.Millisecond)
				if err != nil {
					t.Error(err)
					return
				}
				for _, m := range got {
					if _, twice := received.LoadOrStore(m.Body, true); twice {
						t.Errorf("message %s was received twice", m.Body)
					}
					if err := s.Delete(arn, m.ReceiptHandle); err != nil {
						t.Error(err)
					}
				}
				left.Add(-int64(len(got)))
			}
		})
	}
	wg.Wait()
	if n := left.Load(); n != 0 {
		t.Errorf("%d messages were not received exactly once", n)
	}
}

// Two queues that are each other's dead-letter queue, with everything going on
// at once; what is checked is that no message is lost and nothing gets stuck.
func TestDeadLettersBothWaysUnderLoad(t *testing.T) {
	const messages = 100
	s, clock := bubble(t)
	s.queue("b", "")
	a := s.queue("a", policy("arn:aws:sqs:us-east-1:000000000000:b", "1"))
	b := "arn:aws:sqs:us-east-1:000000000000:b"
	s.call("SetQueueAttributes", `{"QueueUrl":"http://x/000000000000/b","Attributes":{"RedrivePolicy":`+
		fmt.Sprintf("%q", policy(a, "1"))+`}}`)
	for i := range messages {
		s.send(a, fmt.Sprint(i))
	}
	var wg sync.WaitGroup
	for range 2 {
		for _, arn := range []string{a, b} {
			wg.Go(func() {
				for range 12 {
					if _, err := s.Receive(t.Context(), arn, 10, 0); err != nil {
						t.Error(err)
					}
					clock.Advance(30 * time.Second)
					if _, err := s.Snapshot(); err != nil {
						t.Error(err)
					}
				}
			})
		}
	}
	wg.Wait()
	clock.Advance(time.Hour)
	restored, _ := bubble(t)
	data, err := s.Snapshot()
	if err != nil {
		t.Fatal(err)
	}
	if err := restored.Restore(data); err != nil {
		t.Fatal(err)
	}
	if total := messageCount(t, data); total != messages {
		t.Errorf("%d messages are left, want %d", total, messages)
	}
}

func BenchmarkSendReceiveDelete(b *testing.B) {
	for _, backlog := range []int{0, 100_000} {
		b.Run(fmt.Sprintf("backlog=%d", backlog), func(b *testing.B) {
			s, _ := bubble(b)
			arn := s.queue("orders", "")
			for range backlog {
				s.send(arn, "waiting")
			}
			for b.Loop() {
				s.send(arn, "x")
				got, err := s.Receive(b.Context(), arn, 1, 0)
				if err != nil || len(got) != 1 {
					b.Fatal(err)
				}
				if err := s.Delete(arn, got[0].ReceiptHandle); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
