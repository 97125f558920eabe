package stack

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	version "github.com/hashicorp/go-version"
	"github.com/hashicorp/hc-install/product"
	"github.com/hashicorp/hc-install/releases"
)

// TerraformVersion is installed where there is none.
const TerraformVersion = "1.11.4"

// findTerraform returns the binary that TERRAFORM names, the one in PATH, or
// one that it installs into .build, checksum and signature verified.
func findTerraform(ctx context.Context, root string, say *progress) (string, error) {
	if name := os.Getenv("TERRAFORM"); name != "" {
		path, err := exec.LookPath(name)
		if err != nil {
			return "", fmt.Errorf("TERRAFORM=%s: %w", name, err)
		}
		return filepath.Abs(path)
	}
	if path, err := exec.LookPath("terraform"); err == nil {
		return path, nil
	}
	dir := filepath.Join(root, ".build", "terraform")
	installed := filepath.Join(dir, "terraform")
	if _, err := os.Stat(installed); err == nil {
		return installed, nil
	}
	var path string
	err := say.step("install Terraform "+TerraformVersion+" into .build/terraform", func() (err error) {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return err
		}
		ctx, cancel := context.WithTimeout(ctx, installTimeout)
		defer cancel()
		path, err = (&releases.ExactVersion{
			Product: product.Terraform, Version: version.Must(version.NewVersion(TerraformVersion)), InstallDir: dir,
		}).Install(ctx)
		return err
	})
	if err != nil {
		return "", fmt.Errorf("there is no Terraform: install version %s from https://developer.hashicorp.com/terraform/install, or name another binary in TERRAFORM (%w)", TerraformVersion, err)
	}
	return path, nil
}

// installTimeout bounds the download where the network swallows it.
const installTimeout = 3 * time.Minute

// registry is where Terraform finds providers by itself.
const registry = "https://registry.terraform.io/.well-known/terraform.json"

// providerPath is what a filesystem mirror holds of the provider.
const providerPath = "registry.terraform.io/hashicorp/aws"

// findProvider returns a filesystem mirror with the AWS provider, or "" where
// Terraform is to use its registry: that is the rule, a mirror stands in where
// the registry is not reached.
func findProvider(ctx context.Context) (string, error) {
	if dir := os.Getenv("TF_PLUGIN_DIR"); dir != "" {
		if !hasProvider(dir) {
			return "", fmt.Errorf("TF_PLUGIN_DIR=%s does not hold %s", dir, providerPath)
		}
		return filepath.Abs(dir)
	}
	if reached(ctx, registry) {
		return "", nil
	}
	for _, dir := range mirrors() {
		if hasProvider(dir) {
			return dir, nil
		}
	}
	return "", errors.New("neither the Terraform registry is reached nor a filesystem mirror found: name a directory that holds " + providerPath + " in TF_PLUGIN_DIR")
}

// mirrors are the usual places of a filesystem mirror: those that Terraform
// itself looks into, its plugin cache, and what administrators choose.
func mirrors() []string {
	var dirs []string
	if cache := os.Getenv("TF_PLUGIN_CACHE_DIR"); cache != "" {
		dirs = append(dirs, cache)
	}
	if home, err := os.UserHomeDir(); err == nil {
		dirs = append(dirs,
			filepath.Join(home, ".terraform.d", "plugins"), filepath.Join(home, ".terraform.d", "plugin-cache"),
			filepath.Join(home, ".local", "share", "terraform", "plugins"),
			filepath.Join(home, "Library", "Application Support", "io.terraform", "plugins"))
	}
	dirs = append(dirs, "/usr/local/share/terraform/plugins", "/usr/share/terraform/plugins")
	for _, pattern := range []string{"/opt/*", "/opt/*/*", "/usr/lib/terraform*", "/usr/local/lib/terraform*", "/var/lib/terraform*"} {
		found, err := filepath.Glob(pattern)
		if err == nil { // the patterns are constant and right
			dirs = append(dirs, found...)
		}
	}
	return dirs
}

func hasProvider(dir string) bool {
	info, err := os.Stat(filepath.Join(dir, filepath.FromSlash(providerPath)))
	return err == nil && info.IsDir()
}

func reached(ctx context.Context, url string) bool {
	ctx, cancel := context.WithTimeout(ctx, 3*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return false
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return false
	}
	_ = resp.Body.Close() // only the status counts
	return resp.StatusCode == http.StatusOK
}
