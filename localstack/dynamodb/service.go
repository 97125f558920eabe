// Package dynamodb is the local cloud's DynamoDB: tables in memory, with the
// data plane that applications use and the control plane that Terraform's AWS
// provider uses.
//
// On a message's path it is the connections table: the functions reach it
// through their AWS SDK, over JSON 1.0 with the target DynamoDB_20120810.
//
//	db := dynamodb.New(dynamodb.Options{Clock: c})
//	defer db.Close()
//	http.ListenAndServe("localhost:8000", db)
//
// It is meant to refuse whatever AWS refuses, in AWS's words: reserved words,
// unused aliases, types that do not fit, items over 400 KB. Numbers are exact to 38
// digits, and ConsumedCapacity follows AWS's arithmetic.
//
// Not promised: throttling (provisioned throughput is stored, not enforced),
// replication delay (every read is consistent, eventual ones only cost half),
// durability (see Snapshot). Refused with a sentence: streams, local secondary
// indexes, global tables, the legacy parameters that expressions have replaced.
// Unknown to it: backups on demand, imports, exports, PartiQL.
package dynamodb

import (
	"cmp"
	"log/slog"
	"net/http"
	"sync/atomic"
	"time"

	"fanfare/localstack/awsproto"
	"fanfare/localstack/clock"
)

// DefaultTTLDelay is how long an item outlives its time to live unless
// Options says otherwise. AWS takes up to a few days.
const DefaultTTLDelay = time.Minute

// Options configures a Service. The zero value works.
type Options struct {
	Clock  *clock.Clock // nil: a clock of its own
	Logger *slog.Logger // nil: no log

	// TTLDelay is how long after its time to live an item is deleted, on the
	// cloud's clock; 0 means DefaultTTLDelay. Until then reads return it, as in
	// AWS. A negative delay means at once, which hides that readers of a real
	// table have to skip expired items.
	TTLDelay time.Duration
}

// Service is DynamoDB for all regions of the one account. It is safe for
// concurrent use.
type Service struct {
	api      awsproto.JSON
	clock    *clock.Clock
	log      *slog.Logger
	ttlDelay time.Duration
	tables   tables
	tokens   tokens
	closed   atomic.Bool
}

// New returns a service without tables. Close it when done.
func New(o Options) *Service {
	s := &Service{
		clock:    o.Clock,
		log:      o.Logger,
		ttlDelay: max(0, cmp.Or(o.TTLDelay, DefaultTTLDelay)),
		tables:   tables{byID: map[tableID]*table{}},
		tokens:   tokens{done: map[string]doneTransaction{}},
	}
	if s.clock == nil {
		s.clock = clock.New()
	}
	if s.log == nil {
		s.log = slog.New(slog.DiscardHandler)
	}
	s.api = awsproto.JSON{
		Target:         "DynamoDB_20120810",
		Version:        "1.0",
		ErrorNamespace: errorNamespace,
		Operations:     s.operations(),
	}
	return s
}

func (s *Service) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.api.ServeHTTP(w, r) }

// Close stops the deletion of expired items. Requests are still answered.
func (s *Service) Close() {
	s.closed.Store(true)
	for _, t := range s.tables.sorted() {
		t.mu.Lock()
		t.ttl.stop()
		t.ttl.arm = nil
		t.mu.Unlock()
	}
}
