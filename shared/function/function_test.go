package function

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// stopper needs some time to finish.
type stopper struct{ needs time.Duration }

func (s stopper) Shutdown(ctx context.Context) error {
	select {
	case <-time.After(s.needs):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func TestAStopIsOverBeforeLambdaKills(t *testing.T) {
	for name, c := range map[string]struct{ needs, took time.Duration }{
		"what is soon done is waited for": {needs: 100 * time.Millisecond, took: 100 * time.Millisecond},
		"what would be killed is left":    {needs: time.Minute, took: 400 * time.Millisecond},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var said bytes.Buffer
				begin := time.Now()
				s := &Stop{registered: make(chan struct{})}
				close(s.registered)
				s.Finish(stopper{c.needs}, slog.New(slog.NewTextHandler(&said, nil)))
				s.announced()
				if took := time.Since(begin); took != c.took {
					t.Errorf("took %v, want %v", took, c.took)
				}
				if cut := c.took < c.needs; cut != strings.Contains(said.String(), "in the middle of a delivery") {
					t.Errorf("cut off: %v; said %q", cut, said.String())
				}
			})
		})
	}
}

func TestAStopBeforeAnythingIsBegunIsNoHarm(t *testing.T) {
	new(Stop).announced()
}

// The extension must be there before the function's first call for an invoke,
// so Finish must not return before Lambda has answered.
func TestFinishWaitsForTheExtension(t *testing.T) {
	asked, answer, over := make(chan string), make(chan struct{}), make(chan struct{})
	lambda := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.URL.Path, "/event/next") {
			<-over // Lambda answers never: no events were asked for
			return
		}
		asked <- r.Method + " " + r.URL.Path
		<-answer
		w.Header().Set("Lambda-Extension-Identifier", "8476a536")
	}))
	defer lambda.Close()
	defer close(over)
	t.Setenv("AWS_LAMBDA_RUNTIME_API", strings.TrimPrefix(lambda.URL, "http://"))

	s := ExpectStop()
	if got, want := <-asked, "POST /2020-01-01/extension/register"; got != want {
		t.Errorf("Lambda was asked %s, want %s", got, want)
	}
	finished := make(chan struct{})
	go func() {
		s.Finish(stopper{}, slog.New(slog.DiscardHandler))
		close(finished)
	}()
	for s.finish.Load() == nil { // Finish has yet to begin
		runtime.Gosched()
	}
	select {
	case <-finished:
		t.Error("Finish returned before the extension was registered")
	case <-time.After(50 * time.Millisecond):
	}
	close(answer)
	<-finished
}

// TestMain plays a function that cannot start, for the test of ExitOn.
func TestMain(m *testing.M) {
	if why, ok := os.LookupEnv("FUNCTION_TEST_FAILS"); ok {
		exitOn := ExitOn("deliver")
		exitOn(nil)
		exitOn(errors.New(why))
		os.Exit(0)
	}
	os.Exit(m.Run())
}

func TestAFunctionThatCannotStartSaysWhyInOneLine(t *testing.T) {
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), "FUNCTION_TEST_FAILS=TABLE_NAME is not set")
	said, err := cmd.CombinedOutput()
	if exit := (*exec.ExitError)(nil); !errors.As(err, &exit) || exit.ExitCode() != 1 {
		t.Errorf("ended with %v, want exit status 1", err)
	}
	if text := string(said); !strings.HasSuffix(text, " deliver: TABLE_NAME is not set\n") || strings.Count(text, "\n") != 1 {
		t.Errorf("said %q, want one line with the function and the reason", text)
	}
}
