package stack

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
)

// TestInfra runs `terraform test` on the root module and on each module that
// has tests. They are mocked: nothing is deployed and nobody is called.
func TestInfra(ctx context.Context, root string, out io.Writer) error {
	root, err := filepath.Abs(root)
	if err != nil {
		return err
	}
	say := newProgress(out)
	binary, err := findTerraform(ctx, root, say)
	if err != nil {
		return err
	}
	infra := filepath.Join(root, "infra")
	folders, err := filepath.Glob(filepath.Join(infra, "modules", "*"))
	if err != nil {
		return err
	}
	for _, folder := range append([]string{infra}, folders...) {
		if _, err := os.Stat(filepath.Join(folder, "tests")); err != nil {
			return fmt.Errorf("%s has no tests: %w", folder, err)
		}
		data := filepath.Join(root, ".build", "infra-test", filepath.Base(folder))
		if err := os.MkdirAll(data, 0o755); err != nil {
			return err
		}
		t, err := newModule(binary, folder, data, "http://127.0.0.1:1", say) // nobody listens there
		if err != nil {
			return err
		}
		if err := t.initialise(ctx); err != nil {
			return err
		}
		if err := t.test(ctx, filepath.Base(folder)); err != nil {
			return err
		}
	}
	return nil
}

// test shows the summary of a folder's tests, and what failed.
func (t *terraform) test(ctx context.Context, name string) error {
	return t.say.step("terraform test "+name, func() error {
		return t.withPipe(func(w io.Writer) error { return t.exec.Test(ctx, w) }, func(e event) {
			if e.Type == "test_summary" || e.Level == "error" {
				t.say.line("%s", e.Message)
			}
		})
	})
}
