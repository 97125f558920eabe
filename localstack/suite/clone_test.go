package suite

import (
	"context"
	"log/slog"
	"maps"
	"net"
	"net/http"
	"net/url"
	"path/filepath"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	lambdatypes "github.com/aws/aws-sdk-go-v2/service/lambda/types"

	"fanfare/localstack/emulator"
	"fanfare/localstack/gateway"
)

// clones bounds how many clouds there are at a time besides the first: each runs
// up to five functions.
var clones = make(chan struct{}, 4)

// cloneEmbedded returns how a target in this process starts another such cloud
// from the snapshot in dir.
func cloneEmbedded(first *target, dir string) func(testing.TB, gateway.Limits) (*target, error) {
	return func(t testing.TB, limits gateway.Limits) (*target, error) {
		cloud, err := emulator.New(emulator.Options{
			Addr: "127.0.0.1:0", Snapshot: filepath.Join(dir, emulator.SnapshotFile),
			Logger: slog.New(slog.DiscardHandler), GatewayLimits: limits,
		})
		if err != nil {
			return nil, err
		}
		t.Cleanup(func() {
			ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
			defer cancel()
			if err := cloud.Close(ctx); err != nil {
				t.Errorf("the scenario's cloud did not stop cleanly: %v", err)
			}
		})
		if err := cloud.Start(); err != nil {
			return nil, err
		}
		clone := *first
		clone.Here, clone.Cloud = cloud, &cloudAPI{cloud.URL()}
		clone.AWS = first.AWS.Copy()
		clone.AWS.BaseEndpoint = aws.String(cloud.URL())
		asking, stop := context.WithCancel(context.Background())
		t.Cleanup(stop)
		clone.asked = gather(asking, clone.Cloud)
		clone.has = maps.Clone(first.has)
		delete(clone.has, ownDeployment) // Terraform knows nothing of it
		move := func(address string) string { return onPortOf(address, cloud.Addr()) }
		clone.Outputs.WebSocketURL = move(first.Outputs.WebSocketURL)
		clone.Outputs.ManagementEndpoint = move(first.Outputs.ManagementEndpoint)
		return &clone, nil
	}
}

// onPortOf is an address at the port of another one. The queues' URLs need none of
// it: they are names, and calls go to the endpoint.
func onPortOf(address, other string) string {
	u, err := url.Parse(address)
	if err != nil {
		return address
	}
	_, port, err := net.SplitHostPort(other)
	if err != nil {
		return address
	}
	u.Host = net.JoinHostPort(u.Hostname(), port)
	return u.String()
}

// reconfigure changes a function's environment as a deployment does: a new
// version, to which the alias is moved that everybody calls.
func (t *target) reconfigure(ctx context.Context, function string, change func(map[string]string)) error {
	api := lambda.NewFromConfig(t.AWS.Copy())
	now, err := api.GetFunctionConfiguration(ctx, &lambda.GetFunctionConfigurationInput{FunctionName: &function})
	if err != nil {
		return err
	}
	env := now.Environment.Variables
	change(env)
	if _, err := api.UpdateFunctionConfiguration(ctx, &lambda.UpdateFunctionConfigurationInput{
		FunctionName: &function, Environment: &lambdatypes.Environment{Variables: env},
	}); err != nil {
		return err
	}
	version, err := api.PublishVersion(ctx, &lambda.PublishVersionInput{FunctionName: &function})
	if err != nil {
		return err
	}
	_, err = api.UpdateAlias(ctx, &lambda.UpdateAliasInput{FunctionName: &function, Name: aws.String("live"), FunctionVersion: version.Version})
	return err
}

// advance moves the clock of a cloud that is the scenario's own.
func (s *scenario) advance(d time.Duration) {
	s.Helper()
	_ = s.stack.asked.look(s.Context()) // while what was asked is not long ago
	if err := s.stack.Cloud.call(s.Context(), http.MethodPost, "clock/advance", map[string]string{"duration": d.String()}, nil); err != nil {
		s.Fatal(err)
	}
	s.ahead += d
	s.rec.moved(s.ahead)
}

// tokenFor is a token that ends in ttl by the scenario's clock.
func (s *scenario) tokenFor(user, tenant string, ttl time.Duration) string {
	claims := s.stack.claims(user, tenant, "broadcast:*", "subscribe:*")
	claims.TTL = s.ahead + ttl
	return s.stack.Key.Sign(claims)
}

// dialFor is dial with a token that ends in ttl.
func (s *scenario) dialFor(user string, ttl time.Duration) *client {
	s.Helper()
	c, err := s.dialToken(user, s.tokenFor(user, s.tenant, ttl))
	if err != nil {
		s.Fatalf("connect %s: %v", user, err)
	}
	return c
}
