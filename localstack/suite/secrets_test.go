package suite

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/coder/websocket"

	"fanfare/shared/auth/authtest"
)

// TestNoTokenIsWrittenAnywhere sends tokens, good and bad, on every way that one
// can come, and looks for them in all that was written meanwhile.
func TestNoTokenIsWrittenAnywhere(t *testing.T) {
	s := begin(t, ownAPI)
	claims := s.stack.claims("u", s.tenant, "broadcast:*")
	foreignIssuer, noTenant := claims, claims
	foreignIssuer.Issuer, noTenant.Tenant = "https://elsewhere.example", ""
	good, other := s.stack.Key.Sign(claims), s.stack.Key.Sign(claims)
	bad := map[string]string{
		"expired":           s.stack.Key.Sign(claims, authtest.Expired()),
		"of a foreign key":  authtest.NewKey().Sign(claims),
		"foreign issuer":    s.stack.Key.Sign(foreignIssuer),
		"without a tenant":  s.stack.Key.Sign(noTenant),
		"with a broken end": good[:len(good)-4] + "!!!!",
	}
	url := s.stack.Outputs.WebSocketURL
	for _, token := range bad {
		s.refused(url+"?token="+token, nil)
		s.refused(url, http.Header{"Authorization": {"Bearer " + token}})
		s.refused(url, nil, "bearer", token)
	}
	s.refused(url+"?token="+good, http.Header{"Authorization": {"Bearer " + other}})
	s.refused(url+"?token="+good+"&token="+other, nil)

	for _, options := range []*websocket.DialOptions{
		{HTTPHeader: http.Header{"Authorization": {"Bearer " + good}}},
		{Subprotocols: []string{"bearer", good}},
	} {
		conn, _, err := dialURL(t.Context(), url, options)
		if err != nil {
			t.Fatal(err)
		}
		s.adopt("u", conn).ask(`{"action":"ping"}`, "pong")
	}
	conn, _, err := dialURL(t.Context(), url+"?token="+good, nil)
	if err != nil {
		t.Fatal(err)
	}
	c := s.adopt("u", conn)
	c.ask(`{"action":"authenticate","token":"`+other+`"}`, "authenticated")
	for _, token := range bad {
		c.ask(`{"action":"authenticate","token":"`+token+`"}`, "error")
	}
	c.ask(`{"action":"fly","token":"`+good+`"}`, "error")
	c.ask(`{"action":"authenticate","token":"`+good, "error")
	c.ask(`{"action":"authenticate","token":["`+good+`"]}`, "error")

	written := s.allWritten()
	for _, where := range []string{"log group /aws/lambda/fanfare-connect", "log group /aws/lambda/fanfare-message", "log group " + accessLog, "requests of the cloud", "the table"} {
		if len(written[where]) == 0 {
			t.Errorf("nothing was found in %s: this test has looked in the wrong place (%v)", where, keys(written))
		}
	}
	tokens := []string{good, other}
	for _, token := range bad {
		tokens = append(tokens, token)
	}
	for _, token := range tokens {
		parts := strings.Split(token, ".")
		for where, text := range written {
			for i, part := range []string{"payload", "signature"} {
				if at := strings.Index(text, parts[i+1]); at >= 0 {
					t.Errorf("%s holds a token's %s: …%s…", where, part, text[max(0, at-200):min(len(text), at+40)])
				}
			}
		}
	}
}

func keys(m map[string]string) (names []string) {
	for name := range m {
		names = append(names, name)
	}
	return names
}

// allWritten gathers every log, the list of requests and the table, by where
// it was found.
func (s *scenario) allWritten() map[string]string {
	s.Helper()
	written := map[string]string{"the cloud's own log": cloudLog.String(), "requests of the cloud": s.requests(), "the table": s.wholeTable()}
	logs := cloudwatchlogs.NewFromConfig(s.config())
	for groups := cloudwatchlogs.NewDescribeLogGroupsPaginator(logs, nil); groups.HasMorePages(); {
		page, err := groups.NextPage(s.Context())
		if err != nil {
			s.Fatal(err)
		}
		for _, group := range page.LogGroups {
			var text strings.Builder
			events := cloudwatchlogs.NewFilterLogEventsPaginator(logs, &cloudwatchlogs.FilterLogEventsInput{LogGroupName: group.LogGroupName})
			for events.HasMorePages() {
				page, err := events.NextPage(s.Context())
				if err != nil {
					s.Fatal(err)
				}
				for _, e := range page.Events {
					text.WriteString(aws.ToString(e.Message) + "\n")
				}
			}
			written["log group "+*group.LogGroupName] = text.String()
		}
	}
	return written
}

func (s *scenario) requests() string {
	s.Helper()
	var list json.RawMessage
	if err := s.stack.Cloud.call(s.Context(), http.MethodGet, "requests", nil, &list); err != nil {
		s.Fatal(err)
	}
	return string(list)
}

func (s *scenario) wholeTable() string {
	s.Helper()
	var text strings.Builder
	pages := dynamodb.NewScanPaginator(dynamodb.NewFromConfig(s.config()), &dynamodb.ScanInput{TableName: &s.stack.Outputs.TableName})
	for pages.HasMorePages() {
		page, err := pages.NextPage(s.Context())
		if err != nil {
			s.Fatal(err)
		}
		row, err := json.Marshal(page.Items)
		if err != nil {
			s.Fatal(err)
		}
		fmt.Fprintf(&text, "%s\n", row)
	}
	return text.String()
}
