package emulator_test

import (
	"context"
	"fmt"
	"log"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"fanfare/localstack/emulator"
)

// Without a test, or in TestMain for all of them: New, Start and Close.
func Example() {
	ctx := context.Background()
	cloud, err := emulator.New(emulator.Options{Addr: "127.0.0.1:0"})
	if err != nil {
		log.Fatal(err)
	}
	defer func() { _ = cloud.Close(ctx) }()
	if err := cloud.Start(); err != nil {
		log.Panic(err)
	}
	queues := sqs.NewFromConfig(cloud.Config())
	_, err = queues.CreateQueue(ctx, &sqs.CreateQueueInput{QueueName: aws.String("orders")})
	fmt.Println("created:", err == nil)
	// Output: created: true
}
