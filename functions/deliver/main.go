// Deliver is the function behind the delivery queue: it posts one unit of a
// broadcast to its connections and records what became of it. It is the fourth
// station of a message's path.
package main

import (
	"os"
	"time"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-lambda-go/lambdacontext"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"fanfare/shared/awsconfig"
	"fanfare/shared/broadcast"
	fanfare "fanfare/shared/config"
	"fanfare/shared/connection"
	"fanfare/shared/function"
	"fanfare/shared/gateway"
	"fanfare/shared/queue"
	"fanfare/shared/store"
	"fanfare/shared/telemetry"
)

func main() {
	exitOn := function.ExitOn("deliver")
	stop := function.ExpectStop()
	cfg, err := fanfare.Deliver(os.LookupEnv)
	exitOn(err)
	logger := telemetry.NewLogger(os.Stdout, cfg.LogLevel, "deliver")
	aws, err := awsconfig.FromEnvironment(os.LookupEnv)
	exitOn(err)
	gw, err := gateway.New(gateway.Options{
		Endpoint: cfg.WebSocketEndpoint, Region: aws.Region, Credentials: aws.Credentials,
	})
	exitOn(err)

	table := store.NewDynamoDB(dynamodb.NewFromConfig(aws), cfg.TableName, store.Options{})
	manager := connection.NewManager(table, broadcast.Timed(gw), connection.Options{
		Adaptive: true, Rate: cfg.PostRate, BurstPeriod: broadcast.CatchUp, Logger: logger,
	})
	metrics := telemetry.NewMetrics(os.Stdout, lambdacontext.FunctionName)
	h := &handler{
		batch:     queue.NewBatch(sqs.NewFromConfig(aws), cfg.DeliveryQueueURL, logger),
		deliverer: &broadcast.Deliverer{Send: broadcast.ByManager(manager), Ledger: table, Now: time.Now},
		log:       logger,
		report:    metrics.Reporter(manager, logger),
	}
	stop.Finish(manager, logger)
	lambda.Start(h.handle)
}
