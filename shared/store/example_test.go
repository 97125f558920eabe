package store_test

import (
	"context"
	"errors"
	"fmt"
	"time"

	"fanfare/shared/broadcast"
	"fanfare/shared/connection"
	"fanfare/shared/protocol"
	"fanfare/shared/store"
)

// A client connects, subscribes, is found by a broadcast, and leaves.
func ExampleMemory() {
	ctx := context.Background()
	table := store.NewMemory(store.Options{})
	now := time.Now()
	err := table.Put(ctx, connection.Connection{
		ID: "R1kmxc2VNjMCFIA=", Tenant: "acme", User: "u1",
		ConnectedAt: now, ExpiresAt: now.Add(time.Hour),
	})
	fmt.Println("put:", err)
	fmt.Println("subscribed:", table.Subscribe(ctx, "R1kmxc2VNjMCFIA=", "orders"))

	page, err := table.Members(ctx, "acme", protocol.Audience{Channel: "orders"}, "", 500)
	fmt.Println("members:", page.IDs, err)

	gone, err := table.Remove(ctx, "R1kmxc2VNjMCFIA=")
	fmt.Println("removed:", gone.User, gone.Channels, err)
	_, err = table.Get(ctx, "R1kmxc2VNjMCFIA=")
	fmt.Println(errors.Is(err, connection.ErrNotFound), err)
	// Output:
	// put: <nil>
	// subscribed: <nil>
	// members: [R1kmxc2VNjMCFIA=] <nil>
	// removed: u1 [orders] <nil>
	// true get connection "R1kmxc2VNjMCFIA=": connection not found
}

// Pages go on where the last ended.
func ExampleMemory_Members() {
	ctx := context.Background()
	table := store.NewMemory(store.Options{})
	now := time.Now()
	for _, id := range []string{"c1", "c2", "c3", "c4", "c5"} {
		c := connection.Connection{ID: id, Tenant: "acme", User: "u1", ConnectedAt: now, ExpiresAt: now.Add(time.Hour)}
		if err := table.Put(ctx, c); err != nil {
			fmt.Println(err)
		}
	}
	for cursor := ""; ; {
		page, err := table.Members(ctx, "acme", protocol.Audience{User: "u1"}, cursor, 2)
		fmt.Println(page.IDs, err)
		if cursor = page.Next; cursor == "" {
			break
		}
	}
	// Output:
	// [c1 c2] <nil>
	// [c3 c4] <nil>
	// [c5] <nil>
}

// Two workers that were handed the same broadcast cannot both go on with it.
func ExampleMemory_Advance() {
	ctx := context.Background()
	table := store.NewMemory(store.Options{})
	receipt, err := table.Claim(ctx, broadcast.Receipt{MessageID: "m1", Tenant: "acme", To: protocol.Audience{Tenant: true}})
	fmt.Println(receipt.Progress, err)

	next := broadcast.Progress{Cursor: "0/c9", Units: 1}
	fmt.Println(table.Advance(ctx, "m1", receipt.Progress, next))
	fmt.Println(table.Advance(ctx, "m1", receipt.Progress, next))
	// Output:
	// { 0 false false} <nil>
	// <nil>
	// advance broadcast "m1": broadcast cursor has moved
}
