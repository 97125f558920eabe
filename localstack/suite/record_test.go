package suite

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"path"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	logstypes "github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs/types"

	"fanfare/localstack/emulator"
	"fanfare/shared/telemetry"
)

// record is what happened in one scenario, for its report if it fails: what its
// clients sent and got, and the names by which its part of the functions' logs
// and of the cloud's requests is found among everybody's.
type record struct {
	began time.Time

	mu       sync.Mutex
	ahead    time.Duration // of the scenario's clock
	tenants  []string      // beginnings of their names, which nobody else's has
	ids      map[string]bool
	clients  map[string]int // how many of each user there were
	frames   []moment
	reported bool
}

// moment is a line with its time, which is the cloud's.
type moment struct {
	at   time.Time
	text string
}

func newRecord(tenants ...string) *record {
	return &record{began: time.Now(), tenants: tenants, ids: map[string]bool{}, clients: map[string]int{}}
}

// owns makes tenants the scenario's, by what their names begin with.
func (r *record) owns(tenant string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.tenants = append(r.tenants, tenant)
}

// isReported tells whether the failure has been reported, and from now on it has.
func (r *record) isReported() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	was := r.reported
	r.reported = true
	return was
}

// saw remembers ids of connections, messages and requests as the scenario's.
func (r *record) saw(ids ...string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, id := range ids {
		if id != "" {
			r.ids[id] = true
		}
	}
}

// name is a client's in the report.
func (r *record) name(user string) string {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.clients[user]++
	if n := r.clients[user]; n > 1 {
		return fmt.Sprintf("%s/%d", user, n)
	}
	return user
}

// moved says that the scenario's clock was moved.
func (r *record) moved(ahead time.Duration) {
	r.mu.Lock()
	r.ahead = ahead
	r.mu.Unlock()
	r.note("the clock is %v ahead", ahead)
}

// note adds a line to what the clients did. It holds no token.
func (r *record) note(format string, args ...any) {
	text := told(fmt.Sprintf(format, args...))
	r.mu.Lock()
	defer r.mu.Unlock()
	r.frames = append(r.frames, moment{time.Now().Add(r.ahead), text})
}

// told is a line without tokens, and cut where it would fill the screen. A token
// that is cut is redacted before, so no part of one is left.
func told(line string) string {
	if len(line) > 8*maxReportLine { // of a frame of 128 KB, only so much is searched
		return shortened(telemetry.Redact(line[:8*maxReportLine]), len(line))
	}
	return shortened(telemetry.Redact(line), len(line))
}

func shortened(line string, of int) string {
	if len(line) <= maxReportLine {
		return line
	}
	return fmt.Sprintf("%s… (%d bytes)", strings.ToValidUTF8(line[:maxReportLine], ""), of)
}

// A report has at most so much of each kind.
const (
	maxReportLine  = 400 // bytes
	maxReportLines = 100
)

// logLine is a line of a function's log. invocation is the invoke that it was
// printed in.
type logLine struct {
	moment
	function, invocation string
}

// world is what is known of everybody's doings.
type world struct {
	logs     []logLine
	requests []emulator.Request
	missing  error // what could not be looked at
}

// report tells of the time since from, and of this scenario only.
func (r *record) report(w world, from time.Time) string {
	r.mu.Lock()
	defer r.mu.Unlock()
	known, invocations := r.related(w)
	// A function may serve several tenants in one invoke. What names nobody there
	// is nobody's, unless it has failed.
	shared := map[string]bool{}
	note := func(names []string, invocation string) {
		if len(names) > 0 && !slices.ContainsFunc(names, known) {
			shared[invocation] = true
		}
	}
	for _, l := range w.logs {
		note(namesIn(l.text), l.invocation)
	}
	for _, q := range w.requests {
		note(connectionOf(q), q.Invocation)
	}
	ours := func(names []string, invocation string, failed bool) bool {
		if len(names) > 0 {
			return slices.ContainsFunc(names, known)
		}
		return invocations[invocation] && (failed || !shared[invocation])
	}
	var logs, requests []moment
	for _, l := range w.logs {
		if ours(namesIn(l.text), l.invocation, !strings.HasPrefix(l.text, "REPORT ")) && !isNoise(l.text) {
			logs = append(logs, moment{l.at, l.function + ": " + l.text})
		}
	}
	for _, q := range w.requests {
		if ours(connectionOf(q), q.Invocation, q.Failed()) {
			requests = append(requests, moment{q.Time, requestText(q)})
		}
	}
	var b strings.Builder
	for _, part := range []struct {
		title string
		lines []moment
	}{{"what its clients sent (→) and got (←)", r.frames}, {"what the functions printed for it", logs}, {"what the cloud was asked for it", requests}} {
		section(&b, part.title, part.lines, from)
	}
	if w.missing != nil {
		fmt.Fprintf(&b, "not looked at: %v\n", w.missing)
	}
	return b.String()
}

func section(b *strings.Builder, title string, lines []moment, from time.Time) {
	lines = slices.DeleteFunc(slices.Clone(lines), func(m moment) bool { return m.at.Before(from) })
	slices.SortStableFunc(lines, func(a, b moment) int { return a.at.Compare(b.at) })
	fmt.Fprintf(b, "%s: %d lines\n", title, len(lines))
	const first = maxReportLines / 4
	skipped := max(0, len(lines)-maxReportLines)
	for i, m := range lines {
		if i == first && skipped > 0 {
			fmt.Fprintf(b, "  … %d lines …\n", skipped)
		}
		if i >= first && i < first+skipped {
			continue
		}
		fmt.Fprintf(b, "  %s %s\n", m.at.UTC().Format("15:04:05.000"), told(m.text))
	}
}

// related finds what belongs to the scenario: a function names a connection
// beside its tenant, and what else was printed and asked in that invoke is tied
// to it by the invoke. r.mu is held.
func (r *record) related(w world) (known func(name string) bool, invocations map[string]bool) {
	ids := maps.Clone(r.ids)
	known = func(name string) bool {
		return ids[name] || slices.ContainsFunc(r.tenants, func(tenant string) bool { return strings.HasPrefix(name, tenant) })
	}
	invocations = map[string]bool{}
	learn := func(names []string, invocation string) {
		if !slices.ContainsFunc(names, known) {
			return
		}
		for _, name := range names {
			ids[name] = true
		}
		if invocation != "" {
			invocations[invocation] = true
		}
	}
	for before := -1; before < len(ids)+len(invocations); { // until nothing new is learned
		before = len(ids) + len(invocations)
		for _, l := range w.logs {
			learn(namesIn(l.text), l.invocation)
		}
		for _, q := range w.requests {
			names := slices.Clone(connectionOf(q))
			if q.RequestID != "" { // as a socket's end has it
				names = append(names, q.RequestID)
			}
			learn(names, q.Invocation)
		}
	}
	return known, invocations
}

// namesIn are whom a function's line is about.
func namesIn(line string) (names []string) {
	if !strings.HasPrefix(line, "{") {
		return nil
	}
	var l struct{ Tenant, Connection, MessageID, SQSMessageID, RequestID string }
	if json.Unmarshal([]byte(line), &l) != nil {
		return nil
	}
	for _, name := range []string{l.Tenant, l.Connection, l.MessageID, l.SQSMessageID, l.RequestID} {
		if name != "" {
			names = append(names, name)
		}
	}
	return names
}

// isNoise: where each invoke begins and ends, and its metrics, tell nothing of a
// failure. REPORT does: it has the time and the memory.
func isNoise(line string) bool {
	return strings.HasPrefix(line, "START ") || strings.HasPrefix(line, "END ") || strings.HasPrefix(line, "{") && strings.Contains(line, `"_aws":`)
}

// connectionOf is the connection that a request is about, if it is about one:
// <api>/<stage>/<id>.
func connectionOf(q emulator.Request) []string {
	if parts := strings.SplitN(q.Resource, "/", 3); q.Service == "execute-api" && len(parts) == 3 {
		return parts[2:]
	}
	return nil
}

func requestText(q emulator.Request) string {
	text := fmt.Sprintf("%s %s %s: %d in %v", q.Service, q.Operation, q.Resource, q.Status, q.Took)
	for _, more := range [][2]string{{"error", q.Error}, {"by", q.Caller}, {"invoke", q.Invocation}} {
		if more[1] != "" {
			text += ", " + more[0] + " " + more[1]
		}
	}
	if q.Faulted {
		text += ", by a fault rule"
	}
	return text
}

// world looks at the functions' logs since from, by the logs' own API, and at the
// requests, if the cloud tells them.
func (t *target) world(ctx context.Context, from time.Time) world {
	var w world
	var err error
	if w.logs, err = t.functionLogs(ctx, from); err != nil {
		w.missing = fmt.Errorf("the functions' logs: %w", err)
	}
	if t.asked == nil {
		w.missing = errors.Join(w.missing, errors.New("requests, which the target does not tell"))
		return w
	}
	if err := t.asked.look(ctx); err != nil {
		w.missing = errors.Join(w.missing, err)
	}
	w.requests = t.asked.all()
	return w
}

// functionGroups begins the names of the functions' log groups.
const functionGroups = "/aws/lambda/fanfare-"

func (t *target) functionLogs(ctx context.Context, from time.Time) (all []logLine, err error) {
	api := cloudwatchlogs.NewFromConfig(t.AWS.Copy())
	groups := cloudwatchlogs.NewDescribeLogGroupsPaginator(api, &cloudwatchlogs.DescribeLogGroupsInput{LogGroupNamePrefix: aws.String(functionGroups)})
	for groups.HasMorePages() {
		page, err := groups.NextPage(ctx)
		if err != nil {
			return all, err
		}
		for _, g := range page.LogGroups {
			lines, err := groupLogs(ctx, api, *g.LogGroupName, from)
			if all = append(all, lines...); err != nil {
				return all, err
			}
		}
	}
	return all, nil
}

func groupLogs(ctx context.Context, api *cloudwatchlogs.Client, group string, from time.Time) (lines []logLine, err error) {
	var all []logstypes.FilteredLogEvent
	events := cloudwatchlogs.NewFilterLogEventsPaginator(api, &cloudwatchlogs.FilterLogEventsInput{
		LogGroupName: &group, StartTime: aws.Int64(from.UnixMilli()),
	})
	for events.HasMorePages() {
		page, err := events.NextPage(ctx)
		if err != nil {
			return nil, err
		}
		all = append(all, page.Events...)
	}
	// A stream is one process's, which serves one invoke at a time: its lines are
	// those between START and END.
	current := map[string]string{}
	for _, e := range all {
		text, stream := strings.TrimRight(aws.ToString(e.Message), "\n"), aws.ToString(e.LogStreamName)
		if id, ok := strings.CutPrefix(text, "START RequestId: "); ok {
			current[stream], _, _ = strings.Cut(id, " ")
		}
		lines = append(lines, logLine{moment{time.UnixMilli(aws.ToInt64(e.Timestamp)), text}, path.Base(group), current[stream]})
	}
	return lines, nil
}

// asked gathers the cloud's requests while the suite runs, because the cloud keeps
// the last 2,000 alone, and a scenario may fail half a minute after what matters.
type asked struct {
	cloud *cloudAPI

	mu   sync.Mutex
	kept []emulator.Request
	seen map[string]bool
}

const (
	lookEvery = 500 * time.Millisecond
	// lookBack is how far back each look goes: a request is listed once it is
	// answered, by the time when it began.
	lookBack    = 10 * time.Second
	keptOfAsked = 40000
)

// gather looks until ctx ends.
func gather(ctx context.Context, cloud *cloudAPI) *asked {
	a := &asked{cloud: cloud, seen: map[string]bool{}}
	go func() {
		tick := time.NewTicker(lookEvery)
		defer tick.Stop()
		for {
			select {
			case <-tick.C:
				_ = a.look(ctx) // the look of the report tells
			case <-ctx.Done():
				return
			}
		}
	}()
	return a
}

func (a *asked) look(ctx context.Context) error {
	var list emulator.RequestList
	if err := a.cloud.call(ctx, http.MethodGet, "requests?since="+lookBack.String(), nil, &list); err != nil {
		return err
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, q := range list.Requests {
		// A socket's end has no id.
		if key := cmp.Or(q.RequestID, q.Resource) + q.Operation; !a.seen[key] {
			a.seen[key] = true
			a.kept = append(a.kept, q)
		}
	}
	if len(a.kept) > keptOfAsked {
		for _, q := range a.kept[:keptOfAsked/2] {
			delete(a.seen, cmp.Or(q.RequestID, q.Resource)+q.Operation)
		}
		a.kept = slices.Clone(a.kept[keptOfAsked/2:])
	}
	return nil
}

func (a *asked) all() []emulator.Request {
	a.mu.Lock()
	defer a.mu.Unlock()
	return slices.Clone(a.kept)
}
