// Package logs is the Amazon CloudWatch Logs of the local cloud: log groups as
// Terraform manages them, and the operations that people use to read, such as
// `aws logs tail`. It speaks JSON 1.1.
//
// On a message's path it stands beside: what the functions print ends here. The
// emulator passes their output on through Put, whoever wants to know reads it
// through HTTP or Events:
//
//	groups := logs.New(logs.Options{Clock: c})
//	mux.Handle("/", groups) // CreateLogGroup, FilterLogEvents, …
//	groups.Put("/aws/lambda/message", "2026/01/02/[$LATEST]4f", logs.Event{Message: "START"})
//	for _, e := range groups.Events("/aws/lambda/message") { fmt.Println(e.Message) }
//
// It does not promise to keep everything: each group holds a bounded number of
// events and bytes, the oldest go first, and a snapshot holds none. There are
// no metric filters, subscriptions, Insights queries or JSON filter patterns.
// All regions share one set of groups, because a function's output comes
// without a region; ARNs name the region of whoever asks.
package logs

import (
	"log/slog"
	"net/http"
	"sync"

	"fanfare/localstack/awsproto"
	"fanfare/localstack/clock"
)

const (
	defaultMaxEvents = 10_000
	defaultMaxBytes  = 64 << 20
)

// Options configures a Service. The zero value works.
type Options struct {
	Clock  *clock.Clock // nil: a clock of its own that shows real time
	Logger *slog.Logger // nil: logs nothing

	// MaxEventsPerGroup bounds the events that one group keeps; 0 means 10,000.
	MaxEventsPerGroup int
	// MaxBytesPerGroup bounds the bytes of their messages; 0 means 64 MiB.
	MaxBytesPerGroup int
}

// Service is the CloudWatch Logs of one local cloud. It is safe for concurrent
// use.
type Service struct {
	clock               *clock.Clock
	log                 *slog.Logger
	maxEvents, maxBytes int
	api                 awsproto.JSON

	mu     sync.Mutex
	groups map[string]*group
}

// New returns a service without log groups.
func New(o Options) *Service {
	s := &Service{
		clock: o.Clock, log: o.Logger, groups: map[string]*group{},
		maxEvents: o.MaxEventsPerGroup, maxBytes: o.MaxBytesPerGroup,
	}
	if s.clock == nil {
		s.clock = clock.New()
	}
	if s.log == nil {
		s.log = slog.New(slog.DiscardHandler)
	}
	if s.maxEvents <= 0 {
		s.maxEvents = defaultMaxEvents
	}
	if s.maxBytes <= 0 {
		s.maxBytes = defaultMaxBytes
	}
	s.api = awsproto.JSON{Target: "Logs_20140328", Version: "1.1", Operations: s.operations()}
	return s
}

func (s *Service) operations() map[string]awsproto.JSONOperation {
	return map[string]awsproto.JSONOperation{
		"CreateLogGroup":        awsproto.JSONOp(s.createLogGroup),
		"DeleteLogGroup":        awsproto.JSONOp(s.deleteLogGroup),
		"DescribeLogGroups":     awsproto.JSONOp(s.describeLogGroups),
		"PutRetentionPolicy":    awsproto.JSONOp(s.putRetentionPolicy),
		"DeleteRetentionPolicy": awsproto.JSONOp(s.deleteRetentionPolicy),
		"AssociateKmsKey":       awsproto.JSONOp(s.associateKMSKey),
		"DisassociateKmsKey":    awsproto.JSONOp(s.disassociateKMSKey),
		"ListTagsForResource":   awsproto.JSONOp(s.listTagsForResource),
		"TagResource":           awsproto.JSONOp(s.tagResource),
		"UntagResource":         awsproto.JSONOp(s.untagResource),
		"CreateLogStream":       awsproto.JSONOp(s.createLogStream),
		"DeleteLogStream":       awsproto.JSONOp(s.deleteLogStream),
		"DescribeLogStreams":    awsproto.JSONOp(s.describeLogStreams),
		"PutLogEvents":          awsproto.JSONOp(s.putLogEvents),
		"GetLogEvents":          awsproto.JSONOp(s.getLogEvents),
		"FilterLogEvents":       awsproto.JSONOp(s.filterLogEvents),
	}
}

// ServeHTTP answers one CloudWatch Logs request in AWS JSON 1.1.
func (s *Service) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.api.ServeHTTP(w, r) }

// Close frees the events. The service holds nothing else that would need it.
func (s *Service) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, g := range s.groups {
		g.events, g.bytes = nil, 0
	}
	return nil
}
