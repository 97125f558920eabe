package gateway

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"io"
	"net"
	"net/http"
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
	return n, err
}

// frameParser finds the frames in a stream that comes in pieces (RFC 6455,
// section 5.2).
type frameParser struct {
	header  [14]byte // 2 bytes, at most 8 of length, 4 of mask
	have    int      // bytes of header
	payload uint64   // bytes that the current frame still has
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
