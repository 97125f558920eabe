package main

import (
	"go/ast"
	goparser "go/parser"
	"go/token"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"fanfare/shared/telemetry"
)

const root = "../.."

func TestEachReadmeSaysWhatItsModuleTakesAndGives(t *testing.T) {
	all, err := folders(root)
	if err != nil || len(all) != 6 {
		t.Fatalf("%d folders, error %v; want the root and five modules", len(all), err)
	}
	for _, folder := range all {
		t.Run(filepath.Base(folder), func(t *testing.T) {
			is, want, err := readme(folder)
			if err != nil {
				t.Fatal(err)
			}
			if is != want {
				t.Error("README.md is out of date: go run ./scripts/infradocs")
			}
		})
	}
}

// The parser knows formatted text only. What Terraform sees and it does not
// would be missing from a README, so it is counted another way.
func TestNoVariableOrOutputIsPassedOver(t *testing.T) {
	all, err := folders(root)
	if err != nil {
		t.Fatal(err)
	}
	for _, folder := range all {
		found, err := parse(folder)
		if err != nil {
			t.Fatal(err)
		}
		files, _ := filepath.Glob(filepath.Join(folder, "*.tf")) // the pattern is right
		want := 0
		for _, file := range files {
			want += len(regexp.MustCompile(`(?m)^\s*(variable|output)\s+"`).FindAllString(read(t, file), -1))
		}
		if len(found) != want {
			t.Errorf("%s: %d variables and outputs found of %d", folder, len(found), want)
		}
	}
}

func TestAVariablesParts(t *testing.T) {
	b := blocks(`variable "limits" {
  description = "What \"clients\" may, at most."
  type = object({
    rate   = optional(number, 20) # a second
    names  = optional(list(string), ["a, b"]) # of whom
    needed = string # always
    inner = optional(object({
      deep = string
    })) # an object
  })
  default  = {}
  nullable = false

  validation {
    condition     = true
    error_message = "never"
  }
}
`)
	if len(b) != 1 || b[0].Kind != "variable" || b[0].Name != "limits" {
		t.Fatalf("blocks %+v", b)
	}
	if got, err := b[0].text("description"); err != nil || got != `What "clients" may, at most.` {
		t.Errorf("description %q, error %v", got, err)
	}
	if got := b[0].attribute("error_message"); got != "" {
		t.Errorf("a nested block's attribute passes for the variable's: %q", got)
	}
	want := []member{
		{"rate", "number", "20", "a second"},
		{"names", "list(string)", `["a, b"]`, "of whom"},
		{"needed", "string", "required", "always"},
		{"inner", "object({ deep = string })", "null", "an object"},
	}
	if got := b[0].members(); !slices.Equal(got, want) {
		t.Errorf("members\n%+v\nwant\n%+v", got, want)
	}
}

func TestWhatIsNotDocumentedIsRefused(t *testing.T) {
	for name, text := range map[string]string{
		"no description":                "variable \"a\" {\n  type = string\n}\n",
		"no type":                       "variable \"a\" {\n  description = \"x\"\n}\n",
		"an attribute without a word":   "variable \"a\" {\n  description = \"x\"\n  type = object({\n    b = string\n  })\n}\n",
		"an output without description": "output \"a\" {\n  value = 1\n}\n",
		"too many variables":            strings.Repeat("variable \"a\" {\n  description = \"x\"\n  type        = string\n}\n", MaxVariables+1),
	} {
		t.Run(name, func(t *testing.T) {
			var s strings.Builder
			all := blocks(text)
			if inputs(&s, all) == nil && outputs(&s, all) == nil {
				t.Errorf("passes as\n%s", s.String())
			}
		})
	}
}

// An attribute that an object type does not have is dropped by Terraform
// without a word; in our own environments it is found here.
func TestEnvironmentsNameOnlyWhatThereIs(t *testing.T) {
	declared := map[string][]string{} // variable → attributes
	all, err := parse(filepath.Join(root, "infra"))
	if err != nil {
		t.Fatal(err)
	}
	for _, b := range all {
		if b.Kind == "variable" {
			declared[b.Name] = nil
			for _, m := range b.members() {
				declared[b.Name] = append(declared[b.Name], m.Name)
			}
		}
	}
	files, _ := filepath.Glob(filepath.Join(root, "infra", "environments", "*.tfvars")) // the pattern is right
	if len(files) == 0 {
		t.Fatal("no environments")
	}
	for _, file := range files {
		// Commented settings are to be uncommented, so they count.
		text := regexp.MustCompile(`(?m)^# ?(\w+ = |  |\})`).ReplaceAllString(read(t, file), "$1")
		for _, m := range regexp.MustCompile(`(?m)^(\w+) += (\{[^}]*\}|.*)`).FindAllStringSubmatch(text, -1) {
			attributes, ok := declared[m[1]]
			if !ok {
				t.Errorf("%s: there is no variable %s", file, m[1])
			}
			for _, a := range regexp.MustCompile(`(\w+) += `).FindAllStringSubmatch(strings.TrimPrefix(m[2], "{"), -1) {
				if attributes != nil && !slices.Contains(attributes, a[1]) {
					t.Errorf("%s: %s has no attribute %s", file, m[1], a[1])
				}
			}
		}
	}
}

// What the functions write is on the dashboard, and the dashboard asks for
// nothing that nobody writes.
func TestTheDashboardShowsTheMetricsThatAreWritten(t *testing.T) {
	written := map[string]bool{}
	for _, file := range []string{"sessions.go", "deliveries.go"} {
		collectMetrics(t, filepath.Join(root, "shared", "telemetry", file), written)
	}
	dashboard := read(t, filepath.Join(root, "infra", "modules", "observability", "dashboard.tf"))
	shown := map[string]bool{}
	for _, list := range regexp.MustCompile(`(?m)^ +(?:connect|message|disconnect|of_sending) += \[([^\]]+)\]`).FindAllStringSubmatch(dashboard, -1) {
		for _, name := range regexp.MustCompile(`"(\w+)"`).FindAllStringSubmatch(list[1], -1) {
			shown[name[1]] = true
		}
	}
	if len(written) == 0 || !maps.Equal(written, shown) {
		t.Errorf("written %v\nshown   %v", slices.Sorted(maps.Keys(written)), slices.Sorted(maps.Keys(shown)))
	}
	types := map[string]bool{}
	for _, m := range regexp.MustCompile(`ErrorType\s+= "(\w+)"`).FindAllStringSubmatch(read(t, filepath.Join(root, "shared", "connection", "errortype.go")), -1) {
		types[m[1]] = true
	}
	asked := map[string]bool{}
	for _, m := range regexp.MustCompile(`"(\w+)"`).FindAllStringSubmatch(regexp.MustCompile(`post_errors = \[.*`).FindString(dashboard), -1) {
		asked[m[1]] = true
	}
	if len(types) == 0 || !maps.Equal(types, asked) {
		t.Errorf("types of errors %v\nshown           %v", types, asked)
	}
}

// An alarm on a metric that nobody writes, or by a dimension that it has not, never
// rings. That the values are those too, the suite shows on a deployment.
func TestTheAlarmsWatchTheMetricsThatAreWritten(t *testing.T) {
	written := map[string]bool{}
	for _, file := range []string{"sessions.go", "deliveries.go"} {
		collectMetrics(t, filepath.Join(root, "shared", "telemetry", file), written)
	}
	alarms := read(t, filepath.Join(root, "infra", "modules", "observability", "main.tf"))
	ours := regexp.MustCompile(`"`+telemetry.Namespace+`"`).FindAllStringIndex(alarms, -1)
	if len(ours) == 0 {
		t.Fatalf("no alarm is on the namespace %s", telemetry.Namespace)
	}
	byDimension := `\{ ` + telemetry.Dimension + ` = var\.functions`
	single := regexp.MustCompile(`^"\w+"\n +metric += "(\w+)"\n +dimensions = ` + byDimension)
	query := regexp.MustCompile(`^"\w+", (?:"(\w+)"|metric), ` + byDimension)
	for _, at := range ours {
		found := single.FindStringSubmatch(alarms[at[0]:])
		if found == nil {
			found = query.FindStringSubmatch(alarms[at[0]:])
		}
		switch {
		case found == nil:
			t.Errorf("not by the dimension %s of a function here: %.120s", telemetry.Dimension, alarms[at[0]:])
		case found[1] != "" && !written[found[1]]:
			t.Errorf("an alarm is on %s, which nobody writes", found[1])
		}
	}
	for _, list := range regexp.MustCompile(`for metric in \[([^\]]+)\]`).FindAllStringSubmatch(alarms, -1) {
		for _, name := range regexp.MustCompile(`"(\w+)"`).FindAllStringSubmatch(list[1], -1) {
			if !written[name[1]] {
				t.Errorf("an alarm is on %s, which nobody writes", name[1])
			}
		}
	}
}

// collectMetrics finds the names given to Counter, counter and Metric{Name:}.
func collectMetrics(t *testing.T, file string, into map[string]bool) {
	t.Helper()
	parsed, err := goparser.ParseFile(token.NewFileSet(), file, nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	add := func(e ast.Expr) {
		if lit, ok := e.(*ast.BasicLit); ok && lit.Kind == token.STRING {
			name, err := strconv.Unquote(lit.Value)
			if err != nil {
				t.Fatal(err)
			}
			into[name] = true
		}
	}
	ast.Inspect(parsed, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.CallExpr:
			if f, ok := n.Fun.(*ast.Ident); ok && strings.EqualFold(f.Name, "counter") && len(n.Args) > 0 {
				add(n.Args[0])
			}
		case *ast.KeyValueExpr:
			if k, ok := n.Key.(*ast.Ident); ok && k.Name == "Name" {
				add(n.Value)
			}
		}
		return true
	})
}

func FuzzBlocks(f *testing.F) {
	f.Add("variable \"a\" {\n  type = object({\n    b = optional(string, \"x\") # c\n  })\n}\n")
	f.Add("variable \"a\" {\n  type = object({\n    b = object({\n")
	f.Add("output \"a\" {")
	f.Fuzz(func(t *testing.T, text string) {
		for _, b := range blocks(text) {
			if !strings.Contains(text, b.Body) {
				t.Errorf("the body %q is not in the text", b.Body)
			}
			b.members()
		}
	})
}

func read(t *testing.T, path string) string {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}
