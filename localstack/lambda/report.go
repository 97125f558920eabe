package lambda

import (
	"encoding/json"
	"fmt"
	"math"
	"strings"
	"time"
)

// platformLog writes what the platform itself says about invokes, as text or,
// with LogFormat JSON, as objects (developer guide, "Telemetry API event
// schema").
type platformLog struct {
	*functionLog
	format  string
	quiet   bool // SystemLogLevel WARN leaves out all but failures
	version string
	memory  int // MB, as configured
}

// report is what is known about an invoke when it has ended.
type report struct {
	duration  time.Duration
	init      time.Duration // of the first invoke of an environment, else 0
	usedMB    int           // 0: unknown
	status    string        // "" for success, "error", "timeout"
	errorType string
	phase     string // of a failed init: "init", or "invoke" when an invoke repeats it
}

func (p platformLog) started(id string) {
	if p.format == formatJSON {
		p.event("platform.start", map[string]any{"requestId": id, "version": p.version})
		return
	}
	p.print("START RequestId: " + id + " Version: " + p.version)
}

func (p platformLog) finished(id string, r report) {
	if p.format == formatJSON {
		p.event("platform.report", r.record(id, p.memory))
		return
	}
	p.print("END RequestId: " + id)
	p.print(r.text(id, p.memory))
}

// initFailed is said of an environment that did not come up.
func (p platformLog) initFailed(r report) {
	if p.format == formatJSON {
		p.event("platform.initReport", map[string]any{
			"initializationType": "on-demand", "phase": r.phase, "status": r.status, "errorType": r.errorType,
			"metrics": map[string]any{"durationMs": milliseconds(r.duration)},
		})
		return
	}
	p.print(fmt.Sprintf("INIT_REPORT Init Duration: %.2f ms\tPhase: %s\tStatus: %s", milliseconds(r.duration), r.phase, r.status) +
		field("Error Type", r.errorType))
}

func (p platformLog) event(kind string, record map[string]any) {
	if p.quiet && (record["status"] == nil || record["status"] == "success") {
		return
	}
	text, _ := json.Marshal(map[string]any{
		"time": p.now().UTC().Format("2006-01-02T15:04:05.000Z"), "type": kind, "record": record,
	})
	p.print(string(text))
}

func (r report) record(id string, memory int) map[string]any {
	metrics := map[string]any{
		"durationMs": milliseconds(r.duration), "billedDurationMs": r.billed(), "memorySizeMB": memory,
	}
	if r.usedMB > 0 {
		metrics["maxMemoryUsedMB"] = r.usedMB
	}
	if r.init > 0 {
		metrics["initDurationMs"] = milliseconds(r.init)
	}
	record := map[string]any{"requestId": id, "metrics": metrics, "status": "success"}
	if r.status != "" {
		record["status"], record["errorType"] = r.status, r.errorType
	}
	return record
}

func (r report) text(id string, memory int) string {
	var b strings.Builder
	fmt.Fprintf(&b, "REPORT RequestId: %s\tDuration: %.2f ms\tBilled Duration: %d ms\tMemory Size: %d MB\t",
		id, milliseconds(r.duration), r.billed(), memory)
	if r.usedMB > 0 {
		fmt.Fprintf(&b, "Max Memory Used: %d MB\t", r.usedMB)
	}
	if r.init > 0 {
		fmt.Fprintf(&b, "Init Duration: %.2f ms\t", milliseconds(r.init))
	}
	if r.status != "" {
		b.WriteString("Status: " + r.status + field("Error Type", r.errorType))
	}
	return b.String()
}

func field(name, value string) string {
	if value == "" {
		return ""
	}
	return "\t" + name + ": " + value
}

// billed counts full milliseconds, and the init phase too (Lambda pricing, since
// August 2025).
func (r report) billed() int64 {
	return int64(math.Ceil(milliseconds(r.duration + r.init)))
}

func milliseconds(d time.Duration) float64 {
	return math.Round(float64(d)/float64(time.Millisecond)*100) / 100
}
