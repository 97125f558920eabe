package authtest

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
)

// Issuer signs tokens and publishes the keys they are verified with. It is a
// JWKS server without a socket, so it works inside testing/synctest; for one
// that listens, hand it to httptest.NewTLSServer, whose Client and URL then take
// the place of the Issuer's.
//
// It is safe for concurrent use.
type Issuer struct {
	mu      sync.Mutex
	keys    []*Key // published, the last one signs
	status  int    // answered instead of the keys, 0 if healthy
	fetches int
}

// NewIssuer returns an issuer that publishes the keys and signs with the last.
// Without any it makes one.
func NewIssuer(keys ...*Key) *Issuer {
	if len(keys) == 0 {
		keys = []*Key{NewKey()}
	}
	return &Issuer{keys: slices.Clone(keys)}
}

// Name returns what the issuer's tokens have as iss.
func (i *Issuer) Name() string { return "https://issuer.test/" }

// URL returns where Client finds the JWKS.
func (i *Issuer) URL() string { return i.Name() + ".well-known/jwks.json" }

// Client returns a client whose every request is answered by the issuer.
func (i *Issuer) Client() *http.Client { return &http.Client{Transport: roundTripper{i}} }

// Key returns the key that signs.
func (i *Issuer) Key() *Key {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.keys[len(i.keys)-1]
}

// Sign returns a token of the current key. An empty Claims.Issuer becomes Name.
func (i *Issuer) Sign(claims Claims, options ...Option) string {
	if claims.Issuer == "" {
		claims.Issuer = i.Name()
	}
	return i.Key().Sign(claims, options...)
}

// Rotate publishes a new key, made for the algorithm of the current one, and
// signs with it from now on. The old ones stay published until Withdraw.
func (i *Issuer) Rotate() *Key {
	key := NewKeyFor(i.Key().Algorithm())
	i.Publish(key)
	return key
}

// Publish adds a key, which signs from now on.
func (i *Issuer) Publish(key *Key) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.keys = append(i.keys, key)
}

// Withdraw stops publishing a key. The last one left cannot be withdrawn.
func (i *Issuer) Withdraw(key *Key) {
	i.mu.Lock()
	defer i.mu.Unlock()
	if len(i.keys) == 1 {
		panic("authtest: an issuer needs a key")
	}
	i.keys = slices.DeleteFunc(i.keys, func(k *Key) bool { return k == key })
}

// Fail makes the issuer answer with an HTTP status instead of its keys. 0 heals
// it.
func (i *Issuer) Fail(status int) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.status = status
}

// Fetches returns how often the issuer was asked for its keys, failures
// included.
func (i *Issuer) Fetches() int {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.fetches
}

// ServeHTTP answers every request with the JWKS.
func (i *Issuer) ServeHTTP(w http.ResponseWriter, _ *http.Request) {
	i.mu.Lock()
	i.fetches++
	status, body := i.status, JWKS(i.keys...)
	i.mu.Unlock()
	if status != 0 {
		w.WriteHeader(status)
		return
	}
	w.Header().Set("Content-Type", "application/jwk-set+json")
	_, _ = fmt.Fprint(w, body) // the client's loss, not ours
}

// roundTripper carries a request to a handler without a network.
type roundTripper struct{ handler http.Handler }

func (t roundTripper) RoundTrip(r *http.Request) (*http.Response, error) {
	if err := r.Context().Err(); err != nil {
		return nil, err
	}
	w := httptest.NewRecorder()
	t.handler.ServeHTTP(w, r)
	response := w.Result()
	response.Request = r
	return response, nil
}
