package auth

import (
	"context"
	"log/slog"
	"net/http"
	"net/url"
	"sync"
	"time"

	"github.com/lestrrat-go/jwx/v2/jwa"
)

// How long keys of a JWKS URL count, and how often it is asked.
const (
	maxKeyAge   = 15 * time.Minute // then fetched again before use, so that a withdrawn key dies
	maxStaleAge = 24 * time.Hour   // how long they do while the issuer is down
	fetchEvery  = 30 * time.Second // at most one fetch in requests, whatever the reason
	absentFor   = 5 * time.Minute  // how long a kid that was not there is not asked for
)

// remoteKeys are the keys of a JWKS URL. They are fetched by the request that
// needs them, in its own goroutine; requests that need them too wait for it.
//
// Ages are of the wall clock: the monotonic one may stand still while Lambda
// freezes the environment, and a withdrawn key would live on.
type remoteKeys struct {
	url, host string
	client    *http.Client
	accepted  []jwa.SignatureAlgorithm
	logger    *slog.Logger
	onStale   func(context.Context, time.Duration)

	mu      sync.Mutex // never held while the network is waited for
	ring    keyring
	fetched time.Time     // when ring was, zero if never
	tried   time.Time     // when a request last began a fetch
	flight  chan struct{} // closed when the fetch under way ends, nil if there is none
	absent  absentKeys
	stats   KeyStats
}

// KeyStats counts what was done to get keys from Config.JWKSURL.
type KeyStats struct {
	Fetches  int           // begun, the one of NewVerifier included
	Failures int           // of them
	Keys     int           // usable ones at hand
	Age      time.Duration // of the keys, 0 if never fetched
}

func newRemoteKeys(cfg Config, accepted []jwa.SignatureAlgorithm) *remoteKeys {
	host := ""
	if u, err := url.Parse(cfg.JWKSURL); err == nil {
		host = u.Host
	}
	return &remoteKeys{
		url: cfg.JWKSURL, host: host, client: fetchClient(cfg), accepted: accepted,
		logger: cfg.Logger, onStale: cfg.OnStaleKeys,
	}
}

// find returns the keys that may verify a token with this kid, after a fetch if
// they are too old, or if none has the kid. A token without a kid, which may be
// of any key, causes a fetch by age only. One call begins one fetch at most.
func (k *remoteKeys) find(ctx context.Context, keyID string) (keyring, *refused) {
	for {
		flight, ours := k.enter(keyID)
		if ours {
			k.refresh(ctx, keyID)
			return k.current()
		}
		if flight == nil {
			return k.current()
		}
		select {
		case <-flight:
		case <-ctx.Done():
			return nil, refuse(ErrKeysUnavailable, "request ended while its keys were being fetched")
		}
	}
}

// enter returns the fetch that this request must wait for, nil if none, and
// whether the request is to do it itself.
func (k *remoteKeys) enter(keyID string) (flight <-chan struct{}, ours bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	now := wallClock()
	switch {
	case !k.wanting(keyID, now):
		return nil, false
	case k.flight != nil:
		return k.flight, false
	case !k.mayFetch(now):
		return nil, false
	}
	k.flight, k.tried = make(chan struct{}), now
	return k.flight, true
}

func (k *remoteKeys) current() (keyring, *refused) {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.trusted(wallClock())
}

// wanting reports whether a fetch would help. k.mu is held.
func (k *remoteKeys) wanting(keyID string, now time.Time) bool {
	if age := now.Sub(k.fetched); age < 0 || age > maxKeyAge {
		return true
	}
	return keyID != "" && !k.ring.has(keyID) && !k.absent.has(keyID, now)
}

// mayFetch holds the rate down. A clock that was set back must not stop fetches
// for as long as it was set back. k.mu is held.
func (k *remoteKeys) mayFetch(now time.Time) bool {
	since := now.Sub(k.tried)
	return since < 0 || since >= fetchEvery
}

// trusted returns the keys unless they are too old to be kept. k.mu is held.
func (k *remoteKeys) trusted(now time.Time) (keyring, *refused) {
	if k.fetched.IsZero() {
		return nil, refuse(ErrKeysUnavailable, "keys could not be fetched yet")
	}
	if now.Sub(k.fetched) > maxStaleAge {
		return nil, refuse(ErrKeysUnavailable, "keys are older than a day and could not be fetched again")
	}
	return k.ring, nil
}

// refresh fetches the keys and lets go those who wait in k.flight, if there is
// one. keyID is whose absence caused it.
func (k *remoteKeys) refresh(ctx context.Context, keyID string) {
	defer k.land()
	ring, err := k.fetch(ctx)

	k.mu.Lock()
	k.stats.Fetches++
	now := wallClock()
	if err == nil {
		k.ring, k.fetched = ring, now
		if keyID != "" && !ring.has(keyID) {
			k.absent.add(keyID, now)
		}
		k.mu.Unlock()
		return
	}
	k.stats.Failures++
	kept, _ := k.trusted(now)
	age := time.Duration(0)
	if len(kept) > 0 {
		age = max(now.Sub(k.fetched), 0)
	}
	k.mu.Unlock()
	k.warn(ctx, err, age, len(kept))
}

func (k *remoteKeys) land() {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.flight != nil {
		close(k.flight)
		k.flight = nil
	}
}

func (k *remoteKeys) warn(ctx context.Context, err error, age time.Duration, kept int) {
	k.logger.LogAttrs(ctx, slog.LevelWarn, "keys of JWT_JWKS_URL could not be fetched",
		slog.String("host", k.host), slog.String("cause", err.Error()),
		slog.Int("kept", kept), slog.Duration("age", age.Round(time.Second)))
	if k.onStale != nil {
		k.onStale(ctx, age)
	}
}

func (k *remoteKeys) snapshot() KeyStats {
	k.mu.Lock()
	defer k.mu.Unlock()
	stats := k.stats
	stats.Keys = len(k.ring)
	if !k.fetched.IsZero() {
		stats.Age = max(wallClock().Sub(k.fetched), 0)
	}
	return stats
}

// wallClock returns the time without its monotonic reading.
func wallClock() time.Time { return time.Now().Round(0) }

// absentKeys remembers kids that a fetch did not bring, so that a client with
// an old token costs one fetch and not one each half minute. It is bounded by
// maxAbsent, and long before by the rate of fetches.
type absentKeys []absentKey

type absentKey struct {
	id    string
	until time.Time
}

const maxAbsent = 64

func (a absentKeys) has(id string, now time.Time) bool {
	for _, k := range a {
		if k.id == id && now.Before(k.until) {
			return true
		}
	}
	return false
}

func (a *absentKeys) add(id string, now time.Time) {
	live := (*a)[:0]
	for _, k := range *a {
		if k.id != id && now.Before(k.until) {
			live = append(live, k)
		}
	}
	if len(live) == maxAbsent {
		live = live[:copy(live, live[1:])]
	}
	live = append(live, absentKey{id, now.Add(absentFor)})
	*a = live
}
