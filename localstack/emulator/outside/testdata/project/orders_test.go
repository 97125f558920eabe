// Package orders stands for a project outside of this repository, whose tests
// use the local cloud.
package orders

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"fanfare/localstack/emulator"
)

func TestOrders(t *testing.T) {
	cloud := emulator.Start(t)
	queues := sqs.NewFromConfig(cloud.Config())
	if _, err := queues.CreateQueue(t.Context(), &sqs.CreateQueueInput{QueueName: aws.String("orders")}); err != nil {
		t.Fatal(err)
	}
}

func TestGreet(t *testing.T) {
	cloud := emulator.Start(t)
	role, err := iam.NewFromConfig(cloud.Config()).CreateRole(t.Context(), &iam.CreateRoleInput{
		RoleName:                 aws.String("greet"),
		AssumeRolePolicyDocument: aws.String(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"lambda.amazonaws.com"},"Action":"sts:AssumeRole"}]}`),
	})
	if err != nil {
		t.Fatal(err)
	}
	functions := lambda.NewFromConfig(cloud.Config())
	if _, err := functions.CreateFunction(t.Context(), &lambda.CreateFunctionInput{
		FunctionName: aws.String("greet"), Role: role.Role.Arn, Handler: aws.String("bootstrap"),
		Runtime: types.RuntimeProvidedal2023, Code: &types.FunctionCode{ZipFile: emulator.Build(t, "./cmd/greet")},
	}); err != nil {
		t.Fatal(err)
	}
	out, err := functions.Invoke(t.Context(), &lambda.InvokeInput{FunctionName: aws.String("greet"), Payload: []byte(`"Ann"`)})
	if err != nil || string(out.Payload) != `"Hello, Ann"` {
		t.Errorf("greeted with %+v, error %v", out, err)
	}
}
