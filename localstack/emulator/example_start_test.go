package emulator_test

import (
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"fanfare/localstack/emulator"
)

// In a test, t is its *testing.T; here, for want of one, something like it.
func ExampleStart() {
	t, end := exampleT()
	defer end()

	cloud := emulator.Start(t)
	queues := sqs.NewFromConfig(cloud.Config())
	queue, err := queues.CreateQueue(t.Context(), &sqs.CreateQueueInput{QueueName: aws.String("orders")})
	if err != nil {
		t.Fatalf("create the queue: %v", err)
	}
	fmt.Println((*queue.QueueUrl)[len(cloud.URL()):])
	// Output: /000000000000/orders
}
