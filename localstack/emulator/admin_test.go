package emulator_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	dynamodbtypes "github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/coder/websocket"

	"fanfare/localstack/emulator"
)

// admin asks the cloud's own API.
func (w *world) admin(method, path, body string) (status int, answer string) {
	w.t.Helper()
	r := must(http.NewRequestWithContext(w.t.Context(), method, w.cloud.URL()+"/_localstack/"+path, strings.NewReader(body)))
	resp := must(http.DefaultClient.Do(r))
	defer resp.Body.Close()
	return resp.StatusCode, strings.TrimSpace(string(must(io.ReadAll(resp.Body))))
}

func TestFaultRulesOverHTTP(t *testing.T) {
	w := start(t, emulator.Options{FaultSeed: 5})
	const rule = `{"id":"1","service":"sqs","count":2,"latency":"1ms","status":503,"matched":0,"faulted":0}`
	for _, c := range []struct {
		name, method, path, body string
		status                   int
		answer                   string // "…" at its end takes any rest
	}{
		{"none", "GET", "faults", "", 200, `{"seed":5,"rules":[]}`},
		{"add", "POST", "faults", `{"service":"sqs","count":2,"latency":"1ms","status":503}`, 200, `{"id":"1"}`},
		{"add another", "POST", "faults", `{"id":"mine","throttle":true}`, 200, `{"id":"mine"}`},
		{"list", "GET", "faults", "", 200, `{"seed":5,"rules":[` + rule + `,{"id":"mine","throttle":true,"matched":0,"faulted":0}]}`},
		{"an unknown member", "POST", "faults", `{"servce":"sqs","drop":true}`, 400, `{"error":"want a rule such as…`},
		{"a rule that does nothing", "POST", "faults", `{}`, 400, `{"error":"want a rule such as…`},
		{"two rules at once", "POST", "faults", `{"drop":true}{"kill":true}`, 400, `{"error":"want a rule such as…`},
		{"no JSON", "POST", "faults", `drop`, 400, `{"error":"want a rule such as…`},
		{"remove one", "DELETE", "faults/mine", "", 204, ""},
		{"remove it again", "DELETE", "faults/mine", "", 404, `{"error":"there is no fault rule \"mine\""}`},
		{"only the other is left", "GET", "faults", "", 200, `{"seed":5,"rules":[` + rule + `]}`},
		{"remove all", "DELETE", "faults", "", 204, ""},
		{"the seed stays", "GET", "faults", "", 200, `{"seed":5,"rules":[]}`},
		{"reset to a seed", "POST", "faults/reset", `{"seed":9}`, 204, ""},
		{"reset to an unknown member", "POST", "faults/reset", `{"sed":9}`, 400, `{"error":"want {\"seed\":7}…`},
		{"another seed", "GET", "faults", "", 200, `{"seed":9,"rules":[]}`},
		{"no such path", "PUT", "faults", "", 404, `{"error":"the local cloud has no PUT /_localstack/faults"}`},
	} {
		t.Run(c.name, func(t *testing.T) {
			status, answer := w.admin(c.method, c.path, c.body)
			begin, open := strings.CutSuffix(c.answer, "…")
			if status != c.status || open && !strings.HasPrefix(answer, begin) || !open && answer != c.answer {
				t.Errorf("%d %s, want %d %s", status, answer, c.status, c.answer)
			}
		})
	}
}

func TestTheClockOverHTTP(t *testing.T) {
	w := start(t, emulator.Options{})
	for _, c := range []struct {
		body   string
		status int
		offset string
	}{
		{`{"duration":"90000h"}`, 400, ""}, // ten years are 87,600 hours, for a clock that was never moved too
		{`{"duration":"2562047h"}`, 400, ""},
		{`{"duration":"2h"}`, 200, "2h0m0s"},
		{`{"duration":"30m"}`, 200, "2h30m0s"},
		{`{"duration":"-1h"}`, 400, ""},
		{`{"duration":"soon"}`, 400, ""},
		{`{"duration":"90000h"}`, 400, ""},
		{`{"time":"1h"}`, 400, ""},
	} {
		status, answer := w.admin("POST", "clock/advance", c.body)
		if status != c.status || c.status == 200 && !strings.HasSuffix(answer, `"offset":"`+c.offset+`"}`) {
			t.Errorf("%s: %d %s", c.body, status, answer)
		}
	}
	if _, answer := w.admin("GET", "clock", ""); !strings.HasSuffix(answer, `"offset":"2h30m0s"}`) {
		t.Errorf("clock %s", answer)
	}
}

// requests asks for the kept requests.
func (w *world) requests(query string) []emulator.Request {
	w.t.Helper()
	status, answer := w.admin("GET", "requests?"+query, "")
	var list emulator.RequestList
	if err := json.Unmarshal([]byte(answer), &list); status != 200 || err != nil {
		w.t.Fatalf("%d %s: %v", status, answer, err)
	}
	return list.Requests
}

func TestRequestsAreKeptWithoutWhatIsSecret(t *testing.T) {
	w := start(t, emulator.Options{})
	w.deployAPI(w.deployFunction(), true)
	c, _, err := w.dial("?token=SECRET")
	if err != nil {
		t.Fatal(err)
	}
	w.ask(c, `{"action":"SECRET"}`)
	_ = c.Close(websocket.StatusNormalClosure, "")
	queue := must(sqs.NewFromConfig(w.config()).CreateQueue(t.Context(), &sqs.CreateQueueInput{QueueName: aws.String("work")})).QueueUrl
	must(sqs.NewFromConfig(w.config()).SendMessage(t.Context(), &sqs.SendMessageInput{QueueUrl: queue, MessageBody: aws.String("SECRET")}))
	must(http.Get(w.cloud.URL() + "/nothing?token=SECRET"))
	eventually(t, func() string {
		if len(w.requests("operation=closed")) == 0 {
			return "the socket's end was not told"
		}
		return ""
	})
	if _, all := w.admin("GET", "requests", ""); strings.Contains(all, "SECRET") {
		t.Errorf("a secret is kept: %s", all)
	}

	sent := w.requests("service=sqs&operation=SendMessage")
	if len(sent) != 1 || sent[0].Resource != "work" || sent[0].Status != 200 || sent[0].Region != "eu-west-1" || sent[0].Source != "127.0.0.1" || sent[0].RequestID == "" {
		t.Errorf("SendMessage: %+v", sent)
	}
	opened := w.requests("service=execute-api&operation=$connect")
	if len(opened) != 1 || opened[0].Status != 101 || !strings.HasPrefix(opened[0].Resource, w.apiID+"/live/") || opened[0].Invocation == "" {
		t.Fatalf("$connect: %+v", opened)
	}
	said := w.requests("service=execute-api&operation=$default")
	if len(said) != 1 || said[0].Status != 200 || said[0].Resource != opened[0].Resource || said[0].Invocation == "" || said[0].Invocation == opened[0].Invocation {
		t.Errorf("the message: %+v", said)
	}
	closed := w.requests("operation=closed")
	if len(closed) != 1 || closed[0].Status != 1000 || closed[0].Resource != opened[0].Resource || closed[0].Failed() {
		t.Errorf("closed: %+v", closed)
	}
	if created := w.requests("operation=CreateFunction"); len(created) != 1 || created[0].Resource != "echo" {
		t.Errorf("CreateFunction: %+v", created)
	}
	if newest := w.requests("limit=1"); len(newest) != 1 || newest[0].Operation != "GET /nothing" || !newest[0].Unknown {
		t.Errorf("the newest: %+v", newest)
	}
}

func TestRequestFilters(t *testing.T) {
	w := start(t, emulator.Options{})
	queues := sqs.NewFromConfig(w.config())
	must(queues.ListQueues(t.Context(), &sqs.ListQueuesInput{}))
	w.cloud.Clock().Advance(time.Hour)
	must(queues.ListQueues(t.Context(), &sqs.ListQueuesInput{}))
	_, err := queues.GetQueueUrl(t.Context(), &sqs.GetQueueUrlInput{QueueName: aws.String("none")})
	if err == nil {
		t.Fatal("there is a queue")
	}
	for query, want := range map[string]int{
		"": 3, "service=sqs": 3, "service=lambda": 0, "operation=ListQueues": 2, "since=30m": 2, "since=2h": 3, "limit=2": 2,
		"since=" + w.cloud.Clock().Now().Add(-time.Minute).UTC().Format(time.RFC3339) + "&operation=ListQueues": 1,
	} {
		if got := w.requests(query); len(got) != want {
			t.Errorf("%q: %+v, want %d", query, got, want)
		}
	}
	if last := w.requests("limit=1")[0]; !last.Failed() || last.Error != "QueueDoesNotExist" || last.Resource != "none" {
		t.Errorf("%+v", last)
	}
	for _, bad := range []string{"limit=0", "limit=x", "since=soon", "servise=sqs", "%zz"} {
		if status, answer := w.admin("GET", "requests?"+bad, ""); status != 400 {
			t.Errorf("%s: %d %s", bad, status, answer)
		}
	}
	if status, _ := w.admin("DELETE", "requests", ""); status != 204 || len(w.requests("")) != 0 {
		t.Errorf("not cleared: %d", status)
	}
}

func TestOnlyTheLastRequestsAreKept(t *testing.T) {
	w := start(t, emulator.Options{})
	const kept = 2000
	h := w.cloud.Handler()
	for i := range kept + 5 {
		r := must(http.NewRequestWithContext(t.Context(), http.MethodGet, fmt.Sprintf("http://localhost/%d", i), nil))
		h.ServeHTTP(discard{}, r)
	}
	list := w.requests("")
	if len(list) != kept || list[0].Operation != "GET /5" || list[kept-1].Operation != fmt.Sprintf("GET /%d", kept+4) {
		t.Errorf("%d kept, from %s to %s", len(list), list[0].Operation, list[len(list)-1].Operation)
	}
}

// discard is an answer that nobody reads.
type discard struct{}

func (discard) Header() http.Header         { return http.Header{} }
func (discard) Write(b []byte) (int, error) { return len(b), nil }
func (discard) WriteHeader(int)             {}

func TestInfo(t *testing.T) {
	dir := t.TempDir()
	w := start(t, emulator.Options{DataDir: dir, Hostname: "cloud.example"})
	w.cloud.Clock().Advance(time.Hour)
	status, answer := w.admin("GET", "info", "")
	var info emulator.Info
	if err := json.Unmarshal([]byte(answer), &info); err != nil || status != 200 {
		t.Fatalf("%d %s", status, answer)
	}
	if !strings.HasPrefix(info.Endpoint, "http://cloud.example:") || info.DataDir != dir || time.Duration(info.Clock.Offset) != time.Hour || info.Uptime <= 0 {
		t.Errorf("%+v", info)
	}
}

func TestARestoredCloudGoesOnAtItsOwnTime(t *testing.T) {
	dir := t.TempDir()
	w := start(t, emulator.Options{DataDir: dir, SaveOnClose: true})
	ctx := t.Context()
	w.cloud.Clock().Advance(100 * time.Hour)
	db := dynamodb.NewFromConfig(w.config())
	must(db.CreateTable(ctx, &dynamodb.CreateTableInput{
		TableName: aws.String("items"), BillingMode: dynamodbtypes.BillingModePayPerRequest,
		AttributeDefinitions: []dynamodbtypes.AttributeDefinition{{AttributeName: aws.String("pk"), AttributeType: dynamodbtypes.ScalarAttributeTypeS}},
		KeySchema:            []dynamodbtypes.KeySchemaElement{{AttributeName: aws.String("pk"), KeyType: dynamodbtypes.KeyTypeHash}},
	}))
	must(db.UpdateTimeToLive(ctx, &dynamodb.UpdateTimeToLiveInput{TableName: aws.String("items"), TimeToLiveSpecification: &dynamodbtypes.TimeToLiveSpecification{
		AttributeName: aws.String("expiresAt"), Enabled: aws.Bool(true),
	}}))
	must(db.PutItem(ctx, &dynamodb.PutItemInput{TableName: aws.String("items"), Item: map[string]dynamodbtypes.AttributeValue{
		"pk":        &dynamodbtypes.AttributeValueMemberS{Value: "x"},
		"expiresAt": &dynamodbtypes.AttributeValueMemberN{Value: fmt.Sprint(w.cloud.Clock().Now().Add(time.Hour).Unix())},
	}}))
	queue := must(sqs.NewFromConfig(w.config()).CreateQueue(ctx, &sqs.CreateQueueInput{
		QueueName: aws.String("q"), Attributes: map[string]string{"VisibilityTimeout": "3600"},
	})).QueueUrl
	send := &sqs.SendMessageInput{QueueUrl: queue, MessageBody: aws.String("kept")}
	must(sqs.NewFromConfig(w.config()).SendMessage(ctx, send))
	receive := &sqs.ReceiveMessageInput{QueueUrl: queue}
	if got := must(sqs.NewFromConfig(w.config()).ReceiveMessage(ctx, receive)); len(got.Messages) != 1 {
		t.Fatalf("received %d messages", len(got.Messages))
	}
	w.close()

	again := start(t, emulator.Options{DataDir: dir})
	if ahead := again.cloud.Clock().Offset(); ahead != 100*time.Hour {
		t.Fatalf("the clock is %v ahead, want 100h", ahead)
	}
	queues, tables := sqs.NewFromConfig(again.config()), dynamodb.NewFromConfig(again.config())
	if got := must(queues.ReceiveMessage(ctx, receive)); len(got.Messages) != 0 {
		t.Error("a message in flight is visible after the restart")
	}
	again.cloud.Clock().Advance(62 * time.Minute) // past the TTL and its delay of a minute, and the time-out
	if got := must(queues.ReceiveMessage(ctx, receive)); len(got.Messages) != 1 || *got.Messages[0].Body != "kept" {
		t.Errorf("after its time-out: %+v", got.Messages)
	}
	eventually(t, func() string {
		if got := must(tables.Scan(ctx, &dynamodb.ScanInput{TableName: aws.String("items")})); got.Count != 0 {
			return "the item is still there after its TTL"
		}
		return ""
	})
}
