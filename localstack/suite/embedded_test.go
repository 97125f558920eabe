package suite

import (
	"bytes"
	"context"
	"log/slog"
	"os"
	"path/filepath"
	"sync"

	"fanfare/localstack/emulator"
	"fanfare/scripts/stack"
)

// cloudLog is all that the local cloud itself has logged, in this process at
// every level.
var cloudLog lockedBuffer

type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// embeddedDir is where the deployment to the cloud in this process is kept.
const embeddedDir = ".local/test"

// runEmbedded deploys to a local cloud in this process.
func runEmbedded(ctx context.Context, run func() int) (int, error) {
	port, err := stack.PortOrAny()
	if err != nil {
		return 0, err
	}
	s, err := stack.Up(ctx, stack.Options{
		Root: root, Dir: embeddedDir, Port: port, Out: os.Stderr, Fresh: *fresh,
		Logger: slog.New(slog.NewMultiHandler(
			slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelWarn}),
			slog.NewTextHandler(&cloudLog, &slog.HandlerOptions{Level: slog.LevelDebug}),
		)),
	})
	if err != nil {
		return 0, err
	}
	defer s.Close(context.WithoutCancel(ctx))
	deployed = onStack(s, s.Outputs, movingClock, faultRules, ownIssuer, ownAPI, ownCloud, ownProcess)
	deployed.local, deployed.Here = true, s.Cloud.(*emulator.Emulator)
	deployed.clone = cloneEmbedded(deployed, filepath.Join(root, embeddedDir, "cloud"))
	asking, stop := context.WithCancel(ctx)
	defer stop()
	deployed.asked = gather(asking, deployed.Cloud)
	return run(), nil
}
