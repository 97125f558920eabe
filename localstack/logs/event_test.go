package logs_test

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs/types"

	"fanfare/localstack/logs"
)

func TestPutMakesGroupAndStream(t *testing.T) {
	c := newCloud(t, logs.Options{})
	c.Put("/aws/lambda/message", "2026/01/02/[$LATEST]4f", logs.Event{Message: "now"},
		logs.Event{Time: c.clock.Now().Add(-time.Hour), Message: "an hour ago"})
	got := c.Events("/aws/lambda/message")
	if want := []string{"an hour ago", "now"}; !slices.Equal(texts(got), want) {
		t.Errorf("events = %v, want %v in order of time", got, want)
	}
	if got[0].Stream != "2026/01/02/[$LATEST]4f" {
		t.Errorf("stream = %q", got[0].Stream)
	}
	if got := c.Events("/aws/lambda/other"); got != nil {
		t.Errorf("events of a group that is not there = %v", got)
	}
	c.Put("a b", "s", logs.Event{Message: "dropped"}) // must not panic
}

func TestTheOldestEventsGoFirst(t *testing.T) {
	for name, o := range map[string]logs.Options{
		"by number": {MaxEventsPerGroup: 3}, "by size": {MaxBytesPerGroup: 6},
	} {
		t.Run(name, func(t *testing.T) {
			c := newCloud(t, o)
			for i := range 100 {
				c.write("s", fmt.Sprint(i))
			}
			if got, want := texts(c.Events("g")), []string{"97", "98", "99"}; !slices.Equal(got, want) {
				t.Errorf("events = %v, want %v", got, want)
			}
		})
	}
}

func TestAMessageIsCutBetweenCharacters(t *testing.T) {
	c := newCloud(t, logs.Options{})
	c.write("s", strings.Repeat("x", 1<<20-1)+"ü")
	if got := len(c.Events("g")[0].Message); got != 1<<20-1 {
		t.Errorf("length = %d, want the ü cut off as a whole", got)
	}
}

// [BOTO:logs PutRetentionPolicy].
func TestRetentionFollowsTheClock(t *testing.T) {
	c := newCloud(t, logs.Options{})
	c.write("s", "old")
	_, err := c.client.PutRetentionPolicy(t.Context(), &sdk.PutRetentionPolicyInput{LogGroupName: aws.String("g"), RetentionInDays: aws.Int32(1)})
	if err != nil {
		t.Fatal(err)
	}
	c.clock.Advance(23 * time.Hour)
	c.write("s", "new")
	if got, want := texts(c.Events("g")), []string{"old", "new"}; !slices.Equal(got, want) {
		t.Errorf("after 23 h: %v, want %v", got, want)
	}
	c.clock.Advance(time.Hour + time.Second)
	if got, want := texts(c.Events("g")), []string{"new"}; !slices.Equal(got, want) {
		t.Errorf("after a day: %v, want %v", got, want)
	}
}

func input(at time.Time, message string) types.InputLogEvent {
	return types.InputLogEvent{Timestamp: aws.Int64(at.UnixMilli()), Message: &message}
}

// [BOTO:logs PutLogEvents].
func TestPutLogEvents(t *testing.T) {
	c := newCloud(t, logs.Options{})
	ctx, now := t.Context(), c.clock.Now()
	c.group("g")
	put := func(events ...types.InputLogEvent) (*sdk.PutLogEventsOutput, error) {
		return c.client.PutLogEvents(ctx, &sdk.PutLogEventsInput{LogGroupName: aws.String("g"), LogStreamName: aws.String("s"), LogEvents: events})
	}
	if _, err := put(input(now, "x")); !isNotFound(err) {
		t.Errorf("without the stream: %v, want ResourceNotFoundException", err)
	}
	if _, err := c.client.CreateLogStream(ctx, &sdk.CreateLogStreamInput{LogGroupName: aws.String("g"), LogStreamName: aws.String("s")}); err != nil {
		t.Fatal(err)
	}

	out, err := put(input(now, "good"), input(now.Add(3*time.Hour), "too new"))
	if err != nil || out.RejectedLogEventsInfo == nil || *out.RejectedLogEventsInfo.TooNewLogEventStartIndex != 1 {
		t.Errorf("three hours ahead: %+v, %v; want index 1 rejected as too new", out, err)
	}
	old := now.Add(-14*24*time.Hour - time.Minute)
	out, err = put(input(old, "too old"), input(old.Add(2*time.Minute), "just in time"))
	if err != nil || out.RejectedLogEventsInfo == nil || *out.RejectedLogEventsInfo.TooOldLogEventEndIndex != 1 {
		t.Errorf("fifteen days ago: %+v, %v; want the first rejected as too old", out, err)
	}
	if got, want := texts(c.Events("g")), []string{"just in time", "good"}; !slices.Equal(got, want) {
		t.Errorf("events = %v, want %v", got, want)
	}

	// The 24 hours are those of the events that are taken.
	if _, err := put(input(old, "too old"), input(now, "today")); err != nil {
		t.Errorf("an event of two weeks ago before one of today: %v, want the first rejected", err)
	}

	for what, events := range map[string][]types.InputLogEvent{
		"back in time":     {input(now, "b"), input(now.Add(-time.Second), "a")},
		"over 24 hours":    {input(now.Add(-25*time.Hour), "a"), input(now, "b")},
		"over 1 MiB":       {input(now, strings.Repeat("x", 1<<20))},
		"an empty message": {input(now, "")},
		"no events at all": {},
		"before the epoch": {{Timestamp: aws.Int64(-1), Message: aws.String("x")}},
	} {
		_, err := put(events...)
		expectInvalid(t, what, err)
	}
}

// The end is where a token comes back unchanged [BOTO:logs GetLogEvents].
func TestGetLogEventsPagesBothWays(t *testing.T) {
	c := newCloud(t, logs.Options{})
	c.write("other", "not this one")
	c.write("s", "1", "2", "3", "4", "5")
	get := func(in sdk.GetLogEventsInput) (string, *sdk.GetLogEventsOutput) {
		t.Helper()
		in.LogGroupName, in.LogStreamName, in.Limit = aws.String("g"), aws.String("s"), aws.Int32(2)
		out, err := c.client.GetLogEvents(t.Context(), &in)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, e := range out.Events {
			got = append(got, *e.Message)
		}
		return strings.Join(got, ""), out
	}
	step := func(what string, in sdk.GetLogEventsInput, want string) *sdk.GetLogEventsOutput {
		t.Helper()
		got, out := get(in)
		if got != want {
			t.Errorf("%s: %q, want %q", what, got, want)
		}
		return out
	}
	newest := step("the newest page", sdk.GetLogEventsInput{}, "45")
	older := step("backward", sdk.GetLogEventsInput{NextToken: newest.NextBackwardToken}, "23")
	oldest := step("backward", sdk.GetLogEventsInput{NextToken: older.NextBackwardToken}, "1")
	end := step("backward", sdk.GetLogEventsInput{NextToken: oldest.NextBackwardToken}, "")
	if *end.NextBackwardToken != *oldest.NextBackwardToken {
		t.Error("at the end the token changed")
	}
	step("forward again", sdk.GetLogEventsInput{NextToken: end.NextForwardToken, StartFromHead: aws.Bool(true)}, "12")

	tail := step("following", sdk.GetLogEventsInput{NextToken: newest.NextForwardToken, StartFromHead: aws.Bool(true)}, "")
	c.clock.Advance(time.Second)
	c.write("s", "6")
	step("following", sdk.GetLogEventsInput{NextToken: tail.NextForwardToken, StartFromHead: aws.Bool(true)}, "6")
	step("from the head", sdk.GetLogEventsInput{StartFromHead: aws.Bool(true)}, "12")

	third := c.Events("g")[2].Time.UnixMilli() // of s: "3", as "not this one" is as new as "5"
	step("the end is exclusive", sdk.GetLogEventsInput{EndTime: &third}, "12")
	step("the start is inclusive", sdk.GetLogEventsInput{StartTime: &third, StartFromHead: aws.Bool(true)}, "34")
}

// What `aws logs tail --follow` and the console rely on.
func TestFollowingAStreamThatIsStillEmpty(t *testing.T) {
	c := newCloud(t, logs.Options{})
	c.Put("g", "s")
	var token *string
	for _, want := range []string{"", "first", "second"} {
		if want != "" {
			c.clock.Advance(time.Second)
			c.write("s", want)
		}
		out, err := c.client.GetLogEvents(t.Context(), &sdk.GetLogEventsInput{
			LogGroupName: aws.String("g"), LogStreamName: aws.String("s"), NextToken: token, StartFromHead: aws.Bool(token != nil)})
		if err != nil {
			t.Fatal(err)
		}
		if got := len(out.Events); got > 1 || got == 1 && *out.Events[0].Message != want || got == 0 && want != "" {
			t.Errorf("got %d events, want %q", got, want)
		}
		token = out.NextForwardToken
	}
}

// [BOTO:logs FilterLogEvents].
func TestFilterLogEvents(t *testing.T) {
	c := newCloud(t, logs.Options{})
	c.write("a/1", "ERROR connect failed", "info: connected")
	c.clock.Advance(time.Minute)
	c.write("b/1", `WARN said "no"`, "ERROR deliver failed")
	filter := func(in sdk.FilterLogEventsInput) (got []string) {
		t.Helper()
		in.LogGroupName = aws.String("g")
		p := sdk.NewFilterLogEventsPaginator(c.client, &in)
		for p.HasMorePages() {
			out, err := p.NextPage(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			for _, e := range out.Events {
				got = append(got, *e.Message)
			}
		}
		return got
	}
	all := []string{"ERROR connect failed", "info: connected", `WARN said "no"`, "ERROR deliver failed"}
	backward := slices.Clone(all)
	slices.Reverse(backward)
	middle := c.Events("g")[2].Time.UnixMilli()
	for name, tt := range map[string]struct {
		in   sdk.FilterLogEventsInput
		want []string
	}{
		"everything":         {sdk.FilterLogEventsInput{}, all},
		"in pages":           {sdk.FilterLogEventsInput{Limit: aws.Int32(1)}, all},
		"the newest first":   {sdk.FilterLogEventsInput{Limit: aws.Int32(3), StartFromHead: aws.Bool(false)}, backward},
		"one term":           {sdk.FilterLogEventsInput{FilterPattern: aws.String("ERROR")}, []string{all[0], all[3]}},
		"both terms":         {sdk.FilterLogEventsInput{FilterPattern: aws.String("ERROR deliver")}, all[3:]},
		"case counts":        {sdk.FilterLogEventsInput{FilterPattern: aws.String("error")}, nil},
		"a phrase":           {sdk.FilterLogEventsInput{FilterPattern: aws.String(`"connect failed"`)}, all[:1]},
		"quotes in a phrase": {sdk.FilterLogEventsInput{FilterPattern: aws.String(`"\"no\""`)}, all[2:3]},
		"one of these":       {sdk.FilterLogEventsInput{FilterPattern: aws.String(`?WARN ?"info:"`)}, all[1:3]},
		"not this":           {sdk.FilterLogEventsInput{FilterPattern: aws.String(`failed -deliver`)}, all[:1]},
		"some streams":       {sdk.FilterLogEventsInput{LogStreamNames: []string{"b/1"}}, all[2:]},
		"streams by prefix":  {sdk.FilterLogEventsInput{LogStreamNamePrefix: aws.String("a/")}, all[:2]},
		"from a time on":     {sdk.FilterLogEventsInput{StartTime: &middle}, all[2:]},
		"up to a time":       {sdk.FilterLogEventsInput{EndTime: &middle}, all[:3]},
	} {
		t.Run(name, func(t *testing.T) {
			if got := filter(tt.in); !slices.Equal(got, tt.want) {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

// [WEB:FilterAndPatternSyntax].
func TestFilterPatternsThatAreRefused(t *testing.T) {
	c := newCloud(t, logs.Options{})
	c.group("g")
	for _, pattern := range []string{
		`{ $.level = "ERROR" }`, `[time, level, message]`, `%ERR.R%`, `connect/failed`, `"open`, `""`, `?a b`, `-`,
	} {
		_, err := c.client.FilterLogEvents(t.Context(), &sdk.FilterLogEventsInput{LogGroupName: aws.String("g"), FilterPattern: &pattern})
		expectInvalid(t, pattern, err)
	}
}

// [BOTO:logs CreateLogStream, DescribeLogStreams].
func TestLogStreams(t *testing.T) {
	c := newCloud(t, logs.Options{})
	c.write("a", "1")
	c.clock.Advance(time.Second)
	c.write("c", "2")
	c.clock.Advance(time.Second)
	c.write("b", "3")
	describe := func(in sdk.DescribeLogStreamsInput) (names string) {
		t.Helper()
		in.LogGroupIdentifier, in.Limit = aws.String("arn:aws:logs:us-east-1:000000000000:log-group:g"), aws.Int32(2)
		p := sdk.NewDescribeLogStreamsPaginator(c.client, &in)
		for p.HasMorePages() {
			out, err := p.NextPage(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			for _, s := range out.LogStreams {
				names += *s.LogStreamName
			}
			names += "|"
		}
		return names
	}
	for _, tt := range []struct {
		in   sdk.DescribeLogStreamsInput
		want string
	}{
		{sdk.DescribeLogStreamsInput{}, "ab|c|"},
		{sdk.DescribeLogStreamsInput{Descending: aws.Bool(true)}, "cb|a|"},
		{sdk.DescribeLogStreamsInput{OrderBy: types.OrderByLastEventTime, Descending: aws.Bool(true)}, "bc|a|"},
		{sdk.DescribeLogStreamsInput{LogStreamNamePrefix: aws.String("c")}, "c|"},
	} {
		if got := describe(tt.in); got != tt.want {
			t.Errorf("%+v: %q, want %q", tt.in, got, tt.want)
		}
	}
	_, err := c.client.DeleteLogStream(t.Context(), &sdk.DeleteLogStreamInput{LogGroupName: aws.String("g"), LogStreamName: aws.String("c")})
	if err != nil {
		t.Fatal(err)
	}
	if got, want := texts(c.Events("g")), []string{"1", "3"}; !slices.Equal(got, want) {
		t.Errorf("after DeleteLogStream: %v, want %v", got, want)
	}
}

func TestManyWritersAndReaders(t *testing.T) {
	c := newCloud(t, logs.Options{MaxEventsPerGroup: 500})
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			for n := range 200 {
				c.Put("g", fmt.Sprint("s", i), logs.Event{Message: fmt.Sprint(n)})
				if n%50 == 0 {
					c.Events("g")
				}
			}
		})
	}
	wg.Wait()
	if got := len(c.Events("g")); got != 500 {
		t.Errorf("%d events, want the last 500", got)
	}
}
