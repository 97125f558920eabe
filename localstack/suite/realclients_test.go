package suite

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"html/template"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"

	"fanfare/scripts/stack"
	"fanfare/shared/auth/authtest"
	"fanfare/shared/connection"
	"fanfare/shared/protocol"
)

var requireClients = flag.Bool("require-clients", false, "fail, rather than skip, where a real client is not installed (make clients)")

// Where `make clients` puts what comes from npm, and what it is made from.
const (
	clientsDir    = root + "/.build/clients"
	clientSources = "testdata/clients"
)

// realClient is a client that we have not written, or one written as its library's
// users write theirs.
type realClient struct {
	name    string
	missing func() error // why it cannot be run here
	ways    []way        // the first one also for what is said of all
	agent   string       // of its user agent
	refused string       // what it says when the service has answered 401
	deleted string       // what it says when a back end has ended the socket
	left    int          // the close code that the service sees when a person leaves it
	pings   bool         // "/ping" sends a ping
	// A page is told no status and tries again by itself, with another token.
	retries bool
}

// way is how a client brings its token.
type way struct {
	name    string
	command func(s *scenario, tokens ...string) *exec.Cmd
	opened  string   // what it says then, with the subprotocol where that can be seen
	typed   []string // what the README types next, and what it shows as the answers
}

// realClients get the stack's URL and a token, and nothing else. goClient is the
// built one.
func realClients(readme readme, goClient string) []realClient {
	const (
		wscatOpened = `^Connected \(press CTRL\+C to quit\)$`
		opened      = `^Connected \(subprotocol: ""\)$`
		bearer      = `^Connected \(subprotocol: "bearer"\)$`
	)
	return []realClient{
		{
			name: "wscat", missing: wscatIsMissing, left: 1005,
			refused: `^error: Unexpected server response: 401$`, deleted: `^Disconnected \(code: 1000, reason: "`,
			ways: []way{
				{name: "?token=", command: wscat(readme.wscat[0]), opened: wscatOpened, typed: readme.typed},
				{name: "Authorization", command: wscat(readme.wscat[1]), opened: wscatOpened},
				// It fails by itself if the service does not select one of the subprotocols.
				{name: "subprotocols", command: wscat(`npx --logs-max=0 wscat -c "` + readmeURL + `" -s bearer -s "<jwt>"`), opened: wscatOpened},
			},
		},
		{
			name: "chromium", missing: chromiumIsMissing, left: 1001, agent: "HeadlessChrome/", retries: true,
			refused: `^Disconnected \(code: 1006, reason: ""\)$`, deleted: `^Disconnected \(code: 1000, reason: "`,
			ways: []way{{name: "subprotocols", command: page(readme.page), opened: bearer}},
		},
		{
			name: "python", missing: pythonIsMissing, left: 1000, agent: "websockets/", pings: true,
			refused: `^error: server rejected WebSocket connection: HTTP 401$`, deleted: `^Disconnected \(code: 1000, reason: "`,
			ways: []way{
				{name: "Authorization", command: own("header", debiansPython, clientSources+"/client.py"), opened: opened},
				{name: "subprotocols", command: own("subprotocols", debiansPython, clientSources+"/client.py"), opened: bearer},
			},
		},
		{
			name: "go", missing: func() error { return nil }, left: 1000, agent: "Go-http-client/", pings: true,
			refused: `^error: .* got 401: \{"code":"TOKEN_SIGNATURE_INVALID",`, deleted: `^Disconnected \(code: 1000, reason: "`,
			ways: []way{
				{name: "Authorization", command: own("header", goClient), opened: opened},
				{name: "subprotocols", command: own("subprotocols", goClient), opened: bearer},
			},
		},
	}
}

// wscat is a line of the README, on a terminal.
func wscat(line string) func(*scenario, ...string) *exec.Cmd {
	return func(s *scenario, tokens ...string) *exec.Cmd {
		line := strings.NewReplacer(readmeURL, s.stack.Outputs.WebSocketURL, "<jwt>", tokens[0]).Replace(line)
		cmd := exec.Command("script", "-qec", line, os.DevNull)
		cmd.Dir = clientsDir // where npx finds it, as in a project of the user's
		cmd.Env = append(os.Environ(), "SHELL=/bin/sh", "TERM=xterm")
		return cmd
	}
}

// page is a local page with the README's lines in a headless Chromium.
func page(lines string) func(*scenario, ...string) *exec.Cmd {
	return func(s *scenario, tokens ...string) *exec.Cmd {
		s.Helper()
		html, err := template.ParseFiles(clientSources + "/page.html")
		if err != nil {
			s.Fatal(err)
		}
		var text bytes.Buffer
		err = html.Execute(&text, struct {
			URL     string
			Tokens  []string
			Snippet template.JS
		}{s.stack.Outputs.WebSocketURL, tokens, template.JS(lines)})
		if err != nil {
			s.Fatal(err)
		}
		site := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			_, _ = w.Write(text.Bytes()) // the page tells that it is not there
		}))
		s.Cleanup(site.Close)
		home, err := os.MkdirTemp("", "chromium")
		if err != nil {
			s.Fatal(err)
		}
		// A browser that was killed may still be writing.
		s.Cleanup(func() { _ = os.RemoveAll(home) })
		browser, err := chromium()
		if err != nil {
			s.Fatal(err)
		}
		modules, err := filepath.Abs(clientsDir + "/node_modules")
		if err != nil {
			s.Fatal(err)
		}
		cmd := exec.Command("node", clientSources+"/browser.cjs")
		cmd.Env = append(os.Environ(), "NODE_PATH="+modules, "CHROMIUM="+browser, "PAGE="+site.URL, "HOME="+home, "TMPDIR="+home)
		return cmd
	}
}

// own is a program that takes the URL, the way of the token, and the token from
// the environment.
func own(way string, program ...string) func(*scenario, ...string) *exec.Cmd {
	return func(s *scenario, tokens ...string) *exec.Cmd {
		cmd := exec.Command(program[0], append(program[1:len(program):len(program)], s.stack.Outputs.WebSocketURL, way)...)
		cmd.Env = append(os.Environ(), "TOKEN="+tokens[0])
		return cmd
	}
}

const debiansPython = "/usr/bin/python3"

func pythonIsMissing() error {
	if out, err := exec.Command(debiansPython, "-c", "import websockets").CombinedOutput(); err != nil {
		return fmt.Errorf("%s has no websockets (%w)\n%s", debiansPython, err, out)
	}
	return nil
}

func wscatIsMissing() error {
	// macOS has another script, which takes other arguments.
	if out, err := exec.Command("script", "--version").Output(); err != nil || !bytes.Contains(out, []byte("util-linux")) {
		return errors.New("there is no terminal for it: util-linux's script is missing")
	}
	return npmIsMissing()
}

func chromiumIsMissing() error {
	if _, err := chromium(); err != nil {
		return err
	}
	return npmIsMissing()
}

// chromium is the browser: $CHROMIUM, or Debian's.
func chromium() (string, error) {
	return exec.LookPath(cmp.Or(os.Getenv("CHROMIUM"), "chromium"))
}

// npmIsMissing tells whether what is installed is what the lock file names.
func npmIsMissing() error {
	if _, err := exec.LookPath("node"); err != nil {
		return err
	}
	wanted, err := os.ReadFile(clientSources + "/package-lock.json")
	if err != nil {
		return err
	}
	installed, err := os.ReadFile(clientsDir + "/package-lock.json")
	if err != nil {
		return fmt.Errorf("npm's packages are not installed: %w", err)
	}
	if _, err := os.Stat(clientsDir + "/node_modules"); err != nil {
		return fmt.Errorf("npm's packages are not installed: %w", err)
	}
	if !bytes.Equal(wanted, installed) {
		return errors.New("the installed npm packages are those of another package-lock.json")
	}
	return nil
}

func TestRealClients(t *testing.T) {
	s := begin(t)
	goClient := filepath.Join(t.TempDir(), "goclient")
	if out, err := exec.CommandContext(t.Context(), "go", "build", "-o", goClient, "./"+clientSources+"/goclient").CombinedOutput(); err != nil {
		t.Fatalf("build: %v\n%s", err, out)
	}
	for _, c := range realClients(readReadme(t), goClient) {
		t.Run(c.name, func(t *testing.T) {
			if err := c.missing(); err != nil {
				if *requireClients {
					t.Fatalf("%s is not here: %v", c.name, err)
				}
				t.Skipf("THE CLIENT %s IS NOT TESTED: %v; `make clients` installs it", c.name, err)
			}
			t.Parallel()
			for _, w := range c.ways {
				t.Run("talks, token by "+w.name, func(t *testing.T) { newScenario(t, s.stack).talk(c, w) })
			}
			t.Run("is refused", func(t *testing.T) { newScenario(t, s.stack).refuse(c, c.ways[0]) })
			t.Run("is killed", func(t *testing.T) { newScenario(t, s.stack).lose(c, c.ways[0]) })
			t.Run("is put out", func(t *testing.T) { newScenario(t, s.stack).putOut(c, c.ways[0]) })
			t.Run("has no token written", func(t *testing.T) { newScenario(t, s.stack).findNoToken() })
		})
	}
}

// open starts the client as ann, and returns her connection's id.
func (s *scenario) open(c realClient, w way) (*program, string) {
	s.Helper()
	p := s.start(w.command(s, s.stack.Token("ann", s.tenant, "broadcast:*", "subscribe:*")))
	p.says(w.opened)
	if c.retries {
		p.subscribedByItself()
	}
	p.ask(`{"action":"ping","id":"p"}`, "pong")
	id := s.idOf("ann")
	row, err := s.table().Get(s.Context(), id)
	switch {
	case err != nil:
		s.Fatal(err)
	case !strings.Contains(row.UserAgent, c.agent):
		s.Errorf("user agent %q, want one with %s", row.UserAgent, c.agent)
	case !s.stack.isOurs(row.SourceIP): // the URL says localhost, which is ::1 first
		s.Errorf("it came from %s", row.SourceIP)
	}
	return p, id
}

// subscribedByItself takes the answer to what a page sends when its socket opens.
func (p *program) subscribedByItself() {
	p.t.Helper()
	if f := p.take(p.replies, "an answer to the page's own frame"); f.Type != "subscribed" || f.Channel != "orders" {
		p.t.Fatalf("the page got %s, want subscribed to orders", f.raw)
	}
}

// idOf finds the id of a user's only connection.
func (s *scenario) idOf(user string) string {
	s.Helper()
	page, err := s.table().Members(s.Context(), s.tenant, protocol.Audience{User: user}, "", 10)
	if err != nil || len(page.IDs) != 1 {
		s.Fatalf("connections of %s: %+v, error %v; want one", user, page, err)
	}
	return page.IDs[0]
}

// talk is a conversation with bob of the same tenant, which eve of another does not
// hear and cannot disturb.
func (s *scenario) talk(c realClient, w way) {
	ann, id := s.open(c, w)
	ann.follow(w.typed)
	ann.ask(`{"action":"subscribe","channel":"orders","id":"s"}`, "subscribed")
	if c.pings {
		ann.send("/ping")
		ann.says(`^Received pong`)
	}

	bob, eve := s.dial("bob", s.tenant), s.dial("ann", s.other)
	eve.ask(`{"action":"subscribe","channel":"orders"}`, "subscribed")
	for _, to := range []string{`{"channel":"orders"}`, `{"user":"ann"}`, `{"tenant":true}`} {
		eve.ask(`{"action":"broadcast","to":`+to+`,"data":"of another tenant"}`, "accepted")
		eve.message()
	}
	const data = `{"text":"grüße, 🎺"}`
	sent := bob.ask(`{"action":"broadcast","to":{"channel":"orders"},"data":`+data+`}`, "accepted")
	if f := ann.message(); f.MessageID != sent.MessageID || f.From == nil || f.From.User != "bob" || !jsonEqual(f.Data, data) {
		s.Errorf("%s got %s, want message %s with %s from bob", c.name, f.raw, sent.MessageID, data)
	}
	sent = ann.ask(`{"action":"broadcast","to":{"user":"bob"},"data":`+data+`,"id":"b"}`, "accepted")
	if f := bob.message(); f.MessageID != sent.MessageID || f.From == nil || f.From.User != "ann" || !jsonEqual(f.Data, data) {
		s.Errorf("bob got %s, want message %s with %s from ann", f.raw, sent.MessageID, data)
	}
	allSilent(s, map[string]*client{c.name: ann.client, "bob": bob, "eve": eve})

	ann.leave()
	if code := ann.exitCode(); code != 0 {
		s.Errorf("left, it ended with exit code %d", code)
	}
	s.leaves(id, c.left)
}

// refuse is the end of an attempt with a token of somebody else's key.
func (s *scenario) refuse(c realClient, w way) {
	claims := s.stack.claims("ann", s.tenant)
	p := s.start(w.command(s, authtest.NewKey().Sign(claims), s.stack.Key.Sign(claims)))
	p.says(c.refused)
	page, err := s.table().Members(s.Context(), s.tenant, protocol.Audience{Tenant: true}, "", 10)
	if err != nil || len(page.IDs) > 0 {
		s.Errorf("a refused client has connections: %+v, error %v", page, err)
	}
	if c.retries {
		p.says(w.opened)
		return
	}
	if code := p.exitCode(); code == 0 {
		s.Error("refused, it ended with exit code 0")
	}
}

// lose kills the client, which has no time to close its socket.
func (s *scenario) lose(c realClient, w way) {
	ann, id := s.open(c, w)
	ann.ask(`{"action":"subscribe","channel":"orders","id":"s"}`, "subscribed")
	ann.kill()
	ann.exitCode() // whichever it is
	s.leaves(id, 1006)
	bob := s.dial("bob", s.tenant)
	bob.ask(`{"action":"broadcast","to":{"tenant":true},"data":1}`, "accepted")
	bob.message()
}

// putOut has a back end end the socket, as API Gateway does after two hours.
func (s *scenario) putOut(c realClient, w way) {
	ann, id := s.open(c, w)
	if err := s.management().Delete(s.Context(), id); err != nil {
		s.Fatal(err)
	}
	ann.says(c.deleted)
	s.leaves(id, 0)
	if !c.retries {
		if code := ann.exitCode(); code != 0 {
			s.Errorf("put out, it ended with exit code %d", code)
		}
		return
	}
	ann.says(w.opened)
	ann.subscribedByItself()
	if again := s.idOf("ann"); again == id {
		s.Errorf("connected again, it has the old id %s", id)
	}
	bob := s.dial("bob", s.tenant)
	bob.ask(`{"action":"broadcast","to":{"channel":"orders"},"data":1}`, "accepted")
	ann.message()
}

var anyToken = regexp.MustCompile(`eyJ[\w-]+\.eyJ[\w-]+`)

// findNoToken looks for tokens in all that has been written so far.
func (s *scenario) findNoToken() {
	if !s.stack.has[ownAPI] {
		s.Skipf("the target %s has no %s", *targetName, ownAPI)
	}
	if token := s.stack.Token("ann", s.tenant); !anyToken.MatchString(token) {
		s.Fatal("a token does not look like one")
	}
	for where, text := range s.allWritten() {
		if at := anyToken.FindStringIndex(text); at != nil {
			s.Errorf("%s holds a token, after …%s", where, text[max(0, at[0]-200):at[0]])
		}
	}
}

// leaves waits until nothing is left of a connection of ann's. code is how the
// service must have seen it close, 0 for any way.
func (s *scenario) leaves(id string, code int) {
	s.Helper()
	s.eventually(func() string {
		if _, err := s.table().Get(s.Context(), id); !errors.Is(err, connection.ErrNotFound) {
			return fmt.Sprintf("the connection's row is there (%v)", err)
		}
		for _, to := range []protocol.Audience{{Channel: "orders"}, {Tenant: true}} {
			page, err := s.table().Members(s.Context(), s.tenant, to, "", 10)
			if err != nil || strings.Contains(fmt.Sprint(page.IDs, page.Stale), id) {
				return fmt.Sprintf("memberships of %+v: %+v, error %v", to, page, err)
			}
		}
		return ""
	})
	if code == 0 || !s.stack.has[ownAPI] {
		return
	}
	s.eventually(func() string {
		if got := s.closeCode(id); got != code {
			return fmt.Sprintf("the service saw close code %d, want %d", got, code)
		}
		return ""
	})
}

// closeCode reads, from the log of disconnect, how the connection's socket was
// closed; 0 is that nothing is told yet.
func (s *scenario) closeCode(id string) int {
	s.Helper()
	pages := cloudwatchlogs.NewFilterLogEventsPaginator(cloudwatchlogs.NewFromConfig(s.config()), &cloudwatchlogs.FilterLogEventsInput{
		LogGroupName: aws.String("/aws/lambda/fanfare-disconnect"), StartTime: aws.Int64(time.Now().Add(-time.Hour).UnixMilli()),
	})
	for pages.HasMorePages() {
		page, err := pages.NextPage(s.Context())
		if err != nil {
			s.Fatal(err)
		}
		for _, e := range page.Events {
			var line struct {
				Connection string
				CloseCode  int
			}
			// Not every line of a function is JSON.
			if json.Unmarshal([]byte(aws.ToString(e.Message)), &line) == nil && line.Connection == id {
				return line.CloseCode
			}
		}
	}
	return 0
}

// readme is what the README says that people type, and put into a page.
type readme struct {
	wscat []string // lines for a shell, with readmeURL and <jwt>
	typed []string // lines of that conversation, "> " what is sent, "< " what comes
	page  string   // JavaScript
}

// readmeURL stands for the stack's URL in the README.
const readmeURL = "ws://localhost:4566/_aws/execute-api/<apiId>/live"

// readReadme reads the section that is to be tried.
func readReadme(t *testing.T) readme {
	t.Helper()
	text, err := os.ReadFile(root + "/README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, section, _ := strings.Cut(string(text), "\n## Try it\n")
	section, _, _ = strings.Cut(section, "\n## ")
	var r readme
	for line := range strings.Lines(section) {
		line = strings.TrimSpace(line)
		switch {
		case strings.HasPrefix(line, "npx "):
			r.wscat = append(r.wscat, line)
		case strings.HasPrefix(line, "> "), strings.HasPrefix(line, "< "):
			r.typed = append(r.typed, line)
		}
	}
	_, js, _ := strings.Cut(section, "```js\n")
	r.page, _, _ = strings.Cut(js, "```")
	if len(r.wscat) != 2 || len(r.typed) == 0 || r.page == "" {
		t.Fatalf("the README does not have two lines with wscat, a conversation and a script under Try it: %+v", r)
	}
	return r
}

// follow types the README's lines and holds the answers to it, in which … is
// anything. Frames and replies come in any order.
func (p *program) follow(conversation []string) {
	p.t.Helper()
	for _, line := range conversation {
		if text, ok := strings.CutPrefix(line, "> "); ok {
			p.send(text)
			continue
		}
		wanted := line[len("< "):]
		from := p.replies
		if strings.HasPrefix(wanted, `{"type":"message"`) {
			from = p.messages
		}
		pattern := "^" + strings.ReplaceAll(regexp.QuoteMeta(wanted), "…", ".+") + "$"
		if f := p.take(from, wanted); !regexp.MustCompile(pattern).MatchString(f.raw) {
			p.t.Errorf("got %s, where the README shows %s", f.raw, wanted)
		}
	}
}

// make local prints the README's line.
func TestTheREADMEsLineIsMakeLocals(t *testing.T) {
	shown, _, _ := strings.Cut(readReadme(t).wscat[0], " #")
	if printed := stack.Wscat(readmeURL, "<jwt>"); strings.TrimSpace(shown) != printed {
		t.Errorf("the README has\n%s\nand make local prints\n%s", shown, printed)
	}
}
