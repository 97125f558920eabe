// Disconnect is the function behind $disconnect: it removes a closed
// connection's rows. It is the last station of a connection's life.
package main

import (
	"os"
	"time"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-lambda-go/lambdacontext"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"fanfare/shared/awsconfig"
	fanfare "fanfare/shared/config"
	"fanfare/shared/function"
	"fanfare/shared/store"
	"fanfare/shared/telemetry"
)

func main() {
	exitOn := function.ExitOn("disconnect")
	cfg, err := fanfare.Disconnect(os.LookupEnv)
	exitOn(err)
	aws, err := awsconfig.FromEnvironment(os.LookupEnv)
	exitOn(err)

	h := &handler{
		metrics: telemetry.NewMetrics(os.Stdout, lambdacontext.FunctionName),
		store:   store.NewDynamoDB(dynamodb.NewFromConfig(aws), cfg.TableName, store.Options{}),
		log:     telemetry.NewLogger(os.Stdout, cfg.LogLevel, "disconnect"),
		now:     time.Now,
	}
	lambda.Start(h.handle)
}
