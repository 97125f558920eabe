package emulator_test

import (
	"bytes"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"fanfare/localstack/emulator"
)

// unstarted is a cloud that does not listen; its Handler serves.
func unstarted(tb testing.TB) *emulator.Emulator {
	tb.Helper()
	cloud, err := emulator.New(emulator.Options{Hostname: "cloud.example", Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = cloud.Close(tb.Context()) })
	return cloud
}

// request is one that net/http's server could have read.
func request(tb testing.TB, method, target, body string) *http.Request {
	tb.Helper()
	u, err := url.ParseRequestURI(target)
	if err != nil || strings.ContainsAny(method, " \r\n\t") || method == "" {
		tb.Skip("no request")
	}
	return &http.Request{
		Method: method, URL: u, Host: "localhost", Header: http.Header{}, RequestURI: target, RemoteAddr: "127.0.0.1:1",
		Body: io.NopCloser(strings.NewReader(body)), ContentLength: int64(len(body)), Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
	}
}

// Whatever is asked, the answer is JSON or nothing, and the fault is never ours.
func FuzzAdmin(f *testing.F) {
	for _, seed := range [][3]string{
		{"GET", "health", ""}, {"GET", "info", ""}, {"GET", "clock", ""}, {"POST", "clock/advance", `{"duration":"2h"}`},
		{"POST", "clock/advance", `{"duration":"9223372036s"}`}, {"GET", "faults", ""}, {"DELETE", "faults", ""}, {"DELETE", "faults/x%2f", ""},
		{"POST", "faults", `{"id":"a","service":"s*","probability":0.5,"after":1,"count":2,"latency":"1ms","status":500,"code":"X","message":"y"}`},
		{"POST", "faults", `{"service":"sqs","Service":"lambda","drop":true}`}, {"POST", "faults/reset", `{"seed":7}`},
		{"GET", "requests?service=sqs&operation=X&since=10s&limit=3", ""}, {"GET", "requests?since=2026-01-02T15:04:05Z", ""},
		{"GET", "requests?since=-2562047h", ""}, {"DELETE", "requests", ""}, {"POST", "snapshot", ""}, {"PUT", "../x//y", "["},
	} {
		f.Add(seed[0], seed[1], seed[2])
	}
	cloud := unstarted(f)
	h := cloud.Handler()
	f.Fuzz(func(t *testing.T, method, path, body string) {
		r := request(t, method, "/_localstack/"+path, body)
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		if w.Code >= 500 {
			t.Errorf("%s %s: %d %s", method, path, w.Code, w.Body)
		}
		if w.Header().Get("Content-Type") == "application/json" && !json.Valid(bytes.TrimSpace(w.Body.Bytes())) {
			t.Errorf("%s %s: no JSON: %s", method, path, w.Body)
		}
		if len(cloud.Faults().List()) > 100 {
			cloud.Faults().Reset(0)
		}
	})
}

// What is let through names this machine, and no page of another site, unless
// it is a socket.
func FuzzForeign(f *testing.F) {
	f.Add("localhost:4566", "", "", "", "/")
	f.Add("localhost:4566", "http://localhost:4566", "same-origin", "", "/")
	f.Add("evil.example", "", "", "websocket", "/_aws/execute-api/a/live")
	f.Add("[::1]:4566", "null", "none", "WebSocket", "/_aws/execute-api/a/live")
	f.Add("cloud.example", "http://evil.example", "cross-site", "", "/_aws/execute-api/a/live/@connections/x")
	f.Add("localhost", "http://localhost@evil.example", "", "h2c", "/_localstack/clock/advance")
	cloud := unstarted(f)
	f.Fuzz(func(t *testing.T, host, origin, site, upgrade, path string) {
		r := request(t, http.MethodPost, "/"+strings.TrimPrefix(path, "/"), "")
		r.Host = host
		for name, value := range map[string]string{"Origin": origin, "Sec-Fetch-Site": site, "Upgrade": upgrade} {
			if value != "" {
				r.Header.Set(name, value)
			}
		}
		if cloud.Foreign(r) != "" {
			return
		}
		if strings.Contains(host, "evil.example") && !strings.HasSuffix(host, ".localhost") {
			t.Errorf("the host %q is served", host)
		}
		socket := strings.EqualFold(upgrade, "websocket") && strings.HasPrefix(r.URL.Path, "/_aws/execute-api/")
		if socket {
			return
		}
		if site != "" && site != "none" && site != "same-origin" {
			t.Errorf("a page of %q is served", site)
		}
		if u, err := url.Parse(origin); origin != "" && (err != nil || u.Host != host) {
			t.Errorf("a page of %q is served by %q", origin, host)
		}
	})
}
