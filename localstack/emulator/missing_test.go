package emulator_test

import (
	"io"
	"net/http"
	"regexp"
	"strings"
	"testing"

	"fanfare/localstack/emulator"
)

// requestID is what the golden answers have for it.
var requestID = regexp.MustCompile(`[0-9a-f]{8}-[0-9a-f-]{27}`)

func TestAMissingServiceIsRefusedInItsClientsProtocol(t *testing.T) {
	w := start(t, emulator.Options{})
	const xmlHead = `<?xml version="1.0" encoding="UTF-8"?>` + "\n"
	for _, c := range []struct {
		name, method, path, scope string
		header                    map[string]string
		body, contentType, want   string
	}{
		{"S3: REST with XML", "PUT", "/bucket/key", "s3", nil, "data", "application/xml",
			xmlHead + `<Error><Code>NotImplemented</Code><Message>the local cloud has no service s3</Message><RequestId>ID</RequestId></Error>`},
		{"SNS: Query", "POST", "/", "sns", map[string]string{"Content-Type": "application/x-www-form-urlencoded; charset=utf-8"}, "Action=Publish&Version=2010-03-31", "text/xml",
			xmlHead + `<ErrorResponse><Error><Code>NotImplemented</Code><Message>the local cloud has no service sns</Message></Error><RequestId>ID</RequestId></ErrorResponse>`},
		{"EC2: Query with a shape of its own", "POST", "/", "ec2", map[string]string{"Content-Type": "application/x-www-form-urlencoded"}, "Action=DescribeVpcs&Version=2016-11-15", "text/xml",
			xmlHead + `<Response><Errors><Error><Code>NotImplemented</Code><Message>the local cloud has no service ec2</Message></Error></Errors><RequestID>ID</RequestID></Response>`},
		{"SSM: JSON 1.1", "POST", "/", "ssm", map[string]string{"X-Amz-Target": "AmazonSSM.GetParameter", "Content-Type": "application/x-amz-json-1.1"}, "{}", "application/x-amz-json-1.1",
			`{"__type":"NotImplemented","message":"the local cloud has no service ssm"}`},
		{"EventBridge: JSON 1.1", "POST", "/", "events", map[string]string{"X-Amz-Target": "AWSEvents.PutEvents", "Content-Type": "application/x-amz-json-1.1"}, "{}", "application/x-amz-json-1.1",
			`{"__type":"NotImplemented","message":"the local cloud has no service events"}`},
		{"Step Functions: JSON 1.0", "POST", "/", "states", map[string]string{"X-Amz-Target": "AWSStepFunctions.StartExecution", "Content-Type": "application/x-amz-json-1.0"}, "{}", "application/x-amz-json-1.0",
			`{"__type":"NotImplemented","message":"the local cloud has no service states"}`},
		{"Scheduler: REST with JSON", "POST", "/schedules/x", "scheduler", map[string]string{"Content-Type": "application/json"}, "{}", "application/json",
			`{"__type":"NotImplemented","message":"the local cloud has no service scheduler"}`},
		{"Route 53: REST with XML, in Query's shape", "GET", "/2013-04-01/hostedzone", "route53", nil, "", "text/xml",
			xmlHead + `<ErrorResponse><Error><Code>NotImplemented</Code><Message>the local cloud has no service route53</Message></Error><RequestId>ID</RequestId></ErrorResponse>`},
		{"rpc-v2-cbor", "POST", "/service/X/operation/Y", "arc-region-switch", map[string]string{"Smithy-Protocol": "rpc-v2-cbor", "Content-Type": "application/cbor"}, "\xa0", "application/cbor",
			"\xa2\x66__type\x6eNotImplemented\x67message\x78\x4cthe local cloud has no service arc-region-switch in the protocol rpc-v2-cbor"},
		{"rpc-v2-cbor of a service that is there", "POST", "/service/GraniteServiceVersion20100801/operation/PutMetricData", "monitoring", map[string]string{"Smithy-Protocol": "rpc-v2-cbor", "Content-Type": "application/cbor"}, "\xa0", "application/cbor",
			"\xa2\x66__type\x6eNotImplemented\x67message\x78\x45the local cloud has no service monitoring in the protocol rpc-v2-cbor"},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := must(http.NewRequestWithContext(t.Context(), c.method, w.cloud.URL()+c.path, strings.NewReader(c.body)))
			r.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential=test/20260101/us-east-1/"+c.scope+"/aws4_request, SignedHeaders=host, Signature=x")
			for name, value := range c.header {
				r.Header.Set(name, value)
			}
			resp := must(http.DefaultClient.Do(r))
			body := requestID.ReplaceAllString(string(must(io.ReadAll(resp.Body))), "ID")
			if resp.StatusCode != http.StatusNotImplemented || resp.Header.Get("Content-Type") != c.contentType {
				t.Errorf("HTTP %d, %s; want 501, %s", resp.StatusCode, resp.Header.Get("Content-Type"), c.contentType)
			}
			if body != c.want {
				t.Errorf("got  %q\nwant %q", body, c.want)
			}
			if resp.Header.Get("x-amzn-ErrorType") != "NotImplemented" {
				t.Error("REST clients read the code from a header that is not there")
			}
		})
	}
}
