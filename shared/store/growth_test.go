package store_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"fanfare/shared/connection"
	"fanfare/shared/protocol"
	"fanfare/shared/store"
	"fanfare/shared/store/storetest"
)

// testGrowth checks that rows written with fewer shards are found, and removed,
// by a store that has more. open opens the same table with other options.
func testGrowth(t *testing.T, open func(store.Options) storetest.Store) {
	before := open(store.Options{TenantShards: 1, ChannelShards: 1})
	after := open(store.Options{TenantShards: 4, ChannelShards: 3})
	ctx, now := t.Context(), time.Now()
	var ids []string
	for i := range 40 {
		id, table := fmt.Sprintf("c%02d", i), before
		if i >= 20 {
			table = after
		}
		ids = append(ids, id)
		c := connection.Connection{ID: id, Tenant: "acme", User: "u1", ConnectedAt: now, ExpiresAt: now.Add(time.Hour)}
		if err := table.Put(ctx, c); err != nil {
			t.Fatal(err)
		}
		if err := table.Subscribe(ctx, id, "orders"); err != nil {
			t.Fatal(err)
		}
		// Again by the store with more shards: it must not become a member twice.
		if err := after.Subscribe(ctx, id, "orders"); err != nil {
			t.Fatal(err)
		}
	}
	audiences := []protocol.Audience{{Tenant: true}, {Channel: "orders"}}
	for _, to := range audiences {
		if got := memberIDs(t, after, to); !slices.Equal(got, ids) {
			t.Errorf("%+v after growth: %q, want %q", to, got, ids)
		}
	}
	for i, id := range ids {
		err := after.Unsubscribe(ctx, id, "orders")
		if i%2 == 0 {
			_, err = after.Remove(ctx, id)
			ids[i] = ""
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	ids = slices.DeleteFunc(ids, func(id string) bool { return id == "" })
	if got := memberIDs(t, after, audiences[0]); !slices.Equal(got, ids) {
		t.Errorf("tenant after removal: %q, want %q", got, ids)
	}
	if got := memberIDs(t, after, audiences[1]); len(got) > 0 {
		t.Errorf("channel after all have left: %q", got)
	}
}

func memberIDs(t *testing.T, s storetest.Store, to protocol.Audience) []string {
	t.Helper()
	page, err := s.Members(t.Context(), "acme", to, "", 1000)
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(page.IDs)
	return page.IDs
}
