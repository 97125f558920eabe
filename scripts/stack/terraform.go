package stack

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/hashicorp/terraform-exec/tfexec"

	"fanfare/scripts/artifact"
)

// stateFile is Terraform's state within a Dir.
const stateFile = "terraform.tfstate"

// stopGrace is how long Terraform may take to stop when it is interrupted.
const stopGrace = 20 * time.Second

// terraform runs Terraform on infra/ against one local cloud.
type terraform struct {
	exec    *tfexec.Terraform
	say     *progress
	state   string
	options []string // variables
	touched bool     // a change of some resource has begun
}

// newTerraform finds Terraform and its provider and initialises infra/.
func newTerraform(ctx context.Context, root, dir, endpoint string, p artifact.Platform, say *progress) (*terraform, error) {
	binary, err := findTerraform(ctx, root, say)
	if err != nil {
		return nil, err
	}
	t, err := newModule(binary, filepath.Join(root, "infra"), dir, endpoint, say)
	if err != nil {
		return nil, err
	}
	t.options = []string{"architecture=" + p.LambdaArchitecture()}
	if p != artifact.Host { // whose folder is in local.tfvars
		t.options = append(t.options, "artifacts_dir="+artifactsDir(root, p))
	}
	return t, t.initialise(ctx)
}

// Terraform is Terraform for a folder of the caller's own, a changed copy of
// infra/ say, and a cloud that runs: with the binary, the provider and the
// environment that Up uses, initialised. The state is where the folder's backend
// says, Terraform's own data is in dir.
func Terraform(ctx context.Context, root, folder, dir, endpoint string, out io.Writer) (*tfexec.Terraform, error) {
	say := newProgress(out)
	binary, err := findTerraform(ctx, root, say)
	if err != nil {
		return nil, err
	}
	t, err := newModule(binary, folder, dir, endpoint, say)
	if err != nil {
		return nil, err
	}
	return t.exec, t.initialise(ctx)
}

// newModule is Terraform for one folder, not initialised.
func newModule(binary, folder, dir, endpoint string, say *progress) (*terraform, error) {
	exec, err := tfexec.NewTerraform(folder, binary)
	if err != nil {
		return nil, err
	}
	if err := errors.Join(exec.SetEnv(environment(dir, endpoint)), exec.SetWaitDelay(stopGrace)); err != nil {
		return nil, err
	}
	return &terraform{exec: exec, say: say, state: filepath.Join(dir, stateFile)}, nil
}

// initialise gets the provider, from the registry or a mirror.
func (t *terraform) initialise(ctx context.Context) error {
	say := t.say
	return say.step("terraform init", func() error {
		var options []tfexec.InitOption
		mirror, err := findProvider(ctx)
		if err != nil {
			return err
		}
		if mirror != "" {
			say.line("provider from the mirror %s, because the registry is not reached or TF_PLUGIN_DIR is set", mirror)
			options = append(options, tfexec.PluginDir(mirror))
		}
		return t.init(ctx, options)
	})
}

// init drops a lock file that names another provider's build and tries again:
// the file is not part of the repository (DECISIONS.md).
func (t *terraform) init(ctx context.Context, options []tfexec.InitOption) error {
	err := t.exec.Init(ctx, options...)
	if err == nil || ctx.Err() != nil || !locked(err) {
		return err
	}
	lock := filepath.Join(t.exec.WorkingDir(), ".terraform.lock.hcl")
	// Another process of the same verb may have removed it just now.
	if removed := os.Remove(lock); removed != nil && !errors.Is(removed, fs.ErrNotExist) {
		return err
	}
	t.say.line("the lock file named another provider: made anew")
	return t.exec.Init(ctx, options...)
}

// locked reports whether Terraform refuses a provider because of the lock file.
func locked(err error) bool {
	for _, words := range []string{"checksums", "dependency lock file", "locked provider"} {
		if strings.Contains(err.Error(), words) {
			return true
		}
	}
	return false
}

// environment is the deployer's: dummy keys and the local endpoint, and nothing
// that could lead to a real account.
func environment(dir, endpoint string) map[string]string {
	env := map[string]string{}
	for _, kv := range os.Environ() {
		name, value, _ := strings.Cut(kv, "=")
		// AWS_* could name a real account, TF_* another state or a file that
		// is not there; terraform-exec refuses some of them.
		if strings.HasPrefix(name, "AWS_") || strings.HasPrefix(name, "TF_") {
			continue
		}
		env[name] = value
	}
	env["AWS_ENDPOINT_URL"] = endpoint
	env["AWS_ACCESS_KEY_ID"], env["AWS_SECRET_ACCESS_KEY"] = "test", "test"
	env["AWS_REGION"] = "us-east-1"
	env["AWS_EC2_METADATA_DISABLED"] = "true"
	env["AWS_CONFIG_FILE"], env["AWS_SHARED_CREDENTIALS_FILE"] = os.DevNull, os.DevNull
	for _, name := range []string{"NO_PROXY", "no_proxy"} {
		env[name] = strings.TrimPrefix(env[name]+",localhost,127.0.0.1", ",")
	}
	env["TF_DATA_DIR"] = filepath.Join(dir, "terraform")
	env["CHECKPOINT_DISABLE"] = "1" // asks a server whether there is a newer version
	return env
}

// stateOption keeps the state of each Dir apart without a backend block in
// infra/, which is the user's to choose.
func (t *terraform) stateOption() *tfexec.StateOption {
	return tfexec.State(t.state) //nolint:staticcheck // deprecated in favour of a backend block
}

const localVariables = "environments/local.tfvars"

// apply returns the outputs. first says that all is to be created.
func (t *terraform) apply(ctx context.Context, first bool) (Outputs, error) {
	options := []tfexec.ApplyOption{t.stateOption(), tfexec.VarFile(localVariables)}
	for _, v := range t.options {
		options = append(options, tfexec.Var(v))
	}
	if first {
		t.say.line("An apply takes about a minute and a half: the AWS provider itself waits 25 s for each queue of the")
		t.say.line("longest chain (50 s) and 5 s for each Lambda, one after another, as it does against AWS.")
	} else {
		t.say.line("Only what changed is applied: the AWS provider waits 5 s for each Lambda and 25 s for each queue.")
	}
	err := t.say.step("terraform apply", func() error {
		return t.watched(func(w io.Writer) error { return t.exec.ApplyJSON(ctx, w, options...) })
	})
	if err != nil {
		return Outputs{}, err
	}
	return t.outputs(ctx)
}

func (t *terraform) destroy(ctx context.Context) error {
	options := []tfexec.DestroyOption{t.stateOption(), tfexec.VarFile(localVariables)}
	for _, v := range t.options {
		options = append(options, tfexec.Var(v))
	}
	return t.say.step("terraform destroy", func() error {
		return t.watched(func(w io.Writer) error { return t.exec.DestroyJSON(ctx, w, options...) })
	})
}

// planIsEmpty plans and lists what would change.
func (t *terraform) planIsEmpty(ctx context.Context) (empty bool, changes []string, err error) {
	options := []tfexec.PlanOption{t.stateOption(), tfexec.VarFile(localVariables)}
	for _, v := range t.options {
		options = append(options, tfexec.Var(v))
	}
	err = t.say.step("terraform plan again", func() error {
		return t.withPipe(func(w io.Writer) error {
			changed, err := t.exec.PlanJSON(ctx, w, options...)
			empty = !changed
			return err
		}, func(e event) {
			if e.Type == "planned_change" || e.Type == "resource_drift" {
				changes = append(changes, e.Change.Action+" "+e.Change.Resource.Addr)
			}
		})
	})
	slices.Sort(changes)
	return empty, changes, err
}

func (t *terraform) outputs(ctx context.Context) (Outputs, error) {
	metas, err := t.exec.Output(ctx, t.stateOption())
	if err != nil {
		return Outputs{}, fmt.Errorf("terraform output: %w", err)
	}
	return decodeOutputs(metas)
}

func decodeOutputs(metas map[string]tfexec.OutputMeta) (Outputs, error) {
	values := map[string]json.RawMessage{}
	for name, m := range metas {
		values[name] = m.Value
	}
	data, err := json.Marshal(values)
	if err != nil {
		return Outputs{}, err
	}
	var o Outputs
	return o, json.Unmarshal(data, &o)
}

// event is one line of Terraform's machine-readable output.
type event struct {
	Type       string `json:"type"`
	Level      string `json:"@level"`
	Message    string `json:"@message"`
	Diagnostic struct {
		Severity, Summary, Detail, Address string
	} `json:"diagnostic"`
	Hook struct {
		Resource struct {
			Addr string `json:"addr"`
		} `json:"resource"`
		Action         string  `json:"action"`
		ElapsedSeconds float64 `json:"elapsed_seconds"`
	} `json:"hook"`
	Change struct {
		Action   string `json:"action"`
		Resource struct {
			Addr string `json:"addr"`
		} `json:"resource"`
	} `json:"change"`
}

// watched runs Terraform, shows each resource as it is done, and puts
// Terraform's own diagnostics into the error.
func (t *terraform) watched(run func(io.Writer) error) error {
	var diagnostics []error
	err := t.withPipe(run, func(e event) {
		switch e.Type {
		case "apply_start":
			t.touched = t.touched || e.Hook.Action != "read"
		case "apply_complete":
			if e.Hook.Action == "read" { // a data source: no news
				return
			}
			t.say.line("%-8s %s (%.0f s)", e.Hook.Action, e.Hook.Resource.Addr, e.Hook.ElapsedSeconds)
		case "apply_progress":
			// Every ten seconds for each resource that takes long.
			t.say.line("…        %s (%.0f s so far)", e.Hook.Resource.Addr, e.Hook.ElapsedSeconds)
		case "diagnostic":
			d := e.Diagnostic
			if d.Severity == "error" {
				diagnostics = append(diagnostics, fmt.Errorf("%s %s: %s", d.Address, d.Summary, d.Detail))
			}
		}
	})
	if err != nil {
		return errors.Join(append(diagnostics, err)...)
	}
	return nil
}

// withPipe gives run a writer and each JSON line of it to handle.
func (t *terraform) withPipe(run func(io.Writer) error, handle func(event)) error {
	// terraform-exec keeps the writer for later calls, whose output is not ours.
	defer t.exec.SetStdout(io.Discard)
	r, w := io.Pipe()
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = w.CloseWithError(run(w)) // which always succeeds
	}()
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, 4<<20)
	for lines.Scan() {
		var e event
		if json.Unmarshal(lines.Bytes(), &e) == nil {
			handle(e)
		}
	}
	err := lines.Err()
	_, _ = io.Copy(io.Discard, r) // a line too long must not block Terraform
	<-done
	return err
}
