package structure

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// Decisions are cited by number, so each has one of its own, and stands where one
// looks for it.
func TestDecisionsAreNumberedInOrder(t *testing.T) {
	text, err := os.ReadFile(filepath.Join(root, "DECISIONS.md"))
	if err != nil {
		t.Fatal(err)
	}
	headings := regexp.MustCompile(`(?m)^## .*`).FindAllString(string(text), -1)
	if len(headings) == 0 {
		t.Fatal("there is no decision: the test does not read them right")
	}
	for i, heading := range headings {
		if want := fmt.Sprintf("## %d. ", i+1); !strings.HasPrefix(heading, want) {
			t.Fatalf("%q stands where %q should", heading, want)
		}
	}
}

var link = regexp.MustCompile(`\]\(([^)#:]+)(?:#[^)]*)?\)`)

func TestLinksBetweenDocumentsLeadSomewhere(t *testing.T) {
	links := 0
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && path != root && strings.HasPrefix(d.Name(), "."):
			return fs.SkipDir
		case filepath.Ext(path) != ".md":
			return nil
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		for _, m := range link.FindAllStringSubmatch(string(text), -1) {
			links++
			if _, err := os.Stat(filepath.Join(filepath.Dir(path), m[1])); err != nil {
				t.Errorf("%s links to %s, which is not there", path, m[1])
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if links < 10 {
		t.Errorf("found %d links: the test does not read them right", links)
	}
}
