// Bare is a function that does nothing: what of a cold start is Go's and
// aws-lambda-go's own. With FINISH set it registers for SIGTERM, as the
// functions do that send.
package main

import (
	"context"
	"encoding/json"
	"os"

	"github.com/aws/aws-lambda-go/lambda"
)

func main() {
	var options []lambda.Option
	if os.Getenv("FINISH") != "" {
		options = append(options, lambda.WithEnableSIGTERM())
	}
	lambda.StartWithOptions(func(context.Context, json.RawMessage) error { return nil }, options...)
}
