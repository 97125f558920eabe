package main

import (
	"errors"
	"flag"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestFlagsThatAreRefused(t *testing.T) {
	for want, args := range map[string]string{
		"-tenant is missing":        "-all -data 1",
		"exactly one of":            "-tenant acme -data 1",
		"exactly one of -channel":   "-tenant acme -data 1 -all -user u",
		"-data is missing":          "-tenant acme -all",
		"-data is not JSON":         "-tenant acme -all -data hello",
		"nothing may follow":        `-tenant acme -all -data {"n": 1}`,
		"-key is empty":             "-tenant acme -all -data 1 -key=",
		"-ttl is a time in whole":   "-tenant acme -all -data 1 -ttl 1500ms",
		"-ttl is a time":            "-tenant acme -all -data 1 -ttl 0s",
		"-user: \"to\" must have":   "-tenant acme -user= -data 1",
		"names an id twice":         "-tenant acme -connections a,a -data 1",
		"leave out -tenant":         "-status M -tenant acme",
		"leave out -dry-run":        "-status M -dry-run",
		"-status is missing":        "-status=",
		"-post-rate is for":         "-tenant acme -all -data 1 -post-rate 100",
		"nothing that could be":     "-tenant acme -all -data 1 -dry-run -timeout 1m",
		"must be positive":          "-tenant acme -all -data 1 -timeout -1s",
		"-timeout is how long":      "-tenant acme -all -data 1 -timeout 1s -follow=false",
		"leave out -queue-url":      "-tenant acme -all -data 1 -outputs o.json -table t",
		"not defined: -chanel":      "-tenant acme -chanel c -data 1",
		"-connections: \"to\" must": "-tenant acme -connections , -data 1",
	} {
		_, err := parseOptions(strings.Fields(args), nil, io.Discard)
		if _, misused := errors.AsType[*usageError](err); !misused || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: error %v, want a mistake of usage with %q", args, err, want)
		}
	}
	if _, err := parseOptions([]string{"-help"}, nil, io.Discard); !errors.Is(err, flag.ErrHelp) {
		t.Errorf("-help: %v", err)
	}
}

func TestDataFromEachPlace(t *testing.T) {
	file := filepath.Join(t.TempDir(), "data.json")
	if err := os.WriteFile(file, []byte(`{"from":"file"}`), 0o600); err != nil {
		t.Fatal(err)
	}
	for arg, want := range map[string]string{
		`{"n":1}`: `{"n":1}`, "@" + file: `{"from":"file"}`, "-": `{"from":"stdin"}`, `"@text"`: `"@text"`,
	} {
		o, err := parseOptions([]string{"-tenant", "acme", "-all", "-data", arg}, strings.NewReader(`{"from":"stdin"}`), io.Discard)
		if err != nil || string(o.data) != want {
			t.Errorf("-data %s: %s, error %v", arg, o.data, err)
		}
	}
	if _, err := parseOptions([]string{"-tenant", "acme", "-all", "-data", "@" + file + "x"}, nil, io.Discard); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a file that is not there: %v", err)
	}
}

func TestTheBarFitsItsTerminal(t *testing.T) {
	s := state{begun: true, splitting: true}
	s.Units, s.Open, s.Audience, s.Delivered, s.Dead, s.Waiting, s.Gone = 4, 1, 2000, 1500, 1, 3, 2
	s.Failed = map[string]int{"throttled": 2, "failed": 1, "deadline": 2}
	s.Last = 1500 * time.Millisecond
	var out strings.Builder
	b := &bar{out: &out, columns: func() int { return 50 }}
	b.show(s)
	b.clear()
	want := "\r\x1b[K[██████████████████░░░░░░] units 3/4+ · delivered\r\x1b[K"
	if got := out.String(); got != want {
		t.Errorf("drawn %q, want %q", got, want)
	}
	wide := &bar{out: &out, columns: func() int { return 400 }}
	out.Reset()
	wide.show(s)
	if want := "delivered 1,500 of 2,000 · gone 2 · dead units 1 · waiting 3 · failed: deadline 2, throttled 2, failed 1 · last 1.5 s"; !strings.Contains(out.String(), want) {
		t.Errorf("drawn %q, want it to hold %q", &out, want)
	}
}

func TestNumbersAndTimes(t *testing.T) {
	for n, want := range map[int]string{0: "0", 999: "999", 1000: "1,000", 1234567: "1,234,567"} {
		if got := count(n); got != want {
			t.Errorf("%d is written %s", n, got)
		}
	}
	for d, want := range map[time.Duration]string{
		0: "0 ms", 999 * time.Millisecond: "999 ms", time.Second: "1.0 s", 100 * time.Second: "100.0 s", 200 * time.Second: "3m20s",
	} {
		if got := took(d); got != want {
			t.Errorf("%v is written %s", d, got)
		}
	}
}
