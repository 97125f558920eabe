package gateway

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"io"
	"net"
	"net/http"
	"unicode/utf8"
)

// socketBuffer is the size of each of a socket's two buffers.
const socketBuffer = 512

// upgradeWriter is an http.ResponseWriter whose hijacked connection is watched
// by a frameGuard.
type upgradeWriter struct {
	http.ResponseWriter
	tooLarge func()
	conn     net.Conn // the client's own, once hijacked
}

// Hijack implements http.Hijacker, which the WebSocket library upgrades with.
func (w *upgradeWriter) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	conn, rw, err := http.NewResponseController(w.ResponseWriter).Hijack()
	if err != nil {
		return nil, nil, err
	}
	// What net/http has read already belongs to the first frames.
	early, err := rw.Reader.Peek(rw.Reader.Buffered())
	if err != nil {
		return nil, nil, err
	}
	guard := &frameGuard{Conn: conn, tooLarge: w.tooLarge}
	guard.from = io.MultiReader(bytes.NewReader(bytes.Clone(early)), conn)
	w.conn = conn
	// net/http's buffers are of 4 KB each, which idle sockets need not keep: what
	// is larger than a buffer goes past it.
	return guard, bufio.NewReadWriter(bufio.NewReaderSize(guard, socketBuffer), bufio.NewWriterSize(guard, socketBuffer)), nil
}

// frameGuard stands between a client's TCP connection and the WebSocket
// library, which knows messages but no limit per frame. It reads along, lets
// every byte through, and reports each data frame that is larger than AWS
// takes, before its payload is read.
type frameGuard struct {
	net.Conn
	from     io.Reader // Conn, after what was read before it
	frames   frameParser
	tooLarge func()
}

func (g *frameGuard) Read(p []byte) (int, error) {
	n, err := g.from.Read(p)
	for size := range g.frames.dataFrames(p[:n]) {
		if size > maxFrame {
			g.tooLarge()
		}
	}
	if c := g.frames.close; c != nil {
		g.frames.close = nil
		if rest := c.check(g.from); len(rest) > 0 {
			g.from = io.MultiReader(bytes.NewReader(rest), g.from)
		}
	}
	return n, err
}

// closeFrame is the payload of a client's close frame whose header has just been
// read: a status code of 2 bytes and a reason, masked.
type closeFrame struct {
	have []byte // of the payload, where the library will read it
	size int
	mask [4]byte
}

// check turns a reason that is no UTF-8 into what it ought to be answered with:
// the library sends the client's code back, and RFC 6455, section 8.1, wants
// 1007. It reads what is missing of the frame, and returns it.
func (c *closeFrame) check(from io.Reader) (rest []byte) {
	payload := bytes.Clone(c.have)
	if missing := c.size - len(payload); missing > 0 {
		rest = make([]byte, missing)
		n, _ := io.ReadFull(from, rest) // an end or an error comes again
		rest = rest[:n]
		payload = append(payload, rest...)
	}
	c.applyMask(payload)
	if len(payload) < c.size || utf8.Valid(payload[2:]) {
		return rest
	}
	binary.BigEndian.PutUint16(payload, uint16(closedByText.code))
	for i, b := range payload[2:] {
		if b >= utf8.RuneSelf {
			payload[2+i] = '?'
		}
	}
	c.applyMask(payload)
	n := copy(c.have, payload)
	copy(rest, payload[n:])
	return rest
}

func (c *closeFrame) applyMask(payload []byte) {
	for i := range payload {
		payload[i] ^= c.mask[i%4]
	}
}

// frameParser finds the frames in a stream that comes in pieces (RFC 6455,
// section 5.2).
type frameParser struct {
	header  [14]byte // 2 bytes, at most 8 of length, 4 of mask
	have    int      // bytes of header
	payload uint64   // bytes that the current frame still has
	close   *closeFrame
}

// dataFrames yields the size of each data frame whose header ends in b.
func (f *frameParser) dataFrames(b []byte) func(yield func(size uint64) bool) {
	return func(yield func(uint64) bool) {
		for len(b) > 0 {
			if f.payload > 0 {
				skip := min(f.payload, uint64(len(b)))
				f.payload, b = f.payload-skip, b[skip:]
				continue
			}
			f.header[f.have], b = b[0], b[1:]
			f.have++
			size, ok := f.size()
			if !ok {
				continue
			}
			isControl := f.header[0]&0x08 != 0
			if masked := f.header[1]&0x80 != 0; f.header[0]&0x0f == 0x8 && masked && size > 2 && size <= 125 {
				f.close = &closeFrame{have: b[:min(size, uint64(len(b)))], size: int(size), mask: [4]byte(f.header[2:6])}
			}
			f.have, f.payload = 0, size
			if !isControl && !yield(size) {
				return
			}
		}
	}
}

// size returns the payload's length, once the header is complete.
func (f *frameParser) size() (size uint64, ok bool) {
	if f.have < 2 {
		return 0, false
	}
	need, short := 2, f.header[1]&0x7f
	switch short {
	case 126:
		need += 2
	case 127:
		need += 8
	}
	lengthEnd := need
	if f.header[1]&0x80 != 0 { // masked, as all frames of clients are
		need += 4
	}
	if f.have < need {
		return 0, false
	}
	switch short {
	case 126:
		return uint64(binary.BigEndian.Uint16(f.header[2:lengthEnd])), true
	case 127:
		return binary.BigEndian.Uint64(f.header[2:lengthEnd]), true
	}
	return uint64(short), true
}
