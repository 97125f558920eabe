package sqs_test

import (
	"context"
	"fmt"
	"net/http/httptest"
	"strings"
	"time"

	"fanfare/localstack/clock"
	"fanfare/localstack/sqs"
)

// A message that is received but not deleted comes back when its visibility
// timeout has passed by the cloud's clock.
func Example() {
	cloud := clock.New()
	queues := sqs.New(sqs.Options{Clock: cloud})
	create := httptest.NewRequest("POST", "/", strings.NewReader(`{"QueueName":"broadcasts"}`))
	create.Header.Set("X-Amz-Target", "AmazonSQS.CreateQueue")
	queues.ServeHTTP(httptest.NewRecorder(), create)

	ctx := context.Background()
	arn := "arn:aws:sqs:us-east-1:000000000000:broadcasts"
	if _, err := queues.Send(ctx, arn, "hello"); err != nil {
		fmt.Println(err)
	}
	for range 2 {
		messages, err := queues.Receive(ctx, arn, 10, 0)
		if err != nil {
			fmt.Println(err)
		}
		for _, m := range messages {
			fmt.Println(m.Body, "received", m.Attributes["ApproximateReceiveCount"])
		}
		cloud.Advance(30 * time.Second)
	}
	// Output:
	// hello received 1
	// hello received 2
}
