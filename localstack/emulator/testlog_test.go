package emulator

import (
	"fmt"
	"strings"
	"testing"

	"fanfare/localstack/lambda"
)

func TestATestsLogIsBoundedAndKeepsTheLast(t *testing.T) {
	l := &testLog{}
	if got := l.String(); got != "(nothing failed in it, and no function printed)" {
		t.Errorf("an empty log is %q", got)
	}
	const printed = 10 * keptLines
	for i := range printed {
		l.function(lambda.LogLine{Group: "/aws/lambda/f", Text: fmt.Sprint("line ", i)})
	}
	lines := strings.Split(l.String(), "\n")
	kept := len(lines) - 1
	if kept < keptLines/2 || kept > keptLines {
		t.Errorf("%d of %d lines are kept", kept, printed)
	}
	if want := fmt.Sprintf("(%d earlier lines are not kept)", printed-kept); lines[0] != want {
		t.Errorf("it begins %q, want %q", lines[0], want)
	}
	if last := lines[kept]; !strings.HasSuffix(last, fmt.Sprint(" f: line ", printed-1)) {
		t.Errorf("it ends %q", last)
	}
}

func TestATestsLogHasTheRequestsThatFailed(t *testing.T) {
	for _, tt := range []struct {
		what    string
		request Request
		want    string
	}{
		{"one that went well", Request{Service: "sqs", Operation: "SendMessage", Status: 200}, ""},
		{"a socket's normal end", Request{Service: "execute-api", Operation: SocketClosed, Status: 1001}, ""},
		{"one that was refused", Request{Service: "sqs", Operation: "SendMessage", Resource: "orders", Status: 400, Error: "QueueDoesNotExist", Answer: "the caller knows"},
			"sqs SendMessage orders: 400 QueueDoesNotExist"},
		{"a function's", Request{Service: "sqs", Operation: "SendMessage", Resource: "orders", Status: 403, Error: "AccessDenied", Caller: "connect"},
			"sqs SendMessage orders: 403 AccessDenied (called by connect)"},
		{"one that is our fault", Request{Service: "sqs", Operation: "SendMessage", Resource: "orders", Status: 500, Error: "InternalFailure", Answer: "out of\norder"},
			`sqs SendMessage orders: 500 InternalFailure out of\norder`},
		{"one that a fault rule struck", Request{Service: "sqs", Operation: "SendMessage", Resource: "orders", Status: 503, Error: "ServiceUnavailable", Faulted: true},
			"sqs SendMessage orders: 503 ServiceUnavailable (by a fault rule)"},
	} {
		t.Run(tt.what, func(t *testing.T) {
			l := &testLog{}
			l.request(tt.request)
			got := strings.Join(l.lines, "\n")
			if _, withoutTime, ok := strings.Cut(got, " "); ok {
				got = strings.TrimSpace(withoutTime)
			}
			if got != tt.want {
				t.Errorf("line %q, want %q", got, tt.want)
			}
		})
	}
}
