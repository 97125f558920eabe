// Build makes the functions' zips: `make build`. By default for AWS, in
// .build/lambda, where the Terraform root module looks for them.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"strings"

	"fanfare/scripts/artifact"
)

func main() {
	platform := flag.String("platform", artifact.AWS.OS+"/"+artifact.AWS.Arch, "`os/arch` to build for; \"host\" is this machine")
	out := flag.String("out", filepath.Join(".build", "lambda"), "`directory` of the zips")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	err := run(ctx, *platform, *out)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "build:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, platform, out string) error {
	p := artifact.Host
	if platform != "host" {
		goos, goarch, ok := strings.Cut(platform, "/")
		if !ok {
			return fmt.Errorf("-platform %q must be os/arch, such as linux/arm64, or host", platform)
		}
		p = artifact.Platform{OS: goos, Arch: goarch}
	}
	zips, err := artifact.Build(ctx, ".", out, p)
	for _, z := range zips {
		if err == nil {
			fmt.Printf("%s  (%s/%s, bootstrap %s)\n", z.Path, p.OS, p.Arch, z.SHA256[:12])
		}
	}
	return err
}
