package connection_test

import (
	"context"
	"errors"
	"fmt"
	"time"

	"fanfare/shared/connection"
	"fanfare/shared/connection/connectiontest"
)

func Example() {
	ctx := context.Background()
	sender := &connectiontest.Sender{}
	sender.Always("closed-tab", connection.ErrGone)
	sender.Script("busy-phone", connection.ErrThrottled, nil) // succeeds when tried again
	store := connectiontest.NewStore(connection.Connection{ID: "closed-tab"})

	manager := connection.NewManager(store, sender, connection.Options{BaseBackoff: time.Millisecond})
	err := manager.Broadcast(ctx, []string{"browser", "closed-tab", "busy-phone"}, []byte(`{"type":"message"}`))

	var report *connection.BroadcastError
	if errors.As(err, &report) {
		for _, f := range report.Failed {
			fmt.Println("not delivered:", f.ID, connection.TypeOf(f.Err))
		}
	}
	metrics := manager.Metrics()
	fmt.Println("delivered:", metrics.Delivered, "posts:", metrics.Posts, "rows removed:", store.Removed())
	fmt.Println("shutdown:", manager.Shutdown(ctx))
	fmt.Println("afterwards:", manager.Send(ctx, "browser", nil))
	// Output:
	// not delivered: closed-tab gone
	// delivered: 2 posts: 4 rows removed: [closed-tab]
	// shutdown: <nil>
	// afterwards: connection manager is shut down
}

func ExampleManager_BroadcastSeq() {
	manager := connection.NewManager(connectiontest.NewStore(), &connectiontest.Sender{}, connection.Options{})

	// A sequence that reads pages from a table needs no list of all ids.
	audience := func(yield func(string) bool) {
		for page := range 3 {
			for row := range 100 {
				if !yield(fmt.Sprintf("page%d-row%d", page, row)) {
					return
				}
			}
		}
	}
	counts, err := manager.BroadcastSeq(context.Background(), audience, []byte("hello"), nil)
	fmt.Printf("%+v %v\n", counts, err)
	// Output: {Delivered:300 Gone:0 Failed:0 Unsent:0} <nil>
}

func ExampleManager_Flush() {
	sender := &connectiontest.Sender{}
	manager := connection.NewManager(connectiontest.NewStore(), sender, connection.Options{})
	_ = manager.Send(context.Background(), "c1", []byte("hello"))

	interval := manager.Flush() // at the end of every invocation
	for array := range interval.ValueArrays() {
		fmt.Println("record with", len(array), "value, which occurred", array[0].Count, "time")
	}
	fmt.Println("delivered since the last flush:", manager.Flush().Delivered)
	// Output:
	// record with 1 value, which occurred 1 time
	// delivered since the last flush: 0
}
