package suite

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/xml"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"

	"fanfare/shared/telemetry"
)

// onlyInTrouble are the metrics that the drill does not make functions write. That
// the functions know their names, a test in scripts/infradocs shows.
var onlyInTrouble = map[string]string{
	"KeyFetchFailures": "the deployment has its issuer's key, and no address to fetch it from",
}

// A misspelt dimension makes no error anywhere, only an alarm that never rings.
func TestEveryAlarmWatchesAMetricThatIsWritten(t *testing.T) {
	s := beginAlone(t, ownProcess)
	if err := s.drive(t.Context(), nil, s.tenant); err != nil {
		t.Fatal(err)
	}
	watched := map[string][]string{} // metrics, with the alarms on each
	for _, alarm := range s.alarms("") {
		for _, m := range alarm.metrics() {
			if m.Namespace == telemetry.Namespace {
				watched[m.String()] = append(watched[m.String()], alarm.AlarmName)
			}
		}
	}
	if len(watched) < 10 {
		t.Errorf("the alarms watch only %d metrics of the functions: %v", len(watched), watched)
	}
	var written map[string]bool
	s.eventually(func() string { // functions end a little after what they do is seen
		written = s.writtenMetrics()
		for m, alarms := range watched {
			name, _, _ := strings.Cut(m, "{")
			if !written[m] && onlyInTrouble[name] == "" {
				return fmt.Sprintf("nobody writes %s, which %v watches; written are %v", m, alarms, slices.Sorted(maps.Keys(written)))
			}
		}
		return ""
	})
	for m := range written {
		if !strings.HasSuffix(m, "-connect}") && !strings.HasSuffix(m, "-message}") && !strings.HasSuffix(m, "-broadcast}") &&
			!strings.HasSuffix(m, "-deliver}") && !strings.HasSuffix(m, "-disconnect}") {
			t.Errorf("%s is not by the function's name", m)
		}
	}
}

// Alarms are evaluated at the turn of a minute.
func TestAnAlarmRingsWhenConnectsFail(t *testing.T) {
	s := beginAlone(t, ownCloud, ownProcess, movingClock)
	d := drill{t.Context(), s, s.tenant, s.table()}
	before := s.sum("FailedConnects", "connect")
	if err := d.failToConnect(); err != nil {
		t.Fatal(err)
	}
	s.eventually(func() string {
		if s.sum("FailedConnects", "connect") <= before {
			return "the failed connect is not counted"
		}
		return ""
	})
	s.advance(time.Minute)
	s.eventually(func() string {
		alarm := s.alarms(strings.TrimSuffix(s.functionName("connect"), "connect") + "failed-connects")[0]
		if alarm.StateValue != "ALARM" || !strings.HasSuffix(alarm.AlarmDescription, "RUNBOOK.md#failed-connects") {
			return fmt.Sprintf("%s is %s: %s", alarm.AlarmName, alarm.StateValue, alarm.StateReason)
		}
		return ""
	})
}

// cloudTime is what the cloud's clock shows.
func (s *scenario) cloudTime() time.Time {
	s.Helper()
	var clock struct{ Now time.Time }
	if err := s.stack.Cloud.call(s.Context(), http.MethodGet, "clock", nil, &clock); err != nil {
		s.Fatal(err)
	}
	return clock.Now
}

// watchedMetric is what an alarm looks up, or ListMetrics lists.
type watchedMetric struct {
	Namespace, MetricName string
	Dimensions            []struct{ Name, Value string } `xml:"Dimensions>member"`
}

func (m watchedMetric) String() string {
	var dimensions []string
	for _, d := range m.Dimensions {
		dimensions = append(dimensions, d.Name+"="+d.Value)
	}
	slices.Sort(dimensions)
	return m.MetricName + "{" + strings.Join(dimensions, ",") + "}"
}

type deployedAlarm struct {
	watchedMetric
	AlarmName, AlarmDescription, StateValue, StateReason string
	Queries                                              []struct {
		Metric *watchedMetric `xml:"MetricStat>Metric"`
	} `xml:"Metrics>member"`
}

func (a deployedAlarm) metrics() []watchedMetric {
	if a.MetricName != "" {
		return []watchedMetric{a.watchedMetric}
	}
	var all []watchedMetric
	for _, q := range a.Queries {
		if q.Metric != nil {
			all = append(all, *q.Metric)
		}
	}
	return all
}

func (s *scenario) alarms(prefix string) []deployedAlarm {
	s.Helper()
	var out struct {
		Alarms []deployedAlarm `xml:"DescribeAlarmsResult>MetricAlarms>member"`
	}
	s.monitoring("DescribeAlarms", url.Values{"AlarmNamePrefix": {prefix}}, &out)
	if len(out.Alarms) == 0 {
		s.Fatal("there are no alarms")
	}
	return out.Alarms
}

func (s *scenario) writtenMetrics() map[string]bool {
	s.Helper()
	var out struct {
		Metrics []watchedMetric `xml:"ListMetricsResult>Metrics>member"`
	}
	s.monitoring("ListMetrics", url.Values{"Namespace": {telemetry.Namespace}}, &out)
	written := map[string]bool{}
	for _, m := range out.Metrics {
		written[m.String()] = true
	}
	return written
}

// sum of a function's metric in the last ten minutes.
func (s *scenario) sum(metric, function string) (total float64) {
	s.Helper()
	now := s.cloudTime()
	var out struct {
		Sums []float64 `xml:"GetMetricStatisticsResult>Datapoints>member>Sum"`
	}
	s.monitoring("GetMetricStatistics", url.Values{
		"Namespace": {telemetry.Namespace}, "MetricName": {metric}, "Period": {"60"}, "Statistics.member.1": {"Sum"},
		"Dimensions.member.1.Name": {telemetry.Dimension}, "Dimensions.member.1.Value": {s.functionName(function)},
		"StartTime": {now.Add(-10 * time.Minute).Format(time.RFC3339)}, "EndTime": {now.Add(time.Minute).Format(time.RFC3339)},
	}, &out)
	for _, n := range out.Sums {
		total += n
	}
	return total
}

// functionName is a function's name in Lambda, by its short one.
func (s *scenario) functionName(short string) string {
	s.Helper()
	for name := range s.functionRoles() {
		if shortName(name) == short {
			return name
		}
	}
	s.Fatalf("there is no function %s", short)
	return ""
}

// monitoring calls CloudWatch in the Query protocol. There is no SDK's client for it
// among the dependencies, and this is all that would use it.
func (s *scenario) monitoring(action string, form url.Values, out any) {
	s.Helper()
	form.Set("Action", action)
	form.Set("Version", "2010-08-01")
	body := []byte(form.Encode())
	c := s.config()
	req, err := http.NewRequestWithContext(s.Context(), http.MethodPost, *c.BaseEndpoint+"/", bytes.NewReader(body))
	if err != nil {
		s.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	credentials, err := c.Credentials.Retrieve(s.Context())
	if err != nil {
		s.Fatal(err)
	}
	hash := sha256.Sum256(body)
	if err := v4.NewSigner().SignHTTP(s.Context(), credentials, req, hex.EncodeToString(hash[:]), "monitoring", c.Region, time.Now()); err != nil {
		s.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		s.Fatal(err)
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK {
		s.Fatalf("%s: HTTP %d %s, error %v", action, resp.StatusCode, answer, err)
	}
	if err := xml.Unmarshal(answer, out); err != nil {
		s.Fatalf("%s: %v: %s", action, err, answer)
	}
}
