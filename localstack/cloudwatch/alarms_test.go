package cloudwatch_test

import (
	"encoding/xml"
	"regexp"
	"slices"
	"strings"
	"testing"
)

const onMetric = `AlarmName=errors Namespace=AWS/Lambda MetricName=Errors Statistic=Sum Period=60 EvaluationPeriods=3
	DatapointsToAlarm=2 Threshold=0.5 ComparisonOperator=GreaterThanThreshold TreatMissingData=notBreaching Unit=Count
	AlarmDescription=too_many_errors Dimensions.member.1.Name=FunctionName Dimensions.member.1.Value=connect
	OKActions.member.1=arn:aws:sns:x AlarmActions.member.1=arn:aws:sns:a AlarmActions.member.2=arn:aws:sns:b
	Tags.member.1.Key=team Tags.member.1.Value=chat`

func TestAnAlarmOnAMetricComesBackAsItWasPut(t *testing.T) {
	a, _, _ := newAPI(t)
	wantResult(t, a.must("PutMetricAlarm", onMetric),
		`<PutMetricAlarmResponse xmlns="http://monitoring.amazonaws.com/doc/2010-08-01/"></PutMetricAlarmResponse>`)
	wantResult(t, a.must("DescribeAlarms", "AlarmNames.member.1=errors AlarmTypes.member.1=MetricAlarm"), `
<DescribeAlarmsResponse xmlns="http://monitoring.amazonaws.com/doc/2010-08-01/"><DescribeAlarmsResult>
	<CompositeAlarms></CompositeAlarms>
	<MetricAlarms><member>
		<AlarmName>errors</AlarmName>
		<AlarmDescription>too many errors</AlarmDescription>
		<ActionsEnabled>true</ActionsEnabled>
		<OKActions><member>arn:aws:sns:x</member></OKActions>
		<AlarmActions><member>arn:aws:sns:a</member><member>arn:aws:sns:b</member></AlarmActions>
		<InsufficientDataActions></InsufficientDataActions>
		<MetricName>Errors</MetricName>
		<Namespace>AWS/Lambda</Namespace>
		<Statistic>Sum</Statistic>
		<Dimensions><member><Name>FunctionName</Name><Value>connect</Value></member></Dimensions>
		<Period>60</Period>
		<Unit>Count</Unit>
		<EvaluationPeriods>3</EvaluationPeriods>
		<DatapointsToAlarm>2</DatapointsToAlarm>
		<Threshold>0.5</Threshold>
		<ComparisonOperator>GreaterThanThreshold</ComparisonOperator>
		<TreatMissingData>notBreaching</TreatMissingData>
		<AlarmArn>arn:aws:cloudwatch:eu-west-1:000000000000:alarm:errors</AlarmArn>
		<StateValue>INSUFFICIENT_DATA</StateValue>
		<StateReason>Unchecked: Initial alarm creation</StateReason>
	</member></MetricAlarms>
</DescribeAlarmsResult></DescribeAlarmsResponse>`)
}

const onQueries = `AlarmName=rate EvaluationPeriods=1 Threshold=5 ComparisonOperator=LessThanThreshold ActionsEnabled=false
	Metrics.member.1.Id=e1 Metrics.member.1.Expression=m1/m2*100 Metrics.member.1.Label=error_rate Metrics.member.1.ReturnData=true
	Metrics.member.2.Id=m1 Metrics.member.2.ReturnData=false Metrics.member.2.MetricStat.Metric.Namespace=F
	Metrics.member.2.MetricStat.Metric.MetricName=Errors Metrics.member.2.MetricStat.Metric.Dimensions.member.1.Name=Api
	Metrics.member.2.MetricStat.Metric.Dimensions.member.1.Value=a1 Metrics.member.2.MetricStat.Period=60
	Metrics.member.2.MetricStat.Stat=p99.9 Metrics.member.2.MetricStat.Unit=Count
	Metrics.member.3.Id=m2 Metrics.member.3.ReturnData=false Metrics.member.3.AccountId=000000000000
	Metrics.member.3.MetricStat.Metric.Namespace=F Metrics.member.3.MetricStat.Metric.MetricName=Calls
	Metrics.member.3.MetricStat.Period=60 Metrics.member.3.MetricStat.Stat=Sum`

func TestAnAlarmOnMetricMathComesBackAsItWasPut(t *testing.T) {
	a, _, _ := newAPI(t)
	a.must("PutMetricAlarm", onQueries)
	wantResult(t, a.must("DescribeAlarms", "AlarmNamePrefix=ra"), `
<DescribeAlarmsResponse xmlns="http://monitoring.amazonaws.com/doc/2010-08-01/"><DescribeAlarmsResult>
	<CompositeAlarms></CompositeAlarms>
	<MetricAlarms><member>
		<AlarmName>rate</AlarmName>
		<ActionsEnabled>false</ActionsEnabled>
		<OKActions></OKActions><AlarmActions></AlarmActions><InsufficientDataActions></InsufficientDataActions>
		<Dimensions></Dimensions>
		<EvaluationPeriods>1</EvaluationPeriods>
		<Threshold>5</Threshold>
		<ComparisonOperator>LessThanThreshold</ComparisonOperator>
		<Metrics>
			<member><Id>e1</Id><Expression>m1/m2*100</Expression><Label>error rate</Label><ReturnData>true</ReturnData></member>
			<member><Id>m1</Id>
				<MetricStat>
					<Metric><Namespace>F</Namespace><MetricName>Errors</MetricName>
						<Dimensions><member><Name>Api</Name><Value>a1</Value></member></Dimensions></Metric>
					<Period>60</Period><Stat>p99.9</Stat><Unit>Count</Unit>
				</MetricStat><ReturnData>false</ReturnData></member>
			<member><Id>m2</Id>
				<MetricStat>
					<Metric><Namespace>F</Namespace><MetricName>Calls</MetricName><Dimensions></Dimensions></Metric>
					<Period>60</Period><Stat>Sum</Stat>
				</MetricStat><ReturnData>false</ReturnData><AccountId>000000000000</AccountId></member>
		</Metrics>
		<AlarmArn>arn:aws:cloudwatch:eu-west-1:000000000000:alarm:rate</AlarmArn>
		<StateValue>INSUFFICIENT_DATA</StateValue>
		<StateReason>Unchecked: Initial alarm creation</StateReason>
	</member></MetricAlarms>
</DescribeAlarmsResult></DescribeAlarmsResponse>`)
}

func TestPutMetricAlarmRefuses(t *testing.T) {
	tests := map[string]struct{ params, code string }{
		"no name":                            {with(onMetric, "AlarmName="), "ValidationError"},
		"an unknown operator":                {with(onMetric, "ComparisonOperator=Above"), "ValidationError"},
		"no evaluation period":               {with(onMetric, "EvaluationPeriods="), "ValidationError"},
		"more datapoints than periods":       {with(onMetric, "DatapointsToAlarm=4"), "ValidationError"},
		"no threshold":                       {with(onMetric, "Threshold="), "ValidationError"},
		"a threshold that is no number":      {with(onMetric, "Threshold=high"), "MalformedInput"},
		"a band without its metric":          {with(onMetric, "ComparisonOperator=GreaterThanUpperThreshold"), "ValidationError"},
		"two statistics":                     {with(onMetric, "ExtendedStatistic=p99"), "InvalidParameterCombination"},
		"no statistic":                       {with(onMetric, "Statistic="), "InvalidParameterCombination"},
		"a percentile that is none":          {with(onMetric, "Statistic=", "ExtendedStatistic=q99"), "ValidationError"},
		"a period of 45 s":                   {with(onMetric, "Period=45"), "ValidationError"},
		"more than a day in short periods":   {with(onMetric, "EvaluationPeriods=1441", "DatapointsToAlarm="), "ValidationError"},
		"more than a week in long periods":   {with(onMetric, "EvaluationPeriods=3", "Period=259200"), "ValidationError"},
		"missing data treated in a new way":  {with(onMetric, "TreatMissingData=guess"), "ValidationError"},
		"a unit that is none":                {with(onMetric, "Unit=Pieces"), "ValidationError"},
		"an action that is no ARN":           {with(onMetric, "OKActions.member.1=mail"), "ValidationError"},
		"a dimension without value":          {with(onMetric, "Dimensions.member.1.Value="), "ValidationError"},
		"a parameter that is not known":      {with(onMetric, "EvaluationInterval=10"), "ValidationError"},
		"neither a metric nor queries":       {with(onMetric, "MetricName="), "ValidationError"},
		"a metric and queries":               {onQueries + " MetricName=Errors", "InvalidParameterCombination"},
		"queries of which none is returned":  {with(onQueries, "Metrics.member.1.ReturnData=false"), "ValidationError"},
		"queries of which two are returned":  {with(onQueries, "Metrics.member.2.ReturnData=true"), "ValidationError"},
		"two queries with one id":            {with(onQueries, "Metrics.member.3.Id=m1"), "ValidationError"},
		"an id that begins with a capital":   {with(onQueries, "Metrics.member.1.Id=E1"), "ValidationError"},
		"a query that is metric and formula": {with(onQueries, "Metrics.member.2.Expression=m2"), "InvalidParameterCombination"},
		"a query with an unknown statistic":  {with(onQueries, "Metrics.member.2.MetricStat.Stat=Mean"), "ValidationError"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			a, _, _ := newAPI(t)
			a.wantError("PutMetricAlarm", tt.params, 400, tt.code)
			if body := a.must("DescribeAlarms", ""); strings.Contains(body, "<AlarmName>") {
				t.Errorf("a refused alarm is there: %s", body)
			}
		})
	}
}

func TestAnAnomalyAlarmIsKept(t *testing.T) {
	a, _, _ := newAPI(t)
	a.must("PutMetricAlarm", with(onQueries, "Threshold=", "ComparisonOperator=GreaterThanUpperThreshold", "ThresholdMetricId=m2"))
	if body := a.must("DescribeAlarms", ""); !strings.Contains(body, "<ThresholdMetricId>m2</ThresholdMetricId>") {
		t.Error(body)
	}
}

func TestPuttingAnAlarmAgainKeepsStateAndTags(t *testing.T) {
	a, _, _ := newAPI(t)
	a.must("PutMetricAlarm", onMetric)
	a.must("SetAlarmState", "AlarmName=errors StateValue=ALARM StateReason=drill")
	a.must("PutMetricAlarm", with(onMetric, "Threshold=7", "Tags.member.1.Value=other"))
	body := a.must("DescribeAlarms", "")
	for _, want := range []string{"<Threshold>7</Threshold>", "<StateValue>ALARM</StateValue>", "<StateReason>drill</StateReason>"} {
		if !strings.Contains(body, want) {
			t.Errorf("no %s in %s", want, body)
		}
	}
	wantTags(t, a, "team=chat")
}

const alarmARN = "arn:aws:cloudwatch:eu-west-1:000000000000:alarm:errors"

func wantTags(t *testing.T, a api, want ...string) {
	t.Helper()
	var answer struct {
		Tags []struct{ Key, Value string } `xml:"ListTagsForResourceResult>Tags>member"`
	}
	if err := xml.Unmarshal([]byte(a.must("ListTagsForResource", "ResourceARN="+alarmARN)), &answer); err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, tag := range answer.Tags {
		got = append(got, tag.Key+"="+tag.Value)
	}
	if !slices.Equal(got, want) {
		t.Errorf("tags %v, want %v", got, want)
	}
}

func TestTagsOfAnAlarm(t *testing.T) {
	a, _, _ := newAPI(t)
	a.must("PutMetricAlarm", onMetric)
	a.must("TagResource", "ResourceARN="+alarmARN+" Tags.member.1.Key=team Tags.member.1.Value=new Tags.member.2.Key=env Tags.member.2.Value=dev")
	wantTags(t, a, "team=new", "env=dev")
	a.must("UntagResource", "ResourceARN="+alarmARN+" TagKeys.member.1=team")
	wantTags(t, a, "env=dev")
	a.wantError("ListTagsForResource", "ResourceARN="+alarmARN+"x", 404, "ResourceNotFoundException")
	a.wantError("TagResource", "ResourceARN="+alarmARN+" Tags.member.1.Key=aws:x Tags.member.1.Value=1", 400, "ValidationError")
}

func TestDescribeAlarmsFilters(t *testing.T) {
	a, _, _ := newAPI(t)
	for _, name := range []string{"b2", "a1", "b1"} {
		a.must("PutMetricAlarm", with(onMetric, "AlarmName="+name))
	}
	a.must("SetAlarmState", "AlarmName=b1 StateValue=OK StateReason=fine")
	tests := map[string]struct{ params, want string }{
		"all":                          {"", "a1 b1 b2"},
		"by names, unknown ones apart": {"AlarmNames.member.1=b2 AlarmNames.member.2=none", "b2"},
		"by prefix":                    {"AlarmNamePrefix=b", "b1 b2"},
		"by state":                     {"StateValue=OK", "b1"},
		"by type: metric":              {"AlarmTypes.member.1=MetricAlarm", "a1 b1 b2"},
		"by type: composite":           {"AlarmTypes.member.1=CompositeAlarm", ""},
		"by action":                    {"ActionPrefix=arn:aws:sns", "a1 b1 b2"},
		"by another action":            {"ActionPrefix=arn:aws:lambda", ""},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			if got := alarmNames(t, a.must("DescribeAlarms", tt.params)); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
	a.wantError("DescribeAlarms", "AlarmNames.member.1=a1 AlarmNamePrefix=a", 400, "InvalidParameterCombination")

	first := a.must("DescribeAlarms", "MaxRecords=2")
	token := regexp.MustCompile(`<NextToken>(.*)</NextToken>`).FindStringSubmatch(first)
	if alarmNames(t, first) != "a1 b1" || token == nil {
		t.Fatalf("first page %s", first)
	}
	if second := a.must("DescribeAlarms", "MaxRecords=2 NextToken="+token[1]); alarmNames(t, second) != "b2" || strings.Contains(second, "NextToken") {
		t.Errorf("second page %s", second)
	}
}

func alarmNames(t *testing.T, body string) string {
	t.Helper()
	var answer struct {
		Names []string `xml:"DescribeAlarmsResult>MetricAlarms>member>AlarmName"`
	}
	if err := xml.Unmarshal([]byte(body), &answer); err != nil {
		t.Fatal(err)
	}
	return strings.Join(answer.Names, " ")
}

func TestAlarmsBelongToTheirRegion(t *testing.T) {
	a, _, _ := newAPI(t)
	a.must("PutMetricAlarm", onMetric)
	a.region = "us-east-1"
	if got := alarmNames(t, a.must("DescribeAlarms", "")); got != "" {
		t.Errorf("another region has %s", got)
	}
}

func TestDeleteAlarmsIsAllOrNothing(t *testing.T) {
	a, _, _ := newAPI(t)
	a.must("PutMetricAlarm", onMetric)
	a.wantError("DeleteAlarms", "AlarmNames.member.1=errors AlarmNames.member.2=none", 404, "ResourceNotFound")
	if got := alarmNames(t, a.must("DescribeAlarms", "")); got != "errors" {
		t.Errorf("after a refused DeleteAlarms there is %q", got)
	}
	a.must("DeleteAlarms", "AlarmNames.member.1=errors")
	if got := alarmNames(t, a.must("DescribeAlarms", "")); got != "" {
		t.Errorf("after DeleteAlarms there is %q", got)
	}
}

func TestActionsCanBeSwitchedOffAndOn(t *testing.T) {
	a, _, _ := newAPI(t)
	a.must("PutMetricAlarm", onMetric)
	for operation, want := range map[string]string{"DisableAlarmActions": "false", "EnableAlarmActions": "true"} {
		a.must(operation, "AlarmNames.member.1=errors AlarmNames.member.2=none")
		if body := a.must("DescribeAlarms", ""); !strings.Contains(body, "<ActionsEnabled>"+want+"<") {
			t.Errorf("after %s: %s", operation, body)
		}
	}
	a.wantError("SetAlarmState", "AlarmName=none StateValue=OK StateReason=r", 404, "ResourceNotFound")
	a.wantError("SetAlarmState", "AlarmName=errors StateValue=FINE StateReason=r", 400, "ValidationError")
}
