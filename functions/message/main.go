// Message is the function behind every route of an open socket: it answers
// pings, subscribes, renews sessions, and puts broadcasts on their queue. It is
// the second station of a message's path.
package main

import (
	"context"
	"crypto/rand"
	"log"
	"os"
	"time"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-lambda-go/lambdacontext"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"fanfare/shared/auth"
	"fanfare/shared/broadcast"
	fanfare "fanfare/shared/config"
	"fanfare/shared/gateway"
	"fanfare/shared/queue"
	"fanfare/shared/store"
	"fanfare/shared/telemetry"
)

func main() {
	ctx := context.Background()
	cfg, err := fanfare.Message(os.LookupEnv)
	exitOn(err)
	logger := telemetry.NewLogger(os.Stdout, cfg.LogLevel, "message")
	cfg.JWT.Logger, cfg.JWT.OnStaleKeys = logger, telemetry.NewMetrics(os.Stdout, lambdacontext.FunctionName).KeysNotFetched
	verifier, err := auth.NewVerifier(ctx, cfg.JWT)
	exitOn(err)
	aws, err := config.LoadDefaultConfig(ctx)
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

// exitOn ends the function at its start with one line that says why.
func exitOn(err error) {
	if err != nil {
		log.Fatal("message: ", err)
	}
}
