package suite

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/coder/websocket"
)

const accessLog = "/aws/apigateway/fanfare/live"

// accessLogFields are those of infra/modules/websocket-api/logging.tf. What a query
// string holds, a token say, has no place among them.
var accessLogFields = []string{
	"connectionId", "disconnectCode", "error", "eventType", "integrationError", "integrationStatus", "latency", "messageId", "requestId", "routeKey", "status", "time",
}

func TestTheAccessLogTellsOfASocketAsJSON(t *testing.T) {
	s := begin(t, ownAPI)
	c := s.dial("u", s.tenant)
	id := s.connectionID(c, "u") // which pings
	if err := c.conn.Close(websocket.StatusNormalClosure, ""); err != nil {
		t.Fatal(err)
	}
	want := []string{"CONNECT $connect 200", "DISCONNECT $disconnect 200", "MESSAGE ping 200"}
	s.eventually(func() string {
		var got []string
		requests := map[string]bool{}
		for _, line := range s.accessLines(id) {
			var fields map[string]string
			if err := json.Unmarshal([]byte(line), &fields); err != nil {
				t.Fatalf("%s: %v", line, err)
			}
			if names := slices.Sorted(maps.Keys(fields)); !slices.Equal(names, accessLogFields) {
				t.Fatalf("the fields are %q", names)
			}
			if strings.Contains(line, "token") || strings.Contains(line, "?") {
				t.Fatalf("it has a query string: %s", line)
			}
			requests[fields["requestId"]] = true
			got = append(got, fields["eventType"]+" "+fields["routeKey"]+" "+fields["status"])
		}
		slices.Sort(got)
		if !slices.Equal(got, want) {
			return fmt.Sprintf("the lines are %q, want %q", got, want)
		}
		if len(requests) != len(want) || requests[""] || requests["-"] {
			return fmt.Sprintf("the requests' ids are %v", requests)
		}
		return ""
	})
}

// accessLines are the access log's of one connection.
func (s *scenario) accessLines(connectionID string) (lines []string) {
	s.Helper()
	pages := cloudwatchlogs.NewFilterLogEventsPaginator(cloudwatchlogs.NewFromConfig(s.config()), &cloudwatchlogs.FilterLogEventsInput{
		LogGroupName: aws.String(accessLog), FilterPattern: aws.String(fmt.Sprintf("%q", connectionID)),
	})
	for pages.HasMorePages() {
		page, err := pages.NextPage(s.Context())
		if err != nil {
			s.Fatal(err)
		}
		for _, e := range page.Events {
			lines = append(lines, aws.ToString(e.Message))
		}
	}
	return lines
}
