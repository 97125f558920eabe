//go:build !linux

package lambda

import (
	"fmt"
	"os/exec"
	"time"
)

// startShifted starts cmd with the machine's time: clock_linux.go tells what it
// takes to give it another.
func startShifted(cmd *exec.Cmd, _ time.Duration) error {
	if err := cmd.Start(); err != nil {
		return err
	}
	return fmt.Errorf("%w: that takes Linux", errUnshifted)
}

func (p *process) isShifted() bool { return true }
