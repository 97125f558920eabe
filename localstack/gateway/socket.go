package gateway

import (
	"context"
	"errors"
	"io"
	"net"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/coder/websocket"

	"fanfare/localstack/clock"
)

// Limits of API Gateway's WebSocket APIs ("Quotas for WebSocket APIs").
const (
	maxMessage  = 128 << 10
	maxFrame    = 32 << 10 // in both directions; a larger message goes out in several frames
	idleTimeout = 10 * time.Minute
	maxAge      = 2 * time.Hour
	maxURL      = 4096
)

// maxBuffered bounds what waits for one slow client. AWS names no figure; it
// answers 429 once its buffer is full. Each message counts messageCost more
// than its bytes, so that empty ones are bounded too.
const (
	maxBuffered = 1 << 20
	messageCost = 64
)

// closeTimeout bounds how long a client that does not read or answer may hold
// up its own end.
const closeTimeout = 5 * time.Second

// The ways in which a socket ends, as $disconnect sees them.
var (
	closedByDelete = closing{websocket.StatusNormalClosure, "", "Connection Closed Normally"}
	closedByIdle   = closing{websocket.StatusGoingAway, "Going away", "Going away"}
	closedByAge    = closedByIdle
	closedByStop   = closedByIdle
	closedByBinary = closing{code: websocket.StatusUnsupportedData}
	closedBySize   = closing{code: websocket.StatusMessageTooBig}
	closedByText   = closing{code: websocket.StatusInvalidFramePayloadData} // no UTF-8: RFC 6455, section 8.1
	lost           = closing{code: websocket.StatusAbnormalClosure}
)

// closing is one way to end: the close frame's code and text, and the reason
// in $disconnect's event.
type closing struct {
	code   websocket.StatusCode
	text   string
	reason string
}

// errBufferFull: the client does not read fast enough.
var errBufferFull = errors.New("the client's buffer is full")

// errClosed: the socket is not open yet, or has ended or is ending.
var errClosed = errors.New("socket closed")

// socket is one client's connection, from the upgrade to the end. On its way it
// is admitted ($connect has succeeded: messages are taken), opened (the client
// has its 101: they are written), and ended.
type socket struct {
	id, api, stage, domain string
	sourceIP, userAgent    string
	connectedAt            time.Time
	authorizer             map[string]any // what the authorizer said of the client, nil without one
	clock                  *clock.Clock
	memory                 *memory // of all sockets together

	work sync.WaitGroup // messages being handled, and the writer
	done chan struct{}  // closed when nothing is left: $disconnect has run, work is done

	mu          sync.Mutex
	admitted    bool
	conn        *websocket.Conn // nil until opened
	raw         net.Conn        // the TCP connection under conn
	lastActive  time.Time
	queue       [][]byte // waits to be written
	queued      int      // cost of queue, and of the message being written
	writing     bool     // a goroutine drains queue
	end         *closing // set once: how the socket ends
	gone        bool     // the reader has seen the end
	cutOff      bool     // do not wait for the client any more
	lostQuietly bool     // by a fault: $disconnect does not hear of it
	idle, age   *clock.Timer
	force       *time.Timer // ends a close that the client does not answer
}

// admit lets messages be sent to the client. Its time begins.
func (k *socket) admit() {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.admitted, k.lastActive = true, k.clock.Now()
	k.idle = k.clock.AfterFunc(idleTimeout, k.checkIdle)
	k.age = k.clock.AfterFunc(maxAge, func() { k.close(closedByAge) })
}

// open starts the socket's life on the wire. It may have been closed already.
func (k *socket) open(conn *websocket.Conn, raw net.Conn) {
	conn.SetReadLimit(-1) // receive counts for itself
	k.mu.Lock()
	defer k.mu.Unlock()
	k.conn, k.raw, k.lastActive = conn, raw, k.clock.Now()
	switch {
	case k.cutOff:
		_ = raw.Close()
	case k.end != nil:
		k.startClose()
	case len(k.queue) > 0:
		k.startWriter()
	}
}

func (k *socket) isOpen() bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.admitted && k.end == nil
}

func (k *socket) activeAt() time.Time {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.lastActive
}

// touch restarts the idle time, and reports whether the socket is still open.
func (k *socket) touch() bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.lastActive = k.clock.Now()
	return k.end == nil
}

// checkIdle closes the socket, or comes back when it could be idle.
func (k *socket) checkIdle() {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.end != nil {
		return
	}
	if left := idleTimeout - k.clock.Since(k.lastActive); left > 0 {
		k.idle = k.clock.AfterFunc(left, k.checkIdle)
		return
	}
	k.closeLocked(closedByIdle)
}

// send queues a message. It does not wait for the client: nil means that the
// gateway has it. A goroutine exists only while something waits, so an idle
// socket costs one for reading and none for writing.
func (k *socket) send(message []byte) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	if !k.admitted || k.end != nil {
		return errClosed
	}
	if k.queued+cost(message) > maxBuffered || k.queued > 0 && k.memory.full() {
		return errBufferFull
	}
	k.lastActive = k.clock.Now()
	k.queue = append(k.queue, message)
	k.count(cost(message))
	if k.conn != nil {
		k.startWriter()
	}
	return nil
}

func cost(message []byte) int { return len(message) + messageCost }

// count keeps the books of what waits. k.mu is held.
func (k *socket) count(n int) {
	k.queued += n
	k.memory.add(n)
}

// close ends the socket after what is queued has been written. The first
// reason counts. One that is not open yet ends as soon as it is.
func (k *socket) close(why closing) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.end == nil {
		k.closeLocked(why)
	}
}

func (k *socket) closeLocked(why closing) {
	k.end = &why
	if k.conn != nil {
		k.startClose()
	}
}

// startClose has the writer close the socket when the queue is empty. k.mu is held.
func (k *socket) startClose() {
	k.startWriter()
	k.force = time.AfterFunc(closeTimeout, k.cut)
}

// cut ends the TCP connection without another word.
func (k *socket) cut() {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.cutOff = true
	if k.raw != nil {
		_ = k.raw.Close() // the reader sees it
	}
}

// startWriter makes sure that somebody drains the queue. k.mu is held.
func (k *socket) startWriter() {
	if !k.writing {
		k.writing = true
		k.work.Go(k.drain)
	}
}

// drain writes what is queued and, if the socket is to end, its close frame.
func (k *socket) drain() {
	for {
		message, end, ok := k.next()
		switch {
		case ok:
			k.written(message, k.write(message))
			continue
		case end != nil:
			// Waits for the client's close frame, which the reader sees too.
			_ = k.conn.Close(end.code, end.text)
		}
		return
	}
}

// next takes the oldest message from the queue. When there is none, the writer
// must end, with the close frame if the socket is being closed: then it is the
// last writer, for nothing is queued any more.
func (k *socket) next() (message []byte, end *closing, ok bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if len(k.queue) > 0 {
		message, k.queue = k.queue[0], k.queue[1:]
		return message, nil, true
	}
	k.queue, k.writing = nil, false
	if k.gone { // it ended by itself
		return nil, nil, false
	}
	return nil, k.end, false
}

func (k *socket) written(message []byte, err error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.count(-cost(message))
	if err != nil { // the socket is gone; the reader sees it too
		k.dropQueue()
	}
}

// dropQueue forgets what nobody will read. What is being written is counted
// until it has been. k.mu is held.
func (k *socket) dropQueue() {
	for _, message := range k.queue {
		k.count(-cost(message))
	}
	k.queue = nil
}

// write sends one message, in frames of at most maxFrame.
func (k *socket) write(message []byte) error {
	ctx := context.Background() // closing the connection ends a write
	if len(message) <= maxFrame {
		return k.conn.Write(ctx, websocket.MessageText, message)
	}
	w, err := k.conn.Writer(ctx, websocket.MessageText)
	if err != nil {
		return err
	}
	for len(message) > 0 {
		n := min(len(message), maxFrame)
		if _, err := w.Write(message[:n]); err != nil {
			return err
		}
		message = message[n:]
	}
	return w.Close()
}

// read hands each message to handle until the socket ends, and returns how it
// ended.
func (k *socket) read(ctx context.Context, handle func([]byte)) closing {
	for {
		message, err := k.receive(ctx)
		if err != nil {
			return k.ended(err)
		}
		// What comes after our close frame, or breaks a rule, is not handled.
		if message != nil && k.touch() {
			handle(message)
		}
	}
}

// receive reads one message, which is never nil unless it breaks a rule: then
// the socket is being closed, and what it still sends is read and dropped, for
// closing TCP with unread bytes would cost the client our close frame.
func (k *socket) receive(ctx context.Context) ([]byte, error) {
	kind, r, err := k.conn.Reader(ctx)
	if err != nil {
		return nil, err
	}
	var message []byte
	if kind == websocket.MessageText {
		if message, err = io.ReadAll(io.LimitReader(r, maxMessage+1)); err != nil {
			return nil, err
		}
	}
	switch {
	case kind != websocket.MessageText:
		k.close(closedByBinary)
	case len(message) > maxMessage:
		k.close(closedBySize)
	case !utf8.Valid(message):
		k.close(closedByText)
	default:
		return message, nil
	}
	_, err = io.Copy(io.Discard, r)
	return nil, err
}

// ended tells from the reader's error how the socket ended, and frees what
// belonged to it. Nothing is taken or written any more.
func (k *socket) ended(err error) closing {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.end == nil {
		k.end = endOf(err)
	}
	k.gone = true
	k.dropQueue()
	if k.idle != nil {
		k.idle.Stop()
		k.age.Stop()
	}
	if k.force != nil {
		k.force.Stop()
	}
	return *k.end
}

func endOf(err error) *closing {
	e, ok := errors.AsType[websocket.CloseError](err)
	switch {
	case !ok:
		return &lost
	case e.Code == websocket.StatusNoStatusRcvd:
		return &closing{code: e.Code, reason: "Client-side close frame status not set"}
	}
	return &closing{code: e.Code, reason: e.Reason}
}

// lose ends the socket as a lost network does, and tells nobody: no close frame
// goes out, and $disconnect does not run.
func (k *socket) lose() {
	k.mu.Lock()
	k.lostQuietly = true
	if k.end == nil {
		k.end = &lost
	}
	k.mu.Unlock()
	k.cut()
}

func (k *socket) isLostQuietly() bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.lostQuietly
}
