package lambda

import (
	"encoding/json"
	"fmt"
	"strings"
)

// Runtimes report a failure as JSON in one line, and print it so or not at all.
// explain makes of it what a developer wants to read:
//
//	errorString: not today
//	    handle  deliver/handler.go:42
//
// without the frames of Go's runtime and of aws-lambda-go around the handler's.
// body is what was posted to the Runtime API: {errorMessage, errorType,
// stackTrace} of Go (objects) and Python (text), or with trace, of Node.js. It
// returns nothing for what is none of these.
func explain(body []byte) []string {
	var e struct {
		ErrorMessage string
		ErrorType    string
		StackTrace   []json.RawMessage
		Trace        []json.RawMessage
	}
	if json.Unmarshal(body, &e) != nil || e.ErrorMessage == "" && e.ErrorType == "" {
		return nil
	}
	headline := e.ErrorMessage
	if e.ErrorType != "" {
		headline = e.ErrorType + ": " + headline
	}
	lines := textLines(headline)
	for _, raw := range append(e.StackTrace, e.Trace...) {
		for _, line := range frame(raw) {
			lines = append(lines, "    "+line)
		}
	}
	return lines
}

// frame returns the lines of one frame of a stack trace.
func frame(raw json.RawMessage) []string {
	var text string
	if json.Unmarshal(raw, &text) == nil {
		return textLines(text)
	}
	var f struct {
		Path  string
		Line  int
		Label string
	}
	if json.Unmarshal(raw, &f) != nil || f.Path == "" && f.Label == "" {
		return nil
	}
	for _, machinery := range []string{"runtime/", "reflect/", "github.com/aws/aws-lambda-go@"} {
		if strings.HasPrefix(f.Path, machinery) {
			return nil
		}
	}
	return textLines(fmt.Sprintf("%s  %s:%d", f.Label, f.Path, f.Line))
}

func textLines(text string) []string {
	var lines []string
	for line := range strings.Lines(text) {
		if line = strings.TrimRight(line, "\r\n"); line != "" {
			lines = append(lines, line)
		}
	}
	return lines
}

// explain shows a reported failure to those who watch the local cloud. AWS's log
// has no such lines, so they are marked as Local.
func (l *functionLog) explain(body []byte) {
	if l.sink == nil {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, text := range explain(body) {
		l.send(LogLine{Text: text, Local: true})
	}
}
