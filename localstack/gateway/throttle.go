package gateway

import (
	"sync"
	"time"
)

// throttle holds the token buckets of all stages; the account's are in limits.go. A route with settings of its
// own has its own bucket, all others of a stage share one ("Throttle requests
// to your WebSocket APIs"; how AWS shares it is not documented).
type throttle struct {
	mu      sync.Mutex
	buckets map[bucketID]*bucket
}

type bucketID struct{ api, stage, route string }

// allow takes a token for a request to the route. Zero in the settings is a
// limit, too: then nothing is allowed, as in AWS. Without settings, everything is.
func (l *throttle) allow(t target, routeKey string, now time.Time) bool {
	id := bucketID{t.api, t.stage, routeKey}
	settings, own := t.settings[routeKey]
	if !own || !settings.throttles() {
		if t.defaults == nil || !t.defaults.throttles() {
			return true
		}
		settings, id.route = *t.defaults, ""
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	b, ok := l.buckets[id]
	if !ok {
		b = &bucket{tokens: float64(settings.burst()), at: now}
		if l.buckets == nil {
			l.buckets = map[bucketID]*bucket{}
		}
		l.buckets[id] = b
	}
	return b.take(settings.rate(), settings.burst(), now)
}

// forget drops the buckets of a stage, or of a whole API where stage is empty.
func (l *throttle) forget(api, stage string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for id := range l.buckets {
		if id.api == api && (stage == "" || id.stage == stage) {
			delete(l.buckets, id)
		}
	}
}

// bucket is a token bucket whose size and rate may change between two calls.
type bucket struct {
	tokens float64
	at     time.Time
}

func (b *bucket) take(rate float64, burst int, now time.Time) bool {
	b.tokens = min(b.tokens+rate*now.Sub(b.at).Seconds(), float64(burst))
	b.at = now
	if b.tokens < 1 || rate == 0 {
		return false
	}
	b.tokens--
	return true
}

func (rs *routeSettings) throttles() bool {
	return rs.ThrottlingRateLimit != nil || rs.ThrottlingBurstLimit != nil
}

func (rs *routeSettings) rate() float64 {
	if rs.ThrottlingRateLimit == nil {
		return accountRate
	}
	return *rs.ThrottlingRateLimit
}

func (rs *routeSettings) burst() int {
	if rs.ThrottlingBurstLimit == nil {
		return accountBurst
	}
	return *rs.ThrottlingBurstLimit
}
