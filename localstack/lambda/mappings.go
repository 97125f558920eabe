package lambda

import (
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"

	"fanfare/localstack/awsproto"
)

// States of a Mapping that OnMapping is told.
const (
	MappingEnabled  = "Enabled"
	MappingDisabled = "Disabled"
	MappingDeleting = "Deleting" // it is gone; its poller must stop
)

// Mapping is an event source mapping: whose messages a function gets, and how.
// The service keeps it; the emulator runs its poller.
type Mapping struct {
	UUID          string
	State         string // MappingEnabled, MappingDisabled or MappingDeleting
	Region        string
	QueueARN      string
	FunctionARN   string // with the qualifier it was created with, if any
	BatchSize     int    // messages, 1 to 10,000
	BatchWindow   time.Duration
	ReportsFailed bool // FunctionResponseTypes has ReportBatchItemFailures
	// MaximumConcurrency is how many invokes the mapping may have under way, 2
	// to 1,000; 0 means no limit of its own.
	MaximumConcurrency int
}

func (m *mapping) public(state string) Mapping {
	p := Mapping{
		UUID: m.UUID, State: state, Region: m.Region, QueueARN: m.EventSourceArn, FunctionARN: m.FunctionArn,
		BatchSize:     m.BatchSize,
		BatchWindow:   time.Duration(m.MaximumBatchingWindowInSeconds) * time.Second,
		ReportsFailed: slices.Contains(m.FunctionResponseTypes, "ReportBatchItemFailures"),
	}
	if m.ScalingConfig != nil {
		p.MaximumConcurrency = m.ScalingConfig.MaximumConcurrency
	}
	return p
}

func (s *Service) announce(m Mapping) {
	if s.opts.OnMapping != nil {
		s.opts.OnMapping(m)
	}
}

// Mappings returns the event source mappings as they are now, in no particular
// order.
func (s *Service) Mappings() []Mapping {
	s.mu.Lock()
	defer s.mu.Unlock()
	var all []Mapping
	for _, m := range s.mappings {
		all = append(all, m.public(m.State))
	}
	return all
}

func (s *Service) createMapping(r *http.Request) (int, any, error) {
	var in mappingInput
	if err := awsproto.DecodeREST(r, &in); err != nil {
		return 0, nil, err
	}
	m, err := in.newMapping(r)
	if err != nil {
		return 0, nil, err
	}
	s.mappingTurn.Lock()
	defer s.mappingTurn.Unlock()
	answer, err := s.insertMapping(r, in, m)
	if err != nil {
		return 0, nil, err
	}
	s.announce(m.public(m.State))
	return http.StatusAccepted, answer, nil
}

func (in mappingInput) newMapping(r *http.Request) (*mapping, error) {
	if in.FunctionName == nil {
		return nil, constraint("null", "functionName", "Member must not be null")
	}
	parts := strings.SplitN(in.EventSourceArn, ":", 6)
	if len(parts) != 6 || parts[0] != "arn" || parts[2] != "sqs" {
		return nil, notSupported("event sources other than SQS queues (EventSourceArn " + in.EventSourceArn + ")")
	}
	if strings.HasSuffix(in.EventSourceArn, ".fifo") {
		return nil, notSupported("FIFO queues as event sources (EventSourceArn " + in.EventSourceArn + "): use a standard queue")
	}
	m := &mapping{Enabled: true, Region: awsproto.CallFrom(r.Context()).Region, Tags: copyTags(in.Tags)}
	m.UUID = awsproto.NewRequestID()
	m.EventSourceMappingArn = awsproto.ARN(r.Context(), "lambda", esmPrefix+m.UUID)
	m.EventSourceArn = in.EventSourceArn
	m.BatchSize = 10
	m.FunctionResponseTypes = []string{}
	return m, in.apply(m)
}

func (s *Service) insertMapping(r *http.Request, in mappingInput, m *mapping) (mappingConfiguration, error) {
	f, err := s.mappedFunction(r, in, m)
	if err != nil {
		return mappingConfiguration{}, err
	}
	if err := s.checkSource(m.EventSourceArn, f); err != nil {
		return mappingConfiguration{}, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, other := range s.mappings {
		if other.EventSourceArn == m.EventSourceArn && other.FunctionArn == m.FunctionArn {
			return mappingConfiguration{}, conflict("The event source arn (\" %s \") and function (\" %s \") provided mapping already exists. "+
				"Please update or delete the existing mapping with UUID %s", m.EventSourceArn, f.Name, other.UUID)
		}
	}
	s.mappings[m.UUID] = m
	return m.settle(s.clock.Now(), "Creating"), nil
}

// mappedFunction sets the function that the request names, if it names one, and
// returns what is known of the mapping's function.
func (s *Service) mappedFunction(r *http.Request, in mappingInput, m *mapping) (FunctionInfo, error) {
	if in.FunctionName != nil {
		ref, err := locate(r.Context(), *in.FunctionName, "")
		if err != nil {
			return FunctionInfo{}, err
		}
		m.FunctionArn = ref.qualified()
	}
	f, ok := s.Function(m.FunctionArn)
	if !ok {
		return FunctionInfo{}, noSuchFunction(m.FunctionArn)
	}
	return f, nil
}

// settle ends a change. The answer still names the state in between; the next
// question is answered with the final one.
func (m *mapping) settle(now time.Time, between string) mappingConfiguration {
	m.LastModified = epochSeconds{now}
	m.StateTransitionReason = "USER_INITIATED"
	m.State = MappingDisabled
	if m.Enabled {
		m.State = MappingEnabled
	}
	answer := m.mappingConfiguration
	answer.State = between
	return answer
}

// checkSource refuses a queue that the function may not read, or not safely. The
// poller reads it with the function's role ("Using Lambda with Amazon SQS",
// execution role permissions).
func (s *Service) checkSource(queueARN string, f FunctionInfo) error {
	if s.opts.CannotPoll != nil {
		if action := s.opts.CannotPoll(f.Role, f.Name, queueARN); action != "" {
			return invalidParameter("The provided execution role does not have permissions to call %s on SQS", action)
		}
	}
	return s.checkQueue(queueARN, f.Timeout)
}

// checkQueue asks for the queue's visibility time-out, which must not end
// before the function does, or a message would be delivered twice.
func (s *Service) checkQueue(queueARN string, timeout time.Duration) error {
	if s.opts.QueueVisibility == nil {
		return nil
	}
	visibility, ok := s.opts.QueueVisibility(queueARN)
	if !ok {
		return invalidParameter("Error occurred while ReceiveMessage. SQS Error Code: AWS.SimpleQueueService.NonExistentQueue. " +
			"SQS Error Message: The specified queue does not exist for this wsdl version.")
	}
	if visibility < timeout {
		return invalidParameter("Queue visibility timeout: %d seconds is less than Function timeout: %d seconds",
			int(visibility.Seconds()), int(timeout.Seconds()))
	}
	return nil
}

// apply checks in and changes m by it. Nil means unchanged.
func (in mappingInput) apply(m *mapping) error {
	if err := refuseUnsupported(in.unsupportedMapping); err != nil {
		return err
	}
	if in.Enabled != nil {
		m.Enabled = *in.Enabled
	}
	if in.BatchSize != nil {
		m.BatchSize = *in.BatchSize
	}
	if in.MaximumBatchingWindowInSeconds != nil {
		m.MaximumBatchingWindowInSeconds = *in.MaximumBatchingWindowInSeconds
	}
	if in.FunctionResponseTypes != nil {
		m.FunctionResponseTypes = append([]string{}, *in.FunctionResponseTypes...)
	}
	if in.ScalingConfig != nil {
		m.ScalingConfig = nil // an empty block takes the limit away
		if in.ScalingConfig.MaximumConcurrency != 0 {
			m.ScalingConfig = in.ScalingConfig
		}
	}
	return m.check()
}

func (m *mapping) check() error {
	if err := within(m.BatchSize, "batchSize", 1, 10000); err != nil {
		return err
	}
	if err := within(m.MaximumBatchingWindowInSeconds, "maximumBatchingWindowInSeconds", 0, 300); err != nil {
		return err
	}
	if m.BatchSize > 10 && m.MaximumBatchingWindowInSeconds == 0 {
		return invalidParameter("Maximum batch window in seconds must be greater than 0 if maximum batch size is greater than 10")
	}
	for _, t := range m.FunctionResponseTypes {
		if err := oneOf(t, "functionResponseTypes", "ReportBatchItemFailures"); err != nil {
			return err
		}
	}
	if m.ScalingConfig != nil {
		return within(m.ScalingConfig.MaximumConcurrency, "scalingConfig.maximumConcurrency", 2, 1000)
	}
	return nil
}

// mappingOf returns the mapping with that UUID. s.mu is held.
func (s *Service) mappingOf(uuid string) (*mapping, error) {
	m, ok := s.mappings[uuid]
	if !ok {
		return nil, notFound("The resource you requested does not exist.")
	}
	return m, nil
}

func (s *Service) getMapping(r *http.Request) (int, any, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	m, err := s.mappingOf(r.PathValue("UUID"))
	if err != nil {
		return 0, nil, err
	}
	return http.StatusOK, m.mappingConfiguration, nil
}

func (s *Service) updateMapping(r *http.Request) (int, any, error) {
	var in mappingInput
	if err := awsproto.DecodeREST(r, &in); err != nil {
		return 0, nil, err
	}
	s.mappingTurn.Lock()
	defer s.mappingTurn.Unlock()
	changed, err := s.changedMapping(r, in)
	if err != nil {
		return 0, nil, err
	}
	s.mu.Lock()
	answer := changed.settle(s.clock.Now(), "Updating")
	s.mappings[changed.UUID] = changed
	s.mu.Unlock()
	s.announce(changed.public(changed.State))
	return http.StatusAccepted, answer, nil
}

// changedMapping builds the mapping that the request wants. Nobody else changes
// mappings meanwhile: s.mappingTurn is held.
func (s *Service) changedMapping(r *http.Request, in mappingInput) (*mapping, error) {
	s.mu.Lock()
	m, err := s.mappingOf(r.PathValue("UUID"))
	s.mu.Unlock()
	if err != nil {
		return nil, err
	}
	if in.EventSourceArn != "" && in.EventSourceArn != m.EventSourceArn {
		return nil, invalidParameter("The event source of a mapping cannot be changed.")
	}
	changed := *m
	if err := in.apply(&changed); err != nil {
		return nil, err
	}
	if in.FunctionName == nil {
		return &changed, nil
	}
	f, err := s.mappedFunction(r, in, &changed)
	if err != nil {
		return nil, err
	}
	return &changed, s.checkSource(changed.EventSourceArn, f)
}

func (s *Service) deleteMapping(r *http.Request) (int, any, error) {
	s.mappingTurn.Lock()
	defer s.mappingTurn.Unlock()
	s.mu.Lock()
	m, err := s.mappingOf(r.PathValue("UUID"))
	if err == nil {
		delete(s.mappings, m.UUID)
	}
	s.mu.Unlock()
	if err != nil {
		return 0, nil, err
	}
	s.announce(m.public(MappingDeleting))
	answer := m.mappingConfiguration
	answer.State = MappingDeleting
	return http.StatusAccepted, answer, nil
}

func (s *Service) listMappings(r *http.Request) (int, any, error) {
	queue, name := r.URL.Query().Get("EventSourceArn"), r.URL.Query().Get("FunctionName")
	var arn string
	if name != "" {
		ref, err := locate(r.Context(), name, "")
		if err != nil {
			return 0, nil, err
		}
		arn = ref.qualified()
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	var all []mappingConfiguration
	for _, uuid := range slices.Sorted(maps.Keys(s.mappings)) {
		m := s.mappings[uuid]
		if (queue == "" || m.EventSourceArn == queue) && (arn == "" || m.FunctionArn == arn) {
			all = append(all, m.mappingConfiguration)
		}
	}
	items, next, err := page(r, all, 100)
	return http.StatusOK, struct {
		EventSourceMappings []mappingConfiguration
		NextMarker          string `json:",omitempty"`
	}{items, next}, err
}
