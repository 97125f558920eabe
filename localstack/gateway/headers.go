package gateway

import (
	"bytes"
	"context"
	"net"
	"net/http"
	"net/textproto"
	"strings"
	"sync"
)

// Listener and ConnContext keep the spelling of the headers of an upgrade, which
// net/http loses and $connect's event must have:
//
//	server := &http.Server{Handler: gw, ConnContext: gateway.ConnContext}
//	server.Serve(gateway.Listener(listener))
//
// It is that of the first request of a connection. RFC 6455, section 4.1 has
// clients open one for each WebSocket; an upgrade that comes later in a
// connection has the usual spelling.
func Listener(l net.Listener) net.Listener { return spellingListener{l} }

// ConnContext is for http.Server.ConnContext. See Listener.
func ConnContext(ctx context.Context, conn net.Conn) context.Context {
	if c, ok := conn.(*spellingConn); ok {
		return context.WithValue(ctx, spellingKey{}, c)
	}
	return ctx
}

type spellingKey struct{}

type spellingListener struct{ net.Listener }

func (l spellingListener) Accept() (net.Conn, error) {
	conn, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return &spellingConn{Conn: conn, recording: true}, nil
}

// maxHead bounds what is kept of a connection.
const maxHead = 16 << 10

// spellingConn keeps the head of the first request, if that is an upgrade, until
// somebody asks for it.
type spellingConn struct {
	net.Conn
	mu        sync.Mutex
	head      []byte
	recording bool
}

func (c *spellingConn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.recording {
		c.record(p[:n])
	}
	return n, err
}

var endOfHead = []byte("\r\n\r\n")

// record adds to the head, until it is whole, too large, or not one that
// anybody will ask for. c.mu is held.
func (c *spellingConn) record(b []byte) {
	if len(c.head) == 0 && len(b) > 0 && b[0] != 'G' { // of GET
		c.recording = false
		return
	}
	from := max(0, len(c.head)-len(endOfHead)+1) // the end may come in two pieces
	c.head = append(c.head, b[:min(len(b), maxHead+1-len(c.head))]...)
	if end := bytes.Index(c.head[from:], endOfHead); end >= 0 {
		c.recording = false
		c.head = c.head[:from+end]
		return
	}
	if len(c.head) > maxHead {
		c.recording, c.head = false, nil
	}
}

// take returns the head, and lets go of it.
func (c *spellingConn) take() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	head := string(c.head)
	c.recording, c.head = false, nil
	return head
}

// spelling maps the names that net/http has made of headers to the client's.
type spelling map[string]string

// spellingOf finds how the client has spelt r's headers. The handshake's key,
// which no two have alike, tells whether the head that was kept is r's.
func spellingOf(r *http.Request) spelling {
	c, ok := r.Context().Value(spellingKey{}).(*spellingConn)
	if !ok {
		return nil
	}
	s := spelling{}
	key := ""
	_, lines, _ := strings.Cut(c.take(), "\r\n")
	for line := range strings.SplitSeq(lines, "\r\n") {
		name, value, ok := strings.Cut(line, ":")
		if !ok {
			continue
		}
		canonical := textproto.CanonicalMIMEHeaderKey(name)
		if _, again := s[canonical]; !again { // the first decides
			s[canonical] = name
		}
		if canonical == "Sec-Websocket-Key" {
			key = strings.Trim(value, " \t")
		}
	}
	if key != r.Header.Get("Sec-WebSocket-Key") {
		return nil
	}
	return s
}

// of returns the client's spelling or, where that is not known, the usual one.
func (s spelling) of(canonical string) string {
	if name, ok := s[canonical]; ok {
		return name
	}
	const prefix = "Sec-Websocket-"
	if rest, ok := strings.CutPrefix(canonical, prefix); ok {
		return "Sec-WebSocket-" + rest
	}
	return canonical
}
