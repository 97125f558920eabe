// Package structure holds the rules about the repository's structure, as tests:
// who may import whom and why, that each package says what it is, and that
// lists which are kept in two places say the same.
package structure

import (
	"bufio"
	"encoding/json"
	"errors"
	"go/doc"
	"go/parser"
	"go/token"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"fanfare/shared/protocol"
)

const root = "../.."

// pkg is what `go list` tells of a package.
type pkg struct {
	ImportPath   string
	Dir          string
	Doc          string
	Imports      []string
	TestImports  []string
	XTestImports []string
	GoFiles      []string
	TestGoFiles  []string
	XTestGoFiles []string
}

func packages(t *testing.T) []pkg {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "go", "list", "-json=ImportPath,Dir,Doc,Imports,TestImports,XTestImports,GoFiles,TestGoFiles,XTestGoFiles", "./...")
	cmd.Dir = root
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	var list []pkg
	for dec := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p pkg
		err := dec.Decode(&p)
		if errors.Is(err, io.EOF) {
			return list
		}
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, p)
	}
}

// services are the parts of the local cloud that must not know one another.
var services = []string{
	"fanfare/localstack/cloudwatch", "fanfare/localstack/dynamodb", "fanfare/localstack/gateway", "fanfare/localstack/iam",
	"fanfare/localstack/kms", "fanfare/localstack/lambda", "fanfare/localstack/logs", "fanfare/localstack/sqs", "fanfare/localstack/sts",
}

// adapters are the libraries that speak to one kind of outside each.
var adapters = []string{"fanfare/shared/gateway", "fanfare/shared/queue", "fanfare/shared/store"}

// A ban keeps packages from importing others, outside of their tests.
type ban struct {
	from   []string // prefixes of the importing packages
	except []string // of these
	of     []string // prefixes of what they may not import
	reason string
}

var bans = []ban{
	{
		from: []string{"fanfare/shared"}, of: []string{"fanfare/functions", "fanfare/localstack", "fanfare/scripts"},
		reason: "libraries are for users' own programs too, and run in production",
	},
	{
		from: []string{"fanfare/functions"}, of: []string{"fanfare/localstack", "fanfare/scripts"},
		reason: "what runs in AWS must not know that it may run locally",
	},
	{
		from: []string{"fanfare/functions"}, of: []string{"fanfare/functions"},
		reason: "a function is one folder; what two share belongs into shared/",
	},
	{
		from: services, of: services,
		reason: "services are joined in localstack/emulator/*_wiring.go, so that each edge has one place",
	},
	{
		from: []string{"fanfare/localstack"}, except: []string{"fanfare/localstack/suite"},
		of:     []string{"fanfare/shared", "fanfare/functions", "fanfare/scripts"},
		reason: "the local cloud serves any WebSocket API: it must not know ours",
	},
	{
		from: []string{"fanfare/shared/connection", "fanfare/shared/broadcast", "fanfare/shared/protocol"}, of: []string{"github.com/aws/"},
		reason: "the core is tested and reused without AWS",
	},
	{
		from: adapters, except: []string{"fanfare/shared/store/storetest"}, of: adapters,
		reason: "adapters implement ports of the core and do not know one another",
	},
	{
		from: []string{"fanfare/shared", "fanfare/functions"}, except: []string{"fanfare/shared/auth/authtest", "fanfare/shared/connection/connectiontest", "fanfare/shared/store/storetest"},
		of:     []string{"fanfare/shared/auth/authtest", "fanfare/shared/connection/connectiontest", "fanfare/shared/store/storetest"},
		reason: "fakes and key makers must not get into production",
	},
}

// The local cloud's program would else carry the package's flags and code.
func TestTheLocalCloudIsBuiltWithoutTesting(t *testing.T) {
	cmd := exec.CommandContext(t.Context(), "go", "list", "-deps", "./localstack")
	cmd.Dir = root
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	deps := strings.Fields(string(out))
	if !slices.Contains(deps, "fanfare/localstack/emulator") {
		t.Errorf("dependencies %v", deps)
	}
	if slices.Contains(deps, "testing") {
		t.Error("localstack imports testing: emulator.TB is there to do without it")
	}
}

// within reports whether path is one of the prefixes or below it.
func within(path string, prefixes []string) bool {
	return slices.ContainsFunc(prefixes, func(p string) bool {
		return path == p || strings.HasPrefix(path, strings.TrimSuffix(p, "/")+"/")
	})
}

func (b ban) broken(p pkg) []string {
	if !within(p.ImportPath, b.from) || within(p.ImportPath, b.except) {
		return nil
	}
	var found []string
	for _, i := range p.Imports {
		// A package may import what is below itself.
		if within(i, b.of) && !within(i, []string{p.ImportPath}) {
			found = append(found, i)
		}
	}
	return found
}

func TestImportBans(t *testing.T) {
	for _, p := range packages(t) {
		for _, b := range bans {
			for _, i := range b.broken(p) {
				t.Errorf("%s imports %s: %s", p.ImportPath, i, b.reason)
			}
		}
	}
}

func TestABanIsNoticed(t *testing.T) {
	bad := pkg{ImportPath: "fanfare/shared/store", Imports: []string{"fanfare/localstack/dynamodb"}}
	if !slices.ContainsFunc(bans, func(b ban) bool { return len(b.broken(bad)) > 0 }) {
		t.Error("shared/ importing localstack/ breaks no ban")
	}
}

// commentWords is the least number of words in a package comment's first
// sentence: fewer say no more than the name.
const commentWords = 6

func TestEachPackageSaysWhatItIs(t *testing.T) {
	for _, p := range packages(t) {
		// Test data and packages of tests only are read by nobody else.
		if len(p.GoFiles) == 0 || strings.Contains(p.ImportPath, "/testdata/") {
			continue
		}
		if synopsis := p.Doc; synopsis == "" {
			t.Errorf("%s has no package comment", p.ImportPath)
		} else if len(strings.Fields(synopsis)) < commentWords {
			t.Errorf("%s: the package comment says only %q", p.ImportPath, synopsis)
		}
	}
}

// withoutExample are libraries that an Example cannot use.
var withoutExample = map[string]string{
	"fanfare/localstack/awsproto/awsprototest": "its fuzz tests take a *testing.F, which an Example has not",
	"fanfare/shared/store/storetest":           "its contract takes a *testing.T, which an Example has not",
}

// libraries are what users import: shared/ and the local cloud, without its
// program and its tests.
func libraries(t *testing.T) []pkg {
	t.Helper()
	return slices.DeleteFunc(packages(t), func(p pkg) bool {
		return !within(p.ImportPath, []string{"fanfare/shared", "fanfare/localstack"}) || len(p.GoFiles) == 0 || strings.Contains(p.ImportPath, "/testdata/") ||
			slices.Contains([]string{"fanfare/localstack", "fanfare/localstack/conformance", "fanfare/localstack/suite"}, p.ImportPath)
	})
}

// runsExample reports whether there is an Example in the package that go test runs and
// compares with what it is to print.
func (p pkg) runsExample() (bool, error) {
	for _, name := range slices.Concat(p.TestGoFiles, p.XTestGoFiles) {
		file, err := parser.ParseFile(token.NewFileSet(), filepath.Join(p.Dir, name), nil, parser.ParseComments)
		if err != nil {
			return false, err
		}
		for _, e := range doc.Examples(file) {
			if e.Output != "" {
				return true, nil
			}
		}
	}
	return false, nil
}

func TestEachLibraryHasAnExampleThatRuns(t *testing.T) {
	list := libraries(t)
	if len(list) < 20 {
		t.Errorf("only %d libraries: the test does not find them", len(list))
	}
	for _, p := range list {
		ok, err := p.runsExample()
		if err != nil {
			t.Fatal(err)
		}
		if reason := withoutExample[p.ImportPath]; ok == (reason != "") {
			t.Errorf("%s: an Example with output: %v (listed as without one: %q)", p.ImportPath, ok, reason)
		}
	}
}

// route is an entry of infra/routes.json.
type route struct {
	Function string
	Response bool
}

func routes(t *testing.T) map[string]route {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(root, "infra", "routes.json"))
	if err != nil {
		t.Fatal(err)
	}
	var table map[string]route
	if err := json.Unmarshal(data, &table); err != nil {
		t.Fatal(err)
	}
	return table
}

func TestEveryRoutesFunctionIsAFolder(t *testing.T) {
	for key, r := range routes(t) {
		if _, err := os.Stat(filepath.Join(root, "functions", r.Function, "main.go")); err != nil {
			t.Errorf("route %s: functions/%s: %v", key, r.Function, err)
		}
	}
}

// queueReaders are the functions without a route.
var queueReaders = []string{"broadcast", "deliver"}

func TestEveryFunctionHasARouteOrAQueue(t *testing.T) {
	used := slices.Clone(queueReaders)
	for _, r := range routes(t) {
		used = append(used, r.Function)
	}
	folders, err := os.ReadDir(filepath.Join(root, "functions"))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range folders {
		if !slices.Contains(used, f.Name()) {
			t.Errorf("functions/%s is reached by no route and no queue", f.Name())
		}
	}
}

func TestEveryActionHasARouteThatAnswers(t *testing.T) {
	table := routes(t)
	wanted := []string{"$default"}
	for _, a := range protocol.Actions {
		wanted = append(wanted, string(a))
	}
	for _, key := range wanted {
		if r, ok := table[key]; !ok || !r.Response || r.Function != "message" {
			t.Errorf("route %s is %+v, want function message with a response", key, r)
		}
	}
	for key := range table {
		if !slices.Contains(wanted, key) && key != "$connect" && key != "$disconnect" {
			t.Errorf("route %s is no action of shared/protocol", key)
		}
	}
}

func TestTheREADMENamesEveryVerb(t *testing.T) {
	readme, err := os.ReadFile(filepath.Join(root, "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	makefile, err := os.Open(filepath.Join(root, "Makefile"))
	if err != nil {
		t.Fatal(err)
	}
	defer makefile.Close()
	verbs := 0
	for lines := bufio.NewScanner(makefile); lines.Scan(); {
		verb, _, ok := strings.Cut(lines.Text(), ":")
		if !ok || strings.HasPrefix(verb, "\t") || !strings.Contains(lines.Text(), "## ") {
			continue
		}
		verbs++
		if !strings.Contains(string(readme), "`make "+verb+"`") {
			t.Errorf("the README does not name `make %s`", verb)
		}
	}
	if verbs < 5 {
		t.Errorf("found %d verbs in the Makefile: the test does not read it right", verbs)
	}
}
