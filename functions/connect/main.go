// Connect is the function behind $connect: it verifies the client's token,
// writes the connection's rows and lets API Gateway open the socket. It is the
// first station of a message's path.
package main

import (
	"context"
	"os"
	"time"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-lambda-go/lambdacontext"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"fanfare/shared/auth"
	"fanfare/shared/awsconfig"
	fanfare "fanfare/shared/config"
	"fanfare/shared/function"
	"fanfare/shared/store"
	"fanfare/shared/telemetry"
)

func main() {
	exitOn := function.ExitOn("connect")
	ctx := context.Background()
	cfg, err := fanfare.Connect(os.LookupEnv)
	exitOn(err)
	logger := telemetry.NewLogger(os.Stdout, cfg.LogLevel, "connect")
	metrics := telemetry.NewMetrics(os.Stdout, lambdacontext.FunctionName)
	tokens := auth.ConfigOf(cfg.JWT)
	tokens.Logger, tokens.OnStaleKeys = logger, metrics.KeysNotFetched
	verifier, err := auth.NewVerifier(ctx, tokens)
	exitOn(err)
	aws, err := awsconfig.FromEnvironment(os.LookupEnv)
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
