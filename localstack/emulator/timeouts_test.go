package emulator

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"fanfare/localstack/awsproto"
)

// pipeListener has connections whose time is the test's.
type pipeListener struct {
	conns chan net.Conn
	done  chan struct{}
}

func (l pipeListener) Accept() (net.Conn, error) {
	select {
	case c := <-l.conns:
		return c, nil
	case <-l.done:
		return nil, net.ErrClosed
	}
}

func (l pipeListener) Close() error   { close(l.done); return nil }
func (l pipeListener) Addr() net.Addr { return &net.TCPAddr{} }

// talk sends text to a handler and returns its answer's status.
func talk(t *testing.T, h http.HandlerFunc, texts ...string) int {
	t.Helper()
	l := pipeListener{make(chan net.Conn), make(chan struct{})}
	server := &http.Server{Handler: endStalledBodies(h, bodyTimeout)} //nolint:gosec // it serves one request of this test
	go func() { _ = server.Serve(l) }()                               // ends with Close
	client, conn := net.Pipe()
	l.conns <- conn
	go func() {
		for i, text := range texts {
			if i > 0 {
				time.Sleep(bodyTimeout - time.Second) // of the bubble's time
			}
			_, _ = io.WriteString(client, text) // the answer tells
		}
	}()
	resp, err := http.ReadResponse(bufio.NewReader(client), nil)
	if err != nil {
		t.Fatal(err)
	}
	_ = client.Close()
	_ = server.Close()
	return resp.StatusCode
}

const head = "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3\r\n\r\n"

func TestABodyThatDoesNotComeIsNotWaitedForForEver(t *testing.T) {
	read := func(w http.ResponseWriter, r *http.Request) {
		_, err := awsproto.ReadBody(r)
		awsproto.WriteREST(w, r, 200, nil, err)
	}
	for name, c := range map[string]struct {
		texts  []string
		status int
	}{
		"nothing":        {[]string{head}, http.StatusRequestTimeout},
		"not all of it":  {[]string{head, "a"}, http.StatusRequestTimeout},
		"slow but whole": {[]string{head, "a", "b", "c"}, http.StatusOK},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				if status := talk(t, read, c.texts...); status != c.status {
					t.Errorf("HTTP %d, want %d", status, c.status)
				}
			})
		})
	}
}

func TestALongAnswerIsNotCutOff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		status := talk(t, func(w http.ResponseWriter, r *http.Request) {
			_, err := awsproto.ReadBody(r)
			select {
			case <-time.After(20 * bodyTimeout):
			case <-r.Context().Done():
				err = r.Context().Err()
			}
			awsproto.WriteREST(w, r, 200, nil, err)
		}, head+"abc")
		if status != http.StatusOK {
			t.Errorf("HTTP %d", status)
		}
	})
}
