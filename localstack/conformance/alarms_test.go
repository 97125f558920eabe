package conformance

import (
	"encoding/xml"
	"fmt"
	"net/url"
	"strings"
	"testing"
	"time"
)

func TestAlarms(t *testing.T) { check(t, alarmClaims) }

var alarmClaims = []claim{
	{says: "a line that a function prints in the embedded metric format is a metric of its namespace, by its dimensions", sources: "[WEB:CloudWatch_Embedded_Metric_Format_Specification]", test: alarmEmbedded},
	{says: "each set of dimensions of an embedded metric is a metric of its own", sources: "[WEB:CloudWatch_Embedded_Metric_Format_Specification]", test: alarmEmbeddedSets},
	evaluates("an alarm with a period of 5 minutes is evaluated every minute, on the last 5", "[WEB:alarm-evaluation]", false, "", "", "- - - - - 2", "ALARM"),
	evaluates("missing data that is not breaching is OK", "[WEB:alarms-and-missing-data]", false, "notBreaching", "", "-", "OK"),
	evaluates("missing data that is breaching is ALARM", "[WEB:alarms-and-missing-data]", false, "breaching", "", "-", "ALARM"),
	evaluates("missing data that is ignored changes no state", "[WEB:alarms-and-missing-data]", false, "ignore", "", "-", "INSUFFICIENT_DATA"),
	evaluates("missing data is INSUFFICIENT_DATA where nothing is said", "[WEB:alarms-and-missing-data]", false, "", "", "-", "INSUFFICIENT_DATA"),
	evaluates("an older datapoint stands in for a missing one", "[WEB:alarms-and-missing-data]", false, "notBreaching", "", "2 - - - - - - -", "ALARM"),
	evaluates("an older datapoint stands in for two periods more than are evaluated", "[WEB:alarms-and-missing-data]", true, "notBreaching", "", "2"+strings.Repeat(" -", 15), "OK"),
	evaluates("metric math: FILL counts what is missing as it says", "[WEB:using-metric-math]", false, "notBreaching", "FILL(m,7)", "-", "ALARM"),
	evaluates("metric math: FILL fills a metric that nobody has ever written", "[ISS:aws-sdk-js-v3#6873]", true, "breaching", "FILL(m,0)+FILL(other,0)", "1", "OK"),
	evaluates("metric math: what has a missing part is missing", "[WEB:using-metric-math]", false, "notBreaching", "m+other", "9", "OK"),
	evaluates("metric math: a division by 0 has no result", "", true, "breaching", "m/(m-m)", "9", "ALARM"),
	evaluates("metric math: IF chooses by a comparison", "[WEB:using-metric-math]", false, "breaching", "IF(m>=3,100*m/m,0)", "3", "ALARM"),
	evaluates("metric math: SUM of METRICS adds up the metrics of the alarm", "[WEB:using-metric-math]", false, "breaching", "SUM(METRICS())", "2", "ALARM"),
	{says: "an alarm on a percentile is evaluated on the values of embedded metrics", sources: "[WEB:CloudWatch_Embedded_Metric_Format_Specification]", test: alarmPercentile},
	{says: "SetAlarmState holds until the next evaluation", sources: "[WEB:API_SetAlarmState]", test: alarmSet},
	{says: "PutMetricAlarm: an expression that names no query is a ValidationError", sources: "[WEB:API_PutMetricAlarm]", unverified: true, test: alarmWrongExpression},
	{says: "an alarm that the local cloud cannot evaluate stays INSUFFICIENT_DATA, and its StateReason says why", test: alarmNotEvaluated},
}

// monitoring calls CloudWatch and decodes what answers.
func (c *cloud) monitoring(t *testing.T, action, params string, out any) answer {
	t.Helper()
	got := c.send(t, wire{"monitoring", "POST", "/", "", form, "Action=" + action + "&Version=2010-08-01&" + params})
	if out != nil {
		if err := xml.Unmarshal([]byte(got.body), out); err != nil || got.status != 200 {
			t.Fatalf("%s: HTTP %d %s, error %v", action, got.status, got.body, err)
		}
	}
	return got
}

// alarmOn puts an alarm that rings over 1, on the sum of the metric m in five minutes.
func (c *cloud) alarmOn(t *testing.T, name, missing, expression string) {
	t.Helper()
	f := url.Values{"AlarmName": {name}, "EvaluationPeriods": {"1"}, "Threshold": {"1"}, "ComparisonOperator": {"GreaterThanThreshold"}}
	if missing != "" {
		f.Set("TreatMissingData", missing)
	}
	if expression == "" {
		f.Set("Namespace", "Test")
		f.Set("MetricName", "m")
		f.Set("Statistic", "Sum")
		f.Set("Period", "300")
	} else {
		f.Set("Metrics.member.1.Id", "result")
		f.Set("Metrics.member.1.Expression", expression)
		for i, id := range []string{"m", "other"} {
			query := fmt.Sprintf("Metrics.member.%d.", i+2)
			f.Set(query+"Id", id)
			f.Set(query+"ReturnData", "false")
			f.Set(query+"MetricStat.Metric.Namespace", "Test")
			f.Set(query+"MetricStat.Metric.MetricName", id)
			f.Set(query+"MetricStat.Stat", "Sum")
			f.Set(query+"MetricStat.Period", "300")
		}
	}
	if got := c.monitoring(t, "PutMetricAlarm", f.Encode(), nil); got.status != 200 {
		t.Fatalf("PutMetricAlarm: HTTP %d %s", got.status, got.body)
	}
}

func (c *cloud) put(t *testing.T, metric, value string) {
	t.Helper()
	if got := c.monitoring(t, "PutMetricData", "Namespace=Test&MetricData.member.1.MetricName="+metric+"&MetricData.member.1.Value="+value, nil); got.status != 200 {
		t.Fatalf("PutMetricData: HTTP %d %s", got.status, got.body)
	}
}

func (c *cloud) alarmState(t *testing.T, name string) (state, reason string) {
	t.Helper()
	var out struct {
		State  string `xml:"DescribeAlarmsResult>MetricAlarms>member>StateValue"`
		Reason string `xml:"DescribeAlarmsResult>MetricAlarms>member>StateReason"`
	}
	c.monitoring(t, "DescribeAlarms", "AlarmNames.member.1="+name, &out)
	return out.State, out.Reason
}

// evaluates claims the state of an alarm after minutes with a value each, "-" being
// none.
func evaluates(says, sources string, unverified bool, missing, expression, minutes, want string) claim {
	return claim{says: says, sources: sources, unverified: unverified, test: func(t *testing.T) {
		c := fresh(t)
		c.alarmOn(t, "a", missing, expression)
		for value := range strings.FieldsSeq(minutes) {
			if value != "-" {
				c.put(t, "m", value)
			}
			c.Clock().Advance(time.Minute)
		}
		if state, reason := c.alarmState(t, "a"); state != want {
			t.Errorf("%s, want %s: %s", state, want, reason)
		}
	}}
}

// printing is a function that prints a record in the embedded metric format.
func (c *cloud) printing(t *testing.T, metrics, dimensions string) {
	t.Helper()
	line := fmt.Sprintf(`{"Api":"a1","Stage":"live",%s,"_aws":{"Timestamp":%d,"CloudWatchMetrics":[{"Namespace":"Test","Dimensions":%s,"Metrics":[{"Name":"m","Unit":"Count"}]}]}}`,
		metrics, c.Clock().Now().UnixMilli(), dimensions)
	name, _ := c.newFunction(t, nil, nil, func(call) order { return order{Print: []string{line}} })
	if out := c.invoke(t, name); out.FunctionError != nil {
		t.Fatalf("function: %s", *out.FunctionError)
	}
}

func (c *cloud) metrics(t *testing.T) (list []string) {
	t.Helper()
	var out struct {
		Metrics []struct {
			Namespace, MetricName string
			Dimensions            []struct{ Name, Value string } `xml:"Dimensions>member"`
		} `xml:"ListMetricsResult>Metrics>member"`
	}
	c.monitoring(t, "ListMetrics", "", &out)
	for _, m := range out.Metrics {
		list = append(list, fmt.Sprint(m.Namespace, " ", m.MetricName, " ", m.Dimensions))
	}
	return list
}

func alarmEmbedded(t *testing.T) {
	c := fresh(t)
	c.printing(t, `"m":3`, `[["Api"]]`)
	if got := fmt.Sprint(c.metrics(t)); got != "[Test m [{Api a1}]]" {
		t.Errorf("metrics %s", got)
	}
}

func alarmEmbeddedSets(t *testing.T) {
	c := fresh(t)
	c.printing(t, `"m":{"Values":[1,2],"Counts":[3,4]}`, `[[],["Stage","Api"]]`)
	if got := fmt.Sprint(c.metrics(t)); got != "[Test m [] Test m [{Api a1} {Stage live}]]" {
		t.Errorf("metrics %s", got)
	}
	now := c.Clock().Now().UTC()
	body := c.monitoring(t, "GetMetricStatistics", "Namespace=Test&MetricName=m&Period=60&Statistics.member.1=Sum&Statistics.member.2=SampleCount&StartTime="+
		now.Add(-time.Hour).Format(time.RFC3339)+"&EndTime="+now.Add(time.Minute).Format(time.RFC3339), nil).body
	if !strings.Contains(body, "<SampleCount>7</SampleCount><Sum>11</Sum>") {
		t.Errorf("statistics %s", body)
	}
}

func alarmPercentile(t *testing.T) {
	c := fresh(t)
	for name, threshold := range map[string]string{"over": "90", "under": "110"} {
		c.monitoring(t, "PutMetricAlarm", "AlarmName="+name+"&Namespace=Test&MetricName=m&Dimensions.member.1.Name=Api&Dimensions.member.1.Value=a1"+
			"&ExtendedStatistic=p99&Period=60&EvaluationPeriods=1&ComparisonOperator=GreaterThanThreshold&Threshold="+threshold, nil)
	}
	c.printing(t, `"m":{"Values":[1,100,5000],"Counts":[500,495,5]}`, `[["Api"]]`)
	c.Clock().Advance(time.Minute)
	over, _ := c.alarmState(t, "over")
	under, _ := c.alarmState(t, "under")
	if over != "ALARM" || under != "OK" {
		t.Errorf("p99 of 100: over 90 is %s, over 110 is %s", over, under)
	}
}

func alarmSet(t *testing.T) {
	c := fresh(t)
	c.alarmOn(t, "a", "notBreaching", "")
	c.monitoring(t, "SetAlarmState", "AlarmName=a&StateValue=ALARM&StateReason=drill", nil)
	at, reason := c.alarmState(t, "a")
	c.Clock().Advance(time.Minute)
	if later, _ := c.alarmState(t, "a"); at != "ALARM" || reason != "drill" || later != "OK" {
		t.Errorf("%s (%s), a minute later %s", at, reason, later)
	}
}

func alarmWrongExpression(t *testing.T) {
	got := shared(t).monitoring(t, "PutMetricAlarm", "AlarmName=wrong&EvaluationPeriods=1&Threshold=1&ComparisonOperator=GreaterThanThreshold"+
		"&Metrics.member.1.Id=result&Metrics.member.1.Expression=m%2B1", nil)
	if got.status != 400 || !strings.Contains(got.body, "<Code>ValidationError</Code>") || !strings.Contains(got.body, "no query has the id m") {
		t.Errorf("HTTP %d %s", got.status, got.body)
	}
}

func alarmNotEvaluated(t *testing.T) {
	c := fresh(t)
	c.monitoring(t, "PutMetricAlarm", "AlarmName=dead&Namespace=AWS%2FSQS&MetricName=ApproximateNumberOfMessagesVisible&Statistic=Maximum&Period=60"+
		"&EvaluationPeriods=1&Threshold=0&ComparisonOperator=GreaterThanThreshold&TreatMissingData=notBreaching", nil)
	c.alarmOn(t, "rate", "notBreaching", "RATE(m)+other")
	c.Clock().Advance(time.Minute)
	for name, want := range map[string]string{"dead": "the local cloud does not write the metrics of AWS/SQS", "rate": "the local cloud does not evaluate RATE()"} {
		if state, reason := c.alarmState(t, name); state != "INSUFFICIENT_DATA" || reason != "Not evaluated: "+want {
			t.Errorf("%s: %s, %s", name, state, reason)
		}
	}
}
