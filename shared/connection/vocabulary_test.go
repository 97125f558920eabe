package connection_test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"go/parser"
	"go/token"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"fanfare/shared/connection"
	"fanfare/shared/connection/connectiontest"
)

func TestIsActive(t *testing.T) {
	bubble(t, func(t *testing.T) {
		now := time.Now()
		store := connectiontest.NewStore(
			connection.Connection{ID: "live"},
			connection.Connection{ID: "expired", ExpiresAt: now},
			connection.Connection{ID: "older than any socket", ConnectedAt: now.Add(-connection.MaxAge)},
		)
		broken := errors.New("table is broken")
		store.Fail("broken", broken)
		m := connection.NewManager(store, &connectiontest.Sender{}, connection.Options{})
		for id, active := range map[string]bool{"live": true, "expired": false, "older than any socket": false, "unknown": false} {
			got, err := m.IsActive(t.Context(), id)
			if got != active || err != nil {
				t.Errorf("%s: got %v and error %v, want %v", id, got, err, active)
			}
		}
		_, err := m.IsActive(t.Context(), "broken")
		wantErr(t, "broken", err, broken)
	})
}

func TestTypeOfAnError(t *testing.T) {
	for err, wanted := range map[error]connection.ErrorType{
		nil:                      "",
		connection.ErrGone:       connection.TypeGone,
		connection.ErrForbidden:  connection.TypeForbidden,
		connection.ErrInvalid:    connection.TypeInvalid,
		connection.ErrTooLarge:   connection.TypeTooLarge,
		connection.ErrThrottled:  connection.TypeThrottled,
		connection.ErrShutdown:   connection.TypeShutdown,
		context.Canceled:         connection.TypeDeadline,
		context.DeadlineExceeded: connection.TypeDeadline,
		errServer:                connection.TypeFailed,
		fmt.Errorf("%w after %w", connection.ErrThrottled, errServer): connection.TypeThrottled,
		connection.ErrCircuitOpen:                                     connection.TypeCircuitOpen,
	} {
		want(t, fmt.Sprint(err), connection.TypeOf(err), wanted)
	}
}

func TestABroadcastErrorSummarisesAndUnwrapsToEveryCause(t *testing.T) {
	err := error(&connection.BroadcastError{Total: 10, Failed: []connection.Failure{
		{ID: "c1", Err: fmt.Errorf("post: %w", connection.ErrGone)},
		{ID: "c2", Err: connection.ErrThrottled},
	}})
	want(t, "text", err.Error(), "broadcast did not reach 2 of 10 connections, first c1: post: connection gone")
	wantErr(t, "first cause", err, connection.ErrGone)
	wantErr(t, "second cause", err, connection.ErrThrottled)
	want(t, "no cause", errors.Is(err, connection.ErrForbidden), false)
}

func TestAMessageIsHashedOnceForAll(t *testing.T) {
	data := []byte("hello")
	m := connection.NewMessage(data)
	sum := sha256.Sum256(data)
	var readers sync.WaitGroup
	for range 8 {
		readers.Go(func() { want(t, "hash", m.SHA256(), hex.EncodeToString(sum[:])) })
	}
	readers.Wait()
	allocs := testing.AllocsPerRun(10, func() { m.SHA256() })
	want(t, "allocations of a second look", allocs, 0)
	want(t, "data", string(m.Data()), "hello")
}

func TestAllPostsOfABroadcastShareOneMessage(t *testing.T) {
	bubble(t, func(t *testing.T) {
		var mu sync.Mutex
		seen := make(map[*connection.Message]bool)
		m := newManager(connectiontest.SenderFunc(func(_ context.Context, _ string, msg *connection.Message) error {
			mu.Lock()
			defer mu.Unlock()
			seen[msg] = true
			return nil
		}), connection.Options{})
		_ = m.Broadcast(t.Context(), names(100), []byte("hello"))
		want(t, "messages", len(seen), 1)
	})
}

func TestABroadcastAllocatesNothingPerSend(t *testing.T) {
	m := newManager(instant, connection.Options{})
	allocs := func(n int) float64 {
		return testing.AllocsPerRun(5, func() { _, _ = m.BroadcastSeq(t.Context(), repeated("c1", n), nil, nil) })
	}
	few, many := allocs(1000), allocs(101_000)
	// Parking and waking goroutines may allocate in the runtime now and then.
	if perSend := (many - few) / 100_000; perSend > 0.01 {
		t.Errorf("%.3f allocations per send (%v for 1,000, %v for 101,000)", perSend, few, many)
	}
}

// The Manager must not know how posts and rows are made: no AWS SDK, nothing of
// the service around it, and no more dependencies than its two tools.
func TestImports(t *testing.T) {
	allowed := []string{"github.com/sony/gobreaker/v2", "github.com/HdrHistogram/hdrhistogram-go"}
	files, err := filepath.Glob("*.go")
	if err != nil || len(files) == 0 {
		t.Fatalf("found %d files: %v", len(files), err)
	}
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.ImportsOnly)
		if err != nil {
			t.Fatal(err)
		}
		for _, spec := range file.Imports {
			path := strings.Trim(spec.Path.Value, `"`)
			standard := !strings.Contains(path, ".") && !strings.HasPrefix(path, "fanfare/")
			if !standard && !slices.Contains(allowed, path) {
				t.Errorf("%s imports %s", name, path)
			}
		}
	}
}
