package cloudwatch_test

import (
	"bytes"
	"compress/gzip"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

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

func TestAnswersAreCopies(t *testing.T) {
	a, _, _ := newAPI(t)
	a.must("PutMetricAlarm", onMetric)
	var readers sync.WaitGroup
	for range 2 { // the race detector is what can fail here
		readers.Go(func() {
			for range 20 {
				a.call("DescribeAlarms", "")
				a.call("ListTagsForResource", "ResourceARN="+alarmARN)
			}
		})
	}
	for range 20 {
		a.must("PutMetricAlarm", onMetric)
		a.must("DisableAlarmActions", "AlarmNames.member.1=errors")
		a.must("TagResource", "ResourceARN="+alarmARN+" Tags.member.1.Key=team Tags.member.1.Value=new")
	}
	readers.Wait()
}
