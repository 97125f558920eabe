// Disconnect is the function behind $disconnect: it removes a closed
// connection's rows. It is the last station of a connection's life.
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

	fanfare "fanfare/shared/config"
	"fanfare/shared/store"
	"fanfare/shared/telemetry"
)

func main() {
	cfg, err := fanfare.Disconnect(os.LookupEnv)
	exitOn(err)
	aws, err := config.LoadDefaultConfig(context.Background())
	exitOn(err)

	h := &handler{
		metrics: telemetry.NewMetrics(os.Stdout, lambdacontext.FunctionName),
		store:   store.NewDynamoDB(dynamodb.NewFromConfig(aws), cfg.TableName, store.Options{}),
		log:     telemetry.NewLogger(os.Stdout, cfg.LogLevel, "disconnect"),
		now:     time.Now,
	}
	lambda.Start(h.handle)
}

// exitOn ends the function at its start with one line that says why.
func exitOn(err error) {
	if err != nil {
		log.Fatal("disconnect: ", err)
	}
}
