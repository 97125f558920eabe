// Package outside tests that a project outside of this repository can use the
// local cloud in its tests, as the README says. testdata/project is that project.
package outside

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// outsideTimeout is far more than it takes to compile what is in the cache.
const outsideTimeout = 5 * time.Minute

// TestAModuleOutsideUsesTheCloud does what the README tells another project to
// do, with testdata/project for the project.
func TestAModuleOutsideUsesTheCloud(t *testing.T) {
	if testing.Short() {
		t.Skip("it compiles and tests another module: not with -short")
	}
	root, err := filepath.Abs("../../..")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS("testdata/project")); err != nil {
		t.Fatal(err)
	}
	module := fmt.Sprintf("module example.com/orders\n\ngo 1.26.0\n\nrequire fanfare v0.0.0\n\nreplace fanfare => %q\n", root)
	write(t, filepath.Join(dir, "go.mod"), module)
	// The sums that are known need no server to vouch for them.
	write(t, filepath.Join(dir, "go.sum"), read(t, filepath.Join(root, "go.sum")))
	ctx, cancel := context.WithTimeout(t.Context(), outsideTimeout)
	defer cancel()
	for _, args := range []string{
		"mod tidy",
		"vet ./...",
		"test -count=1 -v .", // infra/ wants Terraform, fanfare/ two minutes
	} {
		cmd := exec.CommandContext(ctx, "go", strings.Fields(args)...)
		cmd.Dir = dir
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("go %s: %v\n%s", args, err, out)
		}
		if strings.HasPrefix(args, "test") {
			for _, want := range []string{"--- PASS: TestOrders", "--- PASS: TestGreet"} {
				if !strings.Contains(string(out), want) {
					t.Errorf("go %s: %q is missing\n%s", args, want, out)
				}
			}
		}
	}
}

// What the README shows is in the project, which compiles.
func TestTheREADMEShowsTheProject(t *testing.T) {
	readme := read(t, "../../README.md")
	for file, function := range map[string]string{
		"orders_test.go":          "func TestOrders(",
		"infra/infra_test.go":     "func TestInfra(",
		"fanfare/backend_test.go": "func TestMain(",
	} {
		source := read(t, filepath.Join("testdata/project", file))
		begin := strings.Index(source, function)
		if begin < 0 {
			t.Fatalf("%s has no %s", file, function)
		}
		body, _, _ := strings.Cut(source[begin:], "\n}\n")
		if !strings.Contains(readme, body+"\n}\n") {
			t.Errorf("the README does not show this, of %s:\n%s\n}", file, body)
		}
	}
}

func read(t *testing.T, path string) string {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}
