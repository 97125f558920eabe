package logs_test

import (
	"fmt"

	"fanfare/localstack/logs"
)

// A function's output goes in by Put and can be read at once.
func Example() {
	groups := logs.New(logs.Options{MaxEventsPerGroup: 2})
	for _, line := range []string{"START", "hello", "END"} {
		groups.Put("/aws/lambda/message", "2026/01/02/[$LATEST]4f", logs.Event{Message: line})
	}
	for _, e := range groups.Events("/aws/lambda/message") {
		fmt.Println(e.Message)
	}
	// Output:
	// hello
	// END
}
