package cloudwatch_test

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

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
		"trimmed means":             {good + " ExtendedStatistics.member.1=tm99", "UnsupportedOperation"},
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
