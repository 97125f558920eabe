package logs

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"
)

const (
	// sequenceToken is a constant: clients still pass it around, but nothing has
	// read it since 2023.
	sequenceToken = "49039859585543261643900512654563213904732170352452"

	maxBatchEvents = 10_000
	maxBatchBytes  = 1 << 20
	eventOverhead  = 26 // bytes that AWS adds to each event when it counts
	maxFuture      = 2 * time.Hour
	maxPast        = 14 * 24 * time.Hour
)

// check holds a batch to the constraints of
// https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutLogEvents.html
func (in *putLogEventsInput) check() error {
	if n := len(in.LogEvents); n < 1 || n > maxBatchEvents {
		return invalidParameter("logEvents must hold 1 to %d events, not %d", maxBatchEvents, n)
	}
	bytes := 0
	for i, e := range in.LogEvents {
		if e.Timestamp == nil || *e.Timestamp < 0 {
			return invalidParameter("logEvents.%d.timestamp is required and can not be negative", i+1)
		}
		if e.Message == "" {
			return invalidParameter("logEvents.%d.message must not be empty", i+1)
		}
		if i > 0 && *e.Timestamp < *in.LogEvents[i-1].Timestamp {
			return invalidParameter("Log events in a single PutLogEvents request must be in chronological order.")
		}
		bytes += len(e.Message) + eventOverhead
	}
	if bytes > maxBatchBytes {
		return invalidParameter("Upload too large: %d bytes exceeds limit of %d", bytes, maxBatchBytes)
	}
	return nil
}

// checkSpan counts only the events that are taken, which are in order of time.
func checkSpan(events []inputLogEvent) error {
	if len(events) > 0 && *events[len(events)-1].Timestamp-*events[0].Timestamp > (24*time.Hour).Milliseconds() {
		return invalidParameter("The batch of log events in a single PutLogEvents request cannot span more than 24 hours.")
	}
	return nil
}

func (s *Service) putLogEvents(_ context.Context, in *putLogEventsInput) (out putLogEventsOutput, err error) {
	if err := in.check(); err != nil {
		return out, err
	}
	err = s.change(in.LogGroupName, func(g *group) error {
		st, err := g.stream(in.LogStreamName)
		if err != nil {
			return err
		}
		now := s.clock.Now()
		first, end, rejected := in.accepted(now, g.RetentionDays)
		if err := checkSpan(in.LogEvents[first:end]); err != nil {
			return err
		}
		for _, e := range in.LogEvents[first:end] {
			s.add(g, st, *e.Timestamp, e.Message, now)
		}
		out = putLogEventsOutput{sequenceToken, rejected}
		return nil
	})
	return out, err
}

// accepted returns the range of events that are neither too old nor too new;
// those outside are rejected without an error, as in AWS.
func (in *putLogEventsInput) accepted(now time.Time, retentionDays int) (first, end int, rejected *rejectedLogEventsInfo) {
	before := func(t time.Time) int {
		i, _ := slices.BinarySearchFunc(in.LogEvents, t.UnixMilli(), func(e inputLogEvent, t int64) int {
			if *e.Timestamp < t {
				return -1
			}
			return 1
		})
		return i
	}
	var info rejectedLogEventsInfo
	if n := before(now.Add(-maxPast)); n > 0 {
		info.TooOldLogEventEndIndex, first = &n, n
	}
	if retentionDays > 0 {
		if n := before(now.AddDate(0, 0, -retentionDays)); n > 0 {
			info.ExpiredLogEventEndIndex, first = &n, max(first, n)
		}
	}
	end = before(now.Add(maxFuture + time.Millisecond))
	if end < len(in.LogEvents) {
		info.TooNewLogEventStartIndex = &end
	}
	if info == (rejectedLogEventsInfo{}) {
		return first, end, nil
	}
	return min(first, end), end, &info
}

// startCursor is the end from which a reading without a token begins.
func startCursor(backward bool) cursor {
	if backward {
		return cursor{true, position{math.MaxInt64, math.MaxUint64}}
	}
	return cursor{false, position{math.MinInt64, 0}}
}

func cursorFor(token string, backward bool) (cursor, error) {
	if token == "" {
		return startCursor(backward), nil
	}
	return parseCursor(token)
}

// getLogEvents reads one stream. Its pages are in order of time in both
// directions, and the end is reached when a token comes back unchanged.
func (s *Service) getLogEvents(_ context.Context, in *getLogEventsInput) (out getLogEventsOutput, err error) {
	size, err := limit(in.Limit, maxEventPage)
	if err != nil {
		return out, err
	}
	from, err := cursorFor(in.NextToken, !in.StartFromHead)
	if err != nil {
		return out, err
	}
	name, err := in.name()
	if err != nil {
		return out, err
	}
	out.Events = []outputLogEvent{}
	err = s.change(name, func(g *group) error {
		if _, err := g.stream(in.LogStreamName); err != nil {
			return err
		}
		page, _ := from.cut(g.sorted(func(e event) bool {
			return e.stream == in.LogStreamName && within(e.time, in.StartTime, in.EndTime) &&
				(in.EndTime == nil || e.time != *in.EndTime) // exclusive here, unlike FilterLogEvents
		}), size)
		for _, e := range page {
			out.Events = append(out.Events, outputLogEvent{e.time, e.message, e.arrival})
		}
		out.NextForwardToken, out.NextBackwardToken = from.around(page)
		return nil
	})
	return out, err
}

// around returns the tokens to go on behind and in front of a page. An empty one
// is the end of the cursor's way: there its own token comes back, and the other
// leads back over everything.
func (c cursor) around(page []event) (forward, backward string) {
	switch {
	case len(page) > 0:
		return cursor{false, page[len(page)-1].position}.String(), cursor{true, page[0].position}.String()
	case c.backward:
		return startCursor(false).String(), c.String()
	default:
		return c.String(), cursor{true, position{c.time, c.number + 1}}.String()
	}
}

// within reports whether start <= t <= end; nil is no bound.
func within(t int64, start, end *int64) bool {
	return (start == nil || t >= *start) && (end == nil || t <= *end)
}

func (s *Service) filterLogEvents(_ context.Context, in *filterLogEventsInput) (out filterLogEventsOutput, err error) {
	q, err := in.query()
	if err != nil {
		return out, err
	}
	out.Events, out.SearchedLogStreams = []filteredLogEvent{}, []searchedLogStream{}
	err = s.change(q.group, func(g *group) error {
		for _, name := range in.LogStreamNames {
			if _, err := g.stream(name); err != nil {
				return err
			}
		}
		page, more := q.from.cut(g.sorted(in.matches(q.pattern)), q.size)
		forward, backward := q.from.around(page)
		if q.from.backward {
			slices.Reverse(page)
			forward = backward
		}
		if more {
			out.NextToken = forward
		}
		for _, e := range page {
			out.Events = append(out.Events, filteredLogEvent{
				LogStreamName: e.stream, Timestamp: e.time, Message: e.message, IngestionTime: e.arrival,
				EventID: fmt.Sprintf("%056d", e.number),
			})
		}
		return nil
	})
	return out, err
}

// filterQuery is a checked FilterLogEvents request.
type filterQuery struct {
	group   string
	size    int
	from    cursor
	pattern pattern
}

func (in *filterLogEventsInput) query() (q filterQuery, err error) {
	if len(in.LogStreamNames) > 0 && in.LogStreamNamePrefix != "" {
		return q, invalidParameter("logStreamNames and logStreamNamePrefix are mutually exclusive parameters.")
	}
	if q.size, err = limit(in.Limit, maxEventPage); err != nil {
		return q, err
	}
	if q.from, err = cursorFor(in.NextToken, in.StartFromHead != nil && !*in.StartFromHead); err != nil {
		return q, err
	}
	if q.pattern, err = parsePattern(in.FilterPattern); err != nil {
		return q, err
	}
	q.group, err = in.name()
	return q, err
}

func (in *filterLogEventsInput) matches(p pattern) func(event) bool {
	return func(e event) bool {
		return within(e.time, in.StartTime, in.EndTime) &&
			(len(in.LogStreamNames) == 0 || slices.Contains(in.LogStreamNames, e.stream)) &&
			strings.HasPrefix(e.stream, in.LogStreamNamePrefix) &&
			p.match(e.message)
	}
}
