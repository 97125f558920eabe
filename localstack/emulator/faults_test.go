package emulator_test

import (
	"errors"
	"net/http"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/service/apigatewayv2"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	dynamodbtypes "github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	lambdatypes "github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/smithy-go"

	"fanfare/localstack/emulator"
	"fanfare/localstack/faults"
)

// calls is one call of each service with its real SDK.
func calls(t *testing.T, config aws.Config) map[string]func() error {
	ctx := t.Context()
	return map[string]func() error{
		"dynamodb": func() error {
			_, err := dynamodb.NewFromConfig(config).ListTables(ctx, &dynamodb.ListTablesInput{})
			return err
		},
		"sqs": func() error {
			_, err := sqs.NewFromConfig(config).ListQueues(ctx, &sqs.ListQueuesInput{})
			return err
		},
		"lambda": func() error {
			_, err := lambda.NewFromConfig(config).ListFunctions(ctx, &lambda.ListFunctionsInput{})
			return err
		},
		"apigateway": func() error {
			_, err := apigatewayv2.NewFromConfig(config).GetApis(ctx, &apigatewayv2.GetApisInput{})
			return err
		},
		"iam": func() error {
			_, err := iam.NewFromConfig(config).ListRoles(ctx, &iam.ListRolesInput{})
			return err
		},
		"sts": func() error {
			_, err := sts.NewFromConfig(config).GetCallerIdentity(ctx, &sts.GetCallerIdentityInput{})
			return err
		},
		"logs": func() error {
			_, err := cloudwatchlogs.NewFromConfig(config).DescribeLogGroups(ctx, &cloudwatchlogs.DescribeLogGroupsInput{})
			return err
		},
	}
}

// noDelay keeps the SDKs' own rules about what is tried again, without the wait.
func noDelay() aws.Retryer {
	return retry.NewStandard(func(o *retry.StandardOptions) {
		o.Backoff = retry.BackoffDelayerFunc(func(int, error) (time.Duration, error) { return 0, nil })
	})
}

func TestEverySDKTriesAgainAfterAThrottle(t *testing.T) {
	w := start(t, emulator.Options{})
	config := w.config()
	config.Retryer = noDelay
	for service, call := range calls(t, config) {
		t.Run(service, func(t *testing.T) {
			must(w.cloud.Faults().Add(faults.Rule{ID: service, Service: service, Count: 2, Fault: faults.Fault{Throttle: true}}))
			if err := call(); err != nil {
				t.Errorf("after two throttles: %v", err)
			}
			for _, s := range w.cloud.Faults().List() {
				if s.ID == service && (s.Matched != 3 || s.Faulted != 2) {
					t.Errorf("asked %d times, throttled %d; want 3 and 2", s.Matched, s.Faulted)
				}
			}
		})
	}
}

func TestEverySDKReadsTheErrorOfARule(t *testing.T) {
	w := start(t, emulator.Options{})
	config := w.config()
	config.Retryer = func() aws.Retryer { return aws.NopRetryer{} }
	must(w.cloud.Faults().Add(faults.Rule{Fault: faults.Fault{Status: 418, Code: "OwnException", Message: "as ordered"}}))
	for service, call := range calls(t, config) {
		t.Run(service, func(t *testing.T) {
			err := call()
			api, ok := errors.AsType[smithy.APIError](err)
			if !ok || api.ErrorCode() != "OwnException" || api.ErrorMessage() != "as ordered" {
				t.Errorf("error %v", err)
			}
			status, ok := errors.AsType[interface {
				error
				HTTPStatusCode() int
			}](err)
			if !ok || status.HTTPStatusCode() != http.StatusTeapot {
				t.Errorf("error %v, want HTTP 418", err)
			}
		})
	}
}

func TestAThrottleIsTheServicesOwnError(t *testing.T) {
	w := start(t, emulator.Options{})
	config := w.config()
	config.Retryer = func() aws.Retryer { return aws.NopRetryer{} }
	must(w.cloud.Faults().Add(faults.Rule{Fault: faults.Fault{Throttle: true}}))
	all := calls(t, config)
	if _, ok := errors.AsType[*dynamodbtypes.ProvisionedThroughputExceededException](func() error {
		_, err := dynamodb.NewFromConfig(config).GetItem(t.Context(), &dynamodb.GetItemInput{
			TableName: aws.String("t"), Key: map[string]dynamodbtypes.AttributeValue{"pk": &dynamodbtypes.AttributeValueMemberS{Value: "x"}},
		})
		return err
	}()); !ok {
		t.Error("dynamodb: not its own exception [BOTO:dynamodb]")
	}
	err := all["lambda"]()
	if e, ok := errors.AsType[*lambdatypes.TooManyRequestsException](err); !ok || e.Reason != lambdatypes.ThrottleReasonCallerRateLimitExceeded {
		t.Errorf("lambda: %v [BOTO:lambda]", err)
	}
}

func TestARuleStrikesOnlyTheResourceThatItNames(t *testing.T) {
	w := start(t, emulator.Options{})
	config := w.config()
	config.Retryer = func() aws.Retryer { return aws.NopRetryer{} }
	queues := sqs.NewFromConfig(config)
	urls := map[string]*string{}
	for _, name := range []string{"work", "other"} {
		urls[name] = must(queues.CreateQueue(t.Context(), &sqs.CreateQueueInput{QueueName: &name})).QueueUrl
	}
	must(w.cloud.Faults().Add(faults.Rule{Service: "sqs", Operation: "SendMessage", Resource: "wo*", Fault: faults.Fault{Status: 500}}))
	for name, fails := range map[string]bool{"work": true, "other": false} {
		_, err := queues.SendMessage(t.Context(), &sqs.SendMessageInput{QueueUrl: urls[name], MessageBody: aws.String("x")})
		if (err != nil) != fails {
			t.Errorf("%s: error %v", name, err)
		}
	}
}
