// Deliver is the function behind the delivery queue: it posts one unit of a
// broadcast to its connections and records what became of it. It is the fourth
// station of a message's path.
package main

import (
	"context"
	"log"
	"log/slog"
	"os"
	"time"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-lambda-go/lambdacontext"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"fanfare/shared/broadcast"
	fanfare "fanfare/shared/config"
	"fanfare/shared/connection"
	"fanfare/shared/gateway"
	"fanfare/shared/queue"
	"fanfare/shared/store"
	"fanfare/shared/telemetry"
)

func main() {
	cfg, err := fanfare.Deliver(os.LookupEnv)
	exitOn(err)
	logger := telemetry.NewLogger(os.Stdout, cfg.LogLevel, "deliver")
	aws, err := config.LoadDefaultConfig(context.Background())
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
		metrics:   func() error { return metrics.Deliveries(manager) },
	}
	lambda.StartWithOptions(h.handle, lambda.WithEnableSIGTERM(func() { shutDown(manager, logger) }))
}

// shutDown lets posts in flight finish in the half second that Lambda grants
// between SIGTERM and SIGKILL. What is cut off is delivered again by the queue.
func shutDown(m *connection.Manager, log *slog.Logger) {
	ctx, cancel := context.WithTimeout(context.Background(), 400*time.Millisecond)
	defer cancel()
	if err := m.Shutdown(ctx); err != nil {
		log.Warn("stopped in the middle of a delivery", "error", err)
	}
}

// exitOn ends the function at its start with one line that says why.
func exitOn(err error) {
	if err != nil {
		log.Fatal("deliver: ", err)
	}
}
