package lambda

import (
	"archive/zip"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	sdk "github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"github.com/aws/smithy-go"

	"fanfare/localstack/awsproto"
)

const (
	testRole = "arn:aws:iam::000000000000:role/functions"
	arnHead  = "arn:aws:lambda:us-east-1:000000000000:function:"
	queueARN = "arn:aws:sqs:us-east-1:000000000000:broadcast"
)

var (
	bootstrapFile  []byte   // testdata/function, built for this machine
	functionZip    []byte   // it as a deployment package
	openedFunction *archive // the same, opened
	scriptZip      []byte   // a small package, where the code does not matter
)

func TestMain(m *testing.M) {
	if os.Getenv(orphanVariable) != "" {
		runOrphanMaker()
		return
	}
	dir, err := os.MkdirTemp("", "lambda-test-")
	if err == nil {
		err = buildFunction(dir)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	code := m.Run()
	_ = os.RemoveAll(dir)
	os.Exit(code)
}

func buildFunction(dir string) error {
	file := filepath.Join(dir, bootstrap)
	out, err := exec.Command("go", "build", "-ldflags=-s -w", "-o", file, "./testdata/function").CombinedOutput()
	if err != nil {
		return fmt.Errorf("build the test function: %w\n%s", err, out)
	}
	if bootstrapFile, err = os.ReadFile(file); err != nil {
		return err
	}
	if functionZip, err = zipOf(entry{bootstrap, 0o755, bootstrapFile}); err != nil {
		return err
	}
	if openedFunction, err = openArchive(functionZip); err != nil {
		return err
	}
	scriptZip, err = zipOf(entry{bootstrap, 0o755, []byte("#!/bin/sh\n")})
	return err
}

type entry struct {
	name string
	mode fs.FileMode
	data []byte
}

func zipOf(entries ...entry) ([]byte, error) {
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for _, e := range entries {
		h := &zip.FileHeader{Name: e.name, Method: zip.Store}
		h.SetMode(e.mode)
		w, err := z.CreateHeader(h)
		if err != nil {
			return nil, err
		}
		if _, err := w.Write(e.data); err != nil {
			return nil, err
		}
	}
	if err := z.Close(); err != nil { // before Bytes: it writes the directory
		return nil, err
	}
	return b.Bytes(), nil
}

func mustZip(t testing.TB, entries ...entry) []byte {
	t.Helper()
	data, err := zipOf(entries...)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// cloud is a Service behind HTTP, with an SDK client.
type cloud struct {
	*Service
	*sdk.Client
	url  string
	logs *logBook
}

func newCloud(t testing.TB, o Options) *cloud {
	t.Helper()
	book := &logBook{}
	if o.Log == nil {
		o.Log = book.add
	}
	if o.Dir == "" {
		o.Dir = t.TempDir()
	}
	s := New(o)
	front := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.ServeHTTP(w, r.WithContext(awsproto.WithCall(r.Context(), awsproto.NewCall(r, "lambda"))))
	}))
	t.Cleanup(func() {
		front.Close()
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	client := sdk.New(sdk.Options{
		BaseEndpoint: aws.String(front.URL), Region: "us-east-1", HTTPClient: front.Client(),
		Credentials: credentials.NewStaticCredentialsProvider("test", "test", ""),
		Retryer:     aws.NopRetryer{},
	})
	return &cloud{s, client, front.URL, book}
}

// Invoke is the Go API's: the SDK's is c.Client.Invoke.
func (c *cloud) Invoke(ctx context.Context, r Request) (Response, error) {
	return c.Service.Invoke(ctx, r)
}

func functionInput(name, behaviour string) *sdk.CreateFunctionInput {
	in := &sdk.CreateFunctionInput{
		FunctionName: &name, Role: aws.String(testRole), Handler: aws.String("bootstrap"), Runtime: types.RuntimeProvidedal2023,
		Code: &types.FunctionCode{ZipFile: scriptZip}, Timeout: aws.Int32(30),
	}
	if behaviour != "" {
		in.Environment = &types.Environment{Variables: map[string]string{"BEHAVIOUR": behaviour}}
	}
	return in
}

// create makes a function through the SDK, with testdata/function as its code.
// That is put in behind the API's back: megabytes of base64 take the race
// detector seconds, and TestInvokeReturnsTheFunctionsAnswer sends them once.
func (c *cloud) create(t testing.TB, name, behaviour string, change ...func(*sdk.CreateFunctionInput)) *sdk.CreateFunctionOutput {
	t.Helper()
	in := functionInput(name, behaviour)
	for _, f := range change {
		f(in)
	}
	out, err := c.CreateFunction(t.Context(), in)
	if err != nil {
		t.Fatalf("create %s: %v", name, err)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, v := range c.functions[arnHead+name].versions() {
		v.setCode(openedFunction)
	}
	return out
}

func (c *cloud) mustInvoke(t testing.TB, name, payload string) Response {
	t.Helper()
	res, err := c.Invoke(t.Context(), Request{Function: name, Payload: []byte(payload)})
	if err != nil {
		t.Fatalf("invoke %s: %v", name, err)
	}
	return res
}

// idle returns how many environments wait for work.
func (c *cloud) idle() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	n := 0
	for _, p := range c.pools {
		p.mu.Lock()
		n += len(p.idle)
		p.mu.Unlock()
	}
	return n
}

func decode[T any](t testing.TB, data []byte) T {
	t.Helper()
	var v T
	if err := json.Unmarshal(data, &v); err != nil {
		t.Fatalf("%v in %q", err, data)
	}
	return v
}

// wantFault checks the code of an AWS error and a part of its message.
func wantFault(t testing.TB, err error, code, part string) {
	t.Helper()
	gotCode, message := "", ""
	if e, ok := errors.AsType[*awsproto.Error](err); ok {
		gotCode, message = e.Code, e.Message
	} else if e, ok := errors.AsType[smithy.APIError](err); ok {
		gotCode, message = e.ErrorCode(), e.ErrorMessage()
	}
	if gotCode != code || !strings.Contains(message, part) {
		t.Fatalf("error = %v, want %s with %q", err, code, part)
	}
}

// logBook is a sink that can be waited for.
type logBook struct {
	mu      sync.Mutex
	lines   []LogLine
	changed chan struct{}
}

func (b *logBook) add(l LogLine) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.lines = append(b.lines, l)
	if b.changed != nil {
		close(b.changed)
		b.changed = nil
	}
}

func (b *logBook) all() []LogLine {
	b.mu.Lock()
	defer b.mu.Unlock()
	return append([]LogLine(nil), b.lines...)
}

func (b *logBook) texts() []string {
	var texts []string
	for _, l := range b.all() {
		texts = append(texts, l.Text)
	}
	return texts
}

// wait returns the first line with that text in it, once there are n of them.
func (b *logBook) wait(t testing.TB, part string, n int) LogLine {
	t.Helper()
	deadline := time.After(20 * time.Second)
	for {
		b.mu.Lock()
		var found []LogLine
		for _, l := range b.lines {
			if strings.Contains(l.Text, part) {
				found = append(found, l)
			}
		}
		if b.changed == nil {
			b.changed = make(chan struct{})
		}
		changed := b.changed
		b.mu.Unlock()
		if len(found) >= n {
			return found[0]
		}
		select {
		case <-changed:
		case <-deadline:
			t.Fatalf("%d lines with %q, want %d", len(found), part, n)
		}
	}
}

// eventually waits for a condition that only the operating system can signal.
func eventually(t testing.TB, what string, condition func() bool) {
	t.Helper()
	deadline := time.After(20 * time.Second)
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for !condition() {
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatalf("never happened: %s", what)
		}
	}
}
