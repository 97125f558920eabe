package stack

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"fanfare/scripts/artifact"
	"fanfare/shared/auth"
)

func TestADeploymentIsKnownByAllThatItDependsOn(t *testing.T) {
	root := t.TempDir()
	write(t, filepath.Join(root, "infra", "main.tf"), "one")
	write(t, filepath.Join(root, "infra", "routes.json"), "{}")
	write(t, filepath.Join(root, "infra", "README.md"), "text")
	key, err := DevKey(root)
	if err != nil {
		t.Fatal(err)
	}
	zips := []artifact.Zip{{Function: "f", SHA256: "a"}}
	describeNow := func(port int, zips []artifact.Zip) manifest {
		t.Helper()
		m, err := describe(root, port, zips, key)
		if err != nil {
			t.Fatal(err)
		}
		return m
	}
	before := describeNow(4566, zips)
	if !before.same(describeNow(4566, zips)) {
		t.Error("nothing changed, yet another deployment")
	}
	if before.same(describeNow(4567, zips)) {
		t.Error("another port, yet the same deployment")
	}
	if before.same(describeNow(4566, []artifact.Zip{{Function: "f", SHA256: "b"}})) {
		t.Error("another function, yet the same deployment")
	}
	write(t, filepath.Join(root, "infra", "README.md"), "other text")
	if !before.same(describeNow(4566, zips)) {
		t.Error("a document changed, and so another deployment")
	}
	write(t, filepath.Join(root, "infra", "main.tf"), "two")
	if before.same(describeNow(4566, zips)) {
		t.Error("other Terraform code, yet the same deployment")
	}
}

func TestNothingIsBuiltWhileTheSourcesAreTheSame(t *testing.T) {
	root := t.TempDir()
	for _, file := range []string{"go.mod", "go.sum", "functions/f/main.go", "functions/f/main_test.go", "functions/f/testdata/event.json", "shared/s/data.txt", "infra/main.tf", "infra/tests/main.tftest.json"} {
		write(t, filepath.Join(root, file), "one")
	}
	key, err := DevKey(root)
	if err != nil {
		t.Fatal(err)
	}
	hash := func(port int) string {
		t.Helper()
		h, err := hashSources(root, artifact.Host, port, key)
		if err != nil {
			t.Fatal(err)
		}
		return h
	}
	m := manifest{Inputs: "x", Sources: hash(4566)}
	if !m.sameSources(hash(4566)) || m.sameSources(hash(4567)) {
		t.Error("not the same sources, or the same on another port")
	}
	if (manifest{Sources: m.Sources}).sameSources(m.Sources) {
		t.Error("what was never deployed counts as the same")
	}
	for file, matters := range map[string]bool{
		"functions/f/main_test.go": false, "functions/f/testdata/event.json": false, "infra/tests/main.tftest.json": false,
		"go.mod": true, "go.sum": true, "functions/f/main.go": true, "functions/f/new.go": true, "shared/s/data.txt": true, "infra/main.tf": true,
	} {
		before := hash(4566)
		write(t, filepath.Join(root, file), "two")
		if (hash(4566) != before) != matters {
			t.Errorf("a change of %s: matters %v", file, !matters)
		}
	}
	if err := os.Remove(filepath.Join(root, "go.sum")); err != nil {
		t.Fatal(err)
	}
	if _, err := hashSources(root, artifact.Host, 4566, key); err == nil {
		t.Error("sources that are not there")
	}
}

func TestAManifestIsSavedWholeAndForgotten(t *testing.T) {
	dir := t.TempDir()
	if _, ok := loadManifest(dir); ok {
		t.Error("an empty directory has a manifest")
	}
	m := manifest{Port: 4566, Inputs: "x", Outputs: Outputs{WebSocketURL: "ws://localhost", TableName: "t"}}
	if err := m.save(dir); err != nil {
		t.Fatal(err)
	}
	if _, ok := loadManifest(dir); ok {
		t.Error("a manifest without the cloud's file is trusted")
	}
	write(t, filepath.Join(dir, "cloud", "cloud.zip"), "{}")
	got, ok := loadManifest(dir)
	if !ok || got != m {
		t.Errorf("loaded %+v, want %+v", got, m)
	}
	write(t, filepath.Join(dir, manifestFile), "{half")
	if _, ok := loadManifest(dir); ok {
		t.Error("a damaged manifest is trusted")
	}
	if err := forget(dir); err != nil {
		t.Fatal(err)
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) != 0 {
		t.Errorf("left %v, error %v", left, err)
	}
}

func TestTheDevelopmentKeyIsKeptAndPrivate(t *testing.T) {
	root := t.TempDir()
	first, err := DevKey(root)
	if err != nil {
		t.Fatal(err)
	}
	again, err := DevKey(root)
	if err != nil || again.ID() != first.ID() {
		t.Errorf("another key the second time, error %v", err)
	}
	info, err := os.Stat(filepath.Join(root, ".local", "dev-key.pem"))
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, error %v; want 0600", info.Mode(), err)
	}
	public, err := os.ReadFile(filepath.Join(root, ".local", "dev-key.pub.pem"))
	if err != nil {
		t.Fatal(err)
	}
	verifier, err := auth.NewVerifier(t.Context(), auth.Config{PublicKey: string(public), Issuers: []string{Issuer}, Audiences: []string{Audience}})
	if err != nil {
		t.Fatal(err)
	}
	who, err := verifier.Verify(t.Context(), DevToken(first, "u", "acme", []string{"broadcast:*"}, time.Hour))
	if err != nil || who.User != "u" || who.Tenant != "acme" {
		t.Errorf("identity %+v, error %v", who, err)
	}
	if _, err := verifier.Verify(t.Context(), DevToken(first, "u", "acme", nil, -time.Hour)); !errors.Is(err, auth.ErrTokenExpired) {
		t.Errorf("error %v, want expired", err)
	}
}

func TestTheRepositoryIsFoundFromAnyOfItsFolders(t *testing.T) {
	root, err := FindRoot()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(root, "infra", "routes.json")); err != nil {
		t.Errorf("%s is not the repository: %v", root, err)
	}
	t.Chdir(t.TempDir())
	if _, err := FindRoot(); err == nil {
		t.Error("a folder outside is taken for the repository")
	}
}

func TestADamagedDevelopmentKeyIsAClearError(t *testing.T) {
	root := t.TempDir()
	write(t, filepath.Join(root, ".local", "dev-key.pem"), "not a key")
	if _, err := DevKey(root); err == nil || !strings.Contains(err.Error(), "remove it") {
		t.Errorf("error %v", err)
	}
}

func TestNothingOfARealAccountReachesTerraform(t *testing.T) {
	t.Setenv("AWS_PROFILE", "production")
	t.Setenv("AWS_SESSION_TOKEN", "real")
	t.Setenv("AWS_CA_BUNDLE", "/somewhere")
	t.Setenv("TF_CLI_CONFIG_FILE", "/not/there")
	t.Setenv("TF_VAR_name", "other")
	env := environment("/state", "http://127.0.0.1:4566")
	for _, name := range []string{"AWS_PROFILE", "AWS_SESSION_TOKEN", "AWS_CA_BUNDLE", "TF_CLI_CONFIG_FILE", "TF_VAR_name"} {
		if v, ok := env[name]; ok {
			t.Errorf("%s=%s is passed on", name, v)
		}
	}
	if env["AWS_ENDPOINT_URL"] != "http://127.0.0.1:4566" || env["AWS_ACCESS_KEY_ID"] != "test" || env["PATH"] == "" {
		t.Errorf("environment %v", env)
	}
}

func TestOneProcessPerDirectory(t *testing.T) {
	dir := t.TempDir()
	lock, err := lockDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := lockDir(dir); err == nil || !strings.Contains(err.Error(), "another process uses") {
		t.Errorf("error %v", err)
	}
	if err := lock.Close(); err != nil {
		t.Fatal(err)
	}
	again, err := lockDir(dir)
	if err != nil {
		t.Fatalf("after the first has ended: %v", err)
	}
	_ = again.Close() // the test's own
}

func TestThePortVariable(t *testing.T) {
	for value, want := range map[string]int{"": DefaultPort, "4567": 4567} {
		t.Setenv(PortVariable, value)
		if got, err := Port(); err != nil || got != want {
			t.Errorf("PORT=%q: %d, error %v; want %d", value, got, err, want)
		}
	}
	for _, value := range []string{"http", "0", "65536", "-1"} {
		t.Setenv(PortVariable, value)
		if _, err := Port(); err == nil || !strings.Contains(err.Error(), PortVariable) {
			t.Errorf("PORT=%q: error %v", value, err)
		}
	}
}

func TestTheProvidersMirror(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("TF_PLUGIN_DIR", dir)
	if _, err := findProvider(t.Context()); err == nil || !strings.Contains(err.Error(), "TF_PLUGIN_DIR") {
		t.Errorf("a directory without the provider: %v", err)
	}
	if err := os.MkdirAll(filepath.Join(dir, filepath.FromSlash(providerPath)), 0o755); err != nil {
		t.Fatal(err)
	}
	if got, err := findProvider(t.Context()); err != nil || got != dir {
		t.Errorf("mirror %q, error %v; want %q", got, err, dir)
	}
}

func TestATerraformThatIsNotThereIsNamed(t *testing.T) {
	t.Setenv("TERRAFORM", "no-such-terraform")
	if _, err := findTerraform(t.Context(), t.TempDir(), newProgress(io.Discard)); err == nil || !strings.Contains(err.Error(), "no-such-terraform") {
		t.Errorf("error %v", err)
	}
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}
