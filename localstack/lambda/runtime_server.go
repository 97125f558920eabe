package lambda

import (
	"errors"
	"net"
	"net/http"
	"sync"
	"time"
)

// runtimeServer serves HTTP for the Runtime API. Every invoke makes two requests
// to it, and http.Server took 30% of the processor time of a benchmark's process
// for them: it has a second reader and two deadlines for each request, a handler
// to be woken for each event, and headers in maps. Here a connection has one
// goroutine that only reads, and whoever has an event writes it to the connection
// that waits for it. That has taken the local cloud's own processor time for an
// echoed message from 497 to 434 µs (BenchmarkCPU in ../emulator, on a busy
// machine, three runs each in turn). Requests are still parsed by net/http, so
// whatever way a client writes them is understood.
//
// There are no time-outs: the only clients are a function's own process and its
// children, which stand still for as long as nobody invokes them.
type runtimeServer struct {
	listener net.Listener
	handler  runtimeHandler
	done     chan struct{} // closed by close
	work     sync.WaitGroup

	mu    sync.Mutex
	conns map[*runtimeConn]struct{} // nil once closed
}

// runtimeHandler says what the answers are.
type runtimeHandler interface {
	// serve returns the answer to a request, or nil if there is none now: fulfil
	// may be called later, and not before serve has handed c on.
	serve(c *runtimeConn, r *http.Request) *reply
	// lost hears of the end of a connection.
	lost(c *runtimeConn)
}

// acceptPause is how long a server waits that has no file left for a connection.
const acceptPause = 10 * time.Millisecond

// serveRuntime serves until close is called. It takes the listener over.
func serveRuntime(l net.Listener, h runtimeHandler) *runtimeServer {
	s := &runtimeServer{listener: l, handler: h, done: make(chan struct{}), conns: map[*runtimeConn]struct{}{}}
	s.work.Go(s.accept)
	return s
}

func (s *runtimeServer) accept() {
	for {
		conn, err := s.listener.Accept()
		switch {
		case errors.Is(err, net.ErrClosed):
			return
		case err != nil:
			select {
			case <-s.done:
				return
			case <-time.After(acceptPause):
			}
		default:
			s.add(conn)
		}
	}
}

func (s *runtimeServer) add(conn net.Conn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.conns == nil {
		_ = conn.Close()
		return
	}
	c := &runtimeConn{Conn: conn, server: s, fulfilled: make(chan struct{}, 1)}
	s.conns[c] = struct{}{}
	s.work.Go(c.run)
}

func (s *runtimeServer) remove(c *runtimeConn) {
	_ = c.Close() // nothing is left to be sent
	s.mu.Lock()
	delete(s.conns, c)
	s.mu.Unlock()
	s.handler.lost(c)
}

// close ends all connections, and returns when nothing is served any more. It
// may be called once.
func (s *runtimeServer) close() {
	close(s.done)
	_ = s.listener.Close()
	s.mu.Lock()
	for c := range s.conns {
		_ = c.Close() // its goroutine sees it
	}
	s.conns = nil
	s.mu.Unlock()
	s.work.Wait()
}
