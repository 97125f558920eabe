package coldstart

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"time"
)

// stub plays the Runtime API and DynamoDB for one process. The next one gets
// another, so that a late call of the last is not taken for its own.
type stub struct {
	*httptest.Server
	table    *table
	asked    chan time.Time // the process's first call for an invoke
	answered chan answer

	mu    sync.Mutex
	event string // of the process's first invoke; without one, there is none
}

// answer is what the process made of its event.
type answer struct {
	at   time.Time
	path string
	body string
}

func newStub(t *table, event string) *stub {
	s := &stub{table: t, event: event, asked: make(chan time.Time, 1), answered: make(chan answer, 1)}
	s.Server = httptest.NewServer(s)
	return s
}

func (s *stub) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	now := time.Now()
	body, err := io.ReadAll(r.Body)
	switch path := r.URL.Path; {
	case err != nil: // the process has ended
	case path == "/2018-06-01/runtime/invocation/next":
		s.next(w, r, now)
	case strings.HasPrefix(path, "/2018-06-01/runtime/"):
		s.answered <- answer{now, path, string(body)}
		w.WriteHeader(http.StatusAccepted)
	case path == "/2020-01-01/extension/register":
		w.Header().Set("Lambda-Extension-Identifier", "8476a536-e9f4-11e8-9739-2dfe598c3fcd")
		_, _ = io.WriteString(w, `{}`) // the process has ended, if at all
	case path == "/2020-01-01/extension/event/next":
		<-r.Context().Done()
	default:
		s.table.answer(w, r.Header.Get("X-Amz-Target"), body)
	}
}

// next hands the event out once. Further calls wait until the process ends.
func (s *stub) next(w http.ResponseWriter, r *http.Request, now time.Time) {
	s.mu.Lock()
	event := s.event
	s.event = ""
	s.mu.Unlock()
	select {
	case s.asked <- now:
	default: // its second call
	}
	if event == "" {
		<-r.Context().Done()
		return
	}
	h := w.Header()
	h.Set("Lambda-Runtime-Aws-Request-Id", "8476a536-e9f4-11e8-9739-2dfe598c3fcd")
	h.Set("Lambda-Runtime-Deadline-Ms", strconv.FormatInt(now.Add(30*time.Second).UnixMilli(), 10))
	h.Set("Lambda-Runtime-Invoked-Function-Arn", "arn:aws:lambda:eu-west-1:000000000000:function:bench")
	_, _ = io.WriteString(w, event)
}

// table is a DynamoDB of one row: the last that was put, which is connect's and
// which message finds.
type table struct {
	mu  sync.Mutex
	row json.RawMessage
}

func (t *table) answer(w http.ResponseWriter, target string, body []byte) {
	t.mu.Lock()
	defer t.mu.Unlock()
	text := []byte(`{}`)
	switch _, action, _ := strings.Cut(target, "."); action {
	case "PutItem":
		var put struct{ Item json.RawMessage }
		if err := json.Unmarshal(body, &put); err == nil {
			t.row = put.Item
		}
	case "GetItem":
		if t.row != nil {
			text = append(append([]byte(`{"Item":`), t.row...), '}')
		}
	}
	w.Header().Set("Content-Type", "application/x-amz-json-1.0")
	_, _ = w.Write(text) // the process has ended, if at all
}
