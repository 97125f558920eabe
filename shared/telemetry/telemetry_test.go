package telemetry_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"strings"
	"testing"

	"fanfare/shared/telemetry"
)

const token = "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJ1MSJ9.c2lnbmF0dXJl"

func ExampleRedact() {
	fmt.Println(telemetry.Redact("GET /live?token=" + token + " HTTP/1.1"))
	// Output: GET /live?token=[redacted] HTTP/1.1
}

func TestNoTokenReachesALog(t *testing.T) {
	type request struct{ Query string }
	tests := []struct {
		name string
		log  func(*slog.Logger)
	}{
		{"in the message", func(l *slog.Logger) { l.Info("got " + token) }},
		{"as an attribute", func(l *slog.Logger) { l.Info("x", "query", "token="+token) }},
		{"under a telling name", func(l *slog.Logger) { l.Info("x", "Token", token[:20]) }},
		{"in an error", func(l *slog.Logger) { l.Error("x", "error", errors.New("bad "+token)) }},
		{"in a struct", func(l *slog.Logger) { l.Info("x", "request", request{token}) }},
		{"in bytes", func(l *slog.Logger) { l.Info("x", "body", []byte(token)) }},
		{"in a group", func(l *slog.Logger) { l.Info("x", slog.Group("headers", "authorization", "Bearer abc")) }},
		{"in a child logger", func(l *slog.Logger) { l.With("q", token).WithGroup("g").Info("x", "y", token) }},
		{"cut before its signature", func(l *slog.Logger) { l.Info(token[:strings.LastIndex(token, ".")]) }},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var out bytes.Buffer
			tt.log(telemetry.NewLogger(&out, slog.LevelDebug, "connect"))
			if got := out.String(); strings.Contains(got, "eyJ") || strings.Contains(got, "Bearer abc") {
				t.Errorf("logged %s", got)
			}
			if !strings.Contains(out.String(), telemetry.Redacted) {
				t.Errorf("nothing shows that something was removed: %s", out.String())
			}
		})
	}
}

func TestALineIsJSONWithTheFunctionsName(t *testing.T) {
	var out bytes.Buffer
	telemetry.NewLogger(&out, slog.LevelInfo, "deliver").Info("sent", "count", 3)
	var line map[string]any
	if err := json.Unmarshal(out.Bytes(), &line); err != nil {
		t.Fatal(err)
	}
	if line["function"] != "deliver" || line["count"] != 3.0 {
		t.Errorf("line %v", line)
	}
}

func TestALevelBelowIsNotWritten(t *testing.T) {
	var out bytes.Buffer
	telemetry.NewLogger(&out, slog.LevelWarn, "x").Info("quiet")
	if out.Len() > 0 {
		t.Errorf("logged %s", out.String())
	}
}

// record is what CloudWatch reads.
type record struct {
	AWS struct {
		Timestamp         int64
		CloudWatchMetrics []struct {
			Namespace  string
			Dimensions [][]string
			Metrics    []struct{ Name, Unit string }
		}
	} `json:"_aws"`
	FunctionName string
	Latency      any
}

func records(t *testing.T, out []byte) []record {
	t.Helper()
	var list []record
	for dec := json.NewDecoder(bytes.NewReader(out)); ; {
		var r record
		err := dec.Decode(&r)
		if errors.Is(err, io.EOF) {
			return list
		}
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, r)
	}
}

func TestLongValueArraysAreCutIntoRecordsOfAHundred(t *testing.T) {
	values := make([]float64, 250)
	var out bytes.Buffer
	m := telemetry.NewMetrics(&out, "deliver")
	err := m.Emit(nil, telemetry.Counter("Delivered", 250), telemetry.Metric{Name: "Latency", Unit: telemetry.Milliseconds, Values: values})
	if err != nil {
		t.Fatal(err)
	}
	var sizes []int
	for _, r := range records(t, out.Bytes()) {
		sizes = append(sizes, len(r.Latency.([]any)))
	}
	if fmt.Sprint(sizes) != "[100 100 50]" {
		t.Errorf("records of %v values, want [100 100 50]", sizes)
	}
}

func TestARecordSaysWhatCloudWatchNeeds(t *testing.T) {
	var out bytes.Buffer
	m := telemetry.NewMetrics(&out, "fanfare-dev-connect")
	if err := m.Emit(map[string]any{"tenant": "acme"}, telemetry.Metric{
		Name: "Latency", Unit: telemetry.Milliseconds, Values: []float64{1, 5}, Counts: []float64{7, 2},
	}); err != nil {
		t.Fatal(err)
	}
	r := records(t, out.Bytes())[0]
	d := r.AWS.CloudWatchMetrics[0]
	if d.Namespace != telemetry.Namespace || fmt.Sprint(d.Dimensions) != "[[FunctionName]]" || r.FunctionName != "fanfare-dev-connect" || r.AWS.Timestamp == 0 {
		t.Errorf("record %+v", r)
	}
	if got := fmt.Sprint(r.Latency); got != "map[Counts:[7 2] Values:[1 5]]" {
		t.Errorf("latency %s", got)
	}
}

func TestNothingToSayWritesNothing(t *testing.T) {
	var out bytes.Buffer
	if err := telemetry.NewMetrics(&out, "x").Emit(nil, telemetry.Metric{Name: "Latency"}); err != nil || out.Len() > 0 {
		t.Errorf("wrote %q, error %v", out.String(), err)
	}
}

func ExampleNewLogger() {
	log := telemetry.NewLogger(os.Stdout, slog.LevelError, "connect")
	log.Info("not written below the level")
	// Output:
}
