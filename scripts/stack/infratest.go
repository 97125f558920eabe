package stack

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/hashicorp/terraform-exec/tfexec"
)

// TestInfra checks the formatting of infra/, validates the root module and each
// module, and runs their tests. They are mocked: nothing is deployed and nobody
// is called.
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
		if folder == infra {
			if err := t.formatted(ctx); err != nil {
				return err
			}
		}
		if err := t.initialise(ctx); err != nil {
			return err
		}
		if err := t.validate(ctx, filepath.Base(folder)); err != nil {
			return err
		}
		if err := t.test(ctx, filepath.Base(folder)); err != nil {
			return err
		}
	}
	return nil
}

// formatted is `terraform fmt -check -recursive`.
func (t *terraform) formatted(ctx context.Context) error {
	return t.say.step("terraform fmt -check", func() error {
		ok, files, err := t.exec.FormatCheck(ctx, tfexec.Recursive(true))
		if err == nil && !ok {
			err = fmt.Errorf("not formatted, make fmt mends it: %s", strings.Join(files, ", "))
		}
		return err
	})
}

func (t *terraform) validate(ctx context.Context, name string) error {
	return t.say.step("terraform validate "+name, func() error {
		out, err := t.exec.Validate(ctx)
		if err != nil {
			return err
		}
		for _, d := range out.Diagnostics { // a warning, too, is something to mend
			err = errors.Join(err, fmt.Errorf("%s: %s", d.Summary, d.Detail))
		}
		return err
	})
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
