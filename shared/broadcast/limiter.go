package broadcast

import (
	"context"
	"maps"
	"sync"
	"time"
)

// Window is what limits count over: one second of the clock. At its end every
// limit starts over.
const Window = time.Second

// Counters counts broadcasts by window, over all functions.
type Counters interface {
	// CountBroadcast adds one to the window that begins at the given Unix
	// second, and returns how many the tenant and the connection have in it by
	// now. It costs one write unit.
	CountBroadcast(ctx context.Context, tenant, connectionID string, window int64) (ofTenant, ofConnection int, err error)
}

// Limiter holds clients to a number of broadcasts a second, each connection
// and each tenant. Back ends that publish to the queue themselves are not
// limited. All members but the limits are needed; a limit of 0 is none.
type Limiter struct {
	Counters      Counters
	PerConnection int // broadcasts a second
	PerTenant     int
	Now           func() time.Time

	mu     sync.Mutex
	window int64
	over   map[string]bool // tenants and connections that have used theirs up
}

// Admit counts one broadcast. retryAfter is 0 if it may be sent, else how long
// until another one may. A refused one is counted too, but once a limit is
// known to be used up, nothing is written for it any more in this window: a
// client that does not stop costs nothing.
func (l *Limiter) Admit(ctx context.Context, tenant, connectionID string) (retryAfter time.Duration, err error) {
	if l.PerConnection == 0 && l.PerTenant == 0 {
		return 0, nil
	}
	now := l.Now()
	window := now.Unix()
	wait := time.Unix(window, 0).Add(Window).Sub(now)
	byTenant, byConnection := "tenant/"+tenant, "connection/"+connectionID
	if l.isOver(window, byTenant, byConnection) {
		return wait, nil
	}
	ofTenant, ofConnection, err := l.Counters.CountBroadcast(ctx, tenant, connectionID, window)
	if err != nil {
		return 0, err
	}
	used := map[string]bool{
		byTenant:     l.PerTenant > 0 && ofTenant >= l.PerTenant,
		byConnection: l.PerConnection > 0 && ofConnection >= l.PerConnection,
	}
	l.remember(window, used)
	if l.PerTenant > 0 && ofTenant > l.PerTenant || l.PerConnection > 0 && ofConnection > l.PerConnection {
		return wait, nil
	}
	return 0, nil
}

func (l *Limiter) isOver(window int64, names ...string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.window != window {
		return false
	}
	for _, name := range names {
		if l.over[name] {
			return true
		}
	}
	return false
}

// remember keeps what is used up in the window that is latest.
func (l *Limiter) remember(window int64, used map[string]bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.window != window {
		l.window, l.over = window, map[string]bool{}
	}
	maps.DeleteFunc(used, func(_ string, isUsed bool) bool { return !isUsed })
	maps.Copy(l.over, used)
}
