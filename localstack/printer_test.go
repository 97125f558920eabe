package main

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"fanfare/localstack/emulator"
	"fanfare/localstack/lambda"
)

func TestLinesForPeople(t *testing.T) {
	at := time.Date(2026, 1, 2, 15, 4, 5, 678e6, time.Local)
	fine := emulator.Request{Time: at, Service: "dynamodb", Operation: "PutItem", Resource: "orders", Status: 200, Took: emulator.Duration(1234 * time.Microsecond)}
	failed := fine
	failed.Status, failed.Error, failed.Answer = 500, "InternalFailure", "disk full\n"
	faulted := fine
	faulted.Status, faulted.Error, faulted.Faulted = 400, "ThrottlingException", true
	closed := emulator.Request{Time: at, Service: "execute-api", Operation: emulator.SocketClosed, Resource: "abc/live/id=", Status: 1001, Error: "Going away", Took: emulator.Duration(10 * time.Minute)}
	lost := closed
	lost.Status, lost.Error, lost.Took = 1006, "", emulator.Duration(2500*time.Millisecond)
	line := lambda.LogLine{Time: at, Group: "/aws/lambda/echo", Text: "panic: boom"}
	forged := failed
	forged.Service, forged.Operation, forged.Resource, forged.Error = "sqs\a", "GET /\n15:04:05.678", "\x1b[2J", "Bad\r"
	forgedLine := line
	forgedLine.Text = "\tat main\x1b]0;title\a"

	for _, c := range []struct {
		name, want string
		print      func(*printer)
	}{
		{"fine", "15:04:05.678   dynamodb    PutItem                  orders                                    200    1.2 ms\n",
			func(p *printer) { p.request(fine) }},
		{"failed by our fault, with the answer", "15:04:05.678 ✗ dynamodb    PutItem                  orders                                    500    1.2 ms  InternalFailure  \"disk full\\n\"\n",
			func(p *printer) { p.request(failed) }},
		{"struck by a rule", "15:04:05.678 ⚡ dynamodb    PutItem                  orders                                    400    1.2 ms  ThrottlingException\n",
			func(p *printer) { p.request(faulted) }},
		{"a socket's normal end", "15:04:05.678   execute-api closed                   abc/live/id=                             1001     10m0s  Going away\n",
			func(p *printer) { p.request(closed) }},
		{"a socket that was lost", "15:04:05.678 ✗ execute-api closed                   abc/live/id=                             1006    2.50 s\n",
			func(p *printer) { p.request(lost) }},
		{"a function's line", "15:04:05.678 λ echo                     panic: boom\n",
			func(p *printer) { p.function(line) }},
		{"what a terminal would obey, of a request", `15:04:05.678 ✗ sqs\a       GET /\n15:04:05.678      \x1b[2J                                   500    1.2 ms  Bad\r  "disk full\n"` + "\n",
			func(p *printer) { p.request(forged) }},
		{"what a terminal would obey, of a function", "15:04:05.678 λ echo                     \tat main\\x1b]0;title\\a\n",
			func(p *printer) { p.function(forgedLine) }},
	} {
		t.Run(c.name, func(t *testing.T) {
			var b bytes.Buffer
			c.print(newPrinter(&b, false, false, false))
			if b.String() != c.want {
				t.Errorf("got  %q\nwant %q", b.String(), c.want)
			}
		})
	}

	var b bytes.Buffer
	quiet := newPrinter(&b, false, true, true)
	quiet.request(fine)
	quiet.request(failed)
	if got := b.String(); strings.Count(got, "\n") != 1 || !strings.HasPrefix(got, "\x1b[31m") {
		t.Errorf("quiet and in colours: %q", got)
	}
	b.Reset()
	newPrinter(&b, true, false, true).function(line)
	if got := b.String(); !strings.HasPrefix(got, `{"type":"function","time":"`) || !strings.Contains(got, `"function":"echo"`) {
		t.Errorf("a function's line for machines: %s", got)
	}
}
