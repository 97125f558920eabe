package gateway

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/coder/websocket"

	"fanfare/localstack/clock"
)

// Limits of API Gateway's WebSocket APIs ("Quotas for WebSocket APIs").
const (
	maxMessage  = 128 << 10
	maxFrame    = 32 << 10 // a larger message goes out in several frames
	idleTimeout = 10 * time.Minute
	maxAge      = 2 * time.Hour
	maxURL      = 4096
)

// maxBuffered bounds what waits for one slow client. AWS names no figure; it
// answers 429 once its buffer is full.
const maxBuffered = 1 << 20

// maxInFlight bounds how many messages of one socket are being handled at a
// time; the next is read when one is done.
const maxInFlight = 16

// The ways in which a socket ends, as $disconnect sees them.
var (
	closedByDelete = closing{websocket.StatusNormalClosure, "", "Connection Closed Normally"}
	closedByIdle   = closing{websocket.StatusGoingAway, "Going away", "Going away"}
	closedByAge    = closing{websocket.StatusGoingAway, "Going away", "Going away"}
	closedByStop   = closing{websocket.StatusGoingAway, "Going away", "Going away"}
	closedByBinary = closing{websocket.StatusUnsupportedData, "", ""}
	lost           = closing{websocket.StatusAbnormalClosure, "", ""}
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

// errClosed: the socket has ended or is ending.
var errClosed = errors.New("socket closed")

// socket is one client's connection, from the upgrade to the end.
type socket struct {
	id, api, stage, domain string
	sourceIP, userAgent    string
	connectedAt            time.Time
	clock                  *clock.Clock

	mu         sync.Mutex
	conn       *websocket.Conn // nil while $connect runs
	lastActive time.Time
	queue      [][]byte // waits to be written
	queued     int      // bytes in queue
	writing    bool     // a goroutine drains queue
	end        *closing // set once: why the server closes
	timers     []*clock.Timer
	force      *time.Timer   // ends a close that the client does not answer
	done       chan struct{} // closed when $disconnect has run
}

// open makes the socket ready for messages: the client has its 101.
func (k *socket) open(conn *websocket.Conn) {
	k.mu.Lock()
	defer k.mu.Unlock()
	conn.SetReadLimit(maxMessage)
	k.conn, k.lastActive = conn, k.clock.Now()
	k.timers = []*clock.Timer{
		k.clock.AfterFunc(idleTimeout, k.checkIdle),
		k.clock.AfterFunc(maxAge, func() { k.close(closedByAge) }),
	}
}

func (k *socket) isOpen() bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.conn != nil && k.end == nil
}

func (k *socket) touch() {
	now := k.clock.Now()
	k.mu.Lock()
	k.lastActive = now
	k.mu.Unlock()
}

func (k *socket) activeAt() time.Time {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.lastActive
}

// checkIdle closes the socket, or comes back when it could be idle.
func (k *socket) checkIdle() {
	left := idleTimeout - k.clock.Since(k.activeAt())
	if left <= 0 {
		k.close(closedByIdle)
		return
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.end == nil {
		k.timers[0] = k.clock.AfterFunc(left, k.checkIdle)
	}
}

// send queues a message. It does not wait for the client: nil means that the
// gateway has it. A goroutine exists only while something waits, so an idle
// socket costs one for reading and none for writing.
func (k *socket) send(message []byte) error {
	now := k.clock.Now()
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.conn == nil || k.end != nil {
		return errClosed
	}
	if k.queued+len(message) > maxBuffered {
		return errBufferFull
	}
	k.lastActive = now
	k.queue, k.queued = append(k.queue, message), k.queued+len(message)
	k.startWriter()
	return nil
}

// close ends the socket after what is queued has been written. The first
// reason counts.
func (k *socket) close(why closing) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.conn == nil || k.end != nil {
		return
	}
	k.end = &why
	k.startWriter()
	k.force = time.AfterFunc(closeTimeout, func() { _ = k.conn.CloseNow() })
}

// startWriter makes sure that somebody drains the queue. k.mu is held.
func (k *socket) startWriter() {
	if !k.writing {
		k.writing = true
		go k.drain()
	}
}

// closeTimeout bounds how long a client that does not read may hold up its own
// end.
const closeTimeout = 5 * time.Second

func (k *socket) drain() {
	for {
		message, end := k.next()
		if message == nil {
			if end != nil {
				// Close waits for the client's close frame; the reader sees the
				// end and runs $disconnect.
				_ = k.conn.Close(end.code, end.text)
			}
			return
		}
		err := k.write(message)
		k.mu.Lock()
		k.queued -= len(message)
		if err != nil { // the socket is gone; the reader sees it too
			k.queue, k.queued = nil, 0
		}
		k.mu.Unlock()
	}
}

// next takes the oldest message from the queue. When there is none, the writer
// must end: nil, with the reason if the socket is to be closed.
func (k *socket) next() (message []byte, end *closing) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if len(k.queue) == 0 {
		k.queue, k.writing = nil, false
		return nil, k.end
	}
	message, k.queue = k.queue[0], k.queue[1:]
	return message, nil
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
		kind, message, err := k.conn.Read(ctx)
		if err != nil {
			return k.ended(err)
		}
		if kind == websocket.MessageBinary {
			k.close(closedByBinary)
			continue // until the client has answered the close frame
		}
		if !k.isOpen() {
			continue
		}
		k.touch()
		handle(message)
	}
}

// ended tells from the reader's error how the socket ended, and frees what
// belonged to it.
func (k *socket) ended(err error) closing {
	k.mu.Lock()
	defer k.mu.Unlock()
	for _, t := range k.timers {
		t.Stop()
	}
	if k.force != nil {
		k.force.Stop()
	}
	if k.end == nil {
		k.end = endOf(err)
	}
	return *k.end
}

func endOf(err error) *closing {
	if errors.Is(err, websocket.ErrMessageTooBig) {
		return &closing{code: websocket.StatusMessageTooBig}
	}
	if e, ok := errors.AsType[websocket.CloseError](err); ok {
		if e.Code == websocket.StatusNoStatusRcvd {
			return &closing{code: e.Code, reason: "Client-side close frame status not set"}
		}
		return &closing{code: e.Code, reason: e.Reason}
	}
	return &lost
}
