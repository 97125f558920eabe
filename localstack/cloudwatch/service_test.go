package cloudwatch_test

import (
	"bytes"
	"compress/gzip"
	"encoding/xml"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"fanfare/localstack/awsproto"
	"fanfare/localstack/clock"
	"fanfare/localstack/cloudwatch"
)

// api calls a service as an SDK does, in one region.
type api struct {
	t      *testing.T
	url    string
	region string
}

func newAPI(t *testing.T) (api, *cloudwatch.Service, *clock.Clock) {
	t.Helper()
	now := clock.New()
	s := cloudwatch.New(cloudwatch.Options{Clock: now})
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		call := awsproto.NewCall(r, "")
		s.ServeHTTP(w, r.WithContext(awsproto.WithCall(r.Context(), call)))
	}))
	t.Cleanup(server.Close)
	return api{t, server.URL, "eu-west-1"}, s, now
}

func (a api) request(body io.Reader, header http.Header) (int, string) {
	a.t.Helper()
	r, err := http.NewRequestWithContext(a.t.Context(), http.MethodPost, a.url, body)
	if err != nil {
		a.t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential=test/20240120/"+a.region+"/monitoring/aws4_request, SignedHeaders=host, Signature=0")
	for name, values := range header {
		r.Header[name] = values
	}
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		a.t.Fatal(err)
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	if err != nil {
		a.t.Fatal(err)
	}
	return resp.StatusCode, string(answer)
}

// call sends an operation's form; spaces and line breaks between the parameters
// do not count.
func (a api) call(operation, params string) (int, string) {
	a.t.Helper()
	form := "Action=" + operation + "&Version=2010-08-01"
	for param := range strings.FieldsSeq(params) {
		name, value, _ := strings.Cut(param, "=")
		form += "&" + url.QueryEscape(name) + "=" + url.QueryEscape(strings.ReplaceAll(value, "_", " "))
	}
	return a.request(strings.NewReader(form), nil)
}

func (a api) must(operation, params string) string {
	a.t.Helper()
	status, body := a.call(operation, params)
	if status != http.StatusOK {
		a.t.Fatalf("%s: %d %s", operation, status, body)
	}
	return body
}

func (a api) wantError(operation, params string, status int, code string) string {
	a.t.Helper()
	got, body := a.call(operation, params)
	if got != status || !strings.Contains(body, "<Code>"+code+"</Code>") {
		a.t.Errorf("%s %s: %d %s, want %d %s", operation, params, got, body, status, code)
	}
	return body
}

var volatile = regexp.MustCompile(`(?s)<ResponseMetadata>.*</ResponseMetadata>|<[A-Za-z]*(Timestamp|Modified)>[^<]*</[A-Za-z]*>`)

// wantResult compares an answer without request id and times; in want, white
// space between elements does not count.
func wantResult(t *testing.T, answer, want string) {
	t.Helper()
	got := volatile.ReplaceAllString(answer, "")
	want = regexp.MustCompile(`>\s+<`).ReplaceAllString(strings.TrimSpace(want), "><")
	if got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

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

// with replaces parameters of a form, or drops them where the value is empty.
func with(form string, changes ...string) string {
	params := strings.Fields(form)
	for _, change := range changes {
		name, value, _ := strings.Cut(change, "=")
		params = slices.DeleteFunc(params, func(p string) bool { return strings.HasPrefix(p, name+"=") })
		if value != "" {
			params = append(params, change)
		}
	}
	return strings.Join(params, " ")
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

func TestADashboardComesBackAsItWasPut(t *testing.T) {
	a, _, _ := newAPI(t)
	body := `{"widgets":[{"type":"metric","x":0,"y":0,"width":12,"height":6,"properties":{"region":"eu-west-1","metrics":[["AWS/Lambda","Errors"]]}}]}`
	wantResult(t, a.must("PutDashboard", "DashboardName=main DashboardBody="+body), `
<PutDashboardResponse xmlns="http://monitoring.amazonaws.com/doc/2010-08-01/"><PutDashboardResult>
	<DashboardValidationMessages></DashboardValidationMessages>
</PutDashboardResult></PutDashboardResponse>`)
	wantResult(t, a.must("GetDashboard", "DashboardName=main"), `
<GetDashboardResponse xmlns="http://monitoring.amazonaws.com/doc/2010-08-01/"><GetDashboardResult>
	<DashboardArn>arn:aws:cloudwatch::000000000000:dashboard/main</DashboardArn>
	<DashboardBody>`+strings.ReplaceAll(body, `"`, "&#34;")+`</DashboardBody>
	<DashboardName>main</DashboardName>
</GetDashboardResult></GetDashboardResponse>`)
	wantResult(t, a.must("ListDashboards", "DashboardNamePrefix=ma"), fmt.Sprintf(`
<ListDashboardsResponse xmlns="http://monitoring.amazonaws.com/doc/2010-08-01/"><ListDashboardsResult>
	<DashboardEntries><member>
		<DashboardName>main</DashboardName>
		<DashboardArn>arn:aws:cloudwatch::000000000000:dashboard/main</DashboardArn>
		<Size>%d</Size>
	</member></DashboardEntries>
</ListDashboardsResult></ListDashboardsResponse>`, len(body)))

	a.wantError("DeleteDashboards", "DashboardNames.member.1=main DashboardNames.member.2=none", 404, "ResourceNotFound")
	a.must("DeleteDashboards", "DashboardNames.member.1=main")
	a.wantError("GetDashboard", "DashboardName=main", 404, "ResourceNotFound")
}

func TestPutDashboardRefuses(t *testing.T) {
	tests := map[string]string{
		"a name with a slash":                   `DashboardName=a/b DashboardBody={}`,
		"a body that is no JSON":                `DashboardName=a DashboardBody={`,
		"a body that is no object":              `DashboardName=a DashboardBody=[]`,
		"a null body":                           `DashboardName=a DashboardBody=null`,
		"an unknown widget":                     `DashboardName=a DashboardBody={"widgets":[{"type":"map","properties":{}}]}`,
		"a widget without properties":           `DashboardName=a DashboardBody={"widgets":[{"type":"text"}]}`,
		"a metric without region":               `DashboardName=a DashboardBody={"widgets":[{"type":"metric","properties":{}}]}`,
		"a widget that is wider than the board": `DashboardName=a DashboardBody={"widgets":[{"type":"text","width":25,"properties":{}}]}`,
	}
	for name, params := range tests {
		t.Run(name, func(t *testing.T) {
			a, _, _ := newAPI(t)
			a.wantError("PutDashboard", params, 400, "InvalidParameterInput")
		})
	}
}

func TestStatisticsSumUpWhatWasPut(t *testing.T) {
	a, _, now := newAPI(t)
	start := now.Now().UTC().Add(-10 * time.Minute).Truncate(time.Minute)
	at := func(minutes int) string { return start.Add(time.Duration(minutes) * time.Minute).Format(time.RFC3339) }
	a.must("PutMetricData", `Namespace=Fanfare
		MetricData.member.1.MetricName=Sent MetricData.member.1.Value=1 MetricData.member.1.Unit=Count MetricData.member.1.Timestamp=`+at(0)+`
		MetricData.member.2.MetricName=Sent MetricData.member.2.Unit=Count MetricData.member.2.Timestamp=`+at(1)+`
		MetricData.member.2.Values.member.1=2 MetricData.member.2.Values.member.2=5 MetricData.member.2.Counts.member.1=3 MetricData.member.2.Counts.member.2=1
		MetricData.member.3.MetricName=Sent MetricData.member.3.Unit=Count MetricData.member.3.Timestamp=`+at(2)+`
		MetricData.member.3.StatisticValues.SampleCount=2 MetricData.member.3.StatisticValues.Sum=10
		MetricData.member.3.StatisticValues.Minimum=4 MetricData.member.3.StatisticValues.Maximum=6
		MetricData.member.4.MetricName=Sent MetricData.member.4.Value=9 MetricData.member.4.Unit=Count MetricData.member.4.Timestamp=`+at(3)+`
		MetricData.member.5.MetricName=Sent MetricData.member.5.Value=100 MetricData.member.5.Unit=Count MetricData.member.5.Timestamp=`+at(0)+`
		MetricData.member.5.Dimensions.member.1.Name=Api MetricData.member.5.Dimensions.member.1.Value=a1`)

	body := a.must("GetMetricStatistics", `Namespace=Fanfare MetricName=Sent Period=120 StartTime=`+at(0)+` EndTime=`+at(3)+`
		Statistics.member.1=SampleCount Statistics.member.2=Sum Statistics.member.3=Minimum Statistics.member.4=Maximum Statistics.member.5=Average`)
	wantResult(t, body, `
<GetMetricStatisticsResponse xmlns="http://monitoring.amazonaws.com/doc/2010-08-01/"><GetMetricStatisticsResult>
	<Label>Sent</Label>
	<Datapoints>
		<member><SampleCount>5</SampleCount><Average>2.4</Average><Sum>12</Sum><Minimum>1</Minimum><Maximum>5</Maximum><Unit>Count</Unit></member>
		<member><SampleCount>2</SampleCount><Average>5</Average><Sum>10</Sum><Minimum>4</Minimum><Maximum>6</Maximum><Unit>Count</Unit></member>
	</Datapoints>
</GetMetricStatisticsResult></GetMetricStatisticsResponse>`)
	if !strings.Contains(body, "<Timestamp>"+at(2)+"</Timestamp>") {
		t.Errorf("no datapoint at %s in %s", at(2), body)
	}
}

func TestListMetricsFilters(t *testing.T) {
	a, _, now := newAPI(t)
	put := func(name, api string) {
		a.must("PutMetricData", "Namespace=F MetricData.member.1.Value=1 MetricData.member.1.MetricName="+name+
			" MetricData.member.1.Dimensions.member.1.Name=Api MetricData.member.1.Dimensions.member.1.Value="+api)
	}
	put("Old", "a1")
	now.Advance(4 * time.Hour)
	put("Sent", "a1")
	put("Sent", "a2")
	tests := map[string]struct {
		params string
		want   int
	}{
		"all":                       {"", 3},
		"by name":                   {"Namespace=F MetricName=Sent", 2},
		"by another namespace":      {"Namespace=G", 0},
		"by a dimension":            {"Dimensions.member.1.Name=Api", 3},
		"by a dimension's value":    {"Dimensions.member.1.Name=Api Dimensions.member.1.Value=a1", 2},
		"by an unknown dimension":   {"Dimensions.member.1.Name=Stage", 0},
		"those of the last 3 hours": {"RecentlyActive=PT3H", 2},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			body := a.must("ListMetrics", tt.params)
			if got := strings.Count(body, "<MetricName>"); got != tt.want {
				t.Errorf("%d metrics, want %d: %s", got, tt.want, body)
			}
		})
	}
}

func TestMetricsAreForgottenAfterADay(t *testing.T) {
	a, _, now := newAPI(t)
	a.must("PutMetricData", "Namespace=F MetricData.member.1.MetricName=Sent MetricData.member.1.Value=1")
	now.Advance(24*time.Hour + time.Minute)
	if body := a.must("ListMetrics", ""); strings.Contains(body, "Sent") {
		t.Errorf("still there: %s", body)
	}
}

func TestPutMetricDataRefuses(t *testing.T) {
	const good = "Namespace=F MetricData.member.1.MetricName=Sent MetricData.member.1.Value=1"
	tests := map[string]struct{ params, code string }{
		"AWS's own namespace":       {with(good, "Namespace=AWS/Lambda"), "InvalidParameterValue"},
		"no data":                   {"Namespace=F", "ValidationError"},
		"no value":                  {with(good, "MetricData.member.1.Value="), "InvalidParameterCombination"},
		"a value and values":        {good + " MetricData.member.1.Values.member.1=1", "InvalidParameterCombination"},
		"a value that is no number": {with(good, "MetricData.member.1.Value=NaN"), "InvalidParameterValue"},
		"more counts than values":   {with(good, "MetricData.member.1.Value=", "MetricData.member.1.Values.member.1=1", "MetricData.member.1.Counts.member.1=1", "MetricData.member.1.Counts.member.2=1"), "InvalidParameterValue"},
		"an unknown unit":           {good + " MetricData.member.1.Unit=Pieces", "ValidationError"},
		"one dimension twice":       {good + " MetricData.member.1.Dimensions.member.1.Name=a MetricData.member.1.Dimensions.member.1.Value=1 MetricData.member.1.Dimensions.member.2.Name=a MetricData.member.1.Dimensions.member.2.Value=2", "ValidationError"},
		"a resolution of a second":  {good + " MetricData.member.1.StorageResolution=1", "UnsupportedOperation"},
		"a time long ago":           {good + " MetricData.member.1.Timestamp=2020-01-01T00:00:00Z", "InvalidParameterValue"},
		"a time far ahead":          {good + " MetricData.member.1.Timestamp=2999-01-01T00:00:00Z", "InvalidParameterValue"},
		"one bad sample of two":     {good + " MetricData.member.2.MetricName=Sent", "InvalidParameterCombination"},
		"entities":                  {good + " StrictEntityValidation=true", "ValidationError"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			a, _, _ := newAPI(t)
			a.wantError("PutMetricData", tt.params, 400, tt.code)
			if body := a.must("ListMetrics", ""); strings.Contains(body, "<MetricName>") {
				t.Errorf("a refused sample is there: %s", body)
			}
		})
	}
}

func TestMetricsAreBounded(t *testing.T) {
	a, _, _ := newAPI(t)
	params := new(strings.Builder)
	for i := 1; i <= 1000; i++ {
		fmt.Fprintf(params, " MetricData.member.%d.MetricName=m%d MetricData.member.%d.Value=1", i, i, i)
	}
	a.must("PutMetricData", "Namespace=F"+params.String())
	a.must("PutMetricData", "Namespace=F MetricData.member.1.MetricName=m1 MetricData.member.1.Value=2")
	a.wantError("PutMetricData", "Namespace=F MetricData.member.1.MetricName=new MetricData.member.1.Value=1", 400, "LimitExceeded")
	a.region = "us-east-1"
	a.wantError("PutMetricData", "Namespace=F MetricData.member.1.MetricName=new MetricData.member.1.Value=1", 400, "LimitExceeded")
}

func TestGetMetricStatisticsRefuses(t *testing.T) {
	const good = "Namespace=F MetricName=m Period=60 Statistics.member.1=Sum StartTime=2024-01-20T00:00:00Z EndTime=2024-01-20T01:00:00Z"
	tests := map[string]struct{ params, code string }{
		"percentiles":               {good + " ExtendedStatistics.member.1=p99", "UnsupportedOperation"},
		"a percentile as statistic": {with(good, "Statistics.member.1=p99"), "ValidationError"},
		"no statistic":              {with(good, "Statistics.member.1="), "ValidationError"},
		"seconds":                   {with(good, "Period=10"), "UnsupportedOperation"},
		"an end before the start":   {with(good, "EndTime=2024-01-19T00:00:00Z"), "InvalidParameterValue"},
		"too many datapoints":       {with(good, "EndTime=2024-01-22T00:00:00Z"), "InvalidParameterCombination"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			a, _, _ := newAPI(t)
			a.wantError("GetMetricStatistics", tt.params, 400, tt.code)
		})
	}
}

func TestWhatIsMissingIsRefusedByName(t *testing.T) {
	a, _, _ := newAPI(t)
	if body := a.wantError("PutCompositeAlarm", "AlarmName=c AlarmRule=ALARM(a)", 400, "UnsupportedOperation"); !strings.Contains(body, "composite alarms") {
		t.Error(body)
	}
	a.wantError("GetMetricData", "", 400, "UnsupportedOperation")
	a.wantError("PutAnomalyDetector", "", 400, "InvalidAction")
}

func TestGzippedBodiesAreRead(t *testing.T) {
	a, _, _ := newAPI(t)
	var body bytes.Buffer
	zip := gzip.NewWriter(&body)
	_, _ = io.WriteString(zip, "Action=PutMetricData&Version=2010-08-01&Namespace=F&MetricData.member.1.MetricName=m&MetricData.member.1.Value=1")
	_ = zip.Close()
	if status, answer := a.request(&body, http.Header{"Content-Encoding": {"gzip"}}); status != http.StatusOK {
		t.Errorf("%d %s", status, answer)
	}
	for _, encoding := range []string{"gzip", "br"} {
		if status, answer := a.request(strings.NewReader("Action=ListMetrics"), http.Header{"Content-Encoding": {encoding}}); status != 400 {
			t.Errorf("%s: %d %s", encoding, status, answer)
		}
	}
}

func TestNewerProtocolsGetAClearError(t *testing.T) {
	s := cloudwatch.New(cloudwatch.Options{})
	t.Run("CBOR", func(t *testing.T) {
		r := httptest.NewRequest(http.MethodPost, "/service/GraniteServiceVersion20100801/operation/PutMetricData", nil)
		w := httptest.NewRecorder()
		s.ServeHTTP(w, r)
		// {"__type": "UnsupportedOperation", "message": ...}
		want := "\xa2\x79\x00\x06__type\x79\x00\x14UnsupportedOperation\x79\x00\x07message\x79\x00"
		if w.Code != 400 || w.Header().Get("smithy-protocol") != "rpc-v2-cbor" || !strings.HasPrefix(w.Body.String(), want) ||
			!strings.Contains(w.Body.String(), "PutMetricData") {
			t.Errorf("%d %v %q", w.Code, w.Header(), w.Body)
		}
	})
	t.Run("JSON", func(t *testing.T) {
		r := httptest.NewRequest(http.MethodPost, "/", strings.NewReader("{}"))
		r.Header.Set("X-Amz-Target", "GraniteServiceVersion20100801.PutMetricData")
		w := httptest.NewRecorder()
		s.ServeHTTP(w, r)
		if w.Code != 400 || !strings.Contains(w.Body.String(), `"__type":"UnsupportedOperation"`) {
			t.Errorf("%d %s", w.Code, w.Body)
		}
	})
}

func TestSnapshotAndRestore(t *testing.T) {
	a, s, _ := newAPI(t)
	a.must("PutMetricAlarm", onMetric)
	a.must("PutMetricAlarm", onQueries)
	a.must("PutDashboard", "DashboardName=main DashboardBody={}")
	a.must("PutMetricData", "Namespace=F MetricData.member.1.MetricName=m MetricData.member.1.Value=1")
	snapshot, err := s.Snapshot()
	if err != nil {
		t.Fatal(err)
	}
	b, restored, _ := newAPI(t)
	b.must("PutMetricAlarm", with(onMetric, "AlarmName=gone"))
	if err := restored.Restore(snapshot); err != nil {
		t.Fatal(err)
	}
	if again, err := restored.Snapshot(); err != nil || string(again) != string(snapshot) {
		t.Errorf("got  %s, %v\nwant %s", again, err, snapshot)
	}
	if got := alarmNames(t, b.must("DescribeAlarms", "")); got != "errors rate" {
		t.Errorf("alarms %q", got)
	}
	wantTags(t, b, "team=chat")
	for _, broken := range []string{`{`, `null`, `{"Regions":{}}`, `{"Regions":{"r":null},"Dashboards":{}}`,
		`{"Regions":{"r":{"Alarms":{"a":{}},"Series":{}}},"Dashboards":{}}`,
		`{"Regions":{"r":{"Alarms":{},"Series":{"s":{}}}},"Dashboards":{}}`} {
		if err := restored.Restore([]byte(broken)); err == nil {
			t.Errorf("Restore(%s) succeeded", broken)
		}
	}
}
