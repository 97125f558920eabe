package suite

import (
	"context"
	"flag"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"github.com/aws/aws-sdk-go-v2/config"

	"fanfare/scripts/stack"
	"fanfare/shared/auth/authtest"
)

// What the deployed stack was told of its tokens (jwt_public_key_file, jwt_issuer
// and jwt_audience in infra/).
var (
	keyFile      = flag.String("key", ".local/dev-key.pem", "aws: `file` with the private key of tokens that the stack admits, relative to the repository")
	issuerName   = flag.String("issuer", stack.Issuer, "aws: the tokens' issuer")
	audienceName = flag.String("audience", stack.Audience, "aws: the tokens' audience")
)

// runAWS uses what is deployed already, with the credentials and the region of
// the environment, as Terraform had them.
func runAWS(ctx context.Context, run func() int) (int, error) {
	path := *keyFile
	if !filepath.IsAbs(path) {
		path = filepath.Join(root, path)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return 0, fmt.Errorf("tokens cannot be signed: %w", err)
	}
	key, err := authtest.ParseKeyPEM(string(text))
	if err != nil {
		return 0, fmt.Errorf("%s: %w", path, err)
	}
	outputs, err := stack.ReadOutputs(ctx, root, os.Stderr)
	if err != nil {
		return 0, err
	}
	cfg, err := config.LoadDefaultConfig(ctx)
	if err != nil {
		return 0, err
	}
	if cfg.Region == "" {
		if cfg.Region = regionOf(outputs.ManagementEndpoint); cfg.Region == "" {
			return 0, fmt.Errorf("no region is set, and %s names none: set AWS_REGION", outputs.ManagementEndpoint)
		}
	}
	deployed = &target{Outputs: outputs, Key: key, AWS: cfg, run: newRun(), issuer: *issuerName, audience: *audienceName}
	return run(), nil
}

// regionOf reads https://<api>.execute-api.<region>.amazonaws.com/<stage>.
func regionOf(endpoint string) string {
	u, err := url.Parse(endpoint)
	if err != nil {
		return ""
	}
	if _, after, found := strings.Cut(u.Hostname(), ".execute-api."); found {
		region, _, _ := strings.Cut(after, ".")
		return region
	}
	return ""
}
