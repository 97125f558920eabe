// Message is the function behind every route of an open socket: it answers
// pings, subscribes, renews sessions, and puts broadcasts on their queue. It is
// the second station of a message's path.
package main

import (
	"context"
	"crypto/rand"
	"os"
	"time"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-lambda-go/lambdacontext"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"fanfare/shared/auth"
	"fanfare/shared/awsconfig"
	"fanfare/shared/broadcast"
	fanfare "fanfare/shared/config"
	"fanfare/shared/function"
	"fanfare/shared/gateway"
	"fanfare/shared/queue"
	"fanfare/shared/store"
	"fanfare/shared/telemetry"
)

func main() {
	exitOn := function.ExitOn("message")
	ctx := context.Background()
	cfg, err := fanfare.Message(os.LookupEnv)
	exitOn(err)
	logger := telemetry.NewLogger(os.Stdout, cfg.LogLevel, "message")
	tokens := auth.ConfigOf(cfg.JWT)
	tokens.Logger, tokens.OnStaleKeys = logger, telemetry.NewMetrics(os.Stdout, lambdacontext.FunctionName).KeysNotFetched
	verifier, err := auth.NewVerifier(ctx, tokens)
	exitOn(err)
	aws, err := awsconfig.FromEnvironment(os.LookupEnv)
	exitOn(err)
	gw, err := gateway.New(gateway.Options{
		Endpoint: cfg.WebSocketEndpoint, Region: aws.Region, Credentials: aws.Credentials,
	})
	exitOn(err)

	table := store.NewDynamoDB(dynamodb.NewFromConfig(aws), cfg.TableName, store.Options{})
	h := &handler{
		store: table, claims: table, verifier: verifier, socket: gw,
		limiter: &broadcast.Limiter{
			Counters: table, PerConnection: cfg.ConnectionLimit, PerTenant: cfg.TenantLimit, Now: time.Now,
		},
		queue: queue.NewPublisher(sqs.NewFromConfig(aws), cfg.BroadcastQueueURL),
		ttl:   cfg.ConnectionTTL,
		log:   logger,
		now:   time.Now,
		newID: rand.Text,
	}
	lambda.Start(h.handle)
}
