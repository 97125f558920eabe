// Greet is a function of the project outside.
package main

import (
	"context"

	"github.com/aws/aws-lambda-go/lambda"
)

func main() {
	lambda.Start(func(_ context.Context, name string) (string, error) { return "Hello, " + name, nil })
}
