package scale

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"sync"
	"testing"
	"time"

	"github.com/coder/websocket"
)

// clientsVariable makes the test's program a process of clients.
const clientsVariable = "FANFARE_SCALE_CLIENTS"

func TestMain(m *testing.M) {
	if os.Getenv(clientsVariable) == "" {
		os.Exit(m.Run())
	}
	if err := serveClients(os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "clients:", err)
		os.Exit(1)
	}
}

// order is what a process of clients is told, one JSON value after the other;
// each is answered with an account. It ends with its input.
type order struct {
	Open  *opening `json:",omitempty"`
	Count string   `json:",omitempty"` // a messageId: who has got it
	Full  bool     `json:",omitempty"` // with the arrivals
}

// firstAddr is the last part of the clients' first address: 127.0.0.1's ports
// are left to servers.
const firstAddr = 11

// opening asks for n more sockets, so many a second.
type opening struct {
	URL  string // with the token
	Addr byte   // clients are at 127.0.0.<Addr>: ports are scarce
	N    int
	Rate float64
}

// account is what a process of clients knows of one message.
type account struct {
	Error    string  `json:",omitempty"`
	Clients  int     // that got it
	Doubled  int     // frames beyond the first of each client
	Lost     int     // sockets that have ended
	Other    int     // frames that were no message
	Arrivals []int64 `json:",omitempty"` // first frames, µs since 1970
}

// clientSet is all the sockets of a process.
type clientSet struct {
	mu       sync.Mutex
	sockets  int
	messages map[string]*tally
	lost     int
	other    int
}

// tally counts one message.
type tally struct {
	got      map[int]bool // by socket
	doubled  int
	arrivals []int64
}

func serveClients(in io.Reader, out io.Writer) error {
	set := &clientSet{messages: map[string]*tally{}}
	answers := json.NewEncoder(out)
	for orders := json.NewDecoder(in); ; {
		var o order
		if err := orders.Decode(&o); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return err
		}
		var a account
		if o.Open != nil {
			if err := set.open(*o.Open); err != nil {
				a.Error = err.Error()
			}
		} else {
			a = set.count(o.Count, o.Full)
		}
		if err := answers.Encode(a); err != nil {
			return err
		}
	}
}

// dialersAtATime bounds the upgrades under way of one process.
const dialersAtATime = 32

func (s *clientSet) open(o opening) error {
	dialer := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.IPv4(127, 0, 0, o.Addr)}}
	client := &http.Client{Transport: &http.Transport{DialContext: dialer.DialContext}}
	due := time.NewTicker(time.Duration(float64(time.Second) / o.Rate))
	defer due.Stop()
	var work sync.WaitGroup
	slots, errs := make(chan struct{}, dialersAtATime), make(chan error, o.N)
	for range o.N {
		<-due.C
		slots <- struct{}{}
		work.Go(func() {
			defer func() { <-slots }()
			if err := s.dial(client, o.URL); err != nil {
				errs <- err
			}
		})
	}
	work.Wait()
	close(errs)
	return <-errs // nil if there is none
}

// dial opens a socket. New connections over the account's rate are tried again.
func (s *clientSet) dial(client *http.Client, url string) error {
	for {
		conn, resp, err := websocket.Dial(context.Background(), url, &websocket.DialOptions{HTTPClient: client})
		if err == nil {
			s.mu.Lock()
			id := s.sockets
			s.sockets++
			s.mu.Unlock()
			go s.read(id, conn)
			return nil
		}
		if resp == nil || resp.StatusCode != http.StatusTooManyRequests {
			return err
		}
		time.Sleep(50 * time.Millisecond)
	}
}

func (s *clientSet) read(id int, conn *websocket.Conn) {
	for {
		_, frame, err := conn.Read(context.Background())
		at := time.Now().UnixMicro()
		if err != nil {
			s.mu.Lock()
			s.lost++
			s.mu.Unlock()
			return
		}
		s.note(id, frame, at)
	}
}

// note finds the messageId without reading the rest: the clients share the
// processors with what is measured.
func (s *clientSet) note(id int, frame []byte, at int64) {
	_, rest, isMessage := bytes.Cut(frame, []byte(`"messageId":"`))
	name, _, ok := bytes.Cut(rest, []byte(`"`))
	s.mu.Lock()
	defer s.mu.Unlock()
	if !isMessage || !ok {
		s.other++
		return
	}
	t := s.messages[string(name)]
	if t == nil {
		t = &tally{got: map[int]bool{}}
		s.messages[string(name)] = t
	}
	if t.got[id] {
		t.doubled++
		return
	}
	t.got[id] = true
	t.arrivals = append(t.arrivals, at)
}

func (s *clientSet) count(messageID string, full bool) account {
	s.mu.Lock()
	defer s.mu.Unlock()
	a := account{Lost: s.lost, Other: s.other}
	if t := s.messages[messageID]; t != nil {
		a.Clients, a.Doubled = len(t.arrivals), t.doubled
		if full {
			a.Arrivals = append([]int64(nil), t.arrivals...)
		}
	}
	return a
}

// clients is one process of clients, seen from the benchmark. Its methods are
// for one goroutine at a time.
type clients struct {
	in  *json.Encoder
	out *json.Decoder
}

// startClients starts a process of clients, which ends with the benchmark.
func startClients(tb testing.TB) *clients {
	tb.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), clientsVariable+"=1", "GOGC=200")
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		tb.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		tb.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		_ = in.Close() // which ends it
		_ = cmd.Wait() // how it ends is not what is measured
	})
	return &clients{json.NewEncoder(in), json.NewDecoder(bufio.NewReader(out))}
}

func (c *clients) do(o order) (account, error) {
	if err := c.in.Encode(o); err != nil {
		return account{}, err
	}
	var a account
	if err := c.out.Decode(&a); err != nil {
		return account{}, err
	}
	if a.Error != "" {
		return account{}, errors.New(a.Error)
	}
	return a, nil
}

// crowd is several processes of clients.
type crowd []*clients

// count adds up what all know of a message.
func (c crowd) count(tb testing.TB, messageID string, full bool) account {
	tb.Helper()
	var sum account
	for _, p := range c {
		a, err := p.do(order{Count: messageID, Full: full})
		if err != nil {
			tb.Fatal(err)
		}
		sum.Clients += a.Clients
		sum.Doubled += a.Doubled
		sum.Lost += a.Lost
		sum.Other += a.Other
		sum.Arrivals = append(sum.Arrivals, a.Arrivals...)
	}
	return sum
}
