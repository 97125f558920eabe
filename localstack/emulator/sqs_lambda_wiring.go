package emulator

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"sync"
	"time"

	"fanfare/localstack/lambda"
	"fanfare/localstack/sqs"
)

// defaultSourceConcurrency bounds a mapping that sets no maximum. AWS adds
// pollers up to 1,000 invokes; a laptop has had enough long before.
const defaultSourceConcurrency = 50

// longPoll is how long a poller waits for messages at a time.
const longPoll = 20 * time.Second

// afterTrouble is how long a poller rests when the queue or the function
// cannot be reached, as AWS's pollers back off.
const afterTrouble = time.Second

// eventSources runs a poller for each enabled event source mapping: it takes
// batches from the queue, invokes the function, and deletes what succeeded
// ("Using Lambda with Amazon SQS").
type eventSources struct {
	cloud  *Emulator
	mu     sync.Mutex
	byUUID map[string]*poller
	ended  bool
}

func newEventSources(e *Emulator) *eventSources {
	return &eventSources{cloud: e, byUUID: map[string]*poller{}}
}

// changed starts, replaces or stops a mapping's poller.
func (s *eventSources) changed(m lambda.Mapping) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if p, ok := s.byUUID[m.UUID]; ok {
		p.cancel()
		delete(s.byUUID, m.UUID)
	}
	if m.State != lambda.MappingEnabled || s.ended {
		return
	}
	ctx, cancel := context.WithCancel(context.Background())
	limit := m.MaximumConcurrency
	if limit == 0 {
		limit = defaultSourceConcurrency
	}
	p := &poller{
		cloud: s.cloud, mapping: m, cancel: cancel, slots: make(chan struct{}, limit),
		log: s.cloud.log.With("queue", m.QueueARN, "function", m.FunctionARN),
	}
	s.byUUID[m.UUID] = p
	p.work.Go(func() { p.run(ctx) })
}

// recheck ends the waits of all pollers: what their roles may do has changed.
func (s *eventSources) recheck() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, p := range s.byUUID {
		p.interrupt()
	}
}

// close stops all pollers and waits for their invokes, or for ctx.
func (s *eventSources) close(ctx context.Context) {
	s.mu.Lock()
	s.ended = true
	pollers := s.byUUID
	s.byUUID = map[string]*poller{}
	s.mu.Unlock()
	done := make(chan struct{})
	go func() {
		for _, p := range pollers {
			p.cancel()
			p.work.Wait()
		}
		close(done)
	}()
	select {
	case <-done:
	case <-ctx.Done():
	}
}

// poller serves one mapping.
type poller struct {
	cloud   *Emulator
	mapping lambda.Mapping
	cancel  context.CancelFunc
	slots   chan struct{} // one for each invoke that may be under way
	work    sync.WaitGroup
	log     *slog.Logger

	mu      sync.Mutex
	polling context.CancelFunc // ends the wait for messages; nil before the first
}

// run takes a batch only when it may invoke, so that no message waits
// invisibly. When ctx ends it takes no more; invokes under way finish.
func (p *poller) run(ctx context.Context) {
	var read outage
	for {
		select {
		case p.slots <- struct{}{}:
		case <-ctx.Done():
			return
		}
		batch, err := p.poll(ctx)
		if len(batch) == 0 {
			<-p.slots
			if err != nil && !errors.Is(err, context.Canceled) {
				if read.failed() {
					p.log.Warn("event source cannot read its queue", "error", err)
				}
				_ = p.cloud.clock.Sleep(ctx, afterTrouble) // ended: the loop sees it
			}
			if ctx.Err() != nil {
				return
			}
			if err == nil {
				read.over()
			}
			continue
		}
		read.over()
		p.work.Go(func() {
			defer func() { <-p.slots }()
			p.deliver(batch)
		})
	}
}

// poll waits for a batch, if the function's role may read the queue. interrupt
// ends the wait.
func (p *poller) poll(ctx context.Context) ([]sqs.Message, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	p.mu.Lock()
	p.polling = cancel // before the permissions are looked at, so that no change of them is missed
	p.mu.Unlock()
	f, _ := p.cloud.lambda.Function(p.mapping.FunctionARN)
	if p.cloud.authority.cannotReceive(f.Role, f.Name, p.mapping.QueueARN) != "" {
		return nil, p.cloud.clock.Sleep(ctx, afterTrouble)
	}
	return p.batch(ctx)
}

// interrupt has the poller look at its permissions again.
func (p *poller) interrupt() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.polling != nil {
		p.polling()
	}
}

// batch receives up to BatchSize messages, waiting up to BatchWindow after the
// first for more.
func (p *poller) batch(ctx context.Context) ([]sqs.Message, error) {
	m := p.mapping
	batch, err := p.cloud.sqs.Receive(ctx, m.QueueARN, m.BatchSize, longPoll)
	if err != nil || len(batch) == 0 {
		return nil, err
	}
	deadline := p.cloud.clock.Now().Add(m.BatchWindow)
	for len(batch) < m.BatchSize {
		wait := deadline.Sub(p.cloud.clock.Now())
		if wait <= 0 {
			break
		}
		more, ok := p.more(ctx, m.BatchSize-len(batch), min(wait, longPoll))
		if !ok {
			break
		}
		batch = append(batch, more...)
	}
	return batch, nil
}

// more receives what fills a batch up. When that fails, what is there already
// is delivered all the same.
func (p *poller) more(ctx context.Context, limit int, wait time.Duration) ([]sqs.Message, bool) {
	messages, err := p.cloud.sqs.Receive(ctx, p.mapping.QueueARN, limit, wait)
	return messages, err == nil
}

// deliver invokes the function with the batch and deletes what it handled.
// What failed stays invisible until its visibility time-out.
func (p *poller) deliver(batch []sqs.Message) {
	m := p.mapping
	batch, trace := p.breakLoops(batch)
	if len(batch) == 0 {
		return
	}
	event, err := json.Marshal(sqsEvent(m, batch))
	if err != nil {
		p.log.Error("event source cannot write its event", "error", err)
		return
	}
	resp, err := p.cloud.lambda.Invoke(context.Background(), lambda.Request{
		Function: m.FunctionARN, Payload: event, TraceID: trace,
	})
	if err != nil {
		p.log.Warn("event source cannot invoke its function", "error", err)
		return
	}
	if resp.FunctionError != "" {
		return // the function's log tells
	}
	failed, all := failures(m, resp.Payload)
	if all {
		return
	}
	var handled []string
	for _, msg := range batch {
		if !failed[msg.MessageID] {
			handled = append(handled, msg.ReceiptHandle)
		}
	}
	f, _ := p.cloud.lambda.Function(m.FunctionARN)
	if len(handled) > 0 && !p.cloud.authority.may(f.Role, f.Name, "sqs:DeleteMessage", m.QueueARN) {
		return // they come again
	}
	if err := p.cloud.sqs.Delete(m.QueueARN, handled...); err != nil && !errors.Is(err, sqs.ErrQueueNotFound) {
		p.log.Warn("event source cannot delete what its function handled", "error", err)
	}
}

// breakLoops leaves out the messages that would run the function once too often
// in a chain of requests, and returns the trace that is furthest in its chain: a
// function has one for the whole batch. As in AWS, a message left out is tried
// again, and refused again, until the queue's redrive policy moves it or its
// retention ends ("Use Lambda recursive loop detection").
func (p *poller) breakLoops(batch []sqs.Message) (rest []sqs.Message, trace string) {
	most := -1
	for _, msg := range batch {
		header := msg.Attributes["AWSTraceHeader"]
		hops, refused := p.cloud.lambda.Hops(p.mapping.FunctionARN, header)
		if refused {
			p.log.Warn("recursive loop stopped: RecursiveInvocationException", "message", msg.MessageID, "hops", hops)
			continue
		}
		rest = append(rest, msg)
		if hops > most {
			most, trace = hops, header
		}
	}
	return rest, trace
}

// failures reads a partial batch response. all means that every message counts
// as failed: the response is not one, or names a message without an id.
func failures(m lambda.Mapping, payload []byte) (failed map[string]bool, all bool) {
	if !m.ReportsFailed {
		return nil, false
	}
	var resp *struct {
		BatchItemFailures []struct {
			ItemIdentifier string `json:"itemIdentifier"`
		} `json:"batchItemFailures"`
	}
	if len(payload) == 0 {
		return nil, false
	}
	if json.Unmarshal(payload, &resp) != nil {
		return nil, true
	}
	if resp == nil { // null: nothing failed
		return nil, false
	}
	failed = map[string]bool{}
	for _, f := range resp.BatchItemFailures {
		if f.ItemIdentifier == "" {
			return nil, true
		}
		failed[f.ItemIdentifier] = true
	}
	return failed, false
}

// The event of an SQS event source, as in the developer guide's example.
type sqsRecord struct {
	MessageID              string                  `json:"messageId"`
	ReceiptHandle          string                  `json:"receiptHandle"`
	Body                   string                  `json:"body"`
	Attributes             map[string]string       `json:"attributes"`
	MessageAttributes      map[string]sqsAttribute `json:"messageAttributes"`
	MD5OfMessageAttributes string                  `json:"md5OfMessageAttributes,omitempty"`
	MD5OfBody              string                  `json:"md5OfBody"`
	EventSource            string                  `json:"eventSource"`
	EventSourceARN         string                  `json:"eventSourceARN"`
	AWSRegion              string                  `json:"awsRegion"`
}

type sqsAttribute struct {
	StringValue      *string  `json:"stringValue,omitempty"`
	BinaryValue      []byte   `json:"binaryValue,omitempty"`
	StringListValues []string `json:"stringListValues"`
	BinaryListValues [][]byte `json:"binaryListValues"`
	DataType         string   `json:"dataType"`
}

func sqsEvent(m lambda.Mapping, batch []sqs.Message) any {
	records := make([]sqsRecord, len(batch))
	for i, msg := range batch {
		records[i] = sqsRecord{
			MessageID: msg.MessageID, ReceiptHandle: msg.ReceiptHandle, Body: msg.Body,
			Attributes: msg.Attributes, MessageAttributes: sqsAttributes(msg),
			MD5OfMessageAttributes: msg.MD5OfMessageAttributes, MD5OfBody: msg.MD5OfBody,
			EventSource: "aws:sqs", EventSourceARN: m.QueueARN, AWSRegion: m.Region,
		}
	}
	return map[string]any{"Records": records}
}

func sqsAttributes(msg sqs.Message) map[string]sqsAttribute {
	attributes := map[string]sqsAttribute{}
	for name, a := range msg.MessageAttributes {
		attributes[name] = sqsAttribute{
			StringValue: a.StringValue, BinaryValue: a.BinaryValue, DataType: a.DataType,
			StringListValues: []string{}, BinaryListValues: [][]byte{},
		}
	}
	return attributes
}
