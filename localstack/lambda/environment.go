package lambda

import (
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"fanfare/localstack/awsproto"
)

// shutdownTime is what a process with an internal extension has between SIGTERM
// and SIGKILL. Without one it has nothing (developer guide, "Extensions API",
// shutdown phase).
const shutdownTime = 500 * time.Millisecond

// environment is one process that waits for, or serves, one invoke at a time.
type environment struct {
	pool    *pool
	api     *runtimeAPI
	process *process
	log     platformLog
	key     string // the id of its credentials' key

	coldStart time.Duration // how long its init took; 0 once that has been reported
	lateInit  time.Duration // the same of an init that an invoke has repeated: a part of its time
	idleSince time.Time     // in the cloud's time; guarded by pool.mu
	givenBack time.Time     // the same in real time
	frozen    bool          // guarded by pool.mu
	stopping  sync.Once
	gone      chan struct{} // closed when process and listener have ended
}

// failure is why there is no answer of the function itself.
type failure struct {
	errorType string
	reason    string // "Runtime exited with error: exit status 1"
	body      []byte // what the function has said about it, if anything
	timedOut  bool
	refused   error // Lambda's own answer to the invoke: nothing was started
}

// functionFailure is the payload of an invoke that has failed.
type functionFailure struct {
	ErrorMessage string `json:"errorMessage"`
	ErrorType    string `json:"errorType,omitempty"`
}

func (f *failure) payload(requestID string) []byte {
	if f.body != nil {
		return f.body
	}
	body, _ := json.Marshal(functionFailure{"RequestId: " + requestID + " Error: " + f.reason, f.errorType})
	return body
}

// launch starts an environment and waits until it asks for its first event, at
// most for limit. On failure nothing of it is left running. phase is for the
// log: "init", or "invoke" for an init that is part of an invoke.
func (p *pool) launch(phase string, limit time.Duration) (*environment, *failure) {
	e, err := p.startProcess()
	if err != nil {
		return nil, &failure{errorType: "Runtime.InvalidEntrypoint", reason: err.Error()}
	}
	began := time.Now()
	f := e.awaitReady(limit)
	e.coldStart = time.Since(began)
	if f == nil {
		p.service.launcher.settleClock(e.process)
		return e, nil
	}
	e.stop()
	r := report{duration: e.coldStart, status: "error", errorType: f.errorType, phase: phase}
	if f.timedOut {
		r.status, r.errorType = "timeout", ""
	}
	e.log.initFailed(r)
	e.log.explain(f.body)
	return nil, f
}

func (p *pool) startProcess() (*environment, error) {
	dir, err := p.unpacked()
	if err != nil {
		return nil, err
	}
	api, err := newRuntimeAPI(registration{p.info.Name, p.info.Version, p.info.Handler})
	if err != nil {
		return nil, err
	}
	e := &environment{pool: p, api: api, gone: make(chan struct{})}
	e.log = p.newLog()
	variables := p.environment(dir, api.address(), e.log.template.Stream)
	e.key = accessKeyOf(variables)
	e.process, err = p.service.launcher.start(dir, variables, e.log.functionLog, p.service.clock.Offset())
	if err != nil {
		api.close()
		return nil, explainStart(dir, err)
	}
	welcome := p.add(e)
	go e.watch()
	if !welcome {
		e.stop()
	}
	return e, nil
}

// accessKeyOf finds the id of the key that a process signs its requests with.
func accessKeyOf(variables []string) string {
	for _, v := range variables {
		if key, ok := strings.CutPrefix(v, "AWS_ACCESS_KEY_ID="); ok {
			return key
		}
	}
	return ""
}

// watch clears up after the process, however it ends.
func (e *environment) watch() {
	<-e.process.exited
	e.api.close()
	e.pool.remove(e)
	close(e.gone)
}

func (e *environment) alive() bool {
	select {
	case <-e.process.exited:
		return false
	default:
		return true
	}
}

// outdated reports whether the cloud's clock has been advanced since the process
// started, and a new one would know: not where this one could not be told either.
func (e *environment) outdated() bool {
	p := e.process
	return p.wanted != e.pool.service.clock.Offset() && p.wanted == p.offset
}

func (e *environment) awaitReady(limit time.Duration) *failure {
	timer := time.NewTimer(limit)
	defer timer.Stop()
	select {
	case <-e.api.ready:
		return nil
	case body := <-e.api.failed:
		return &failure{errorType: "Runtime.InitError", reason: "the function has reported that it cannot start", body: body}
	case <-e.process.exited:
		return e.exitFailure()
	case <-timer.C:
		return &failure{errorType: "Sandbox.Timedout", reason: fmt.Sprintf("Init timed out after %.2f seconds", limit.Seconds()), timedOut: true}
	}
}

// exitFailure describes a process that has ended. What it posted just before
// counts for more than how it ended.
func (e *environment) exitFailure() *failure {
	f := &failure{errorType: "Runtime.ExitError", reason: e.process.reason}
	select {
	case f.body = <-e.api.failed:
	default:
	}
	return f
}

// stop ends the process group and returns when everything is gone. A process
// with an extension gets SIGTERM and shutdownTime first.
func (e *environment) stop() {
	e.stopping.Do(func() {
		if e.api.hasExtension() {
			e.process.thaw()
			e.process.terminate()
			timer := time.NewTimer(shutdownTime)
			defer timer.Stop()
			select {
			case <-e.process.exited:
				return
			case <-timer.C:
			}
		}
		e.process.kill()
	})
	<-e.gone
}

// result is what became of an invocation.
type result struct {
	payload       []byte
	functionError string
	tail          string
	refused       error // nothing ran
}

// invoke hands inv to the process and waits for the end of it. delivered is
// false if the process was gone before it took the event; then nothing has
// happened. Whether the environment can be used again shows in its pool: one
// that has ended is not in there any more.
func (e *environment) invoke(inv *invocation, withTail bool) (res result, delivered bool) {
	began := time.Now().Add(-e.lateInit)
	e.lateInit = 0
	end := began.Add(e.pool.info.Timeout)
	timer := time.NewTimer(time.Until(end))
	defer timer.Stop()
	inv.deadline = end.Add(e.process.offset) // on the function's own clock
	if inv.kill {
		inv.interrupt = e.process.kill
	}
	inv.begin = func() {
		e.log.begin(inv.id, withTail)
		e.log.started(inv.id)
	}
	for taken := false; !taken; {
		select {
		case c := <-e.api.asking:
			taken = e.api.begin(c, inv, end)
		case <-e.process.exited:
			return result{}, false
		case <-timer.C:
			inv.begin() // it was alive and never asked
			return e.conclude(inv, began, true), true
		}
	}
	timedOut := false
	select {
	case <-inv.done:
	case <-e.process.exited:
	case <-timer.C:
		timedOut = true
	}
	return e.conclude(inv, began, timedOut), true
}

// conclude stops what has run too long, writes the last lines of the invoke's
// log and returns its result.
func (e *environment) conclude(inv *invocation, began time.Time, timedOut bool) result {
	r := report{duration: time.Since(began), init: e.coldStart}
	e.coldStart = 0
	logged := e.log.wanted()
	if logged {
		r.usedMB = e.process.memory.residentMB()
	}
	if timedOut {
		e.stop()
	}
	body, functionError, answered := e.api.outcome(inv)
	if logged {
		e.log.catchUp()
	}
	switch {
	case answered:
		if functionError != "" {
			e.log.explain(body)
		}
	case timedOut:
		body, functionError = e.timeoutPayload(inv), unhandled
		r.duration, r.status = e.pool.info.Timeout, "timeout"
	default:
		f := e.exitFailure()
		body, functionError = f.payload(inv.id), unhandled
		r.status, r.errorType = "error", f.errorType
		if logged {
			e.log.print("RequestId: " + inv.id + " Error: " + f.reason)
		}
	}
	if !logged {
		return result{payload: body, functionError: functionError}
	}
	e.log.finished(inv.id, r)
	return result{payload: body, functionError: functionError, tail: e.log.end()}
}

// timeoutPayload also logs what it says.
func (e *environment) timeoutPayload(inv *invocation) []byte {
	message := fmt.Sprintf("%s %s Task timed out after %.2f seconds",
		e.log.now().UTC().Format("2006-01-02T15:04:05.000Z"), inv.id, e.pool.info.Timeout.Seconds())
	e.log.print(message)
	body, _ := json.Marshal(functionFailure{ErrorMessage: message})
	return body
}

// newLog opens a new log stream.
func (p *pool) newLog() platformLog {
	var id [16]byte
	rand.Read(id[:]) // never fails since Go 1.24
	now := p.service.clock.Now
	logging := p.version.Config.LoggingConfig
	return platformLog{
		functionLog: newFunctionLog(p.service.opts.Log, now, LogLine{
			Function: p.info.ARN,
			Role:     p.info.Role,
			Group:    p.info.LogGroup,
			Stream:   now().UTC().Format("2006/01/02") + "/[" + p.info.Version + "]" + hex.EncodeToString(id[:]),
		}),
		format:  logging.LogFormat,
		quiet:   logging.SystemLogLevel == "WARN",
		version: p.info.Version,
		memory:  p.info.MemorySize,
	}
}

// environment returns all variables of a process: the function's own, then
// those of Options.Environment, then those that the runtime defines
// (developer guide, "Defined runtime environment variables").
func (p *pool) environment(dir, runtimeAPI, stream string) []string {
	all := map[string]string{
		"PATH": "/usr/local/bin:/usr/bin/:/bin:/opt/bin",
		"LANG": "en_US.UTF-8",
		"TZ":   ":UTC",
	}
	if own := p.version.Config.Environment; own != nil {
		for name, value := range own.Variables {
			all[name] = p.service.opts.Value(value)
		}
	}
	if p.service.opts.Environment != nil {
		maps.Copy(all, p.service.opts.Environment(p.info))
	}
	maps.Copy(all, map[string]string{
		"_HANDLER":                        p.info.Handler,
		"AWS_REGION":                      p.info.Region,
		"AWS_DEFAULT_REGION":              p.info.Region,
		"AWS_LAMBDA_FUNCTION_NAME":        p.info.Name,
		"AWS_LAMBDA_FUNCTION_MEMORY_SIZE": strconv.Itoa(p.info.MemorySize),
		"AWS_LAMBDA_FUNCTION_VERSION":     p.info.Version,
		"AWS_LAMBDA_LOG_GROUP_NAME":       p.info.LogGroup,
		logStreamVariable:                 stream,
		"AWS_LAMBDA_INITIALIZATION_TYPE":  "on-demand",
		"AWS_LAMBDA_RUNTIME_API":          runtimeAPI,
		"LAMBDA_TASK_ROOT":                dir, // /var/task in AWS
		"LAMBDA_RUNTIME_DIR":              "/var/runtime",
	})
	if logging := p.version.Config.LoggingConfig; logging.LogFormat == formatJSON {
		all["AWS_LAMBDA_LOG_FORMAT"], all["AWS_LAMBDA_LOG_LEVEL"] = formatJSON, logging.ApplicationLogLevel
	}
	list := make([]string, 0, len(all))
	for _, name := range slices.Sorted(maps.Keys(all)) {
		list = append(list, name+"="+all[name])
	}
	return list
}

// newTraceID returns an X-Ray header of a trace that nobody samples.
func newTraceID(now time.Time) string {
	id := awsproto.NewRequestID() // 32 random hex digits, less a few bits
	hexDigits := id[:8] + id[9:13] + id[24:36]
	return fmt.Sprintf("Root=1-%08x-%s;Parent=%s;Sampled=0", now.Unix(), hexDigits, id[19:23]+id[24:36])
}
