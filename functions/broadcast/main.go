// Broadcast is the function behind the broadcast queue: it finds an audience's
// connections, sends to a small one itself and splits a large one into units
// for the delivery queue. It is the third station of a message's path.
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
	exitOn := function.ExitOn("broadcast")
	stop := function.ExpectStop()
	cfg, err := fanfare.Broadcast(os.LookupEnv)
	exitOn(err)
	logger := telemetry.NewLogger(os.Stdout, cfg.LogLevel, "broadcast")
	aws, err := awsconfig.FromEnvironment(os.LookupEnv)
	exitOn(err)
	gw, err := gateway.New(gateway.Options{
		Endpoint: cfg.WebSocketEndpoint, Region: aws.Region, Credentials: aws.Credentials,
	})
	exitOn(err)

	table := store.NewDynamoDB(dynamodb.NewFromConfig(aws), cfg.TableName, store.Options{})
	queues := sqs.NewFromConfig(aws)
	manager := connection.NewManager(table, broadcast.Timed(gw), connection.Options{Adaptive: true, Rate: cfg.PostRate, Logger: logger})
	metrics := telemetry.NewMetrics(os.Stdout, lambdacontext.FunctionName)
	h := &handler{
		batch: queue.NewBatch(queues, cfg.BroadcastQueueURL, logger),
		splitter: &broadcast.Splitter{
			Audience: table, Ledger: table, Claims: table,
			Units:     queue.NewPublisher(queues, cfg.DeliveryQueueURL),
			Deliverer: &broadcast.Deliverer{Send: broadcast.ByManager(manager), Ledger: table, Now: time.Now},
			Retirer:   retirer{socket: gw, store: table, now: time.Now},
			Now:       time.Now,
			Direct:    broadcast.NewAllowance(cfg.DirectRate, time.Now),
		},
		log:    logger,
		report: metrics.Reporter(manager, logger),
	}
	stop.Finish(manager, logger)
	lambda.Start(h.handle)
}
