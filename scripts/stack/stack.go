// Package stack brings the whole of Fanfare up on this machine: it builds the
// functions, starts the local cloud and has Terraform deploy infra/ to it. The
// verbs that need a running stack (local, demo, local-test) share it. The cloud
// runs in this process, unless Options.Start starts another.
//
//	s, err := stack.Up(ctx, stack.Options{Root: ".", Dir: ".local", Out: os.Stdout})
//	defer s.Close(ctx)
//	fmt.Println(s.Outputs.WebSocketURL)
//
// What was deployed is kept in Dir: the next Up with nothing changed restores
// it without the compiler and without Terraform.
package stack

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"fanfare/localstack/emulator"
	"fanfare/localstack/lambda"
	"fanfare/scripts/artifact"
	"fanfare/shared/auth/authtest"
)

// DefaultPort is where the local cloud listens unless PORT says otherwise.
const DefaultPort = 4566

// PortVariable is the make variable, and environment variable, with the port.
const PortVariable = "PORT"

// Port reads PORT from the environment.
func Port() (int, error) {
	port, err := PortOrAny()
	if port == 0 && err == nil {
		port = DefaultPort
	}
	return port, err
}

// PortOrAny is Port for a stack that may have any: 0 without PORT.
func PortOrAny() (int, error) {
	v := os.Getenv(PortVariable)
	if v == "" {
		return 0, nil
	}
	port, err := strconv.Atoi(v)
	if err != nil || port < 1 || port > 65535 {
		return 0, fmt.Errorf("%s=%s must be a port between 1 and 65535", PortVariable, v)
	}
	return port, nil
}

// Options of Up.
type Options struct {
	Root string    // of the repository
	Dir  string    // state, relative to Root; nothing else may use it
	Port int       // 0 takes the one of the state in Dir, or a free one
	Out  io.Writer // progress, for people
	// Fresh forgets what is in Dir and deploys anew.
	Fresh bool
	// FunctionLog gets every line that functions print.
	FunctionLog func(lambda.LogLine)
	// Logger gets what the local cloud has to say.
	Logger *slog.Logger
	// Start starts the cloud, with the state that is in dir, if there is one. nil
	// runs the local cloud in this process; the three options above are for that
	// one. With Start, Port must be the port that the cloud names in its URLs.
	Start func(ctx context.Context, dir string) (Cloud, error)
	// Platform is what the cloud runs functions on. The zero value is this machine.
	Platform artifact.Platform
}

// Cloud is what a stack is deployed to.
type Cloud interface {
	// URL is the endpoint as this machine reaches it, for AWS_ENDPOINT_URL.
	URL() string
	// Save keeps the state in the folder that the cloud was started with, as
	// emulator.SnapshotFile.
	Save() error
	Close(ctx context.Context) error
}

// Stack is a deployed Fanfare on a local cloud.
type Stack struct {
	Cloud    Cloud
	Outputs  Outputs       // as the cloud names itself
	Key      *authtest.Key // signs tokens that the stack trusts
	Restored bool          // Terraform was not needed

	opts Options
	tf   *terraform // nil when Restored
	lock *os.File
	say  *progress
}

// Outputs are Terraform's.
type Outputs struct {
	WebSocketURL        string `json:"websocket_url"`
	ManagementEndpoint  string `json:"management_endpoint"`
	TableName           string `json:"table_name"`
	BroadcastQueueURL   string `json:"broadcast_queue_url"`
	PublisherPolicyJSON string `json:"publisher_policy_json"`
}

// Up returns a running stack. On error, and when ctx ends, everything it had
// started has been taken down; what was half-written, the next Up forgets.
func Up(ctx context.Context, o Options) (_ *Stack, err error) {
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Root, err = filepath.Abs(o.Root); err != nil {
		return nil, err
	}
	o.Dir = filepath.Join(o.Root, o.Dir)
	if o.Platform == (artifact.Platform{}) {
		o.Platform = artifact.Host
	}
	s := &Stack{opts: o, say: newProgress(o.Out)}
	if s.opts.Start == nil {
		s.opts.Start = s.embedded
	}
	if s.lock, err = lockDir(o.Dir); err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			s.Close(context.WithoutCancel(ctx))
		}
	}()
	if s.Key, err = DevKey(o.Root); err != nil {
		return nil, err
	}
	return s, s.bring(ctx)
}

// bring starts the cloud from what Dir holds and deploys what is missing.
func (s *Stack) bring(ctx context.Context) error {
	begin := time.Now()
	was, ok := loadManifest(s.opts.Dir)
	if s.opts.Fresh || !ok {
		if !s.opts.Fresh && deployedBefore(s.opts.Dir) {
			s.say.line("the last deployment did not finish or was damaged: it is deployed anew")
		}
		if err := forget(s.opts.Dir); err != nil {
			return err
		}
		was = manifest{}
	}
	if s.opts.Port == 0 {
		s.opts.Port = was.Port
	}
	err := s.startCloud(ctx)
	if _, portInUse := errors.AsType[*emulator.PortInUseError](err); err != nil && !portInUse && was.Inputs != "" {
		s.say.line("what was kept cannot be restored (%v): it is deployed anew", err)
		if err := forget(s.opts.Dir); err != nil {
			return err
		}
		was = manifest{}
		err = s.startCloud(ctx)
	}
	if err != nil {
		return err
	}
	sources, err := hashSources(s.opts.Root, s.opts.Platform, s.port(), s.Key)
	if err != nil {
		return err
	}
	if was.sameSources(sources) {
		s.restored(was, begin)
		return nil
	}
	return s.renew(ctx, was, sources, begin)
}

func (s *Stack) restored(was manifest, begin time.Time) {
	s.Outputs, s.Restored = was.Outputs, true
	s.say.line("restored the deployed stack in %.2f s: nothing has changed", time.Since(begin).Seconds())
}

// renew builds the functions and deploys, unless other sources have given the
// same zips.
func (s *Stack) renew(ctx context.Context, was manifest, sources string, begin time.Time) error {
	var zips []artifact.Zip
	platform := s.opts.Platform
	err := s.say.step("build the functions for "+platform.OS+"/"+platform.Arch, func() (err error) {
		zips, err = artifact.Build(ctx, s.opts.Root, artifactsDir(s.opts.Root, platform), platform)
		return err
	})
	if err != nil {
		return err
	}
	now, err := describe(s.opts.Root, s.port(), zips, s.Key)
	if err != nil {
		return err
	}
	now.Sources = sources
	if was.same(now) {
		s.restored(was, begin)
		now.Outputs = was.Outputs
		return now.save(s.opts.Dir)
	}
	if err := s.deploy(ctx, was); err != nil {
		return err
	}
	if err := s.Cloud.Save(); err != nil {
		return fmt.Errorf("save the deployed stack: %w", err)
	}
	now.Outputs = s.Outputs
	return now.save(s.opts.Dir)
}

func (s *Stack) startCloud(ctx context.Context) error {
	return s.say.step("start the local cloud", func() error {
		cloud, err := s.opts.Start(ctx, filepath.Join(s.opts.Dir, "cloud"))
		if err == nil {
			s.Cloud = cloud
		}
		return err
	})
}

// embedded starts the local cloud in this process.
func (s *Stack) embedded(ctx context.Context, dir string) (Cloud, error) {
	cloud, err := emulator.New(emulator.Options{
		Addr:    net.JoinHostPort("127.0.0.1", strconv.Itoa(s.opts.Port)),
		DataDir: dir, Logger: s.opts.Logger, FunctionLog: s.opts.FunctionLog,
	})
	if err != nil {
		return nil, err
	}
	if err = cloud.Start(); err == nil {
		return cloud, nil
	}
	if used, ok := errors.AsType[*emulator.PortInUseError](err); ok {
		err = fmt.Errorf("%w (make … %s=4567)", used, PortVariable)
	}
	return nil, errors.Join(err, cloud.Close(context.WithoutCancel(ctx))) // nothing runs in it yet
}

// port is what the cloud's URLs name.
func (s *Stack) port() int {
	if s.opts.Port != 0 {
		return s.opts.Port
	}
	u, err := url.Parse(s.Cloud.URL())
	if err != nil {
		return 0
	}
	port, _ := strconv.Atoi(u.Port()) // 0 if there is none
	return port
}

// artifactsDir is where the functions are built. This machine's are where
// environments/local.tfvars looks for them.
func artifactsDir(root string, p artifact.Platform) string {
	if p == artifact.Host {
		return filepath.Join(root, ".build", "local")
	}
	return filepath.Join(root, ".build", p.OS+"-"+p.Arch)
}

// newTerraform is Terraform for this stack.
func (s *Stack) newTerraform(ctx context.Context) (*terraform, error) {
	return newTerraform(ctx, s.opts.Root, s.opts.Dir, s.Cloud.URL(), s.opts.Platform, s.say)
}

// deploy has Terraform bring the cloud from what was deployed to what is wanted.
func (s *Stack) deploy(ctx context.Context, was manifest) error {
	var err error
	if s.tf, err = s.newTerraform(ctx); err != nil {
		return err
	}
	first := was.Inputs == ""
	// From here to the new manifest, Dir is not to be trusted: Terraform's state
	// and the cloud's may differ.
	if err := removeManifest(s.opts.Dir); err != nil {
		return err
	}
	s.Outputs, err = s.tf.apply(ctx, first)
	if err != nil && !first && !s.tf.touched {
		return errors.Join(err, was.save(s.opts.Dir)) // what was there still is
	}
	return err
}

// Token returns a JWT that the stack admits.
func (s *Stack) Token(user, tenant string, permissions ...string) string {
	return DevToken(s.Key, user, tenant, permissions, time.Hour)
}

// Destroy takes everything that was deployed down with Terraform, and forgets
// the state. The local cloud keeps running.
func (s *Stack) Destroy(ctx context.Context) error {
	if err := removeManifest(s.opts.Dir); err != nil {
		return err
	}
	var err error
	if s.tf == nil {
		if s.tf, err = s.newTerraform(ctx); err != nil {
			return err
		}
	}
	if err := s.tf.destroy(ctx); err != nil {
		return err
	}
	return forget(s.opts.Dir)
}

// PlanIsEmpty reports whether another apply would change nothing, with the
// addresses of what it would change.
func (s *Stack) PlanIsEmpty(ctx context.Context) (bool, []string, error) {
	var err error
	if s.tf == nil {
		if s.tf, err = s.newTerraform(ctx); err != nil {
			return false, nil, err
		}
	}
	return s.tf.planIsEmpty(ctx)
}

// closeTimeout bounds how long the sockets' last functions may take.
const closeTimeout = 10 * time.Second

// Close stops the local cloud with all its processes. The deployed state stays
// in Dir. It may be called twice.
func (s *Stack) Close(ctx context.Context) {
	if s.Cloud != nil {
		ctx, cancel := context.WithTimeout(ctx, closeTimeout)
		defer cancel()
		if err := s.Cloud.Close(ctx); err != nil {
			s.opts.Logger.Warn("the local cloud did not stop cleanly", "error", err)
		}
	}
	if s.lock != nil {
		_ = s.lock.Close() // which unlocks it
		s.lock = nil
	}
}

// lockDir makes dir and keeps others out of it while the process lives.
func lockDir(dir string) (*os.File, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	f, err := os.OpenFile(filepath.Join(dir, "lock"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	if err := lockFile(f); err != nil {
		return nil, errors.Join(fmt.Errorf("another process uses %s: stop it first", dir), f.Close())
	}
	return f, nil
}
