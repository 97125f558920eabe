package logs

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"time"
	"unicode/utf8"
)

// maxEventBytes is the largest event that CloudWatch Logs takes.
// https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/cloudwatch_limits_cwl.html
const maxEventBytes = 1 << 20

// Event is one line of a log.
type Event struct {
	Time    time.Time // in milliseconds; zero in Put means now
	Stream  string    // filled in by Events, not read by Put
	Message string    // at most 1 MiB; Put cuts off the rest
}

// settings are what a snapshot keeps of a group.
type settings struct {
	Name          string            `json:"name"`
	Created       time.Time         `json:"created"`
	RetentionDays int               `json:"retentionDays,omitempty"` // 0: for ever
	KMSKeyID      string            `json:"kmsKeyId,omitempty"`
	Class         string            `json:"class"`
	Tags          map[string]string `json:"tags,omitempty"`
}

// group is a log group with what it still holds, in order of arrival. The
// methods expect the service's mu to be held.
type group struct {
	settings
	streams map[string]*stream
	events  []event
	bytes   int // of the events' messages
	arrived uint64
}

type stream struct {
	name                     string
	created                  time.Time
	first, last, lastArrival int64 // times of events, milliseconds since 1970; 0 before the first one
}

// event is one line as it is stored; times are milliseconds since 1970.
type event struct {
	position
	stream, message string
	arrival         int64
}

// position orders the events of a group: by their time and, within the same
// millisecond, by arrival.
type position struct {
	time   int64
	number uint64
}

func (p position) compare(q position) int {
	return cmp.Or(cmp.Compare(p.time, q.time), cmp.Compare(p.number, q.number))
}

func newGroup(set settings) *group {
	if set.Class == "" {
		set.Class = classStandard
	}
	if set.Tags == nil {
		set.Tags = map[string]string{}
	}
	return &group{settings: set, streams: map[string]*stream{}}
}

// group returns the log group called name.
func (s *Service) group(name string) (*group, error) {
	if name == "" {
		return nil, invalidParameter("logGroupName is required")
	}
	g, ok := s.groups[name]
	if !ok {
		return nil, errGroupNotFound
	}
	g.expire(s.clock.Now())
	return g, nil
}

// expire drops what is older than the group's retention. Reading does that, not
// writing: a write costs the same however full the group is.
func (g *group) expire(now time.Time) {
	if g.RetentionDays == 0 {
		return
	}
	oldest := now.AddDate(0, 0, -g.RetentionDays).UnixMilli()
	g.events = slices.DeleteFunc(g.events, func(e event) bool {
		if e.time >= oldest {
			return false
		}
		g.bytes -= len(e.message)
		return true
	})
}

func (g *group) addStream(name string, now time.Time) *stream {
	st := &stream{name: name, created: now}
	g.streams[name] = st
	return st
}

// add appends one event and drops the oldest arrivals that no longer fit.
func (s *Service) add(g *group, st *stream, at int64, message string, now time.Time) {
	g.arrived++
	e := event{position{at, g.arrived}, st.name, message, now.UnixMilli()}
	g.events = append(g.events, e)
	g.bytes += len(message)
	drop := 0
	for len(g.events)-drop > s.maxEvents || g.bytes > s.maxBytes && len(g.events)-drop > 1 {
		g.bytes -= len(g.events[drop].message)
		drop++
	}
	clear(g.events[:drop]) // the array lives on: let go of the messages
	g.events = g.events[drop:]

	if st.first == 0 || at < st.first {
		st.first = at
	}
	st.last, st.lastArrival = max(st.last, at), e.arrival
}

// Put appends events to a stream and creates group and stream where they are
// missing, as a function's role lets Lambda do in AWS. It never fails: a name
// that CloudWatch would not take is reported to the Logger and its events are
// dropped, because a log must not stop what it is about.
func (s *Service) Put(group, stream string, events ...Event) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.clock.Now()
	g, st, err := s.streamFor(group, stream, now)
	if err != nil {
		s.log.Warn("log events dropped", "group", group, "stream", stream, "error", err)
		return
	}
	for _, e := range events {
		if e.Time.IsZero() {
			e.Time = now
		}
		s.add(g, st, e.Time.UnixMilli(), cut(e.Message), now)
	}
}

// Has reports whether there is a log group of that name. Put does not need one;
// what AWS writes only to groups that are there asks first.
func (s *Service) Has(group string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	_, ok := s.groups[group]
	return ok
}

// streamFor returns a stream that exists by now. Names are checked only when
// something is created: matching them for every line would cost a function's
// invoke more than all else that its log does.
func (s *Service) streamFor(groupName, streamName string, now time.Time) (*group, *stream, error) {
	g, ok := s.groups[groupName]
	if ok {
		if st, ok := g.streams[streamName]; ok {
			return g, st, nil
		}
	}
	if err := cmp.Or(checkGroupName(groupName), checkStreamName(streamName)); err != nil {
		return nil, nil, err
	}
	if !ok {
		g = newGroup(settings{Name: groupName, Created: now})
		s.groups[groupName] = g
	}
	return g, g.addStream(streamName, now), nil
}

// cut shortens a message to what an event may hold, between two characters.
func cut(message string) string {
	if len(message) <= maxEventBytes {
		return message
	}
	end := maxEventBytes
	for end > 0 && !utf8.RuneStart(message[end]) {
		end--
	}
	return message[:end]
}

// Events returns what the group holds in order of time, nothing for a group
// that does not exist.
func (s *Service) Events(group string) []Event {
	s.mu.Lock()
	defer s.mu.Unlock()
	g, err := s.group(group)
	if err != nil {
		return nil
	}
	out := make([]Event, 0, len(g.events))
	for _, e := range g.sorted(func(event) bool { return true }) {
		out = append(out, Event{Time: time.UnixMilli(e.time), Stream: e.stream, Message: e.message})
	}
	return out
}

// sorted returns the events that match, by position.
func (g *group) sorted(match func(event) bool) []event {
	var out []event
	for _, e := range g.events {
		if match(e) {
			out = append(out, e)
		}
	}
	slices.SortFunc(out, func(a, b event) int { return a.compare(b.position) })
	return out
}

type snapshot struct {
	Groups []settings `json:"groups"`
}

// Snapshot returns all groups with their settings and tags as JSON, without
// streams and events.
func (s *Service) Snapshot() ([]byte, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out snapshot
	for _, name := range slices.Sorted(maps.Keys(s.groups)) {
		out.Groups = append(out.Groups, s.groups[name].settings)
	}
	return json.Marshal(out)
}

// Restore replaces all groups by those of a Snapshot. On an error nothing has
// changed.
func (s *Service) Restore(data []byte) error {
	var in snapshot
	if err := json.Unmarshal(data, &in); err != nil {
		return fmt.Errorf("logs: restore: %w", err)
	}
	groups := make(map[string]*group, len(in.Groups))
	for _, set := range in.Groups {
		if err := checkGroupName(set.Name); err != nil {
			return fmt.Errorf("logs: restore: group %q: %w", set.Name, err)
		}
		groups[set.Name] = newGroup(set)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.groups = groups
	return nil
}
