package emulator

import (
	"archive/zip"
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestASnapshotIsAZipWithAServiceAnEntry(t *testing.T) {
	dir := t.TempDir()
	e, err := New(Options{Addr: "127.0.0.1:0", DataDir: dir})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = e.Close(t.Context()) })
	e.clock.Advance(90 * time.Minute)
	if err := e.Save(); err != nil {
		t.Fatal(err)
	}
	z, err := zip.OpenReader(filepath.Join(dir, SnapshotFile))
	if err != nil {
		t.Fatal(err)
	}
	defer z.Close()
	var names []string
	for _, f := range z.File {
		names = append(names, f.Name)
		if f.Method != zip.Store {
			t.Errorf("%s is compressed", f.Name)
		}
	}
	want := []string{"cloud.json", "iam.json", "logs.json", "cloudwatch.json", "dynamodb.json", "sqs.json", "apigateway.json", "lambda.json"}
	if !slices.Equal(names, want) {
		t.Errorf("entries %v, want %v", names, want)
	}
	if head, err := z.Open("cloud.json"); err != nil {
		t.Error(err)
	} else if text, err := io.ReadAll(head); err != nil || string(text) != `{"version":3,"clock":"1h30m0s","addresses":[{"public":"localhost:0","own":"127.0.0.1:0"}]}` {
		t.Errorf("cloud.json is %s, %v", text, err)
	}
	if left, err := filepath.Glob(filepath.Join(dir, "*.tmp")); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

func TestASaveThatFailsLeavesTheOldFile(t *testing.T) {
	dir := t.TempDir()
	e, err := New(Options{Addr: "127.0.0.1:0", DataDir: dir})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = e.Close(t.Context()) })
	path := filepath.Join(dir, SnapshotFile)
	if err := os.MkdirAll(filepath.Join(path, "in the way"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := e.Save(); err == nil || !strings.Contains(err.Error(), path) {
		t.Errorf("error %v", err)
	}
	if left, err := filepath.Glob(filepath.Join(dir, "*.tmp")); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

// snapshotOf is a snapshot by hand: name and content in turn.
func snapshotOf(tb testing.TB, method uint16, entries ...string) []byte {
	tb.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for i := 0; i < len(entries); i += 2 {
		w, err := z.CreateHeader(&zip.FileHeader{Name: entries[i], Method: method})
		if err == nil {
			_, err = io.WriteString(w, entries[i+1])
		}
		if err != nil {
			tb.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		tb.Fatal(err)
	}
	return b.Bytes()
}

const goodHead = `{"version":3,"clock":"1h0m0s"}`

func TestOnlyAWholeSnapshotOfThisVersionIsOpened(t *testing.T) {
	inner := string(snapshotOf(t, zip.Store, "bootstrap", "#!/bin/sh\n"))
	whole := snapshotOf(t, zip.Store, "cloud.json", goodHead, "lambda.json", "{}", "lambda/a.zip", inner)
	s, err := openSnapshot(bytes.NewReader(whole), int64(len(whole)))
	if err != nil || time.Duration(s.head.Clock) != time.Hour {
		t.Fatalf("%+v, %v", s, err)
	}
	state, large, err := s.stateOf(namedKeeper{name: "lambda"})
	if err != nil || string(state) != "{}" || len(large) != 1 {
		t.Fatalf("%s, %v, %v", state, large, err)
	}
	if code, err := io.ReadAll(large["a.zip"]); err != nil || string(code) != inner {
		t.Errorf("the blob is %q, %v", code, err)
	}
	// Its last entry is a zip: cut off after that, the file ends as a zip does.
	for n := range whole {
		if _, err := openSnapshot(bytes.NewReader(whole[:n]), int64(n)); !errors.Is(err, errSnapshot) {
			t.Fatalf("the first %d of %d bytes: error %v", n, len(whole), err)
		}
	}
	for what, data := range map[string][]byte{
		"the format of before":               []byte(`{"version":2,"clock":"0s","services":{`),
		"another version":                    snapshotOf(t, zip.Store, "cloud.json", `{"version":4,"clock":"0s"}`),
		"a head that is none":                snapshotOf(t, zip.Store, "cloud.json", `{"version":3,"clock":1}`),
		"a zip without head":                 []byte(inner),
		"a bit that has changed in the head": bytes.Replace(whole, []byte(`"1h`), []byte(`"3h`), 1),
	} {
		if _, err := openSnapshot(bytes.NewReader(data), int64(len(data))); !errors.Is(err, errSnapshot) {
			t.Errorf("%s: error %v", what, err)
		}
	}
}

func TestAStateThatCannotBeReadIsNamed(t *testing.T) {
	const name, code = "lambda/a.zip", "code"
	good := snapshotOf(t, zip.Store, "cloud.json", goodHead, "lambda.json", `{"Functions":null}`, name, code)
	misplaced := bytes.Clone(good)
	misplaced[bytes.Index(good, []byte(name))-30] ^= 1 // where the blob's own header begins
	for _, tt := range []struct {
		what string
		data []byte
		want string
	}{
		{"no state", snapshotOf(t, zip.Store, "cloud.json", goodHead, name, code), "lambda.json is missing"},
		{"a bit that has changed", bytes.Replace(good, []byte("null"), []byte("nulm"), 1), "lambda.json: zip: checksum error"},
		{"a blob that somebody compressed", snapshotOf(t, zip.Deflate, "cloud.json", goodHead, "lambda.json", "{}", name, code), "lambda/a.zip is compressed"},
		{"a blob that is not where the list says", misplaced, "lambda/a.zip: zip: not a valid zip file"},
	} {
		t.Run(tt.what, func(t *testing.T) {
			s, err := openSnapshot(bytes.NewReader(tt.data), int64(len(tt.data)))
			if err == nil {
				_, _, err = s.stateOf(namedKeeper{name: "lambda"})
			}
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error %v, want one with %q", err, tt.want)
			}
		})
	}
}

func FuzzOpenSnapshot(f *testing.F) {
	whole := snapshotOf(f, zip.Store, "cloud.json", goodHead, "lambda.json", "{}", "lambda/a.zip", "code")
	f.Add(whole)
	f.Add(whole[:len(whole)-10])
	f.Add(snapshotOf(f, zip.Deflate, "cloud.json", goodHead, "lambda.json", "{}", "lambda/a.zip", "code"))
	f.Add([]byte(`{"version":2}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		s, err := openSnapshot(bytes.NewReader(data), int64(len(data)))
		if err != nil {
			if !errors.Is(err, errSnapshot) {
				t.Errorf("error %v", err)
			}
			return
		}
		_, large, err := s.stateOf(namedKeeper{name: "lambda"})
		if err != nil {
			return
		}
		for name, blob := range large {
			if n, err := io.Copy(io.Discard, blob); n > int64(len(data)) {
				t.Errorf("%s gives %d of %d bytes, %v", name, n, len(data), err)
			}
		}
	})
}
