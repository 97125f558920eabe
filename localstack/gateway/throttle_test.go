package gateway

import (
	"testing"
	"time"
)

func TestBucket(t *testing.T) {
	start := time.Unix(0, 0)
	b := &bucket{tokens: 2, at: start}
	steps := []struct {
		after time.Duration
		rate  float64
		burst int
		want  bool
		why   string
	}{
		{0, 2, 2, true, "the burst is there at once"},
		{0, 2, 2, true, "all of it"},
		{0, 2, 2, false, "and then nothing"},
		{400 * time.Millisecond, 2, 2, false, "less than a token has come"},
		{500 * time.Millisecond, 2, 2, true, "the rate is 2 a second"},
		{time.Hour, 2, 2, true, "an hour fills it"},
		{time.Hour, 2, 2, true, "to the burst"},
		{time.Hour, 2, 2, false, "and no further"},
		{2 * time.Hour, 2, 1, true, "a smaller burst counts at once"},
		{2 * time.Hour, 2, 1, false, "for what was saved, too"},
		{3 * time.Hour, 0, 10, false, "rate 0 refuses, whatever the burst"},
		{4 * time.Hour, 10, 0, false, "burst 0 refuses, whatever the rate"},
	}
	for _, s := range steps {
		if got := b.take(s.rate, s.burst, start.Add(s.after)); got != s.want {
			t.Fatalf("after %v: %v, but %s", s.after, got, s.why)
		}
	}
}

func TestThrottleSettings(t *testing.T) {
	one := func() *routeSettings {
		return &routeSettings{ThrottlingRateLimit: ptr(1.0), ThrottlingBurstLimit: ptr(1)}
	}
	now := time.Unix(0, 0)
	t.Run("without settings everything is allowed", func(t *testing.T) {
		var l throttle
		for range 10 * accountBurst {
			if !l.allow(target{defaults: &routeSettings{LoggingLevel: "OFF"}}, "a", now) {
				t.Fatal("refused")
			}
		}
	})
	t.Run("routes without settings share the stage's", func(t *testing.T) {
		var l throttle
		stage := target{defaults: one(), settings: map[string]routeSettings{"own": *one(), "logs": {LoggingLevel: "ERROR"}}}
		for _, step := range []struct {
			route string
			want  bool
		}{{"a", true}, {"b", false}, {"logs", false}, {"own", true}, {"own", false}} {
			if got := l.allow(stage, step.route, now); got != step.want {
				t.Errorf("%s: %v", step.route, got)
			}
		}
	})
	t.Run("stages share nothing, and a new one of the name starts afresh", func(t *testing.T) {
		var l throttle
		a, b := target{api: "x", stage: "a", defaults: one()}, target{api: "x", stage: "b", defaults: one()}
		if !l.allow(a, "r", now) || !l.allow(b, "r", now) || l.allow(a, "r", now) {
			t.Error("stages share a bucket")
		}
		l.forget("x", "a")
		if !l.allow(a, "r", now) || l.allow(b, "r", now) {
			t.Error("forget took the wrong bucket")
		}
	})
	t.Run("one of rate and burst is enough", func(t *testing.T) {
		var l throttle
		if l.allow(target{defaults: &routeSettings{ThrottlingBurstLimit: ptr(0)}}, "a", now) {
			t.Error("burst 0 alone allows")
		}
	})
}
