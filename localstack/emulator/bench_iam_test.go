package emulator

import (
	"context"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"fanfare/localstack/awsproto"
)

// BenchmarkAuthorize is what evaluating policies adds to a call: to @connections
// with a role of four statements, and to a transaction of three parts.
func BenchmarkAuthorize(b *testing.B) {
	e, err := New(Options{})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = e.Close(context.Background()) }) // it never listened
	ask := func(action string, form url.Values) {
		form.Set("Action", action)
		r := httptest.NewRequest(http.MethodPost, "/", strings.NewReader(form.Encode()))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		w := httptest.NewRecorder()
		if e.iam.ServeHTTP(w, r); w.Code != http.StatusOK {
			b.Fatal(w.Body)
		}
	}
	ask("CreateRole", url.Values{"RoleName": {"r"}, "AssumeRolePolicyDocument": {
		`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"lambda.amazonaws.com"},"Action":"sts:AssumeRole"}]}`}})
	ask("PutRolePolicy", url.Values{"RoleName": {"r"}, "PolicyName": {"p"}, "PolicyDocument": {`{"Version":"2012-10-17","Statement":[
		{"Effect":"Allow","Action":["logs:CreateLogStream","logs:PutLogEvents"],"Resource":"arn:aws:logs:us-east-1:000000000000:log-group:/aws/lambda/f:*"},
		{"Effect":"Allow","Action":["dynamodb:Query","dynamodb:GetItem","dynamodb:BatchGetItem","dynamodb:PutItem","dynamodb:UpdateItem","dynamodb:DeleteItem"],"Resource":"arn:aws:dynamodb:us-east-1:000000000000:table/t"},
		{"Effect":"Allow","Action":["sqs:ReceiveMessage","sqs:DeleteMessage","sqs:ChangeMessageVisibility","sqs:GetQueueAttributes"],"Resource":"arn:aws:sqs:us-east-1:000000000000:q"},
		{"Effect":"Allow","Action":"execute-api:ManageConnections","Resource":["arn:aws:execute-api:us-east-1:000000000000:a1b2c3d4e5/live/POST/@connections/*","arn:aws:execute-api:us-east-1:000000000000:a1b2c3d4e5/live/DELETE/@connections/*"]}]}`}})
	key := e.sts.Issue("arn:aws:iam::000000000000:role/r", "f", time.Hour).AccessKeyID
	transaction := []byte(`{"TransactItems":[{"Put":{"TableName":"t","Item":{"pk":{"S":"1"}}}},{"Update":{"TableName":"t","Key":{"pk":{"S":"2"}}}},{"Delete":{"TableName":"t","Key":{"pk":{"S":"3"}}}}]}`)
	for _, tt := range []struct {
		call awsproto.Call
		body []byte
	}{
		{awsproto.Call{Service: "execute-api", Operation: "PostToConnection", Resources: []string{"a1b2c3d4e5/live/R1kmxc2VNjMCFIA="}}, nil},
		{awsproto.Call{Service: "dynamodb", Operation: "GetItem", Resources: []string{"t"}}, []byte(`{"TableName":"t","Key":{"pk":{"S":"1"}}}`)},
		{awsproto.Call{Service: "dynamodb", Operation: "TransactWriteItems", Resources: []string{"t"}}, transaction},
	} {
		b.Run(tt.call.Operation, func(b *testing.B) {
			call := tt.call
			call.Region, call.Credential.AccessKeyID = "us-east-1", key
			r := httptest.NewRequest(http.MethodPost, "/", nil)
			b.ReportAllocs()
			for b.Loop() {
				if e := e.authority.authorize(&call, r, tt.body); e != nil {
					b.Fatal(e)
				}
			}
		})
	}
}
