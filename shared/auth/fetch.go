package auth

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"time"
)

// Limits of one fetch of a JWKS.
const (
	fetchTimeout = 3 * time.Second // connect, headers and body together
	maxJWKS      = 256 << 10       // bytes, after decompression
)

var errRedirect = errors.New("redirects are not followed")

// fetchClient is the configured client, or one of our own, that follows no
// redirect: where keys come from is for the operator to say, not for a server.
func fetchClient(cfg Config) *http.Client {
	client := http.Client{Transport: &http.Transport{
		Proxy:           http.ProxyFromEnvironment,
		TLSClientConfig: &tls.Config{MinVersion: tls.VersionTLS12},
		// Of an open connection nothing is left after a quarter of an hour, most of
		// it frozen.
		DisableKeepAlives: true,
		ForceAttemptHTTP2: true,
	}}
	if cfg.HTTPClient != nil {
		client = *cfg.HTTPClient
	}
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return errRedirect }
	return &client
}

// fetch asks the issuer once. A key that is bad is left out and logged, the
// others count (RFC 7517 §5). No usable key is an answer too: all were
// withdrawn.
func (k *remoteKeys) fetch(ctx context.Context) (keyring, error) {
	ctx, cancel := fetchContext(ctx)
	defer cancel()
	body, err := k.get(ctx)
	if err != nil {
		return nil, err
	}
	keys, err := parseSet(body, k.accepted)
	if err != nil {
		return nil, fmt.Errorf("the answer %w", err)
	}
	var ring keyring
	for i, key := range keys {
		switch {
		case errors.Is(key.err, errNotUsed):
		case key.err != nil:
			k.logger.LogAttrs(ctx, slog.LevelWarn, "a key of JWT_JWKS_URL is left out",
				slog.String("host", k.host), slog.Int("key", i+1), slog.String("cause", "it "+key.err.Error()))
		default:
			ring = append(ring, key.key)
		}
	}
	return ring, nil
}

// fetchContext bounds a fetch. Since others wait for it, it does not end when
// the request that began it is given up, but it keeps to that request's
// deadline, which on Lambda is the invocation's.
func fetchContext(ctx context.Context) (context.Context, context.CancelFunc) {
	end := time.Now().Add(fetchTimeout)
	if deadline, ok := ctx.Deadline(); ok && deadline.Before(end) {
		end = deadline
	}
	return context.WithDeadline(context.WithoutCancel(ctx), end)
}

func (k *remoteKeys) get(ctx context.Context) ([]byte, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, k.url, http.NoBody)
	if err != nil {
		return nil, errors.New("the URL cannot be asked")
	}
	request.Header.Set("Accept", "application/jwk-set+json, application/json")
	response, err := k.client.Do(request)
	if err != nil {
		return nil, withoutURL(err)
	}
	defer func() { _ = response.Body.Close() }() // read-only: nothing is lost
	if response.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("the answer has status %d", response.StatusCode)
	}
	body, err := io.ReadAll(io.LimitReader(response.Body, maxJWKS+1))
	if err != nil {
		return nil, withoutURL(err)
	}
	if len(body) > maxJWKS {
		return nil, fmt.Errorf("the answer has more than %d bytes", maxJWKS)
	}
	return body, nil
}

// withoutURL takes the URL, whose query may hold a secret, out of the client's
// error.
func withoutURL(err error) error {
	if u, ok := errors.AsType[*url.Error](err); ok {
		return u.Err
	}
	return err
}
