package lambda

import (
	"fmt"
	"log/slog"
	"os"
	"syscall"
	"testing"
	"time"
)

// A thread's end kills whatever it has started with Pdeathsig, such as the Terraform
// of a test that closes a second cloud.
func TestTheLaunchersThreadOutlivesIt(t *testing.T) {
	l := newLauncher(slog.New(slog.DiscardHandler))
	var thread string
	if err := l.do(func() error {
		thread = fmt.Sprintf("/proc/self/task/%d", syscall.Gettid())
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	l.close()
	for range 20 { // it would end a moment after
		if _, err := os.Stat(thread); err != nil {
			t.Fatalf("the launcher's thread has ended: %v", err)
		}
		time.Sleep(10 * time.Millisecond)
	}
}
