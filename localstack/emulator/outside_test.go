package emulator_test

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
// do, with testdata/outside for the project.
func TestAModuleOutsideUsesTheCloud(t *testing.T) {
	if testing.Short() {
		t.Skip("it compiles and tests another module: not with -short")
	}
	root := must(filepath.Abs("../.."))
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS("testdata/outside")); err != nil {
		t.Fatal(err)
	}
	module := fmt.Sprintf("module example.com/orders\n\ngo 1.26.0\n\nrequire fanfare v0.0.0\n\nreplace fanfare => %s\n", root)
	if err := os.WriteFile(filepath.Join(dir, "go.mod"), []byte(module), 0o600); err != nil {
		t.Fatal(err)
	}
	// The sums that are known need no server to vouch for them.
	if err := os.WriteFile(filepath.Join(dir, "go.sum"), must(os.ReadFile(filepath.Join(root, "go.sum"))), 0o600); err != nil {
		t.Fatal(err)
	}
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

// What the README shows is what the project outside has.
func TestTheREADMEShowsTheProjectOutside(t *testing.T) {
	readme := string(must(os.ReadFile("../../README.md")))
	for file, function := range map[string]string{
		"orders_test.go":          "func TestOrders(",
		"infra/infra_test.go":     "func TestInfra(",
		"fanfare/backend_test.go": "func TestMain(",
	} {
		source := string(must(os.ReadFile(filepath.Join("testdata/outside", file))))
		begin := strings.Index(source, function)
		if begin < 0 {
			t.Fatalf("%s has no %s", file, function)
		}
		body, _, _ := strings.Cut(source[begin:], "\n}\n")
		if !strings.Contains(readme, body) {
			t.Errorf("the README does not show this, of %s:\n%s\n}", file, body)
		}
	}
}
