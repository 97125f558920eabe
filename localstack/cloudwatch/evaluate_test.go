package cloudwatch_test

import (
	"encoding/xml"
	"fmt"
	"strings"
	"testing"
	"time"

	"fanfare/localstack/clock"
	"fanfare/localstack/cloudwatch"
)

// stateOf is an alarm's state, and what AWS's console shows as its reason.
func (a api) stateOf(name string) (state, reason string) {
	a.t.Helper()
	var answer struct {
		State  string `xml:"DescribeAlarmsResult>MetricAlarms>member>StateValue"`
		Reason string `xml:"DescribeAlarmsResult>MetricAlarms>member>StateReason"`
	}
	if err := xml.Unmarshal([]byte(a.must("DescribeAlarms", "AlarmNames.member.1="+name)), &answer); err != nil {
		a.t.Fatal(err)
	}
	return answer.State, answer.Reason
}

func (a api) wantState(when, name, want string) {
	a.t.Helper()
	if got, reason := a.stateOf(name); got != want {
		a.t.Errorf("%s: %s is %s, want %s: %s", when, name, got, want, reason)
	}
}

const region = "eu-west-1"

// record is a line as shared/telemetry writes it.
func record(c *clock.Clock, function, metrics string) string {
	var names []string
	for pair := range strings.SplitSeq(metrics, `,"`) {
		name, _, _ := strings.Cut(strings.TrimPrefix(pair, `"`), `"`)
		names = append(names, fmt.Sprintf(`{"Name":%q,"Unit":"Count"}`, name))
	}
	return fmt.Sprintf(`{"FunctionName":%q,%s,"_aws":{"Timestamp":%d,"CloudWatchMetrics":[{"Namespace":"Fanfare","Dimensions":[["FunctionName"]],"Metrics":[%s]}]}}`,
		function, metrics, c.Now().UnixMilli(), strings.Join(names, ","))
}

// share is an alarm as Terraform puts ours: refused of all that came.
const share = `AlarmName=refused EvaluationPeriods=1 Threshold=50 ComparisonOperator=GreaterThanThreshold TreatMissingData=notBreaching
	Metrics.member.1.Id=result Metrics.member.1.ReturnData=true
	Metrics.member.1.Expression=IF((FILL(connected,0)+FILL(refused,0))>=4,100*FILL(refused,0)/(FILL(connected,0)+FILL(refused,0)),0)
	Metrics.member.2.Id=connected Metrics.member.2.ReturnData=false Metrics.member.2.MetricStat.Metric.Namespace=Fanfare
	Metrics.member.2.MetricStat.Metric.MetricName=Connected Metrics.member.2.MetricStat.Metric.Dimensions.member.1.Name=FunctionName
	Metrics.member.2.MetricStat.Metric.Dimensions.member.1.Value=dev-connect Metrics.member.2.MetricStat.Period=300 Metrics.member.2.MetricStat.Stat=Sum
	Metrics.member.3.Id=refused Metrics.member.3.ReturnData=false Metrics.member.3.MetricStat.Metric.Namespace=Fanfare
	Metrics.member.3.MetricStat.Metric.MetricName=Refused Metrics.member.3.MetricStat.Metric.Dimensions.member.1.Name=FunctionName
	Metrics.member.3.MetricStat.Metric.Dimensions.member.1.Value=dev-connect Metrics.member.3.MetricStat.Period=300 Metrics.member.3.MetricStat.Stat=Sum`

func TestAnAlarmOnAShareFollowsWhatFunctionsPrint(t *testing.T) {
	a, s, c := newAPI(t)
	a.must("PutMetricAlarm", share)
	a.wantState("at first", "refused", "INSUFFICIENT_DATA")
	c.Advance(time.Minute)
	a.wantState("while nobody comes", "refused", "OK")

	s.Embedded(region, record(c, "dev-connect", `"Refused":3`))
	c.Advance(time.Minute)
	a.wantState("three refused are too few to tell", "refused", "OK")
	s.Embedded(region, record(c, "dev-connect", `"Refused":1`))
	s.Embedded(region, record(c, "production-connect", `"Connected":100`)) // another deployment's
	s.Embedded("us-east-1", record(c, "dev-connect", `"Connected":100`))   // another region's
	c.Advance(time.Minute)
	a.wantState("four of four refused", "refused", "ALARM")
	s.Embedded(region, record(c, "dev-connect", `"Connected":4`))
	c.Advance(time.Minute)
	a.wantState("four of eight refused, which is not over half", "refused", "OK")
	c.Advance(10 * time.Minute)
	a.wantState("long after", "refused", "OK")
}

func TestAnAlarmOnAPercentileNeedsTwoPeriodsOfThree(t *testing.T) {
	a, s, c := newAPI(t)
	a.must("PutMetricAlarm", `AlarmName=slow Namespace=Fanfare MetricName=PostLatency ExtendedStatistic=p99 Dimensions.member.1.Name=FunctionName
		Dimensions.member.1.Value=dev-deliver Period=300 EvaluationPeriods=3 DatapointsToAlarm=2 Threshold=1000 ComparisonOperator=GreaterThanThreshold
		TreatMissingData=notBreaching`)
	slow := `"PostLatency":{"Values":[20,1500],"Counts":[980,20]}`
	s.Embedded(region, record(c, "dev-deliver", slow))
	c.Advance(5 * time.Minute)
	a.wantState("slow for one period", "slow", "OK")
	s.Embedded(region, record(c, "dev-deliver", slow))
	c.Advance(5 * time.Minute)
	a.wantState("slow for two", "slow", "ALARM")
	s.Embedded(region, record(c, "dev-deliver", `"PostLatency":{"Values":[20,1500],"Counts":[1995,5]}`))
	s.Embedded(region, record(c, "dev-deliver", slow))
	c.Advance(5 * time.Minute)
	body := a.must("GetMetricStatistics", `Namespace=Fanfare MetricName=PostLatency Period=300 ExtendedStatistics.member.1=p99
		Dimensions.member.1.Name=FunctionName Dimensions.member.1.Value=dev-deliver
		StartTime=`+c.Now().UTC().Add(-time.Hour).Format(time.RFC3339)+` EndTime=`+c.Now().UTC().Format(time.RFC3339))
	if !strings.Contains(body, "<ExtendedStatistics><entry><key>p99</key><value>") {
		t.Errorf("no percentile in %s", body)
	}
}

// One period long ago stands in for those that are missing, so an alarm ends
// only when nothing else is in sight.
func TestAStateIsMadeUpForMinuteByMinute(t *testing.T) {
	a, s, c := newAPI(t)
	a.must("PutMetricAlarm", `AlarmName=failed Namespace=Fanfare MetricName=FailedConnects Statistic=Sum Dimensions.member.1.Name=FunctionName
		Dimensions.member.1.Value=dev-connect Period=60 EvaluationPeriods=1 Threshold=0 ComparisonOperator=GreaterThanThreshold TreatMissingData=notBreaching`)
	s.Embedded(region, record(c, "dev-connect", `"FailedConnects":1`))
	happened := c.Now()
	c.Advance(time.Minute)
	a.wantState("in the next minute", "failed", "ALARM")
	c.Advance(time.Hour)
	a.wantState("an hour later", "failed", "OK")
	var answer struct {
		Changed time.Time `xml:"DescribeAlarmsResult>MetricAlarms>member>StateTransitionedTimestamp"`
	}
	if err := xml.Unmarshal([]byte(a.must("DescribeAlarms", "")), &answer); err != nil {
		t.Fatal(err)
	}
	if ago := answer.Changed.Sub(happened.Truncate(time.Minute)); ago != 4*time.Minute {
		t.Errorf("it was over %v after it began, want 4m: the minute itself and three evaluated after it", ago)
	}
}

func TestSetAlarmStateHoldsUntilTheNextEvaluation(t *testing.T) {
	a, _, c := newAPI(t)
	a.must("PutMetricAlarm", share)
	a.must("SetAlarmState", "AlarmName=refused StateValue=ALARM StateReason=drill")
	a.wantState("at once", "refused", "ALARM")
	c.Advance(time.Minute)
	a.wantState("a minute later", "refused", "OK")
}

func TestWhatCannotBeEvaluatedSaysSo(t *testing.T) {
	for name, tt := range map[string]struct{ params, want string }{
		"metrics that AWS's services write": {with(onMetric, "AlarmName=x", "Namespace=AWS/SQS"), "does not write the metrics of AWS/SQS"},
		"a function that is not here":       {with(share, "AlarmName=x", "Metrics.member.1.Expression=RATE(refused+connected)"), "does not evaluate RATE()"},
		"an anomaly detection band":         {with(onQueries, "AlarmName=x", "Threshold=", "ComparisonOperator=GreaterThanUpperThreshold", "ThresholdMetricId=m2"), "no anomaly detection"},
		"periods of ten seconds":            {with(onMetric, "AlarmName=x", "Namespace=F", "Period=10"), "by the minute"},
		"metrics of different periods":      {with(share, "AlarmName=x", "Metrics.member.3.MetricStat.Period=60"), "different periods"},
		"a trimmed mean":                    {with(onMetric, "AlarmName=x", "Namespace=F", "Statistic=", "ExtendedStatistic=tm90"), "no statistic tm90"},
	} {
		t.Run(name, func(t *testing.T) {
			a, _, c := newAPI(t)
			a.must("PutMetricAlarm", tt.params)
			c.Advance(time.Minute)
			if state, reason := a.stateOf("x"); state != "INSUFFICIENT_DATA" || !strings.HasPrefix(reason, "Not evaluated: ") || !strings.Contains(reason, tt.want) {
				t.Errorf("%s: %s", state, reason)
			}
		})
	}
}

func TestAnExpressionThatIsWrongIsRefused(t *testing.T) {
	for name, expression := range map[string]string{
		"it ends too early":           "connected+",
		"an id that no query has":     "connected+other",
		"a function that AWS has not": "PERCENT(connected)",
		"a number":                    "SUM(connected)",
		"itself":                      "result+connected",
	} {
		t.Run(name, func(t *testing.T) {
			a, _, _ := newAPI(t)
			body := a.wantError("PutMetricAlarm", with(share, "Metrics.member.1.Expression="+expression), 400, "ValidationError")
			if !strings.Contains(body, "Error in expression") {
				t.Error(body)
			}
		})
	}
}

func TestLinesThatAreNoMetricsAreLeftAlone(t *testing.T) {
	a, s, c := newAPI(t)
	for _, line := range []string{
		"START RequestId: 1", `{"level":"INFO","msg":"_aws"}`, `{"_aws":1}`, `{"_aws":{}}`, `{"_aws":`,
		record(c, "", `"Connected":1`),                  // a dimension without value
		record(c, "dev-connect", `"Connected":"one"`),   // no number
		record(c, "dev-connect", `"Connected":[1,null`), // cut
		strings.Replace(record(c, "dev-connect", `"Connected":1`), `"FunctionName":"dev-connect",`, "", 1),
		record(c, "dev-connect", `"Connected":[`+strings.Repeat("1,", 100)+`1]`), // over 100 values
	} {
		s.Embedded(region, line)
	}
	if body := a.must("ListMetrics", ""); strings.Contains(body, "<MetricName>") {
		t.Errorf("a metric is there: %s", body)
	}
	s.Embedded(region, record(c, "dev-connect", `"Connected":1,"Refused":0`))
	if body := a.must("ListMetrics", "Namespace=Fanfare"); strings.Count(body, "<MetricName>") != 2 {
		t.Errorf("not two metrics: %s", body)
	}
}

func FuzzEmbedded(f *testing.F) {
	f.Add(record(clock.New(), "dev-connect", `"Connected":{"Values":[1,2],"Counts":[1,1]}`))
	f.Add(`{"_aws":{"Timestamp":1,"CloudWatchMetrics":[{"Dimensions":[[]],"Metrics":[{"Name":"_aws"}]}]}}`)
	f.Fuzz(func(_ *testing.T, line string) { cloudwatch.New(cloudwatch.Options{}).Embedded(region, line) })
}
