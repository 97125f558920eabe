package connection_test

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"fanfare/shared/connection"
	"fanfare/shared/connection/connectiontest"
)

func Test06_AnswersAreNotRetried(t *testing.T) {
	for _, answer := range []error{connection.ErrInvalid, connection.ErrForbidden, connection.ErrGone, connection.ErrTooLarge} {
		t.Run(answer.Error(), func(t *testing.T) {
			eachWay(t, func(t *testing.T, send func(*connection.Manager, context.Context, string) error) {
				sender := &connectiontest.Sender{}
				sender.Always("c1", fmt.Errorf("post: %w", answer))
				m := newManager(sender, connection.Options{})
				wantErr(t, "send", send(m, t.Context(), "c1"), answer)
				want(t, "posts", sender.PostsTo("c1"), 1)
			})
		})
	}
}

func Test06_FailuresAreRetriedWithoutASleepAfterTheLast(t *testing.T) {
	for _, failure := range []error{connection.ErrThrottled, errServer} {
		t.Run(failure.Error(), func(t *testing.T) {
			eachWay(t, func(t *testing.T, send func(*connection.Manager, context.Context, string) error) {
				sender := &connectiontest.Sender{}
				sender.Always("c1", failure)
				m := newManager(sender, connection.Options{MaxAttempts: 3})
				wantErr(t, "send", send(m, t.Context(), "c1"), failure)
				posts := sender.Posts()
				want(t, "posts", len(posts), 3)
				want(t, "time since the last post", time.Since(posts[2].Start), 0)
			})
		})
	}
}

func Test06_BackoffIsExponentialWithFullJitter(t *testing.T) {
	bubble(t, func(t *testing.T) {
		const base, longest, rounds = 100 * time.Millisecond, 500 * time.Millisecond, 400
		limits := []time.Duration{base, 2 * base, 4 * base, longest}
		waits := make([][]time.Duration, len(limits))
		for range rounds {
			sender := &connectiontest.Sender{}
			sender.Always("c1", errServer)
			m := newManager(sender, connection.Options{MaxAttempts: 5, BaseBackoff: base, MaxBackoff: longest})
			_ = m.Send(t.Context(), "c1", nil)
			posts := sender.Posts()
			for i := range limits {
				waits[i] = append(waits[i], posts[i+1].Start.Sub(posts[i].Start))
			}
		}
		for i, limit := range limits {
			// Of 400 draws from [0, limit] the least and the greatest are within a
			// tenth of the ends, all but once in 10^18.
			if least := slices.Min(waits[i]); least > limit/10 {
				t.Errorf("wait %d is never under %v, want full jitter from 0", i+1, least)
			}
			if greatest := slices.Max(waits[i]); greatest > limit || greatest < limit-limit/10 {
				t.Errorf("wait %d is at most %v, want %v", i+1, greatest, limit)
			}
		}
	})
}

func Test06_ARetryThatTheDeadlineWouldForestallIsNotWaitedFor(t *testing.T) {
	eachWay(t, func(t *testing.T, send func(*connection.Manager, context.Context, string) error) {
		sender := &connectiontest.Sender{}
		sender.Always("c1", errServer)
		m := newManager(sender, connection.Options{BaseBackoff: 1000 * time.Hour, MaxBackoff: 1000 * time.Hour})
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		took := elapsed(func() { wantErr(t, "send", send(m, ctx, "c1"), errServer) })
		want(t, "time", took, 0)
	})
}

func Test06_ACancelledContextReturnsAtOnce(t *testing.T) {
	eachWay(t, func(t *testing.T, send func(*connection.Manager, context.Context, string) error) {
		sender := &connectiontest.Sender{}
		m := newManager(sender, connection.Options{BaseBackoff: time.Hour, MaxBackoff: time.Hour})

		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		wantErr(t, "cancelled before", send(m, ctx, "c1"), context.Canceled)
		want(t, "posts", sender.PostsTo("c1"), 0)

		sender.Always("c1", errServer)
		ctx, cancel = context.WithCancel(t.Context())
		time.AfterFunc(time.Millisecond, cancel)
		took := elapsed(func() { wantErr(t, "cancelled while waiting", send(m, ctx, "c1"), context.Canceled) })
		want(t, "time", took, time.Millisecond)
	})
}

func Test06_AnEndedContextIsNotTheConnectionsFailure(t *testing.T) {
	eachWay(t, func(t *testing.T, send func(*connection.Manager, context.Context, string) error) {
		sender := &connectiontest.Sender{Latency: time.Minute}
		m := newManager(sender, single)
		for range 5 {
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			wantErr(t, "send", send(m, ctx, "c1"), context.DeadlineExceeded)
			cancel()
		}
		want(t, "breakers", m.Metrics().Breakers, connection.BreakerCounts{})
		want(t, "counted as deadline", m.Metrics().Errors[connection.TypeDeadline], 5)
	})
}

func Test06_ATimeOutOfTheSendersOwnIsAFailureAndRetried(t *testing.T) {
	bubble(t, func(t *testing.T) {
		sender := &connectiontest.Sender{}
		sender.Script("c1", context.DeadlineExceeded, nil)
		m := newManager(sender, connection.Options{})
		wantErr(t, "send", m.Send(t.Context(), "c1", nil), nil)
		want(t, "counted as failed", m.Metrics().Errors[connection.TypeFailed], 1)
	})
}

func Test10_ASlowConnectionDoesNotHoldUpTheRest(t *testing.T) {
	bubble(t, func(t *testing.T) {
		sender := &connectiontest.Sender{Latency: 10 * time.Millisecond}
		sender.Slow("c00000", time.Minute)
		m := newManager(sender, connection.Options{})
		start := time.Now()
		_ = m.Broadcast(t.Context(), names(901), nil)
		posts := sender.Posts()
		want(t, "the last but one is done after", posts[899].Start.Sub(start), 990*time.Millisecond)
		want(t, "the slow one is the last", posts[900].ID, "c00000")
	})
}

func Test10_ConnectionsThatWaitForARetryHoldUpNobody(t *testing.T) {
	bubble(t, func(t *testing.T) {
		ids := names(1000)
		sender := &connectiontest.Sender{Latency: 10 * time.Millisecond}
		for _, id := range ids[:100] { // ten times as many as there are workers
			sender.Always(id, errServer)
		}
		m := newManager(sender, connection.Options{MaxAttempts: 2, BaseBackoff: time.Hour, MaxBackoff: time.Hour})
		start := time.Now()
		_ = m.Broadcast(t.Context(), ids, nil)
		for _, post := range sender.Posts() {
			if post.Err == nil && post.Start.Sub(start) > time.Second {
				t.Fatalf("%s was posted to after %v, want within the second that 1,000 posts take", post.ID, post.Start.Sub(start))
			}
		}
	})
}

func Test10_ADeadlineEndsABroadcastWithTheUnsentReported(t *testing.T) {
	bubble(t, func(t *testing.T) {
		sender := &connectiontest.Sender{Latency: 100 * time.Millisecond}
		m := newManager(sender, connection.Options{})
		ctx, cancel := context.WithTimeout(t.Context(), 1050*time.Millisecond)
		defer cancel()
		var err error
		took := elapsed(func() { err = m.Broadcast(ctx, names(1000), nil) })
		want(t, "time", took, 1050*time.Millisecond)
		wantErr(t, "broadcast", err, context.DeadlineExceeded)
		unsent := failures(t, err)
		want(t, "unsent", len(unsent), 900)
		for id, err := range unsent {
			wantErr(t, id, err, context.DeadlineExceeded)
		}
		want(t, "delivered", m.Metrics().Delivered, 100)
	})
}

func Test10_TwoBroadcastsShareThePoolAndNeitherWaitsForTheOther(t *testing.T) {
	bubble(t, func(t *testing.T) {
		sender := &connectiontest.Sender{Latency: 10 * time.Millisecond}
		m := newManager(sender, connection.Options{})
		var calls sync.WaitGroup
		calls.Go(func() { _ = m.Broadcast(t.Context(), names(10_000), nil) })
		synctest.Wait()
		small := elapsed(func() { _ = m.Broadcast(t.Context(), names(10), nil) })
		if small > time.Second {
			t.Errorf("ten connections took %v next to a broadcast of 10 s", small)
		}
		calls.Wait()
		want(t, "most posts at a time", sender.Peak(), 10)
	})
}
