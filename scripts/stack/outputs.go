package stack

import (
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"

	"github.com/hashicorp/terraform-exec/tfexec"
)

// ReadOutputs reads the outputs of infra/ as its user deployed it: with the
// user's own environment, backend and state. Nothing is deployed or changed.
func ReadOutputs(ctx context.Context, root string, out io.Writer) (Outputs, error) {
	root, err := filepath.Abs(root)
	if err != nil {
		return Outputs{}, err
	}
	binary, err := findTerraform(ctx, root, newProgress(out))
	if err != nil {
		return Outputs{}, err
	}
	exec, err := tfexec.NewTerraform(filepath.Join(root, "infra"), binary)
	if err != nil {
		return Outputs{}, err
	}
	metas, err := exec.Output(ctx)
	if err != nil {
		return Outputs{}, fmt.Errorf("terraform -chdir=infra output -json: %w", err)
	}
	o, err := decodeOutputs(metas)
	if err == nil && o.WebSocketURL == "" {
		err = errors.New("infra/ has no outputs here: terraform -chdir=infra apply comes first, in this folder and with this backend")
	}
	return o, err
}

// Wscat is the line for a shell that opens the socket. npx writes its command
// lines into logs unless it is told not to, and this one has the token.
func Wscat(url, token string) string {
	return fmt.Sprintf("npx -y --logs-max=0 wscat -c \"%s?token=%s\"", url, token)
}
