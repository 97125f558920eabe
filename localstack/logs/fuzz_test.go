package logs_test

import (
	"encoding/json"
	"net/http/httptest"
	"strings"
	"testing"

	"fanfare/localstack/logs"
)

// FuzzRequests: whatever is sent to an operation, it answers with JSON or
// nothing, and with an error only of those that are the client's fault.
func FuzzRequests(f *testing.F) {
	for operation, body := range map[string]string{
		"CreateLogGroup":      `{"logGroupName":"new","tags":{"a":"b"},"kmsKeyId":"k"}`,
		"DescribeLogGroups":   `{"logGroupNamePrefix":"g","limit":1,"nextToken":"eA=="}`,
		"PutRetentionPolicy":  `{"logGroupName":"g","retentionInDays":7}`,
		"ListTagsForResource": `{"resourceArn":"arn:aws:logs:us-east-1:000000000000:log-group:g:*"}`,
		"TagResource":         `{"resourceArn":"arn:aws:logs:us-east-1:000000000000:log-group:g","tags":{"":""}}`,
		"CreateLogStream":     `{"logGroupName":"g","logStreamName":"new"}`,
		"DescribeLogStreams":  `{"logGroupName":"g","orderBy":"LastEventTime","descending":true,"limit":-1}`,
		"PutLogEvents":        `{"logGroupName":"g","logStreamName":"s","logEvents":[{"timestamp":1,"message":"m"},null]}`,
		"GetLogEvents":        `{"logGroupName":"g","logStreamName":"s","startFromHead":true,"nextToken":"f/1","limit":1}`,
		"FilterLogEvents":     `{"logGroupName":"g","filterPattern":"\"a b\" -c ?d","startTime":-9223372036854775808,"endTime":1,"limit":1,"nextToken":"x"}`,
	} {
		f.Add(operation, body)
	}
	f.Add("DeleteLogGroup", "null")
	f.Add("", "[")
	f.Fuzz(func(t *testing.T, operation, body string) {
		s := logs.New(logs.Options{})
		defer s.Close()
		answer(t, s, "CreateLogGroup", `{"logGroupName":"g"}`)
		answer(t, s, "CreateLogStream", `{"logGroupName":"g","logStreamName":"s"}`)
		answer(t, s, operation, body)
		answer(t, s, "FilterLogEvents", `{"logGroupName":"g"}`)
	})
}

func answer(t *testing.T, s *logs.Service, operation, body string) {
	t.Helper()
	w := httptest.NewRecorder()
	r := httptest.NewRequest("POST", "/", strings.NewReader(body))
	r.Header.Set("X-Amz-Target", "Logs_20140328."+operation)
	s.ServeHTTP(w, r)
	if w.Code >= 500 || w.Body.Len() > 0 && !json.Valid(w.Body.Bytes()) {
		t.Errorf("%s %s: %d %s", operation, body, w.Code, w.Body)
	}
}
