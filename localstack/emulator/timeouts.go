package emulator

import (
	"errors"
	"io"
	"net/http"
	"os"
	"time"

	"fanfare/localstack/awsproto"
)

// How long a client may keep a connection without saying anything: before its
// first request or within a request's head, between two requests, and within a
// request's body. What a request takes to be answered is not bounded here
// (long polls, invokes), and sockets have limits of their own.
const (
	headerTimeout = 10 * time.Second
	idleTimeout   = 2 * time.Minute
	bodyTimeout   = 30 * time.Second
)

// endStalledBodies fails the reading of a body of which nothing came for limit.
// http.Server.ReadTimeout cannot stand in: it would bound whole uploads, and end
// the context of a request that is answered later than that.
func endStalledBodies(next http.Handler, limit time.Duration) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.ContentLength != 0 {
			r.Body = &timedBody{r.Body, http.NewResponseController(w), limit}
		}
		next.ServeHTTP(w, r)
	})
}

type timedBody struct {
	io.ReadCloser
	conn  *http.ResponseController
	limit time.Duration
}

// errStalled is what the services answer with.
var errStalled = awsproto.Errorf(http.StatusRequestTimeout, "RequestTimeout", "the rest of the request's body did not come")

func (b *timedBody) Read(p []byte) (int, error) {
	_ = b.conn.SetReadDeadline(time.Now().Add(b.limit)) // a writer without deadlines is a test's
	n, err := b.ReadCloser.Read(p)
	switch {
	case errors.Is(err, io.EOF):
		// From here on the server reads, to learn that the client leaves.
		_ = b.conn.SetReadDeadline(time.Time{})
	case errors.Is(err, os.ErrDeadlineExceeded):
		err = errStalled // the deadline stays: the server need not wait for the rest either
	}
	return n, err
}
