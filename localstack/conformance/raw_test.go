package conformance

import (
	"bufio"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"
)

func asClose(err error) (websocket.CloseError, bool) { return errors.AsType[websocket.CloseError](err) }

// raw is a WebSocket client made of bytes, for claims about headers and frames
// (RFC 6455).
type raw struct {
	t    *testing.T
	conn net.Conn
	r    *bufio.Reader
	resp *http.Response
}

const handshakeLines = "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"

// request sends a request with these header lines, each ended by CRLF, and
// reads the answer's head. path is below the API's stage.
func (a *api) request(path, lines string) *raw {
	a.t.Helper()
	conn, err := net.Dial("tcp", a.Addr())
	if err != nil {
		a.t.Fatal(err)
	}
	a.t.Cleanup(func() { _ = conn.Close() }) // closed already, mostly
	if err := conn.SetDeadline(time.Now().Add(patience)); err != nil {
		a.t.Fatal(err)
	}
	_, rest, _ := strings.Cut(strings.TrimPrefix(a.url, "ws://"), "/")
	if _, err := io.WriteString(conn, "GET /"+rest+path+" HTTP/1.1\r\nHost: localhost\r\n"+lines+"\r\n"); err != nil {
		a.t.Fatal(err)
	}
	c := &raw{t: a.t, conn: conn, r: bufio.NewReader(conn)}
	if c.resp, err = http.ReadResponse(c.r, nil); err != nil {
		a.t.Fatal(err)
	}
	return c
}

// dialRaw opens a socket.
func (a *api) dialRaw() *raw {
	a.t.Helper()
	c := a.request("", handshakeLines)
	if c.resp.StatusCode != http.StatusSwitchingProtocols {
		a.t.Fatalf("upgrade: HTTP %d", c.resp.StatusCode)
	}
	return c
}

const (
	opText   = 1
	opBinary = 2
	opClose  = 8
	opPing   = 9
	opPong   = 10
	finalBit = 0x80
)

// write sends one masked frame. A mask of zeros leaves the payload as it is.
func (c *raw) write(first byte, payload []byte) {
	c.t.Helper()
	head := []byte{first}
	switch n := len(payload); {
	case n < 126:
		head = append(head, 0x80|byte(n))
	case n < 1<<16:
		head = binary.BigEndian.AppendUint16(append(head, 0x80|126), uint16(n))
	default:
		head = binary.BigEndian.AppendUint64(append(head, 0x80|127), uint64(n))
	}
	head = append(head, 0, 0, 0, 0)
	// The server may close before it has read all.
	_, _ = c.conn.Write(append(head, payload...))
}

// frame reads one frame.
func (c *raw) frame() (first byte, payload []byte) {
	c.t.Helper()
	read := func(n int) []byte {
		b := make([]byte, n)
		if _, err := io.ReadFull(c.r, b); err != nil {
			c.t.Fatalf("read a frame: %v", err)
		}
		return b
	}
	head := read(2)
	size := uint64(head[1])
	switch head[1] {
	case 126:
		size = uint64(binary.BigEndian.Uint16(read(2)))
	case 127:
		size = binary.BigEndian.Uint64(read(8))
	}
	return head[0], read(int(size))
}

// wantClose reads frames up to the close frame, and checks its code.
func (c *raw) wantClose(code uint16) {
	c.t.Helper()
	first, payload := c.frame()
	for first&0x0f != opClose {
		first, payload = c.frame()
	}
	if len(payload) < 2 || binary.BigEndian.Uint16(payload) != code {
		c.t.Errorf("close frame %v, want code %d", payload, code)
	}
	c.write(finalBit|opClose, payload)
}
