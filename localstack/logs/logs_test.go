package logs_test

import (
	"errors"
	"net/http/httptest"
	"testing"
	"time"

	sdk "github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs/types"
	"github.com/aws/smithy-go"

	"github.com/aws/aws-sdk-go-v2/credentials"

	"fanfare/localstack/clock"
	"fanfare/localstack/logs"
)

// cloud is the service behind a real HTTP server, with the real SDK in front.
type cloud struct {
	*logs.Service
	t      *testing.T
	clock  *clock.Clock
	client *sdk.Client
}

func newCloud(t *testing.T, o logs.Options) *cloud {
	t.Helper()
	c := &cloud{t: t, clock: clock.New()}
	o.Clock = c.clock
	c.Service = logs.New(o)
	server := httptest.NewServer(c.Service)
	t.Cleanup(server.Close)
	c.client = sdk.New(sdk.Options{
		Region: "us-east-1", BaseEndpoint: &server.URL, RetryMaxAttempts: 1,
		Credentials: credentials.NewStaticCredentialsProvider("test", "test", ""),
	})
	return c
}

func (c *cloud) group(name string) {
	c.t.Helper()
	if _, err := c.client.CreateLogGroup(c.t.Context(), &sdk.CreateLogGroupInput{LogGroupName: &name}); err != nil {
		c.t.Fatal(err)
	}
}

// write puts messages into group g, stream s, one second apart, the last one now.
func (c *cloud) write(stream string, messages ...string) {
	now := c.clock.Now()
	for i, m := range messages {
		at := now.Add(time.Duration(i-len(messages)+1) * time.Second)
		c.Put("g", stream, logs.Event{Time: at, Message: m})
	}
}

func texts(events []logs.Event) (out []string) {
	for _, e := range events {
		out = append(out, e.Message)
	}
	return out
}

func isNotFound(err error) bool {
	_, ok := errors.AsType[*types.ResourceNotFoundException](err)
	return ok
}

func expectInvalid(t *testing.T, what string, err error) {
	t.Helper()
	var e smithy.APIError
	if !errors.As(err, &e) || e.ErrorCode() != "InvalidParameterException" {
		t.Errorf("%s: error = %v, want InvalidParameterException", what, err)
	}
}
