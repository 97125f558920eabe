package coldstart

import (
	"bytes"
	"encoding/json"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"fanfare/scripts/artifact"
	"fanfare/shared/auth/authtest"
)

// program is one of those that start in each round.
type program struct {
	name  string
	path  string
	env   []string
	event string // of its first invoke, empty if it gets none
	says  string // part of the right answer to it

	starts, answers []float64 // milliseconds from execution
}

// The programs that are no functions.
const (
	bare       = "bare"
	bareFinish = "bare-finish" // as bare, and registers for SIGTERM
)

// deadline bounds what a start may take: a program that ends instead is noticed.
const deadline = 20 * time.Second

func BenchmarkColdStart(b *testing.B) {
	programs, rows := build(b), new(table)
	for i := range programs {
		programs[i].start(b, rows, false) // brings the executable into memory
	}
	order := rand.New(rand.NewPCG(1, 2))
	for b.Loop() {
		for _, i := range order.Perm(len(programs)) {
			programs[i].start(b, rows, true)
		}
	}
	floor := median(find(b, programs, bare).starts)
	b.ReportMetric(floor, "ms-"+bare)
	b.ReportMetric(quantile(find(b, programs, bare).starts, 0.95), "ms-p95-"+bare)
	slowest := 0.0
	for _, p := range programs {
		if p.name == bare {
			continue
		}
		b.ReportMetric(median(p.starts)/floor, "x-"+p.name)
		b.ReportMetric(median(p.starts)-floor, "ms-over-"+p.name)
		if len(p.answers) > 0 {
			b.ReportMetric(median(p.answers), "ms-answer-"+p.name)
		}
		info, err := os.Stat(p.path)
		if err != nil {
			b.Fatal(err)
		}
		b.ReportMetric(float64(info.Size())/1e6, "MB-"+p.name)
		slowest = max(slowest, quantile(p.starts, 0.95))
	}
	b.ReportMetric(slowest, "ms-p95-slowest")
	b.ReportMetric(0, "ns/op")
}

// start executes the program, waits for what it is to do, and ends it.
func (p *program) start(b *testing.B, rows *table, counts bool) {
	b.Helper()
	s := newStub(rows, p.event)
	defer s.Close()
	cmd := exec.Command(p.path)
	cmd.Env = append(addresses(s), p.env...)
	var said bytes.Buffer // read when the process has ended
	cmd.Stdout, cmd.Stderr = &said, &said
	begin := time.Now()
	if err := cmd.Start(); err != nil {
		b.Fatal(err)
	}
	late := time.NewTimer(deadline)
	defer late.Stop()
	var asked time.Time
	var got answer
	select {
	case asked = <-s.asked:
	case <-late.C:
	}
	if p.event != "" && !asked.IsZero() {
		select {
		case got = <-s.answered:
		case <-late.C:
		}
	}
	_ = cmd.Process.Kill()
	_ = cmd.Wait() // "killed", as it was
	if asked.IsZero() || !strings.Contains(got.body, p.says) {
		b.Fatalf("%s: asked at %v, answered %s %s, want %q in it; it said: %s", p.name, asked, got.path, got.body, p.says, said.String())
	}
	if !counts {
		return
	}
	p.starts = append(p.starts, asked.Sub(begin).Seconds()*1e3)
	if p.event != "" {
		p.answers = append(p.answers, got.at.Sub(begin).Seconds()*1e3)
	}
}

// build returns the programs as they are deployed. connect comes before
// message, which finds its row.
func build(b *testing.B) []program {
	b.Helper()
	const root = "../../.."
	bin := b.TempDir()
	if err := artifact.Compile(b.Context(), root, bin, artifact.Host, "./scripts/bench/coldstart/testdata/bare", "./functions/..."); err != nil {
		b.Fatal(err)
	}
	issuer := authtest.NewIssuer()
	env := environment(issuer)
	programs := []program{
		{name: bare, path: filepath.Join(bin, "bare"), env: env},
		{name: bareFinish, path: filepath.Join(bin, "bare"), env: append(slices.Clone(env), "FINISH=1")},
	}
	if other := os.Getenv("COLDSTART_FUNCTIONS"); other != "" {
		bin = other
	}
	for _, name := range []string{"connect", "message", "disconnect", "broadcast", "deliver"} {
		p := program{name: name, path: filepath.Join(bin, name), env: env}
		switch name {
		case "connect":
			token := issuer.Sign(authtest.Claims{Subject: "u1", Tenant: "t1", Audience: []string{"fanfare"}})
			p.event, p.says = event(b, "$connect", "CONNECT", "", map[string]string{"token": token}), `"statusCode":200`
		case "message":
			p.event, p.says = event(b, "ping", "MESSAGE", `{"action":"ping","id":"1"}`, nil), `pong`
		}
		programs = append(programs, p)
	}
	return programs
}

// environment is what Lambda and Terraform set, for all functions at once.
func environment(issuer *authtest.Issuer) []string {
	return []string{
		"PATH=/usr/local/bin:/usr/bin/:/bin:/opt/bin", "LANG=en_US.UTF-8", "TZ=:UTC",
		"AWS_REGION=eu-west-1", "AWS_ACCESS_KEY_ID=ASIAEXAMPLE", "AWS_SECRET_ACCESS_KEY=secret", "AWS_SESSION_TOKEN=session",
		"TABLE_NAME=connections", "POST_RATE=800", "DIRECT_RATE=80",
		"JWT_PUBLIC_KEY=" + issuer.Key().PublicPEM(), "JWT_ISSUER=" + issuer.Name(), "JWT_AUDIENCE=fanfare",
	}
}

// addresses are what of the environment is the stub's.
func addresses(s *stub) []string {
	return []string{
		"AWS_LAMBDA_RUNTIME_API=" + strings.TrimPrefix(s.URL, "http://"), "AWS_ENDPOINT_URL=" + s.URL, "WEBSOCKET_ENDPOINT=" + s.URL + "/live",
		"BROADCAST_QUEUE_URL=" + s.URL + "/000000000000/broadcast", "DELIVERY_QUEUE_URL=" + s.URL + "/000000000000/delivery",
	}
}

// event is one as API Gateway makes it.
func event(b *testing.B, route, kind, body string, query map[string]string) string {
	b.Helper()
	text, err := json.Marshal(events.APIGatewayWebsocketProxyRequest{
		Headers: map[string]string{"Host": "localhost"}, QueryStringParameters: query, Body: body,
		RequestContext: events.APIGatewayWebsocketProxyRequestContext{
			RouteKey: route, EventType: kind, ConnectionID: "VOHUyeOCAMgCGdA=", ConnectedAt: time.Now().UnixMilli(), RequestID: "VOHUyeOCAMgCGdA=",
			Identity: events.APIGatewayRequestIdentity{UserAgent: "bench", SourceIP: "127.0.0.1"},
		},
	})
	if err != nil {
		b.Fatal(err)
	}
	return string(text)
}

func find(b *testing.B, programs []program, name string) program {
	b.Helper()
	i := slices.IndexFunc(programs, func(p program) bool { return p.name == name })
	if i < 0 {
		b.Fatalf("no program %s", name)
	}
	return programs[i]
}

func median(of []float64) float64 { return quantile(of, 0.5) }

// quantile does not interpolate: each is a start that was measured.
func quantile(of []float64, q float64) float64 {
	of = slices.Sorted(slices.Values(of))
	return of[min(int(q*float64(len(of))), len(of)-1)]
}
