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
	cloud *Emulator
	work  sync.WaitGroup // all pollers and their invokes, replaced ones too

	mu      sync.Mutex
	pollers map[string]*poller // by their mappings' UUIDs
	slots   map[string]*slots  // of the mappings, for pollers that follow one another
	ended   bool
}

func newEventSources(e *Emulator) *eventSources {
	return &eventSources{cloud: e, pollers: map[string]*poller{}, slots: map[string]*slots{}}
}

// changed starts, replaces or stops a mapping's poller. What a poller before it
// has under way counts for the mapping's concurrency.
func (s *eventSources) changed(m lambda.Mapping) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if p, ok := s.pollers[m.UUID]; ok {
		p.stop()
		delete(s.pollers, m.UUID)
	}
	if m.State == lambda.MappingDeleting {
		delete(s.slots, m.UUID)
	}
	if m.State != lambda.MappingEnabled || s.ended {
		return
	}
	limit := m.MaximumConcurrency
	if limit == 0 {
		limit = defaultSourceConcurrency
	}
	if s.slots[m.UUID] == nil {
		s.slots[m.UUID] = newSlots()
	}
	ctx, cancel := context.WithCancel(context.Background())
	p := &poller{
		cloud: s.cloud, mapping: m, slots: s.slots[m.UUID], work: &s.work, stop: cancel,
		log: s.cloud.log.With("queue", m.QueueARN, "function", m.FunctionARN),
	}
	p.slots.resize(limit)
	s.pollers[m.UUID] = p
	s.work.Go(func() { p.run(ctx) })
}

// recheck ends the waits of all pollers: what their roles may do has changed.
func (s *eventSources) recheck() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, p := range s.pollers {
		p.interrupt()
	}
}

// close stops all pollers and waits for their invokes, or for ctx.
func (s *eventSources) close(ctx context.Context) {
	s.mu.Lock()
	s.ended = true
	for _, p := range s.pollers {
		p.stop()
	}
	clear(s.pollers)
	s.mu.Unlock()
	done := make(chan struct{})
	go func() {
		s.work.Wait()
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
	slots   *slots          // one for each invoke that may be under way
	work    *sync.WaitGroup // of the eventSources
	stop    context.CancelFunc
	log     *slog.Logger

	mu      sync.Mutex
	polling context.CancelFunc // ends the wait for messages; nil before the first
}

// run takes a batch only when it may invoke, so that no message waits
// invisibly. When ctx ends it takes no more; invokes under way finish.
func (p *poller) run(ctx context.Context) {
	var read outage
	for p.slots.acquire(ctx) {
		messages, err := p.poll(ctx)
		batches := p.divide(messages)
		if len(batches) == 0 {
			p.slots.release()
		}
		for i, b := range batches {
			if i > 0 && !p.slots.acquire(ctx) {
				p.giveBack(batches[i:])
				break
			}
			p.work.Go(func() {
				defer p.slots.release()
				p.deliver(b)
			})
		}
		switch {
		case err == nil:
			read.over()
		case !errors.Is(err, context.Canceled):
			if read.failed() {
				p.log.Warn("event source cannot read its queue", "error", err)
			}
			_ = p.cloud.clock.Sleep(ctx, afterTrouble) // ended: the loop sees it
		}
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

// receiveAtOnce is how many messages are received in one go, as in SQS's API.
const receiveAtOnce = 10

// batch receives up to BatchSize messages, waiting up to BatchWindow after the
// first for more. It stops early when what there is fills an event. What it has
// received it returns even if it cannot receive more.
func (p *poller) batch(ctx context.Context) (messages []sqs.Message, err error) {
	m := p.mapping
	wait, size := longPoll, 0
	var deadline time.Time
	for len(messages) < m.BatchSize && size < maxSourceEvent {
		more, err := p.cloud.sqs.Receive(ctx, m.QueueARN, min(m.BatchSize-len(messages), receiveAtOnce), wait)
		if err != nil && len(messages) == 0 {
			return nil, err
		}
		if len(messages) == 0 {
			deadline = p.cloud.clock.Now().Add(m.BatchWindow)
		}
		messages = append(messages, more...)
		for _, msg := range more {
			size += len(msg.Body)
		}
		wait = min(deadline.Sub(p.cloud.clock.Now()), longPoll)
		if err != nil || len(messages) == 0 || wait <= 0 {
			break
		}
	}
	return messages, nil //nolint:nilerr // what there is is delivered first; the next receive meets the error too
}

// deliver invokes the function with the batch and deletes what it handled.
// What failed stays invisible until its visibility time-out.
func (p *poller) deliver(b *sourceBatch) {
	m := p.mapping
	resp, err := p.cloud.lambda.Invoke(context.Background(), lambda.Request{
		Function: m.FunctionARN, Payload: b.event(), TraceID: b.trace,
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
	for _, msg := range b.messages {
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

// giveBack shows messages again that have been received for nobody.
func (p *poller) giveBack(batches []*sourceBatch) {
	for _, b := range batches {
		for _, msg := range b.messages {
			_ = p.cloud.sqs.ChangeVisibility(p.mapping.QueueARN, msg.ReceiptHandle, 0) // gone or visible already
		}
	}
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
