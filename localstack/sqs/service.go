// Package sqs is the Amazon SQS of the local cloud: standard queues with
// visibility timeouts, delays, long polling, dead-letter queues and fair
// queueing, spoken to by the real SDKs and by Terraform over JSON 1.0, and by old
// SDKs in the Query protocol.
//
// On a message's path it stands twice between Lambdas: the broadcast queue
// takes what clients and back ends publish, the delivery queue takes the units
// that the broadcast function cuts out of it. The emulator's event source
// mapping polls it through the Go API below, everybody else through HTTP:
//
//	queues := sqs.New(sqs.Options{Clock: c, BaseURL: func() string { return "http://localhost:4566" }})
//	mux.Handle("/", queues) // CreateQueue, SendMessage, ReceiveMessage, …
//	messages, err := queues.Receive(ctx, queueARN, 10, 20*time.Second)
//	err = queues.Delete(queueARN, messages[0].ReceiptHandle)
//
// All waiting follows the cloud's clock: Advance(30*time.Second) makes a message
// visible again and ends a long poll.
//
// It does not promise what AWS blurs: a message is never delivered twice
// without reason and counts are exact, where SQS says "at least once" and
// "approximate". There are no FIFO queues (refused), no encryption (keys are
// stored and echoed), and queue policies are stored here but evaluated by the
// emulator, for callers that are sessions of roles.
// Everything lives in memory; Snapshot is the only persistence.
package sqs

import (
	"context"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"time"

	"fanfare/localstack/awsproto"
	"fanfare/localstack/clock"
	"fanfare/localstack/faults"
)

const defaultBaseURL = "http://localhost:4566"

// Options configures a Service. The zero value works.
type Options struct {
	Clock  *clock.Clock // nil: a clock of its own that shows real time
	Logger *slog.Logger // nil: logs nothing

	// BaseURL returns where clients reach the service, without a trailing
	// slash; it is asked for each queue URL that goes out. nil means
	// http://localhost:4566. What comes in may name any host: only the path,
	// /<account>/<name>, counts.
	BaseURL func() string

	// StrictCooldowns refuses, as AWS does, to create a queue within 60 s of the
	// deletion of one with the same name, and to purge a queue twice within 60 s.
	// Off by default, because locally it only makes the next apply wait.
	StrictCooldowns bool

	// Faults makes calls go wrong: a Delay of operation SendMessage holds for
	// each message that is sent, alone or in a batch; Latency and Status of
	// ReceiveMessage hold for the method Receive. The resource is the queue's
	// name. Errors of HTTP requests are not decided here. nil means none.
	Faults *faults.Set
}

// Service is the SQS of one local cloud: all its queues in all regions. It is
// safe for concurrent use, and work on one queue does not wait for another.
type Service struct {
	clock           *clock.Clock
	log             *slog.Logger
	baseURL         func() string
	strictCooldowns bool
	faults          *faults.Set
	json            awsproto.JSON
	query           awsproto.Query

	// mu guards the registry. Whoever touches a message holds it for reading
	// meanwhile, so that a holder of the write lock (Snapshot, DeleteQueue) sees
	// no message on its way between two queues. Nobody waits while holding it.
	mu      sync.RWMutex
	queues  map[queueKey]*queue
	deleted map[queueKey]time.Time // names in their cooldown
	closed  bool
}

// New returns a service without queues.
func New(o Options) *Service {
	s := &Service{
		clock: o.Clock, log: o.Logger, baseURL: o.BaseURL, strictCooldowns: o.StrictCooldowns, faults: o.Faults,
		queues: map[queueKey]*queue{}, deleted: map[queueKey]time.Time{},
	}
	if s.clock == nil {
		s.clock = clock.New()
	}
	if s.log == nil {
		s.log = slog.New(slog.DiscardHandler)
	}
	if s.baseURL == nil {
		s.baseURL = func() string { return defaultBaseURL }
	}
	s.json = awsproto.JSON{
		Target: "AmazonSQS", Version: "1.0", ErrorNamespace: "com.amazonaws.sqs#",
		Operations: s.operations(),
	}
	s.query = queryAPI(s.json.Operations)
	return s
}

func (s *Service) operations() map[string]awsproto.JSONOperation {
	return map[string]awsproto.JSONOperation{
		"CreateQueue":                  awsproto.JSONOp(s.createQueue),
		"DeleteQueue":                  awsproto.JSONOp(s.deleteQueue),
		"GetQueueUrl":                  awsproto.JSONOp(s.getQueueURL),
		"ListQueues":                   awsproto.JSONOp(s.listQueues),
		"ListDeadLetterSourceQueues":   awsproto.JSONOp(s.listDeadLetterSourceQueues),
		"GetQueueAttributes":           awsproto.JSONOp(s.getQueueAttributes),
		"SetQueueAttributes":           awsproto.JSONOp(s.setQueueAttributes),
		"PurgeQueue":                   awsproto.JSONOp(s.purgeQueue),
		"TagQueue":                     awsproto.JSONOp(s.tagQueue),
		"UntagQueue":                   awsproto.JSONOp(s.untagQueue),
		"ListQueueTags":                awsproto.JSONOp(s.listQueueTags),
		"SendMessage":                  awsproto.JSONOp(s.sendMessage),
		"SendMessageBatch":             awsproto.JSONOp(s.sendMessageBatch),
		"ReceiveMessage":               awsproto.JSONOp(s.receiveMessage),
		"DeleteMessage":                awsproto.JSONOp(s.deleteMessage),
		"DeleteMessageBatch":           awsproto.JSONOp(s.deleteMessageBatch),
		"ChangeMessageVisibility":      awsproto.JSONOp(s.changeMessageVisibility),
		"ChangeMessageVisibilityBatch": awsproto.JSONOp(s.changeMessageVisibilityBatch),
		"StartMessageMoveTask":         awsproto.JSONOp(s.startMessageMoveTask),
		"ListMessageMoveTasks":         awsproto.JSONOp(s.listMessageMoveTasks),
	}
}

// ServeHTTP answers one SQS request, in AWS JSON 1.0 or in the older Query
// protocol. The context carries the
// request's awsproto.Call; without one the region is awsproto.DefaultRegion.
func (s *Service) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if trace := r.Header.Get("X-Amzn-Trace-Id"); trace != "" {
		r = r.WithContext(context.WithValue(r.Context(), traceKey{}, trace))
	}
	if isQuery(r) {
		s.query.ServeHTTP(w, withQueueURL(r))
		return
	}
	s.json.ServeHTTP(w, r)
}

// traceKey carries the X-Amzn-Trace-Id of a request: SQS passes it on with all
// its messages as AWSTraceHeader, except with those that set their own. So a trace
// crosses a queue, and so does Lambda's count of recursions.
// https://docs.aws.amazon.com/xray/latest/devguide/xray-services-sqs.html
type traceKey struct{}

func traceFrom(ctx context.Context) string {
	trace, _ := ctx.Value(traceKey{}).(string)
	return trace
}

// Close makes the service refuse all work with ErrClosed, and ends long polls
// with it. It may be called twice.
func (s *Service) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
	for _, q := range s.queues {
		q.wake()
	}
	return nil
}

// url returns the address of a queue as clients get it.
func (s *Service) url(k queueKey) string {
	return strings.TrimSuffix(s.baseURL(), "/") + "/" + awsproto.AccountID + "/" + k.name
}
