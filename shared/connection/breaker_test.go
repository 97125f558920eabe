package connection_test

import (
	"context"
	"errors"
	"maps"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"fanfare/shared/connection"
	"fanfare/shared/connection/connectiontest"
)

// single makes one post per send, so that a failed post is a failed send.
var single = connection.Options{MaxAttempts: 1}

func Test03_BroadcastObeysTheBreakerAndFeedsItAsSendDoes(t *testing.T) {
	eachWay(t, func(t *testing.T, send func(*connection.Manager, context.Context, string) error) {
		sender := &connectiontest.Sender{}
		sender.Always("c1", errServer)
		m := newManager(sender, single)
		for range 3 {
			wantErr(t, "failing", send(m, t.Context(), "c1"), errServer)
		}
		want(t, "breakers", m.Metrics().Breakers, connection.BreakerCounts{Open: 1})
		wantErr(t, "fourth", send(m, t.Context(), "c1"), connection.ErrCircuitOpen)
		want(t, "posts", sender.PostsTo("c1"), 3)
	})
}

func Test03_WhatOneWayLearnsTheOtherObeys(t *testing.T) {
	bubble(t, func(t *testing.T) {
		sender := &connectiontest.Sender{}
		sender.Always("c1", errServer)
		m := newManager(sender, single)
		for range 3 {
			_ = m.Broadcast(t.Context(), []string{"c1", "c2"}, nil)
		}
		wantErr(t, "send after broadcasts", m.Send(t.Context(), "c1", nil), connection.ErrCircuitOpen)
		want(t, "posts to the healthy one", sender.PostsTo("c2"), 3)
	})
}

func Test03_BroadcastCountsErrorsByTypeExactlyAsSendDoes(t *testing.T) {
	answers := map[string][]error{
		"gone":      {connection.ErrGone},
		"forbidden": {connection.ErrForbidden},
		"invalid":   {connection.ErrInvalid},
		"large":     {connection.ErrTooLarge},
		"throttled": {connection.ErrThrottled, connection.ErrThrottled, nil},
		"server":    {errServer, errServer, errServer, errServer},
		"mixed":     {errServer, connection.ErrThrottled, connection.ErrGone},
	}
	wanted := map[connection.ErrorType]int64{
		connection.TypeGone: 2, connection.TypeForbidden: 1, connection.TypeInvalid: 1, connection.TypeTooLarge: 1,
		connection.TypeThrottled: 3, connection.TypeFailed: 5,
	}
	eachWay(t, func(t *testing.T, send func(*connection.Manager, context.Context, string) error) {
		sender := &connectiontest.Sender{}
		for id, script := range answers {
			sender.Script(id, script...)
		}
		m := newManager(sender, connection.Options{})
		for id := range answers {
			_ = send(m, t.Context(), id)
		}
		metrics := m.Metrics()
		if !maps.Equal(metrics.Errors, wanted) {
			t.Errorf("errors by type: got %v, want %v", metrics.Errors, wanted)
		}
		want(t, "counts", metrics.Counts, connection.Counts{Delivered: 1, Gone: 2, Failed: 4})
	})
}

// opened returns a manager with an open breaker for c1, opened just now.
func opened(t *testing.T, sender *connectiontest.Sender) *connection.Manager {
	t.Helper()
	sender.Script("c1", errServer, errServer, errServer)
	m := newManager(sender, single)
	for range 3 {
		_ = m.Send(t.Context(), "c1", nil)
	}
	want(t, "breakers", m.Metrics().Breakers, connection.BreakerCounts{Open: 1})
	return m
}

func Test04_After30sOneProbePassesAndFiftyConcurrentSendsMakeOnePost(t *testing.T) {
	for name, answer := range map[string]error{"that succeeds": nil, "that fails": errServer} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				sender := &connectiontest.Sender{Latency: time.Second}
				m := opened(t, sender)
				time.Sleep(30*time.Second - time.Nanosecond)
				wantErr(t, "a moment before", m.Send(t.Context(), "c1", nil), connection.ErrCircuitOpen)
				time.Sleep(time.Nanosecond)

				sender.Always("c1", answer)
				var refused atomic.Int32
				var sends sync.WaitGroup
				for range 50 {
					sends.Go(func() {
						if errors.Is(m.Send(t.Context(), "c1", nil), connection.ErrCircuitOpen) {
							refused.Add(1)
						}
					})
				}
				sends.Wait()
				want(t, "posts", sender.PostsTo("c1"), 3+1)
				want(t, "refused", refused.Load(), 49)
			})
		})
	}
}

func Test04_AProbeDecidesWhetherTheBreakerClosesOrStaysOpenForAnother30s(t *testing.T) {
	bubble(t, func(t *testing.T) {
		sender := &connectiontest.Sender{}
		m := opened(t, sender)
		sender.Script("c1", errServer, nil)
		time.Sleep(30 * time.Second)
		wantErr(t, "failing probe", m.Send(t.Context(), "c1", nil), errServer)
		time.Sleep(30*time.Second - time.Nanosecond)
		wantErr(t, "before the next probe", m.Send(t.Context(), "c1", nil), connection.ErrCircuitOpen)
		time.Sleep(time.Nanosecond)
		wantErr(t, "probe", m.Send(t.Context(), "c1", nil), nil)
		want(t, "breakers", m.Metrics().Breakers, connection.BreakerCounts{})
		wantErr(t, "closed", m.Send(t.Context(), "c1", nil), nil)
	})
}

func Test04_AProbeIsNotRetried(t *testing.T) {
	bubble(t, func(t *testing.T) {
		sender := &connectiontest.Sender{}
		sender.Always("c1", errServer)
		m := newManager(sender, connection.Options{MaxAttempts: 5})
		for range 3 {
			_ = m.Send(t.Context(), "c1", nil)
		}
		want(t, "posts of three sends", sender.PostsTo("c1"), 15)
		time.Sleep(30 * time.Second)
		wantErr(t, "probe", m.Send(t.Context(), "c1", nil), errServer)
		want(t, "posts of the probe", sender.PostsTo("c1"), 15+1)
	})
}

func Test04_AProbeThatIsCutOffLeavesItsPlaceToTheNext(t *testing.T) {
	bubble(t, func(t *testing.T) {
		sender := &connectiontest.Sender{Latency: time.Second}
		m := opened(t, sender)
		time.Sleep(30 * time.Second)
		ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
		defer cancel()
		wantErr(t, "cut off", m.Send(ctx, "c1", nil), context.DeadlineExceeded)
		wantErr(t, "next", m.Send(t.Context(), "c1", nil), nil)
	})
}

func Test05_WhatOpensABreaker(t *testing.T) {
	fail, throttle := errServer, connection.ErrThrottled
	tests := map[string]struct {
		answers []error
		opens   bool
	}{
		"two failures":                       {[]error{fail, fail}, false},
		"two failures and a success":         {[]error{fail, fail, nil}, false},
		"a success in between starts anew":   {[]error{fail, fail, nil, fail, fail}, false},
		"three failures":                     {[]error{fail, fail, fail}, true},
		"three failures after successes":     {[]error{nil, nil, fail, fail, fail}, true},
		"three sends throttled to the end":   {[]error{throttle, throttle, throttle}, true},
		"403 never counts":                   {[]error{connection.ErrForbidden, connection.ErrForbidden, connection.ErrForbidden}, false},
		"400 never counts":                   {[]error{connection.ErrInvalid, connection.ErrInvalid, connection.ErrInvalid}, false},
		"413 never counts":                   {[]error{connection.ErrTooLarge, connection.ErrTooLarge, connection.ErrTooLarge}, false},
		"410 never counts":                   {[]error{connection.ErrGone, connection.ErrGone, connection.ErrGone}, false},
		"an answer between failures is none": {[]error{fail, fail, connection.ErrInvalid, fail}, true},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			eachWay(t, func(t *testing.T, send func(*connection.Manager, context.Context, string) error) {
				sender := &connectiontest.Sender{}
				sender.Script("c1", tt.answers...)
				m := newManager(sender, single)
				for range tt.answers {
					_ = send(m, t.Context(), "c1")
				}
				want(t, "refused", errors.Is(send(m, t.Context(), "c1"), connection.ErrCircuitOpen), tt.opens)
			})
		})
	}
}

func Test05_ASendThatARetrySavesIsASuccess(t *testing.T) {
	bubble(t, func(t *testing.T) {
		sender := &connectiontest.Sender{}
		sender.Script("c1", errServer, errServer, nil, errServer, errServer, nil)
		m := newManager(sender, connection.Options{})
		for range 2 {
			wantErr(t, "send", m.Send(t.Context(), "c1", nil), nil)
		}
		want(t, "breakers", m.Metrics().Breakers, connection.BreakerCounts{})
	})
}

func Test05_ABreakerThatOpensStopsTheRetriesOfOtherSends(t *testing.T) {
	bubble(t, func(t *testing.T) {
		sender := &connectiontest.Sender{}
		sender.Always("c1", errServer)
		m := newManager(sender, connection.Options{})
		var stopped atomic.Int32
		var sends sync.WaitGroup
		for range 50 {
			sends.Go(func() {
				if errors.Is(m.Send(t.Context(), "c1", nil), connection.ErrCircuitOpen) {
					stopped.Add(1)
				}
			})
		}
		sends.Wait()
		if stopped.Load() == 0 {
			t.Error("no send was stopped with ErrCircuitOpen")
		}
		// All may begin, but only until three have failed for good.
		if posts := sender.PostsTo("c1"); posts >= 4*50 {
			t.Errorf("%d posts, as many as without a breaker", posts)
		}
		want(t, "breakers", m.Metrics().Breakers, connection.BreakerCounts{Open: 1})
	})
}
