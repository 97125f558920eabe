package logs

import (
	"cmp"
	"context"
	"regexp"
	"slices"
	"strings"
)

var streamName = regexp.MustCompile(`^[^:*]{1,512}$`)

func checkStreamName(name string) error {
	if !streamName.MatchString(name) {
		return invalidParameter("1 validation error detected: Value '%s' at 'logStreamName' failed to satisfy constraint: "+
			"Member must satisfy regular expression pattern: [^:*]* and have 1 to 512 characters", name)
	}
	return nil
}

func (s *Service) createLogStream(_ context.Context, in *streamInput) (none, error) {
	if err := checkStreamName(in.LogStreamName); err != nil {
		return none{}, err
	}
	return none{}, s.change(in.LogGroupName, func(g *group) error {
		if _, ok := g.streams[in.LogStreamName]; ok {
			return errStreamExists
		}
		g.addStream(in.LogStreamName, s.clock.Now())
		return nil
	})
}

func (s *Service) deleteLogStream(_ context.Context, in *streamInput) (none, error) {
	return none{}, s.change(in.LogGroupName, func(g *group) error {
		if _, err := g.stream(in.LogStreamName); err != nil {
			return err
		}
		delete(g.streams, in.LogStreamName)
		g.events = slices.DeleteFunc(g.events, func(e event) bool {
			if e.stream != in.LogStreamName {
				return false
			}
			g.bytes -= len(e.message)
			return true
		})
		return nil
	})
}

func (g *group) stream(name string) (*stream, error) {
	st, ok := g.streams[name]
	if !ok {
		return nil, errStreamNotFound
	}
	return st, nil
}

// name resolves the two ways to name a group.
func (r groupReference) name() (string, error) {
	switch {
	case r.LogGroupName != "" && r.LogGroupIdentifier != "":
		return "", invalidParameter("logGroupName and logGroupIdentifier are mutually exclusive parameters.")
	case strings.HasPrefix(r.LogGroupIdentifier, "arn:"):
		return parseGroupARN(r.LogGroupIdentifier)
	default:
		return cmp.Or(r.LogGroupName, r.LogGroupIdentifier), nil
	}
}

func (s *Service) describeLogStreams(ctx context.Context, in *describeLogStreamsInput) (out describeLogStreamsOutput, err error) {
	order, err := in.order()
	if err != nil {
		return out, err
	}
	name, err := in.name()
	if err != nil {
		return out, err
	}
	out.LogStreams = []logStream{}
	err = s.change(name, func(g *group) error {
		var streams []*stream
		for _, st := range g.streams {
			if strings.HasPrefix(st.name, in.LogStreamNamePrefix) {
				streams = append(streams, st)
			}
		}
		slices.SortFunc(streams, order)
		page, next, err := listPage(streams, func(st *stream) string { return st.name },
			func(st *stream, last string) bool {
				previous, ok := g.streams[last]
				if !ok { // deleted since: only its name is left to go by
					previous = &stream{name: last}
				}
				return order(st, previous) > 0
			}, in.Limit, in.NextToken)
		for _, st := range page {
			out.LogStreams = append(out.LogStreams, st.describe(ctx, g.Name))
		}
		out.NextToken = next
		return err
	})
	return out, err
}

// order returns how the streams are sorted.
func (in *describeLogStreamsInput) order() (func(a, b *stream) int, error) {
	var order func(a, b *stream) int
	switch in.OrderBy {
	case "", "LogStreamName":
		order = func(a, b *stream) int { return cmp.Compare(a.name, b.name) }
	case "LastEventTime":
		if in.LogStreamNamePrefix != "" {
			return nil, invalidParameter("Cannot order by LastEventTime with a logStreamNamePrefix.")
		}
		order = func(a, b *stream) int { return cmp.Or(cmp.Compare(a.last, b.last), cmp.Compare(a.name, b.name)) }
	default:
		return nil, invalidParameter("orderBy must be LogStreamName or LastEventTime, not %q", in.OrderBy)
	}
	if in.Descending {
		ascending := order
		order = func(a, b *stream) int { return ascending(b, a) }
	}
	return order, nil
}

func (st *stream) describe(ctx context.Context, group string) logStream {
	return logStream{
		ARN: groupARN(ctx, group) + ":log-stream:" + st.name, LogStreamName: st.name, CreationTime: st.created.UnixMilli(),
		FirstEventTimestamp: st.first, LastEventTimestamp: st.last, LastIngestionTime: st.lastArrival,
		UploadSequenceToken: sequenceToken,
	}
}
