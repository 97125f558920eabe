package cloudwatch_test

import (
	"net/http"
	"testing"

	"fanfare/localstack/awsproto/awsprototest"
	"fanfare/localstack/cloudwatch"
)

func FuzzForms(f *testing.F) {
	awsprototest.FuzzForms(f, func() http.Handler { return cloudwatch.New(cloudwatch.Options{}) },
		`Action=PutMetricAlarm&AlarmName=a&ComparisonOperator=GreaterThanThreshold&EvaluationPeriods=1&MetricName=m&Namespace=n&Period=60&Statistic=Sum&Threshold=1&Dimensions.member.1.Name=d&Dimensions.member.1.Value=v`,
		`Action=PutMetricAlarm&AlarmName=a&ComparisonOperator=LessThanThreshold&EvaluationPeriods=1&Threshold=NaN&Metrics.member.1.Id=e1&Metrics.member.1.Expression=m1&Metrics.member.1.ReturnData=true`,
		`Action=DescribeAlarms&AlarmNames.member.1=a&AlarmTypes.member.1=MetricAlarm&MaxRecords=1&NextToken=x`,
		`Action=SetAlarmState&AlarmName=a&StateValue=OK&StateReason=r`,
		`Action=PutDashboard&DashboardName=d&DashboardBody=%7B%7D`,
		`Action=GetDashboard&DashboardName=d`,
		`Action=ListDashboards&NextToken=x`,
		`Action=PutMetricData&Namespace=n&MetricData.member.1.MetricName=m&MetricData.member.1.Value=1e400&MetricData.member.2.MetricName=m&MetricData.member.2.Values.member.1=1&MetricData.member.2.Timestamp=2024-01-01T00:00:00Z`,
		`Action=GetMetricStatistics&Namespace=n&MetricName=m&StartTime=0001-01-01T00:00:00Z&EndTime=9999-12-31T23:59:59Z&Period=60&Statistics.member.1=Average`,
		`Action=GetMetricStatistics&Namespace=n&MetricName=m&StartTime=2024-01-01T00:00:00Z&EndTime=2024-01-02T00:00:00Z&Period=-60&ExtendedStatistics.member.1=p99`,
		`Action=TagResource&ResourceARN=arn:aws:cloudwatch:us-east-1:000000000000:alarm:a&Tags.member.1.Key=k&Tags.member.1.Value=v`,
	)
}
