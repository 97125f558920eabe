package lambda

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http/httptest"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"syscall"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/lambda"

	"fanfare/localstack/awsproto"
)

// orphanVariable makes the test binary play a local cloud that is about to be
// killed.
const orphanVariable = "LAMBDA_TEST_ORPHAN_ZIP"

// runOrphanMaker invokes a function, prints the function's process id and waits
// for its end.
func runOrphanMaker() {
	code, err := os.ReadFile(os.Getenv(orphanVariable))
	if err != nil {
		panic(err)
	}
	s := New(Options{})
	body, _ := json.Marshal(map[string]any{
		"FunctionName": "f", "Role": testRole, "Handler": "x", "Runtime": "provided.al2023",
		"Code":        map[string]any{"ZipFile": code},
		"Environment": map[string]any{"Variables": map[string]string{"BEHAVIOUR": "sleep"}},
	})
	r := httptest.NewRequest("POST", "/2015-03-31/functions", strings.NewReader(string(body)))
	w := httptest.NewRecorder()
	s.ServeHTTP(w, r.WithContext(awsproto.WithCall(r.Context(), awsproto.NewCall(r, "lambda"))))
	res, err := s.Invoke(context.Background(), Request{Function: "f"})
	fmt.Println(string(res.Payload), err)
	select {}
}

func TestNoFunctionSurvivesAKilledCloud(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("only Linux ties a child's life to its parent's")
	}
	file := t.TempDir() + "/f.zip"
	if err := os.WriteFile(file, functionZip, 0o600); err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir() // a killed cloud cannot clear up its files
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), orphanVariable+"="+file, "TMPDIR="+dir)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var answer struct{ PID int }
	if err := json.NewDecoder(out).Decode(&answer); err != nil {
		t.Fatal(err)
	}
	if syscall.Kill(answer.PID, 0) != nil {
		t.Fatal("the function does not run")
	}
	_ = cmd.Process.Kill()
	_ = cmd.Wait()
	eventually(t, "the function ends with its cloud", func() bool { return !running(answer.PID) })
}

// In AWS the whole environment ends, whatever has left the function's process
// group.
func TestWhatAFunctionLeavesBehindEndsWithItsEnvironment(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("only Linux tells the environment of a process")
	}
	c := newCloud(t, Options{})
	loop := runtimeLoop(python(t), `
import subprocess
def answer(event):
    child = subprocess.Popen(["sleep", "1000"], start_new_session=True, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return {"pid": child.pid}
`)
	c.createScript(t, "f", loop)
	c.createScript(t, "other", loop)
	child := func(name string) int { return decode[map[string]int](t, c.mustInvoke(t, name, "{}").Payload)["pid"] }
	first, other := child("f"), child("other")
	if !running(first) {
		t.Fatal("the child does not run")
	}
	if _, err := c.DeleteFunction(t.Context(), &sdk.DeleteFunctionInput{FunctionName: aws.String("f")}); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the child ends with its function's environment", func() bool { return !running(first) })
	if !running(other) {
		t.Error("another environment's child has ended too")
	}
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the other child ends with the cloud", func() bool { return !running(other) })
}

// running: an orphan that nobody waits for stays a zombie, which is no process
// any more.
func running(pid int) bool {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	return err == nil && !strings.Contains(string(stat), ") Z ")
}

// ownGoroutines returns the stacks that run this package's code, tests excepted.
func ownGoroutines() []string {
	buf := make([]byte, 1<<20)
	buf = buf[:runtime.Stack(buf, true)]
	var own []string
	for stack := range strings.SplitSeq(string(buf), "\n\n") {
		if strings.Contains(stack, "localstack/lambda.") && !strings.Contains(stack, "_test.go") {
			own = append(own, stack)
		}
	}
	return own
}

func reachable(address string) bool {
	conn, err := net.Dial("tcp", address)
	if err != nil {
		return false
	}
	_ = conn.Close()
	return true
}
