package suite

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// scenarioList is the table of all scenarios with what each needs. It is made from
// the tests themselves:
//
//	go test ./localstack/suite -run TestTheListOfScenariosIsComplete -update
const scenarioList = "SCENARIOS.md"

const listIntro = `# The suite's scenarios

Made from the tests by ` + "`go test ./localstack/suite -run TestTheListOfScenariosIsComplete -update`" + `, and held to them.
Each runs beside all others, with tenants of its own. **Own cloud**: it changes what others rely on, and so gets a cloud restored
from what was deployed; where the target has none, it runs before the others, one at a time, unless it needs one.
A target that lacks what a scenario needs skips it by name.

`

func TestTheListOfScenariosIsComplete(t *testing.T) {
	want := listIntro + listScenarios(t)
	if *update {
		if err := os.WriteFile(scenarioList, []byte(want), 0o644); err != nil { //nolint:gosec // a document
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(scenarioList)
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != want {
		t.Errorf("%s is not what the tests are: run this test with -update", scenarioList)
	}
}

// listScenarios finds each test that begins a scenario.
func listScenarios(t *testing.T) string {
	t.Helper()
	files, err := filepath.Glob("*_test.go")
	if err != nil {
		t.Fatal(err)
	}
	parsed := map[string]*ast.File{}
	for _, name := range files {
		if parsed[name], err = parser.ParseFile(token.NewFileSet(), name, nil, 0); err != nil {
			t.Fatal(err)
		}
	}
	needs := needNames(t, parsed["target_test.go"])
	var b strings.Builder
	for _, name := range files {
		var rows []string
		for _, d := range parsed[name].Decls {
			if f, ok := d.(*ast.FuncDecl); ok && strings.HasPrefix(f.Name.Name, "Test") {
				if row := scenarioRow(t, f, needs); row != "" {
					rows = append(rows, row)
				}
			}
		}
		if rows != nil {
			fmt.Fprintf(&b, "## %s\n| scenario | own cloud | needs |\n|---|---|---|\n%s\n", strings.TrimSuffix(name, "_test.go"), strings.Join(rows, ""))
		}
	}
	return strings.TrimSuffix(b.String(), "\n")
}

// needNames are the values of the constants of type need, by name.
func needNames(t *testing.T, f *ast.File) map[string]string {
	t.Helper()
	names := map[string]string{}
	ast.Inspect(f, func(n ast.Node) bool {
		v, ok := n.(*ast.ValueSpec)
		if !ok || len(v.Values) != 1 {
			return true
		}
		if kind, ok := v.Type.(*ast.Ident); ok && kind.Name == "need" {
			text, err := strconv.Unquote(v.Values[0].(*ast.BasicLit).Value)
			if err != nil {
				t.Fatal(err)
			}
			names[v.Names[0].Name] = text
		}
		return true
	})
	return names
}

func scenarioRow(t *testing.T, f *ast.FuncDecl, names map[string]string) (row string) {
	t.Helper()
	ast.Inspect(f.Body, func(n ast.Node) bool {
		call, ok := n.(*ast.CallExpr)
		if !ok {
			return true
		}
		how, ok := call.Fun.(*ast.Ident)
		if !ok || !slices.Contains([]string{"begin", "beginCrowd", "beginAlone", "beginAloneWithin", "beginFirst"}, how.Name) {
			return true
		}
		var needs []string
		for _, arg := range call.Args {
			if id, ok := arg.(*ast.Ident); ok && names[id.Name] != "" {
				needs = append(needs, names[id.Name])
			}
		}
		own := map[string]string{"begin": "", "beginCrowd": "", "beginFirst": "no, it runs first"}
		where, ok := own[how.Name]
		if !ok {
			where = "yes"
		}
		row = fmt.Sprintf("| %s | %s | %s |\n", sentence(f.Name.Name), where, strings.Join(needs, "; "))
		return false
	})
	return row
}

var wordStart = regexp.MustCompile(`[A-Z]|[0-9]+`)

// sentence makes words of a test's name.
func sentence(name string) string {
	words := wordStart.ReplaceAllStringFunc(strings.TrimPrefix(name, "Test"), func(s string) string { return " " + strings.ToLower(s) })
	words = strings.NewReplacer(" k b", " KB", " j s o n", " JSON").Replace(strings.TrimSpace(words))
	return strings.ToUpper(words[:1]) + words[1:]
}
