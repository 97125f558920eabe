// Image builds the local cloud's container image, for amd64 and arm64, from a
// static binary and nothing else. `make image` calls it:
//
//	go run ./scripts/image                  fanfare-localstack:latest, latest-amd64 and latest-arm64
//	go run ./scripts/image -arch arm64      only one, tagged latest too
//
// The binaries are cross-compiled here, so that the engine has nothing to run: an
// image for another processor needs neither an emulator nor anything to pull.
// `docker build` uses buildx by itself where it is installed.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"time"

	"fanfare/scripts/stack"
)

// architectures are those that the image is built for.
var architectures = []string{"amd64", "arm64"}

// limit is what an image may have at most, in bytes: it is to be pulled in a
// moment.
const limit = 30_000_000

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:])
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "image:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string) error {
	f := flag.NewFlagSet("image", flag.ContinueOnError)
	name := f.String("name", "fanfare-localstack", "`name` of the image, without a tag")
	version := f.String("version", "dev", "`version` for the image's label")
	arch := f.String("arch", "", "build for this `processor` only: amd64 or arm64")
	if err := f.Parse(args); err != nil {
		return err
	}
	archs, latest := architectures, runtime.GOARCH
	if *arch != "" {
		archs, latest = []string{*arch}, *arch
	}
	root, err := stack.FindRoot()
	if err != nil {
		return err
	}
	if err := engineAnswers(ctx); err != nil {
		return err
	}
	b := builder{root: root, name: *name, version: *version, revision: git(ctx, root, "%H"), created: git(ctx, root, "%cI")}
	for _, a := range archs {
		tags := []string{b.name + ":latest-" + a}
		if a == latest {
			tags = append(tags, b.name+":latest")
		}
		if err := b.build(ctx, a, tags); err != nil {
			return fmt.Errorf("linux/%s: %w", a, err)
		}
	}
	return nil
}

// engineAnswers fails with a sentence where there is no Docker.
func engineAnswers(ctx context.Context) error {
	if err := command(ctx, "", "docker", "version", "--format", "{{.Server.Version}}").Run(); err != nil {
		return errors.New("no Docker engine answers (docker version): start one, and see that you may use it")
	}
	return nil
}

// git tells something of the commit that is checked out, or "" where this is no
// clone.
func git(ctx context.Context, root, format string) string {
	out, err := exec.CommandContext(ctx, "git", "-C", root, "log", "-1", "--format="+format).Output()
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(out))
}

type builder struct{ root, name, version, revision, created string }

// build builds one processor's image and refuses one that is too large.
func (b builder) build(ctx context.Context, arch string, tags []string) error {
	dir := filepath.Join(b.root, ".build", "image", arch)
	if err := b.layOut(ctx, dir, arch); err != nil {
		return err
	}
	// Without buildx, docker build takes another processor's steps from its cache
	// and then refuses them.
	args := []string{"build", "--quiet", "--no-cache", "--force-rm", "--platform", "linux/" + arch, "--file", filepath.Join(b.root, "localstack", "Dockerfile"), "--build-arg", "VERSION=" + b.version}
	for name, value := range map[string]string{"REVISION": b.revision, "CREATED": b.created} {
		if value != "" { // else the Dockerfile's own
			args = append(args, "--build-arg", name+"="+value)
		}
	}
	for _, tag := range tags {
		args = append(args, "--tag", tag)
	}
	before := imageID(ctx, tags[0])
	cmd := command(ctx, b.root, "docker", append(args, dir)...)
	// BuildKit writes it into the image as its time, the older builder the present.
	cmd.Env = append(os.Environ(), fmt.Sprintf("SOURCE_DATE_EPOCH=%d", b.commitTime().Unix()))
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("docker build: %w\n%s", err, out)
	}
	if before != "" && before != imageID(ctx, tags[0]) {
		// Else each build leaves one without a name. By its id, the engine removes it
		// only if no container and no other tag uses it, and then it is to stay.
		_ = command(ctx, "", "docker", "image", "rm", before).Run()
	}
	return report(ctx, arch, tags)
}

// imageID is what a tag names now, or "".
func imageID(ctx context.Context, tag string) string {
	out, err := command(ctx, "", "docker", "image", "inspect", "--format", "{{.Id}}", tag).Output()
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(out))
}

// report says what was built, as the engine sees it.
func report(ctx context.Context, arch string, tags []string) error {
	out, err := command(ctx, "", "docker", "image", "inspect", "--format", "{{.Size}} {{.Architecture}}", tags[0]).Output()
	if err != nil {
		return fmt.Errorf("docker image inspect: %w", err)
	}
	var size int64
	var built string
	if _, err := fmt.Sscan(string(out), &size, &built); err != nil {
		return fmt.Errorf("docker image inspect says %q: %w", out, err)
	}
	if built != arch {
		return fmt.Errorf("the engine built for %s", built)
	}
	if size > limit {
		return fmt.Errorf("the image has %.1f MB, more than %d", float64(size)/1e6, limit/1_000_000)
	}
	fmt.Printf("built %s for linux/%s, %.1f MB\n", strings.Join(tags, ", "), arch, float64(size)/1e6)
	return nil
}

// layOut makes the Dockerfile's context anew: root/ is the image, writable/ what
// belongs to its user. Other users (docker run --user) may write there too: a new
// volume takes over its directory's owner and mode.
func (b builder) layOut(ctx context.Context, dir, arch string) error {
	if err := os.RemoveAll(dir); err != nil {
		return err
	}
	for path, mode := range map[string]fs.FileMode{"root/etc/ssl/certs": 0o755, "writable/tmp": 0o777 | fs.ModeSticky, "writable/var/lib/localstack": 0o777} {
		path = filepath.Join(dir, path)
		if err := os.MkdirAll(path, 0o755); err != nil {
			return err
		}
		if err := os.Chmod(path, mode); err != nil { // in spite of the umask
			return err
		}
	}
	if err := copyCertificates(filepath.Join(dir, "root", "etc", "ssl", "certs", "ca-certificates.crt")); err != nil {
		return err
	}
	cmd := command(ctx, b.root, "go", "build", "-trimpath", "-buildvcs=false", "-ldflags", "-s -w", "-o", filepath.Join(dir, "root", "localstack"), "./localstack")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOFLAGS=", "GOOS=linux", "GOARCH="+arch, "GOARM64=v8.0", "GOAMD64=v1")
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("go build: %w\n%s", err, out)
	}
	return setTimes(dir, b.commitTime())
}

// commitTime is the commit's, or 1970 where this is no clone.
func (b builder) commitTime() time.Time {
	t, err := time.Parse(time.RFC3339, b.created)
	if err != nil {
		return time.Unix(0, 0)
	}
	return t
}

// setTimes makes the layers those of the last build of the same commit.
func setTimes(dir string, t time.Time) error {
	return filepath.WalkDir(dir, func(path string, _ fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		return os.Chtimes(path, t, t)
	})
}

// bundles are where systems keep the certificates that they trust; Go looks at
// the same places.
var bundles = []string{
	"/etc/ssl/certs/ca-certificates.crt", // Debian, Arch, Alpine
	"/etc/pki/tls/certs/ca-bundle.crt",   // Fedora
	"/etc/ssl/ca-bundle.pem",             // SUSE
	"/etc/ssl/cert.pem",                  // macOS
}

// copyCertificates gives the image what this machine trusts. Without any, it is
// built all the same: only functions that call others by https miss it.
func copyCertificates(to string) error {
	for _, path := range bundles {
		in, err := os.Open(path)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return err
		}
		out, err := os.OpenFile(to, os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o644)
		if err != nil {
			return errors.Join(err, in.Close())
		}
		_, err = io.Copy(out, in)
		return errors.Join(err, out.Close(), in.Close())
	}
	fmt.Fprintln(os.Stderr, "no certificates were found on this machine: functions in the image cannot call others by https")
	return nil
}

func command(ctx context.Context, dir, name string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Dir = dir
	return cmd
}
