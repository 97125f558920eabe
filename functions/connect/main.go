// Connect is the function behind $connect: it verifies the client's token,
// writes the connection's rows and lets API Gateway open the socket. It is the
// first station of a message's path.
package main

import (
	"context"
	"log"
	"os"
	"time"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-lambda-go/lambdacontext"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"fanfare/shared/auth"
	fanfare "fanfare/shared/config"
	"fanfare/shared/store"
	"fanfare/shared/telemetry"
)

func main() {
	ctx := context.Background()
	cfg, err := fanfare.Connect(os.LookupEnv)
	exitOn(err)
	logger := telemetry.NewLogger(os.Stdout, cfg.LogLevel, "connect")
	metrics := telemetry.NewMetrics(os.Stdout, lambdacontext.FunctionName)
	cfg.JWT.Logger, cfg.JWT.OnStaleKeys = logger, metrics.KeysNotFetched
	verifier, err := auth.NewVerifier(ctx, cfg.JWT)
	exitOn(err)
	aws, err := config.LoadDefaultConfig(ctx)
	exitOn(err)

	h := &handler{
		verifier: verifier,
		store:    store.NewDynamoDB(dynamodb.NewFromConfig(aws), cfg.TableName, store.Options{}),
		ttl:      cfg.ConnectionTTL,
		metrics:  metrics,
		log:      logger,
		now:      time.Now,
	}
	lambda.Start(h.handle)
}

// exitOn ends the function at its start with one line that says why.
func exitOn(err error) {
	if err != nil {
		log.Fatal("connect: ", err)
	}
}
