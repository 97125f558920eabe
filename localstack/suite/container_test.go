package suite

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"time"

	api "github.com/moby/moby/api/types/container"
	"github.com/moby/moby/api/types/network"
	"github.com/testcontainers/testcontainers-go"
	"github.com/testcontainers/testcontainers-go/modules/localstack"

	"fanfare/localstack/emulator"
	"fanfare/scripts/artifact"
	"fanfare/scripts/stack"
)

// Which image the container target runs: ours, unless these name LocalStack's own.
const (
	imageVariable = "LOCALSTACK_IMAGE"
	tokenVariable = "LOCALSTACK_AUTH_TOKEN" //nolint:gosec // the variable's name
	ourImage      = "fanfare-localstack:latest"
)

const (
	// cloudPort is the port within the container, which the cloud's URLs name.
	cloudPort = 4566
	// dataDir is the data directory within our image.
	dataDir = "/var/lib/localstack"
)

// runContainer deploys to a cloud in a container. Without an engine every
// scenario is skipped.
func runContainer(ctx context.Context, run func() int) (int, error) {
	platform, err := enginePlatform(ctx)
	if err != nil {
		return runAbsent(run, err), nil
	}
	if err := configureTestcontainers(ctx); err != nil {
		return 0, err
	}
	image := os.Getenv(imageVariable)
	vendors := image != ""
	if !vendors {
		image = ourImage
		if err := buildImage(ctx, platform); err != nil {
			return 0, err
		}
	}
	dir := containerDir(platform)
	if owner, err = filepath.Abs(filepath.Join(root, dir)); err != nil {
		return 0, err
	}
	s, err := stack.Up(ctx, stack.Options{
		Root: root, Dir: dir, Port: cloudPort, Out: os.Stderr, Platform: platform,
		Fresh: vendors || *fresh, // the vendor's state is its own affair
		Start: func(ctx context.Context, dir string) (stack.Cloud, error) {
			return startContainer(ctx, image, vendors, dir)
		},
	})
	if err != nil {
		return 0, err
	}
	defer s.Close(context.WithoutCancel(ctx))
	outputs, err := reachableOutputs(s.Outputs, s.Cloud.URL())
	if err != nil {
		return 0, err
	}
	deployed = onStack(s, outputs)
	if !vendors {
		for _, n := range []need{movingClock, faultRules, ownAPI, ownImage} {
			deployed.has[n] = true
		}
		asking, stop := context.WithCancel(ctx)
		defer stop()
		deployed.asked = gather(asking, deployed.Cloud)
	}
	return run(), nil
}

// runAbsent runs a target that is not there: all its scenarios say so.
func runAbsent(run func() int, why error) int {
	absent = why.Error()
	fmt.Fprintf(os.Stderr, "suite: EVERY SCENARIO OF THE %s TARGET IS SKIPPED: %s\n", strings.ToUpper(*targetName), absent)
	return run()
}

// removalTimeout bounds the removal of containers, which a busy engine takes its
// time for: one that is given up stays.
const removalTimeout = time.Minute

// ownerLabel is on the containers that the suite starts. Its value, owner, is the
// folder of the deployment that they serve.
const ownerLabel = "fanfare.suite"

var owner string

// starting is held while a scenario starts a container of its own, and tells
// whether it still may: scenarios go on for a moment after Ctrl-C.
var starting struct {
	sync.Mutex
	ended bool
}

// runDetached is `docker run` for a scenario.
func runDetached(ctx context.Context, args ...string) (id string, err error) {
	starting.Lock()
	defer starting.Unlock()
	if starting.ended {
		return "", errors.New("the suite has ended")
	}
	return docker(ctx, append([]string{"run", "--detach", "--label", ownerLabel + "=" + owner}, args...)...)
}

// removeContainers removes the suite's containers. Only the suite that has the
// deployment locked may call it: they are its own or those of one that was killed.
func removeContainers(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), removalTimeout)
	defer cancel()
	ids, err := docker(ctx, "ps", "--all", "--quiet", "--filter", "label="+ownerLabel+"="+owner)
	if err != nil || ids == "" {
		return err
	}
	_, err = docker(ctx, append([]string{"rm", "--force", "--volumes"}, strings.Fields(ids)...)...)
	return err
}

// containerDir is where the deployment to the cloud in the container is kept. It
// is the embedded target's, which is deployed but once for both, where that was
// told to use the container's port and the functions are built for this machine.
func containerDir(p artifact.Platform) string {
	if os.Getenv(stack.PortVariable) == strconv.Itoa(cloudPort) && p == artifact.Host {
		return embeddedDir
	}
	return ".local/container"
}

// enginePlatform is what the Docker engine runs, or the reason why there is none.
func enginePlatform(ctx context.Context) (artifact.Platform, error) {
	out, err := exec.CommandContext(ctx, "docker", "version", "--format", "{{.Server.Os}} {{.Server.Arch}}").Output()
	if err != nil {
		return artifact.Platform{}, fmt.Errorf("no Docker engine answers (docker version: %w)", err)
	}
	var p artifact.Platform
	_, err = fmt.Sscan(string(out), &p.OS, &p.Arch)
	return p, err
}

// configureTestcontainers sets what the user has not.
func configureTestcontainers(ctx context.Context) error {
	// Its own cleaner is an image to pull; what we start, we end.
	settings := map[string]string{"TESTCONTAINERS_RYUK_DISABLED": "true"}
	// In a container, it takes the engine for one outside. An engine that bears this
	// machine's name is in here, and so are its ports.
	engine, err := exec.CommandContext(ctx, "docker", "info", "--format", "{{.Name}}").Output()
	if err != nil {
		return fmt.Errorf("docker info: %w", err)
	}
	machine, err := os.Hostname()
	if err != nil {
		return err
	}
	if strings.TrimSpace(string(engine)) == machine {
		settings["TESTCONTAINERS_HOST_OVERRIDE"] = "localhost"
	}
	for name, value := range settings {
		if _, set := os.LookupEnv(name); set {
			continue
		}
		if err := os.Setenv(name, value); err != nil {
			return err
		}
	}
	return nil
}

// buildImage builds our image from the sources as they are.
func buildImage(ctx context.Context, p artifact.Platform) error {
	cmd := exec.CommandContext(ctx, "go", "run", "./scripts/image", "-arch", p.Arch)
	cmd.Dir, cmd.Stdout, cmd.Stderr = root, os.Stderr, os.Stderr
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("build the image: %w", err)
	}
	return nil
}

// container is a cloud in a container.
type container struct {
	*localstack.LocalStackContainer
	api   cloudAPI
	dir   string // where Save keeps the state on this machine
	saves bool
}

// startContainer runs the image as testcontainers' module for LocalStack does.
// Ours is given the state in dir.
func startContainer(ctx context.Context, image string, vendors bool, dir string) (_ stack.Cloud, err error) {
	if err := removeContainers(ctx); err != nil {
		return nil, err
	}
	mapping, err := onIPv4(ctx)
	if err != nil {
		return nil, err
	}
	environment := map[string]string{"LOCALSTACK_HOST": "localhost"} // in the cloud's URLs: its functions' own; we map it
	labels := testcontainers.WithLabels(map[string]string{ownerLabel: owner})
	options := []testcontainers.ContainerCustomizer{mapping, labels, testcontainers.WithEnv(environment), testcontainers.WithLogConsumers(consumer{})}
	if vendors {
		// Its URLs name the port, and its functions run in containers of their own.
		environment["LOCALSTACK_HOST"] = fmt.Sprintf("localhost.localstack.cloud:%d", cloudPort)
		environment[tokenVariable] = os.Getenv(tokenVariable)
	} else {
		ours, err := ourOptions(dir)
		if err != nil {
			return nil, err
		}
		options = append(options, ours...)
	}
	running, err := localstack.Run(ctx, image, options...)
	if err != nil {
		// Also one that was being created when ctx ended, of which Run knows nothing.
		return nil, fmt.Errorf("%w\n%s", errors.Join(err, removeContainers(ctx)), cloudLog.String())
	}
	c := &container{LocalStackContainer: running, dir: dir, saves: !vendors}
	c.api.base, err = running.PortEndpoint(ctx, fmt.Sprintf("%d/tcp", cloudPort), "http")
	if err != nil {
		return nil, errors.Join(err, c.Close(ctx))
	}
	return c, nil
}

// ourOptions are for our image: with the state in dir, and without the engine's
// socket, which the module hands in because LocalStack starts containers.
func ourOptions(dir string) ([]testcontainers.ContainerCustomizer, error) {
	options := []testcontainers.ContainerCustomizer{
		testcontainers.WithCmd("-addr", fmt.Sprintf("0.0.0.0:%d", cloudPort), "-data", dataDir),
		testcontainers.WithHostConfigModifier(func(c *api.HostConfig) { c.Binds = nil }),
	}
	saved := filepath.Join(dir, emulator.SnapshotFile)
	switch _, err := os.Stat(saved); {
	case errors.Is(err, fs.ErrNotExist):
	case err != nil:
		return nil, err
	default:
		options = append(options, testcontainers.WithFiles(testcontainers.ContainerFile{
			HostFilePath: saved, ContainerFilePath: dataDir + "/" + emulator.SnapshotFile, FileMode: 0o644,
		}))
	}
	return options, nil
}

// onIPv4 maps the port for IPv4 alone: engines before 23 map it to another one for
// IPv6, which testcontainers may take for both. Where the engine's ports are this
// machine's, only this machine can reach it; from within a container, or of a
// remote engine, it is reached from outside.
func onIPv4(ctx context.Context) (testcontainers.CustomizeRequestOption, error) {
	provider, err := testcontainers.NewDockerProvider()
	if err != nil {
		return nil, err
	}
	host, err := provider.DaemonHost(ctx)
	if err := errors.Join(err, provider.Close()); err != nil {
		return nil, err
	}
	at := netip.IPv4Unspecified()
	if host == "localhost" {
		at = netip.MustParseAddr("127.0.0.1")
	}
	port := network.MustParsePort(fmt.Sprintf("%d/tcp", cloudPort))
	return testcontainers.WithHostConfigModifier(func(c *api.HostConfig) {
		c.PortBindings = network.PortMap{port: {{HostIP: at}}}
	}), nil
}

// URL is the container's port as it is mapped to this machine.
func (c *container) URL() string { return c.api.base }

// Save has the cloud save its state, and takes it out of the container.
func (c *container) Save() (err error) {
	if !c.saves {
		return nil
	}
	ctx := context.Background()
	if err := c.api.call(ctx, http.MethodPost, "snapshot", nil, nil); err != nil {
		return err
	}
	from, err := c.CopyFileFromContainer(ctx, dataDir+"/"+emulator.SnapshotFile)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, from.Close()) }()
	if err := os.MkdirAll(c.dir, 0o700); err != nil {
		return err
	}
	to, err := os.OpenFile(filepath.Join(c.dir, emulator.SnapshotFile), os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	_, err = io.Copy(to, from)
	return errors.Join(err, to.Close())
}

// Close stops the container and removes it, and what an interrupted scenario left.
func (c *container) Close(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), removalTimeout)
	defer cancel()
	starting.Lock()
	starting.ended = true
	starting.Unlock()
	return errors.Join(c.Terminate(ctx), removeContainers(ctx))
}

// consumer keeps what the container prints.
type consumer struct{}

func (consumer) Accept(l testcontainers.Log) {
	_, _ = cloudLog.Write(l.Content) // which cannot fail
}
