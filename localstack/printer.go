package main

import (
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"path"
	"strconv"
	"strings"
	"sync"
	"time"

	"fanfare/localstack/emulator"
	"fanfare/localstack/lambda"
)

// printer writes the cloud's log: for people in columns, or for machines one
// JSON object a line.
type printer struct {
	asJSON, quiet, colour bool

	mu  sync.Mutex
	out io.Writer
}

func newPrinter(out io.Writer, asJSON, quiet, colour bool) *printer {
	return &printer{out: out, asJSON: asJSON, quiet: quiet, colour: colour && !asJSON}
}

// Write writes one whole line, for the logger.
func (p *printer) Write(line []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.out.Write(line)
}

func (p *printer) println(line string) { _, _ = io.WriteString(p, line+"\n") } // a closed terminal is no reason to stop

// logger is for what the cloud has to say besides requests.
func (p *printer) logger() *slog.Logger {
	if p.asJSON {
		return slog.New(slog.NewJSONHandler(p, nil))
	}
	return slog.New(slog.NewTextHandler(p, nil))
}

func (p *printer) json(kind string, v any) {
	data, err := json.Marshal(v)
	if err != nil {
		p.println(fmt.Sprintf(`{"type":"error","error":%q}`, err))
		return
	}
	p.println(`{"type":"` + kind + `",` + strings.TrimPrefix(string(data), "{"))
}

// The marks of a line, before its service.
const (
	markFine     = " "
	markFailed   = "✗"
	markFault    = "⚡"
	markFunction = "λ"
)

const clockFormat = "15:04:05.000"

func (p *printer) request(r emulator.Request) {
	failed := r.Failed()
	if p.quiet && !failed {
		return
	}
	if p.asJSON {
		p.json("request", r)
		return
	}
	mark := markFine
	switch {
	case r.Faulted:
		mark = markFault
	case failed:
		mark = markFailed
	}
	line := fmt.Sprintf("%s %s %-11s %-24s %-40s %4d %9s", r.Time.Local().Format(clockFormat), mark,
		emulator.Printable(r.Service, ""), emulator.Printable(r.Operation, ""), emulator.Printable(r.Resource, ""), r.Status, took(time.Duration(r.Took)))
	if r.Error != "" {
		line += "  " + emulator.Printable(r.Error, "")
	}
	if r.Unknown {
		line += "  not in the local cloud"
	}
	if r.Status >= 500 && !r.Unknown && r.Answer != "" && r.Operation != emulator.SocketClosed {
		line += "  " + strconv.Quote(r.Answer)
	}
	p.println(p.paint(line, failed))
}

// paint makes what failed red, where there are colours.
func (p *printer) paint(line string, failed bool) string {
	if p.colour && failed {
		return "\x1b[31m" + line + "\x1b[0m"
	}
	return line
}

// took has three digits at most, so that the column can be compared.
func took(d time.Duration) string {
	switch {
	case d >= time.Minute:
		return d.Round(time.Second).String()
	case d >= time.Second:
		return fmt.Sprintf("%.2f s", d.Seconds())
	}
	return fmt.Sprintf("%.1f ms", float64(d)/float64(time.Millisecond))
}

// functionLine is a function's line as JSON.
type functionLine struct {
	Time      time.Time `json:"time"`
	Function  string    `json:"function"`
	RequestID string    `json:"requestId,omitempty"`
	Stream    string    `json:"stream"`
	Text      string    `json:"text"`
}

func (p *printer) function(l lambda.LogLine) {
	name := path.Base(l.Group)
	if p.asJSON {
		p.json("function", functionLine{l.Time.UTC(), name, l.RequestID, l.Stream, l.Text})
		return
	}
	p.println(fmt.Sprintf("%s %s %-24s %s", l.Time.Local().Format(clockFormat), markFunction, name, emulator.Printable(l.Text, "\t")))
}
