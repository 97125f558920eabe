// Infratest is `make infra-test`: formatting, validation and the mocked tests of
// the Terraform root module and of each module, with the provider found as for the other verbs.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"

	"fanfare/scripts/stack"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	err := stack.TestInfra(ctx, ".", os.Stdout)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "infra-test:", err)
		os.Exit(1)
	}
}
