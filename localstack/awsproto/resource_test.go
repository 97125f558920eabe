package awsproto

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
)

func TestAJSONRequestNamesItsResources(t *testing.T) {
	for _, c := range []struct{ name, body, want string }{
		{"a table, behind its item", `{"Item":{"pk":{"S":"TableName\":\"x"}},"TableName":"orders"}`, "orders"},
		{"a table by its ARN", `{"TableName":"arn:aws:dynamodb:us-east-1:000000000000:table/orders/index/i"}`, "orders"},
		{"the tables of a batch, once each", `{"RequestItems":{"users":[{"PutRequest":{}}],"orders":[]}}`, "orders,users"},
		{"the tables of a transaction", `{"TransactItems":[{"Put":{"TableName":"b"}},{"Delete":{"TableName":"a"}},{"Update":{"TableName":"a"}}]}`, "a,b"},
		{"a queue by its URL", `{"MessageBody":"{}","QueueUrl":"http://localhost:4566/000000000000/work"}`, "work"},
		{"a queue by its ARN", `{"SourceArn":"arn:aws:sqs:us-east-1:000000000000:dead"}`, "dead"},
		{"a log group", `{"logGroupName":"/aws/lambda/echo"}`, "/aws/lambda/echo"},
		{"a log group by its ARN", `{"resourceArn":"arn:aws:logs:us-east-1:000000000000:log-group:/aws/lambda/echo:*"}`, "/aws/lambda/echo"},
		{"only the top level counts", `{"Filter":{"TableName":"x"}}`, ""},
		{"nothing", `{}`, ""},
		{"a damaged document", `{"TableName":"orders","Item":{"a":[1,`, "orders"},
		{"a name of another kind", `{"TableName":7}`, ""},
		{"no object", `[{"TableName":"x"}]`, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := strings.Join(jsonResources([]byte(c.body)), ","); got != c.want {
				t.Errorf("%q, want %q", got, c.want)
			}
		})
	}
}

func TestAFormNamesItsResources(t *testing.T) {
	for form, want := range map[string]string{
		"RoleName=r&PolicyArn=arn:aws:iam::aws:policy/service-role/p":                     "p,r",
		"RoleArn=arn:aws:iam::000000000000:role/path/r":                                   "r",
		"AlarmNames.member.1=b&AlarmNames.member.2=a":                                     "a,b",
		"ResourceARN=arn:aws:cloudwatch:us-east-1:000000000000:alarm:a&Tags.member.1.Key": "a",
		"Action=ListRoles": "",
	} {
		values, err := url.ParseQuery(form)
		if err != nil {
			t.Fatal(err)
		}
		if got := strings.Join(formResources(values), ","); got != want {
			t.Errorf("%s: %q, want %q", form, got, want)
		}
	}
}

func TestARESTRequestNamesItsResources(t *testing.T) {
	var names, body string
	api := NewREST()
	for _, pattern := range []string{"POST /functions/{FunctionName}", "POST /functions", "GET /functions", "POST /apis", "GET /apis/{api}/stages/{id}", "POST /tags/{arn}"} {
		api.Handle(pattern, "Op", func(r *http.Request) (int, any, error) {
			names = strings.Join(CallFrom(r.Context()).Resources, ",")
			read, err := ReadBody(r)
			body = string(read)
			return 200, nil, err
		})
	}
	for _, c := range []struct{ request, body, want string }{
		{"POST /functions/echo:live", "", "echo"},
		{"POST /functions/000000000000:function:echo", "", "echo"},
		{"POST /functions/arn:aws:lambda:us-east-1:000000000000:function:echo:7", "", "echo"},
		{"POST /functions", `{"Code":{"ZipFile":"UEsD"},"FunctionName":"echo"}`, "echo"},
		{"GET /functions?FunctionName=echo", "", "echo"},
		{"POST /apis", `{"name":"chat"}`, "chat"},
		{"GET /apis/abc/stages/live", "", "abc"},
		{"POST /tags/arn:aws:apigateway:us-east-1::%2Fapis%2Fabc%2Fstages%2Flive", "{}", "abc"},
		{"GET /functions", "", ""},
	} {
		method, target, _ := strings.Cut(c.request, " ")
		call := &Call{}
		r := httptest.NewRequestWithContext(WithCall(t.Context(), call), method, target, strings.NewReader(c.body))
		api.ServeHTTP(httptest.NewRecorder(), r)
		if names != c.want || body != c.body {
			t.Errorf("%s: names %q, want %q; the operation read %q", c.request, names, c.want, body)
		}
	}
}

func FuzzScanObject(f *testing.F) {
	for _, doc := range []string{`{"a":1,"b":"x\"y","c":[{"d":"]"}],"":null}`, `{"a":`, `{"\u0061" : -1e3 , "b":true}`, `{`, `{}`, `{"a":"\\"}`} {
		f.Add(doc)
	}
	f.Fuzz(func(t *testing.T, doc string) {
		got := map[string]string{}
		ScanObject([]byte(doc), func(member string, value []byte) { got[member] = strings.TrimSpace(string(value)) })
		var want map[string]json.RawMessage
		dec := json.NewDecoder(strings.NewReader(doc))
		if dec.Decode(&want) != nil || want == nil {
			return // damaged: it only must not panic
		}
		if _, err := dec.Token(); err != io.EOF {
			return
		}
		if len(got) != len(want) {
			t.Fatalf("members %v, want %v", got, want)
		}
		for member, value := range want {
			if got[member] != string(value) {
				t.Errorf("%q is %s, want %s", member, got[member], value)
			}
		}
	})
}
