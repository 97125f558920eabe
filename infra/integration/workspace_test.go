package integration

import (
	"context"
	"errors"
	"flag"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/hashicorp/terraform-exec/tfexec"
	tfjson "github.com/hashicorp/terraform-json"

	"fanfare/scripts/artifact"
	"fanfare/scripts/stack"
)

var live = flag.Bool("live", false, "apply infra/ to local clouds")

// root is the repository, as an absolute path: the compiler and Terraform are
// run in other folders.
var root = func() string {
	path, err := filepath.Abs("../..")
	if err != nil {
		panic(err)
	}
	return path
}()

// begin starts a test that applies. Such tests mostly wait, so they run at the
// same time.
func begin(t *testing.T) {
	t.Helper()
	if !*live {
		t.Skip("nothing is deployed without -live: make infra-test")
	}
	t.Parallel()
}

// build builds the functions for this machine, where local.tfvars looks for them.
var build = sync.OnceValue(func() error {
	_, err := artifact.Build(context.Background(), root, filepath.Join(root, ".build", "local"), artifact.Host)
	return err
})

// workspace is a copy of what Terraform reads of the repository, for a test to
// change: infra/, the functions' zips and the public key, each where local.tfvars
// looks for it.
type workspace struct {
	home string
	tf   *tfexec.Terraform
	vars []string // beside local.tfvars
}

// newWorkspace has Terraform ready for the cloud. state is a file to begin with,
// or "".
func newWorkspace(t *testing.T, endpoint, state string) *workspace {
	t.Helper()
	w := &workspace{home: t.TempDir()}
	if _, err := stack.DevKey(root); err != nil {
		t.Fatal(err)
	}
	if err := build(); err != nil {
		t.Fatal(err)
	}
	w.reset(t)
	if state != "" {
		copyFile(t, state, filepath.Join(w.infra(), "terraform.tfstate"))
	}
	tf, err := stack.Terraform(t.Context(), root, w.infra(), w.home, endpoint, t.Output())
	if err != nil {
		t.Fatal(err)
	}
	w.tf = tf
	return w
}

func (w *workspace) infra() string { return filepath.Join(w.home, "infra") }

// zip is where Terraform finds a function.
func (w *workspace) zip(function string) string {
	return filepath.Join(w.home, ".build", "local", function+".zip")
}

// reset takes back what a test has changed of the copy. The state stays.
func (w *workspace) reset(t *testing.T) {
	t.Helper()
	w.vars = []string{"architecture=" + artifact.Host.LambdaArchitecture()}
	err := filepath.WalkDir(filepath.Join(root, "infra"), func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && (d.Name() == "integration" || strings.HasPrefix(d.Name(), ".")) {
			return fs.SkipDir
		}
		switch filepath.Ext(path) {
		case ".tf", ".tfvars", ".json":
			rel, err := filepath.Rel(root, path)
			if err != nil {
				return err
			}
			copyFile(t, path, filepath.Join(w.home, rel))
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	zips, err := filepath.Glob(filepath.Join(root, ".build", "local", "*.zip"))
	if err != nil || len(zips) == 0 {
		t.Fatalf("the functions' zips: %v, error %v", zips, err)
	}
	for _, zip := range zips {
		copyFile(t, zip, filepath.Join(w.home, ".build", "local", filepath.Base(zip)))
	}
	copyFile(t, filepath.Join(root, ".local", "dev-key.pub.pem"), filepath.Join(w.home, ".local", "dev-key.pub.pem"))
}

// replace changes the one place of a file of infra/ that reads like old.
func (w *workspace) replace(t *testing.T, file, old, text string) {
	t.Helper()
	path := filepath.Join(w.infra(), file)
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(string(data), old); n != 1 {
		t.Fatalf("%s has %d times %q, want once", file, n, old)
	}
	if err := os.WriteFile(path, []byte(strings.Replace(string(data), old, text, 1)), 0o644); err != nil {
		t.Fatal(err)
	}
}

func (w *workspace) set(variable string) { w.vars = append(w.vars, variable) }

// plan returns what an apply of the plan in file would do. Without refresh,
// Terraform trusts its state, which saves it some 80 calls.
func (w *workspace) plan(t *testing.T, refresh bool) (file string, p *tfjson.Plan) {
	t.Helper()
	file = filepath.Join(t.TempDir(), "plan")
	options := []tfexec.PlanOption{tfexec.Out(file), tfexec.Refresh(refresh), tfexec.VarFile("environments/local.tfvars")}
	for _, v := range w.vars {
		options = append(options, tfexec.Var(v))
	}
	changed, err := w.tf.Plan(t.Context(), options...)
	if err != nil {
		t.Fatal(err)
	}
	if !changed { // showing takes as long as planning
		return file, &tfjson.Plan{}
	}
	p, err = w.tf.ShowPlanFile(t.Context(), file)
	if err != nil {
		t.Fatal(err)
	}
	return file, p
}

// apply does what a plan says.
func (w *workspace) apply(t *testing.T, plan string) {
	t.Helper()
	if err := w.tf.Apply(t.Context(), tfexec.DirOrPlan(plan)); err != nil {
		t.Fatal(err)
	}
}

func (w *workspace) destroy(t *testing.T) {
	t.Helper()
	options := []tfexec.DestroyOption{tfexec.VarFile("environments/local.tfvars")}
	for _, v := range w.vars {
		options = append(options, tfexec.Var(v))
	}
	if err := w.tf.Destroy(t.Context(), options...); err != nil {
		t.Fatal(err)
	}
}

// wantNothingToDo plans once more, from what is really there.
func (w *workspace) wantNothingToDo(t *testing.T) {
	t.Helper()
	_, p := w.plan(t, true)
	for address, what := range planned(p) {
		t.Errorf("one more apply would %s %s", what, address)
	}
	for name, c := range p.OutputChanges {
		if !c.Actions.NoOp() {
			t.Errorf("one more apply would change the output %s", name)
		}
	}
}

func copyFile(t *testing.T, from, to string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
		t.Fatal(err)
	}
	src, err := os.Open(from)
	if err != nil {
		t.Fatal(err)
	}
	dst, err := os.Create(to)
	if err != nil {
		t.Fatal(errors.Join(err, src.Close()))
	}
	_, err = io.Copy(dst, src)
	if err := errors.Join(err, dst.Close(), src.Close()); err != nil {
		t.Fatal(err)
	}
}
