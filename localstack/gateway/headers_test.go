package gateway

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
)

// AWS.md, section 1.2: the client's own case is preserved [OBS-evt].
func TestHeadersKeepTheClientsCase(t *testing.T) {
	d := newCloud(t).deploy(t, chat)
	d.rawDial(t, "", "x-lower: 1", "X-UPPER: 2", "aUtHoRiZaTiOn: Bearer x", "sec-websocket-protocol: v1")
	h := d.event(t, "connect").Headers
	for name, want := range map[string]string{
		"x-lower": "1", "X-UPPER": "2", "aUtHoRiZaTiOn": "Bearer x", "sec-websocket-protocol": "v1",
		"Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==", "X-Forwarded-Port": "443",
	} {
		if h[name] != want {
			t.Errorf("%s is %q in %v", name, h[name], h)
		}
	}
}

// An upgrade that is not the first request of its connection, which no client
// sends, has the usual case, and never that of the request before it.
func TestALaterRequestDoesNotGetTheCaseOfTheFirst(t *testing.T) {
	d := newCloud(t).deploy(t, chat)
	host := strings.TrimPrefix(d.url, "http://")
	conn, err := net.Dial("tcp", host)
	must(t, err)
	defer conn.Close()
	path := strings.TrimPrefix(d.endpoint(), d.url)
	_, err = fmt.Fprintf(conn, "GET /x HTTP/1.1\r\nHost: %s\r\nX-custom: 1\r\n\r\n"+
		"GET %s HTTP/1.1\r\nhost: %s\r\nx-CUSTOM: 2\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
		host, path, host)
	must(t, err)
	in := bufio.NewReader(conn)
	first, err := http.ReadResponse(in, nil)
	must(t, err)
	_, _ = io.Copy(io.Discard, first.Body)
	second, err := http.ReadResponse(in, nil)
	must(t, err)
	if h := d.event(t, "connect").Headers; second.StatusCode != 101 || h["X-Custom"] != "2" {
		t.Errorf("got %d; %v", second.StatusCode, h)
	}
}

func TestOnlyABoundedHeadIsKept(t *testing.T) {
	for name, tt := range map[string]struct {
		pieces []string
		want   string
	}{
		"whole":                          {[]string{"GET / HTTP/1.1\r\na: b\r\n\r\nbody"}, "GET / HTTP/1.1\r\na: b"},
		"in pieces":                      {[]string{"G", "ET / HTTP/1.1\r\na: b\r\n\r", "\nbody", "GET /more"}, "GET / HTTP/1.1\r\na: b"},
		"of another method than GET":     {[]string{"POST / HTTP/1.1\r\n", "a: b\r\n\r\n"}, ""},
		"larger than what anybody sends": {[]string{"GET /", strings.Repeat("a", maxHead), "\r\n\r\n"}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			c := &spellingConn{recording: true}
			for _, piece := range tt.pieces {
				c.record([]byte(piece)[:len(piece)*btoi(c.recording)])
			}
			if got := c.take(); got != tt.want || len(got) > maxHead || c.head != nil {
				t.Errorf("kept %.100q", got)
			}
		})
	}
}

func btoi(b bool) int {
	if b {
		return 1
	}
	return 0
}
