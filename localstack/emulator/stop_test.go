package emulator_test

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"fanfare/localstack/emulator"
	"fanfare/localstack/faults"
)

// Each of these requests would have held Close up until its time was over, or
// for ever.
func TestStoppingDoesNotWaitForOpenRequests(t *testing.T) {
	for name, open := range map[string]func(*world){
		"a long poll": func(w *world) {
			queues := sqs.NewFromConfig(w.config(), func(o *sqs.Options) { o.Retryer = aws.NopRetryer{} })
			queue := must(queues.CreateQueue(w.t.Context(), &sqs.CreateQueueInput{QueueName: aws.String("q")})).QueueUrl
			w.underWay(faults.Rule{Service: "sqs", Operation: "ReceiveMessage", Fault: faults.Fault{Latency: time.Millisecond}}, func() {
				// A caller that saw it cut off would try again at a cloud that has gone.
				if _, err := queues.ReceiveMessage(context.Background(), &sqs.ReceiveMessageInput{QueueUrl: queue, WaitTimeSeconds: 20}); err != nil && !strings.Contains(err.Error(), "a fault's latency") {
					w.t.Errorf("the long poll ended with %v", err)
				}
			})
		},
		"a fault's latency": func(w *world) {
			tables := dynamodb.NewFromConfig(w.config(), func(o *dynamodb.Options) { o.Retryer = aws.NopRetryer{} })
			w.underWay(faults.Rule{Service: "dynamodb", Fault: faults.Fault{Latency: time.Hour}}, func() {
				if _, err := tables.ListTables(context.Background(), &dynamodb.ListTablesInput{}); err == nil || !strings.Contains(err.Error(), "a fault's latency") {
					w.t.Errorf("the call ended with %v", err)
				}
			})
		},
		"a body that never comes": func(w *world) {
			conn := must(net.Dial("tcp", w.cloud.Addr()))
			w.t.Cleanup(func() { _ = conn.Close() })
			// The server answers 100 when it begins to read the body.
			fmt.Fprintf(conn, "POST / HTTP/1.1\r\nHost: localhost\r\nX-Amz-Target: AmazonSQS.ListQueues\r\nContent-Length: 10\r\nExpect: 100-continue\r\n\r\n")
			if line := must(bufio.NewReader(conn).ReadString('\n')); !strings.Contains(line, "100 Continue") {
				w.t.Fatal(line)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := start(t, emulator.Options{})
			open(w)
			ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
			defer cancel()
			begin := time.Now()
			if err := w.cloud.Close(ctx); err != nil {
				t.Error(err)
			}
			if took := time.Since(begin); took > 5*time.Second {
				t.Errorf("it took %v", took)
			}
		})
	}
}

// underWay returns once the cloud has got the call, which the rule is for.
func (w *world) underWay(rule faults.Rule, call func()) {
	must(w.cloud.Faults().Add(rule))
	done := make(chan struct{})
	go func() {
		defer close(done)
		call()
	}()
	w.t.Cleanup(func() { <-done })
	eventually(w.t, func() string {
		if w.cloud.Faults().List()[0].Matched == 0 {
			return "the call did not reach the cloud"
		}
		return ""
	})
}

func TestTheLogHasTheCloudsTime(t *testing.T) {
	w := start(t, emulator.Options{})
	w.cloud.Clock().Advance(400 * 24 * time.Hour)
	must(http.Get(w.cloud.URL() + "/nothing"))
	line, year := w.log.String(), w.cloud.Clock().Now().Format("time=2006-01-02")
	if !strings.Contains(line, year) || !strings.Contains(line, "not in the local cloud") {
		t.Errorf("want %s: %s", year, line)
	}
}
