package connection_test

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"testing"
	"testing/synctest"
	"time"

	"fanfare/shared/connection"
	"fanfare/shared/connection/connectiontest"
)

var errServer = errors.New("500 internal server error")

// bubble runs the test in virtual time: a second of sleep takes none, and a
// goroutine that outlives the test fails it.
func bubble(t *testing.T, test func(t *testing.T)) {
	t.Helper()
	synctest.Test(t, test)
}

// names returns n connection ids.
func names(n int) []string {
	ids := make([]string, n)
	for i := range ids {
		ids[i] = fmt.Sprintf("c%05d", i)
	}
	return ids
}

// repeated yields one id n times, without a list.
func repeated(id string, n int) iter.Seq[string] {
	return func(yield func(string) bool) {
		for range n {
			if !yield(id) {
				return
			}
		}
	}
}

// failures returns what a broadcast reports, by id.
func failures(t *testing.T, err error) map[string]error {
	t.Helper()
	byID := make(map[string]error)
	if err == nil {
		return byID
	}
	var report *connection.BroadcastError
	if !errors.As(err, &report) {
		t.Fatalf("broadcast returned %v, want a *BroadcastError", err)
	}
	for _, f := range report.Failed {
		if byID[f.ID] != nil {
			t.Errorf("%s is reported twice", f.ID)
		}
		byID[f.ID] = f.Err
	}
	return byID
}

func wantErr(t *testing.T, what string, got, want error) {
	t.Helper()
	if !errors.Is(got, want) {
		t.Errorf("%s: got error %v, want %v", what, got, want)
	}
}

func want[T comparable](t *testing.T, what string, got, want T) {
	t.Helper()
	if got != want {
		t.Errorf("%s: got %v, want %v", what, got, want)
	}
}

// eachWay runs a test for a single send and for a broadcast of one, which must
// behave the same.
func eachWay(t *testing.T, test func(t *testing.T, send func(m *connection.Manager, ctx context.Context, id string) error)) {
	t.Run("Send", func(t *testing.T) {
		bubble(t, func(t *testing.T) {
			test(t, func(m *connection.Manager, ctx context.Context, id string) error {
				return m.Send(ctx, id, []byte("hello"))
			})
		})
	})
	t.Run("Broadcast", func(t *testing.T) {
		bubble(t, func(t *testing.T) {
			test(t, func(m *connection.Manager, ctx context.Context, id string) error {
				return failures(t, m.Broadcast(ctx, []string{id}, []byte("hello")))[id]
			})
		})
	})
}

// elapsed returns how much virtual time f takes.
func elapsed(f func()) time.Duration {
	start := time.Now()
	f()
	return time.Since(start)
}

func newManager(sender connection.Sender, o connection.Options) *connection.Manager {
	return connection.NewManager(connectiontest.NewStore(), sender, o)
}
