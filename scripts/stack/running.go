package stack

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"path/filepath"
	"strconv"
	"time"
)

// Running returns what `make local` has deployed and the local cloud's URL. It
// is an error that says what to do if nothing runs.
func Running(ctx context.Context, root string) (endpoint string, o Outputs, err error) {
	m, ok := loadManifest(filepath.Join(root, ".local"))
	if !ok {
		return "", Outputs{}, errors.New("nothing is deployed on this machine (or it is being deployed right now): run `make local` and wait until it is up")
	}
	endpoint = "http://127.0.0.1:" + strconv.Itoa(m.Port)
	if !healthy(ctx, endpoint) {
		return "", Outputs{}, fmt.Errorf("the local cloud does not answer on port %d: run `make local` in another terminal", m.Port)
	}
	return endpoint, m.Outputs, nil
}

// healthy asks the local cloud itself: another program may have its port.
func healthy(ctx context.Context, endpoint string) bool {
	ctx, cancel := context.WithTimeout(ctx, 3*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, endpoint+"/_localstack/health", nil)
	if err != nil {
		return false
	}
	resp, err := (&http.Client{Transport: &http.Transport{}}).Do(req) // no proxy
	if err != nil {
		return false
	}
	_ = resp.Body.Close() // only the status counts
	return resp.StatusCode == http.StatusOK
}
