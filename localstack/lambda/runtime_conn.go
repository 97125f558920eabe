package lambda

import (
	"bufio"
	"errors"
	"io"
	"math"
	"net"
	"net/http"
	"strconv"
	"strings"
	"time"
)

const (
	// maxHead bounds a request's line and headers: aws-lambda-go sends up to 1 MB
	// of an error's cause in one of them.
	maxHead = 1<<20 + 64<<10
	// maxLeft is how much that nobody wanted of a body is read to keep a connection.
	maxLeft = 256 << 10
	// maxInOne is how large a body may be to go out in one piece with its headers.
	// An idle connection takes so much without waiting for the client.
	maxInOne = 8 << 10
	// lingerTime is what a client has to read its last answer in, while it still
	// sends: to close at once would cost it the answer.
	lingerTime = 500 * time.Millisecond
)

// reply is the answer to a request.
type reply struct {
	status int
	kind   string   // Content-Type
	header []string // further names and values, in turn
	body   []byte
}

// runtimeConn is one connection of a function's process.
type runtimeConn struct {
	net.Conn
	server    *runtimeServer
	last      bool          // the answer that is due is the last one
	fulfilled chan struct{} // a request that was not answered at once has been
}

// run serves one request after another.
func (c *runtimeConn) run() {
	defer c.server.remove(c)
	limit := &io.LimitedReader{R: c.Conn}
	in := bufio.NewReader(limit)
	owes := false // an answer to the request before
	for {
		limit.N = maxHead
		r, err := http.ReadRequest(in)
		if owes && !c.waitForTurn(err) {
			return
		}
		if err != nil {
			c.refuse(err, limit.N <= 0)
			return
		}
		limit.N = math.MaxInt64
		c.last = r.Close || !r.ProtoAtLeast(1, 1)
		if !c.expect(r) {
			return
		}
		answer := c.server.handler.serve(c, r)
		left := !drained(r.Body)
		if owes = answer == nil; owes {
			if left {
				return
			}
			continue
		}
		c.last = c.last || left
		switch {
		case !c.write(answer):
			return
		case left:
			c.linger()
			return
		case c.last:
			return
		}
	}
}

// waitForTurn holds back a request that came before the one before it was
// answered. It is false if the client or the server has gone.
func (c *runtimeConn) waitForTurn(err error) bool {
	if err != nil {
		return false
	}
	select {
	case <-c.fulfilled:
		return true
	case <-c.server.done:
		return false
	}
}

// refuse answers what is no request. A connection's end is none, either.
func (c *runtimeConn) refuse(err error, tooLarge bool) {
	status := http.StatusBadRequest
	_, broken := errors.AsType[net.Error](err)
	switch {
	case tooLarge:
		status = http.StatusRequestHeaderFieldsTooLarge
	case broken, errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return
	}
	c.last = true
	if c.write(plainReply(status)) {
		c.linger()
	}
}

// plainReply is an answer to what is not of the Runtime API.
func plainReply(status int, header ...string) *reply {
	text := strconv.Itoa(status) + " " + http.StatusText(status) + "\n"
	return &reply{status: status, kind: "text/plain; charset=utf-8", header: header, body: []byte(text)}
}

// expect tells a client to go on that waits for that before it sends its body
// (RFC 9110, section 10.1.1).
func (c *runtimeConn) expect(r *http.Request) bool {
	switch expectation := r.Header.Get("Expect"); {
	case expectation == "" || !r.ProtoAtLeast(1, 1):
		return true
	case strings.EqualFold(expectation, "100-continue"):
		_, err := io.WriteString(c, "HTTP/1.1 100 Continue\r\n\r\n")
		return err == nil
	}
	c.last = true
	c.write(plainReply(http.StatusExpectationFailed))
	return false
}

// drained reads what is left of a body, if that is not much.
func drained(body io.ReadCloser) bool {
	if body == http.NoBody {
		return true
	}
	n, err := io.CopyN(io.Discard, body, maxLeft+1)
	return errors.Is(err, io.EOF) && n <= maxLeft
}

// linger reads on for a moment after the last answer.
func (c *runtimeConn) linger() {
	if half, ok := c.Conn.(interface{ CloseWrite() error }); ok { // TCP's and Unix's have it
		_ = half.CloseWrite()
	}
	_ = c.SetReadDeadline(time.Now().Add(lingerTime))
	_, _ = io.Copy(io.Discard, c.Conn)
}

// fulfil answers a request that serve has not answered. What takes longer than
// until the deadline is given up, and the connection with it.
func (c *runtimeConn) fulfil(answer *reply, deadline time.Time) {
	large := len(answer.body) > maxInOne
	if large {
		_ = c.SetWriteDeadline(deadline)
	}
	if !c.write(answer) || c.last {
		_ = c.Close() // its goroutine sees it
		return
	}
	if large {
		_ = c.SetWriteDeadline(time.Time{})
	}
	c.fulfilled <- struct{}{} // has room: a connection owes one answer at a time
}

// write sends an answer and reports whether that has been possible.
func (c *runtimeConn) write(answer *reply) bool {
	b := make([]byte, 0, 512+min(len(answer.body), maxInOne))
	b = append(b, "HTTP/1.1 "...)
	b = strconv.AppendInt(b, int64(answer.status), 10)
	b = append(append(append(b, ' '), http.StatusText(answer.status)...), "\r\nDate: "...)
	b = time.Now().UTC().AppendFormat(b, http.TimeFormat)
	b = appendHeader(b, "Content-Type", answer.kind)
	for i := 0; i+1 < len(answer.header); i += 2 {
		b = appendHeader(b, answer.header[i], answer.header[i+1])
	}
	if c.last {
		b = appendHeader(b, "Connection", "close")
	}
	b = append(b, "\r\nContent-Length: "...)
	b = strconv.AppendInt(b, int64(len(answer.body)), 10)
	b = append(b, "\r\n\r\n"...)
	if len(answer.body) <= maxInOne {
		_, err := c.Write(append(b, answer.body...))
		return err == nil
	}
	_, err := c.Write(b)
	if err == nil {
		_, err = c.Write(answer.body)
	}
	return err == nil
}

// inOneLine keeps a value from ending its header, whatever a caller has put in it.
var inOneLine = strings.NewReplacer("\r", " ", "\n", " ")

func appendHeader(b []byte, name, value string) []byte {
	b = append(append(append(b, "\r\n"...), name...), ": "...)
	return append(b, inOneLine.Replace(value)...)
}
