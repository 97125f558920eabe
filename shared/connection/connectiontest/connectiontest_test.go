package connectiontest_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"fanfare/shared/connection"
	"fanfare/shared/connection/connectiontest"
)

var msg = connection.NewMessage([]byte("hello"))

func TestSenderAnswersByScriptThenAlwaysThenSuccess(t *testing.T) {
	sender := &connectiontest.Sender{}
	sender.Script("c1", connection.ErrThrottled, nil)
	sender.Always("c1", connection.ErrGone)
	for i, wanted := range []error{connection.ErrThrottled, nil, connection.ErrGone, connection.ErrGone} {
		if err := sender.Post(t.Context(), "c1", msg); !errors.Is(err, wanted) {
			t.Errorf("post %d: got %v, want %v", i, err, wanted)
		}
	}
	if err := sender.Post(t.Context(), "c2", msg); err != nil {
		t.Errorf("a connection nobody spoke of: %v", err)
	}
	if n := sender.PostsTo("c1"); n != 4 {
		t.Errorf("%d posts, want 4", n)
	}
	if last := sender.Posts()[4]; last.ID != "c2" || last.Payload != "hello" || last.Err != nil {
		t.Errorf("last post is %+v", last)
	}
}

func TestSenderTakesItsTimeButNoLongerThanTheContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sender := &connectiontest.Sender{Latency: time.Second}
		sender.Slow("c2", time.Minute)
		start := time.Now()
		var posts sync.WaitGroup
		posts.Go(func() { _ = sender.Post(t.Context(), "c1", msg) })
		posts.Go(func() {
			ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
			defer cancel()
			if err := sender.Post(ctx, "c2", msg); !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("got %v, want the context's error", err)
			}
		})
		posts.Wait()
		if took := time.Since(start); took != 2*time.Second || sender.Peak() != 2 {
			t.Errorf("took %v with %d at a time, want 2s and 2", took, sender.Peak())
		}
	})
}

func TestStoreRemovesOnlyWhatIsOldEnough(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		now := time.Now()
		store := connectiontest.NewStore(
			connection.Connection{ID: "old"},
			connection.Connection{ID: "young", ConnectedAt: now},
		)
		store.Fail("failing", errors.New("broken"))
		before := now.Add(-connection.OpeningGrace)
		for _, tt := range []struct {
			id     string
			wanted error
		}{{"old", nil}, {"old", connection.ErrNotFound}, {"young", connection.ErrTooYoung}} {
			if err := store.RemoveGone(t.Context(), tt.id, before); !errors.Is(err, tt.wanted) {
				t.Errorf("%s: got %v, want %v", tt.id, err, tt.wanted)
			}
		}
		if err := store.RemoveGone(t.Context(), "failing", before); err == nil {
			t.Error("a failure that was asked for did not come")
		}
		if removed := store.Removed(); len(removed) != 1 || len(store.Removals()) != 4 {
			t.Errorf("removed %v of %v", removed, store.Removals())
		}
	})
}

func TestStoreReturnsCopies(t *testing.T) {
	store := connectiontest.NewStore(connection.Connection{ID: "c1", Channels: []string{"orders"}})
	first, _ := store.Get(t.Context(), "c1")
	first.Channels[0] = "changed"
	second, err := store.Get(t.Context(), "c1")
	if err != nil || second.Channels[0] != "orders" {
		t.Errorf("got %v, %v: a caller changed the stored row", second.Channels, err)
	}
}

func Example() {
	sender := &connectiontest.Sender{}
	sender.Always("c2", connection.ErrGone)
	store := connectiontest.NewStore(connection.Connection{ID: "c1"}, connection.Connection{ID: "c2"})
	manager := connection.NewManager(store, sender, connection.Options{})

	fmt.Println(manager.Send(context.Background(), "c1", []byte("hello")))
	fmt.Println(manager.Send(context.Background(), "c2", []byte("hello")))
	fmt.Println("posts to c1:", sender.PostsTo("c1"), "removed:", store.Removed())
	// Output:
	// <nil>
	// connection gone
	// posts to c1: 1 removed: [c2]
}
