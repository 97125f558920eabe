package cloudwatch_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"

	"fanfare/localstack/cloudwatch"
)

func Example() {
	s := cloudwatch.New(cloudwatch.Options{})
	call := func(form string) string {
		r := httptest.NewRequest(http.MethodPost, "/", strings.NewReader(form))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		w := httptest.NewRecorder()
		s.ServeHTTP(w, r)
		return w.Body.String()
	}
	call("Action=PutMetricAlarm&AlarmName=errors&Namespace=AWS/Lambda&MetricName=Errors&Statistic=Sum&Period=60" +
		"&EvaluationPeriods=1&Threshold=0&ComparisonOperator=GreaterThanThreshold")
	fmt.Println(strings.Contains(call("Action=DescribeAlarms"), "<StateValue>INSUFFICIENT_DATA</StateValue>"))
	// Output: true
}
