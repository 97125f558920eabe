package sqs_test

import (
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/credentials"
	sdk "github.com/aws/aws-sdk-go-v2/service/sqs"

	"fanfare/localstack/awsproto"
	"fanfare/localstack/clock"
	"fanfare/localstack/sqs"
)

// cloud is the service behind a real HTTP server, with the real SDK in front.
type cloud struct {
	*sqs.Service
	t      *testing.T
	clock  *clock.Clock
	client *sdk.Client
	url    string
}

func newCloud(t *testing.T, change ...func(*sqs.Options)) *cloud {
	t.Helper()
	c := &cloud{t: t, clock: clock.New()}
	o := sqs.Options{Clock: c.clock, BaseURL: func() string { return c.url }}
	for _, f := range change {
		f(&o)
	}
	c.Service = sqs.New(o)
	server := httptest.NewServer(c.Service)
	t.Cleanup(server.Close)
	t.Cleanup(func() { c.Close() }) // before the server, which waits for its requests
	c.url = server.URL
	c.client = sdk.New(sdk.Options{
		Region: "us-east-1", BaseEndpoint: &c.url, RetryMaxAttempts: 1,
		Credentials: credentials.NewStaticCredentialsProvider("test", "test", ""),
	})
	return c
}

// queue creates one; attributes come as name, value pairs.
func (c *cloud) queue(name string, attributes ...string) (url, arn string) {
	c.t.Helper()
	in := &sdk.CreateQueueInput{QueueName: &name, Attributes: map[string]string{}}
	for i := 0; i < len(attributes); i += 2 {
		in.Attributes[attributes[i]] = attributes[i+1]
	}
	out, err := c.client.CreateQueue(c.t.Context(), in)
	if err != nil {
		c.t.Fatalf("CreateQueue(%s): %v", name, err)
	}
	return *out.QueueUrl, "arn:aws:sqs:us-east-1:000000000000:" + name
}

func (c *cloud) send(arn string, bodies ...string) {
	c.t.Helper()
	for _, body := range bodies {
		if _, err := c.Send(c.t.Context(), arn, body); err != nil {
			c.t.Fatalf("Send(%q): %v", body, err)
		}
	}
}

// receive takes what is there now, at most 100.
func (c *cloud) receive(arn string) []sqs.Message {
	c.t.Helper()
	got, err := c.Receive(c.t.Context(), arn, 100, 0)
	if err != nil {
		c.t.Fatalf("Receive: %v", err)
	}
	return got
}

// expect receives and holds the bodies to want.
func (c *cloud) expect(when, arn string, want ...string) []sqs.Message {
	c.t.Helper()
	got := c.receive(arn)
	var bodies []string
	for _, m := range got {
		bodies = append(bodies, m.Body)
	}
	if strings.Join(bodies, ",") != strings.Join(want, ",") {
		c.t.Errorf("%s: received %q, want %q", when, bodies, want)
	}
	return got
}

func (c *cloud) attributes(url string) map[string]string {
	c.t.Helper()
	out, err := c.client.GetQueueAttributes(c.t.Context(), &sdk.GetQueueAttributesInput{
		QueueUrl: &url, AttributeNames: allAttributes,
	})
	if err != nil {
		c.t.Fatalf("GetQueueAttributes: %v", err)
	}
	return out.Attributes
}

// counts returns ready/in flight/delayed as GetQueueAttributes shows them.
func (c *cloud) counts(url string) string {
	c.t.Helper()
	a := c.attributes(url)
	return a["ApproximateNumberOfMessages"] + "/" + a["ApproximateNumberOfMessagesNotVisible"] + "/" +
		a["ApproximateNumberOfMessagesDelayed"]
}

func (c *cloud) expectCounts(when, url, want string) {
	c.t.Helper()
	if got := c.counts(url); got != want {
		c.t.Errorf("%s: ready/in flight/delayed = %s, want %s", when, got, want)
	}
}

// call does one operation in a region, which the front door reads from the
// signature; here an awsproto.Call stands in for it.
func (c *cloud) call(t *testing.T, region, operation, body string) *httptest.ResponseRecorder {
	t.Helper()
	w := httptest.NewRecorder()
	r := httptest.NewRequest("POST", "/", strings.NewReader(body))
	r.Header.Set("X-Amz-Target", "AmazonSQS."+operation)
	c.ServeHTTP(w, r.WithContext(awsproto.WithCall(r.Context(), &awsproto.Call{Region: region})))
	return w
}

// expectCode holds err to an AWS error code, old or new.
func expectCode(t *testing.T, err error, want string) {
	t.Helper()
	e, ok := asAPIError(err)
	if !ok {
		t.Errorf("error = %v, want the AWS error %s", err, want)
		return
	}
	if e.ErrorCode() != want {
		t.Errorf("error code = %s (%s), want %s", e.ErrorCode(), e.ErrorMessage(), want)
	}
}

func seconds(n int) time.Duration { return time.Duration(n) * time.Second }

func policy(dead string, max string) string {
	return `{"deadLetterTargetArn":"` + dead + `","maxReceiveCount":` + max + `}`
}
