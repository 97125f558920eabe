package gateway

import (
	"sync"
	"sync/atomic"
	"time"
)

// The account's own limits ("Quotas for configuring and running a WebSocket
// API"; "Throttle requests to your WebSocket APIs"). A stage's settings that name
// only one of rate and burst get the other from here.
const (
	accountRate    = 10000
	accountBurst   = 5000
	accountConnect = 500
)

// Limits are those of the account in one region, shared by all of its APIs. A
// field that is zero has AWS's figure, a negative one is no limit at all.
type Limits struct {
	// RequestRate and RequestBurst are for upgrades, messages and @connections
	// calls together: 10,000 a second, of which 5,000 may come at once. Some
	// newer regions have 2,500 and 1,250.
	RequestRate  float64
	RequestBurst int
	// ConnectRate is how many connections may be opened a second: 500.
	ConnectRate int
}

func (l Limits) withDefaults() Limits {
	if l.RequestRate == 0 {
		l.RequestRate = accountRate
	}
	if l.RequestBurst == 0 {
		l.RequestBurst = accountBurst
	}
	if l.ConnectRate == 0 {
		l.ConnectRate = accountConnect
	}
	return l
}

// accountLimits holds the account's token buckets.
type accountLimits struct {
	Limits
	mu                 sync.Mutex
	requests, connects bucket
}

func newAccountLimits(l Limits, now time.Time) *accountLimits {
	l = l.withDefaults()
	return &accountLimits{
		Limits:   l,
		requests: bucket{tokens: float64(l.RequestBurst), at: now},
		connects: bucket{tokens: float64(l.ConnectRate), at: now},
	}
}

// request takes a token for a message, an upgrade or a call of @connections.
func (a *accountLimits) request(now time.Time) bool {
	if a.RequestRate < 0 || a.RequestBurst < 0 {
		return true
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.requests.take(a.RequestRate, a.RequestBurst, now)
}

// connect takes the tokens for a new connection, which is a request, too.
func (a *accountLimits) connect(now time.Time) bool {
	if !a.request(now) {
		return false
	}
	if a.ConnectRate < 0 {
		return true
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.connects.take(float64(a.ConnectRate), a.ConnectRate, now)
}

// settings are the limits as GetAccount shows them.
func (a *accountLimits) settings() throttleSettings {
	return throttleSettings{BurstLimit: a.RequestBurst, RateLimit: a.RequestRate}
}

// maxBufferedInAll bounds what waits for all slow clients together. Above it a
// client gets a message only if nothing waits for it already: slow clients
// bound one another, and take nothing from those who read.
const maxBufferedInAll = 256 << 20

// memory counts the bytes that wait for clients. A nil one has room for all.
type memory struct{ used atomic.Int64 }

// add takes n bytes, or gives them back where n is negative.
func (m *memory) add(n int) {
	if m != nil {
		m.used.Add(int64(n))
	}
}

func (m *memory) full() bool { return m != nil && m.used.Load() > maxBufferedInAll }
