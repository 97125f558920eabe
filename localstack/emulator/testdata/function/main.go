// Function is a Lambda for the emulator's tests: it answers WebSocket events
// and fails the SQS messages that ask for it.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
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

// passOn sends body to a queue, as any function does: with the SDK and what it
// finds in the environment.
func passOn(ctx context.Context, queueURL, body string) error {
	cfg, err := config.LoadDefaultConfig(ctx)
	if err != nil {
		return err
	}
	_, err = sqs.NewFromConfig(cfg).SendMessage(ctx, &sqs.SendMessageInput{QueueUrl: &queueURL, MessageBody: &body})
	return err
}

func main() {
	lambda.Start(func(ctx context.Context, raw json.RawMessage) (response, error) {
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
				if r.Body == "wait" {
					time.Sleep(300 * time.Millisecond)
				}
				if queue, ok := strings.CutPrefix(r.Body, "pass on to "); ok {
					if err := passOn(ctx, queue, r.Body); err != nil {
						return response{}, err
					}
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
		case "hang":
			select {} // the runtime's own goroutines keep it from a deadlock
		case "callback":
			return response{StatusCode: 200, Body: os.Getenv("CALLBACK")}, nil
		case "fail":
			return response{}, fmt.Errorf("as asked")
		default:
			return response{StatusCode: 200, Body: "echo " + e.Body}, nil
		}
	})
}
