package emulator_test

import (
	"net/http"
	"runtime"
	"strings"
	"testing"

	"fanfare/localstack/emulator"
)

// What a caller sends is cut before it is kept or logged, and the rest of it
// freed.
func TestTheKeptRequestsAreSmallWhateverIsSent(t *testing.T) {
	cloud, h := unstarted(t), http.Handler(nil)
	h = cloud.Handler()
	large := strings.Repeat("ä\x1b", 300<<10)
	tables := make([]string, 5000)
	for i := range tables {
		tables[i] = `{"Get":{"TableName":"` + strings.Repeat("t", i) + `"}}`
	}
	send := func(header, target, body string, r *http.Request) {
		if header != "" {
			r.Header.Set(header, target)
		}
		h.ServeHTTP(discard{}, r)
	}
	kept := heap()
	for range 20 {
		path := request(t, http.MethodGet, "/", "")
		path.URL.Path += large
		send("", "", "", path)
		send("X-Amz-Target", "AmazonSQS.CreateQueue", "", request(t, http.MethodPost, "/", `{"QueueName":"`+strings.Repeat("q", 1<<20)+`"}`))
		send("X-Amz-Target", "DynamoDB_20120810.TransactGetItems", "", request(t, http.MethodPost, "/", `{"TransactItems":[`+strings.Join(tables[:500], ",")+`]}`))
		send("X-Amz-Target", "AmazonSQS."+large, "", request(t, http.MethodPost, "/", ""))
		send("Authorization", "AWS4-HMAC-SHA256 Credential=a/20260101/"+strings.Repeat("r", 1<<20)+"/"+strings.Repeat("s", 1<<20)+"/aws4_request", "", request(t, http.MethodPost, "/", ""))
	}
	list := cloud.Requests(emulator.RequestFilter{})
	if len(list) != 100 {
		t.Fatalf("%d requests", len(list))
	}
	for _, r := range list {
		for name, text := range map[string]string{
			"service": r.Service, "operation": r.Operation, "resource": r.Resource, "region": r.Region, "error": r.Error, "caller": r.Caller,
		} {
			if len(text) > 256 || strings.Contains(text, "�") {
				t.Errorf("the %s has %d bytes: %.20q…%.10q", name, len(text), text, text[len(text)-10:])
			}
		}
	}
	if more := heap() - kept; more > 4<<20 {
		t.Errorf("%d bytes are kept of 100 requests", more)
	}
	runtime.KeepAlive(cloud)
}

// heap is what is still reachable.
func heap() int64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

func TestPrintable(t *testing.T) {
	for _, c := range []struct{ text, keep, want string }{
		{"PutItem", "", "PutItem"},
		{"größer 日本 ✗ \"x\" \\n", "", "größer 日本 ✗ \"x\" \\n"},
		{"a\nb\r\x1b[2J\a", "", `a\nb\r\x1b[2J\a`},
		{"a\tb", "\t", "a\tb"},
		{"a\tb\x1b", "", `a\tb\x1b`},
		{"a\tb\x1b", "\t", "a\tb" + `\x1b`},
		{"\u202egnp.exe\u009b", "", `\u202egnp.exe\u009b`},
		{"\xff", "", `\xff`},
		{"�", "", "�"},
	} {
		if got := emulator.Printable(c.text, c.keep); got != c.want {
			t.Errorf("%q: %q, want %q", c.text, got, c.want)
		}
	}
}
