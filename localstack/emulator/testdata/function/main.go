// Function is a Lambda for the emulator's tests: it answers WebSocket events
// and fails the SQS messages that ask for it.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"

	"github.com/aws/aws-lambda-go/lambda"
)

type event struct {
	RequestContext struct {
		RouteKey     string `json:"routeKey"`
		ConnectionID string `json:"connectionId"`
	} `json:"requestContext"`
	Query   map[string]string `json:"queryStringParameters"`
	Body    string            `json:"body"`
	Records []struct {
		MessageID string `json:"messageId"`
		Body      string `json:"body"`
	} `json:"Records"`
}

type response struct {
	StatusCode        int                 `json:"statusCode,omitempty"`
	Body              string              `json:"body,omitempty"`
	BatchItemFailures []map[string]string `json:"batchItemFailures,omitempty"`
}

func main() {
	lambda.Start(func(_ context.Context, raw json.RawMessage) (response, error) {
		var e event
		if err := json.Unmarshal(raw, &e); err != nil {
			return response{}, err
		}
		fmt.Println("handled", e.RequestContext.RouteKey, len(e.Records))
		if e.Records != nil {
			var failed []map[string]string
			for _, r := range e.Records {
				if r.Body == "fail" {
					failed = append(failed, map[string]string{"itemIdentifier": r.MessageID})
				}
			}
			return response{BatchItemFailures: failed}, nil
		}
		switch e.RequestContext.RouteKey {
		case "$connect":
			if e.Query["refuse"] != "" {
				return response{StatusCode: 418, Body: "refused"}, nil
			}
			return response{StatusCode: 200}, nil
		case "environment":
			return response{StatusCode: 200, Body: os.Getenv("AWS_ENDPOINT_URL") + " " + os.Getenv("HOME")}, nil
		case "fail":
			return response{}, fmt.Errorf("as asked")
		default:
			return response{StatusCode: 200, Body: "echo " + e.Body}, nil
		}
	})
}
