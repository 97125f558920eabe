// Package backend stands for a back end that publishes through Fanfare.
package backend

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/coder/websocket"

	"fanfare/localstack/emulator"
	"fanfare/scripts/stack"
)

var fanfare *stack.Stack

func TestMain(m *testing.M) {
	var err error
	fanfare, err = stack.Up(context.Background(), stack.Options{Root: "../../fanfare", Dir: ".local/backend", Out: os.Stderr})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	code := m.Run()
	fanfare.Close(context.Background())
	os.Exit(code)
}

func TestAnnHearsOfHerOrder(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	ann, _, err := websocket.Dial(ctx, fanfare.Outputs.WebSocketURL, &websocket.DialOptions{
		HTTPHeader: http.Header{"Authorization": {"Bearer " + fanfare.Token("ann", "acme")}},
	})
	if err != nil {
		t.Fatal(err)
	}
	defer ann.CloseNow()

	cloud := fanfare.Cloud.(*emulator.Emulator) // with its Clock, Faults and Requests
	if err := ship(ctx, sqs.NewFromConfig(cloud.Config()), fanfare.Outputs.BroadcastQueueURL); err != nil {
		t.Fatal(err)
	}
	_, frame, err := ann.Read(ctx)
	var got struct{ Data string }
	if err != nil || json.Unmarshal(frame, &got) != nil || got.Data != "shipped" {
		t.Errorf("Ann got %s, error %v", frame, err)
	}
}

// ship is the back end's own code.
func ship(ctx context.Context, api *sqs.Client, queueURL string) error {
	_, err := api.SendMessage(ctx, &sqs.SendMessageInput{
		QueueUrl: &queueURL, MessageGroupId: aws.String("acme"),
		MessageBody: aws.String(`{"tenant":"acme","to":{"user":"ann"},"data":"shipped"}`),
	})
	return err
}
