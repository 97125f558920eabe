package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// table is the results as Markdown.
func table(d deployment, results []Result) string {
	var b strings.Builder
	b.WriteString("| connections | time | promised | units | Lambda calls | of them splitting | Lambdas at a time | dollars |\n")
	b.WriteString("|---|---|---|---|---|---|---|---|\n")
	for _, r := range results {
		fmt.Fprintf(&b, "| %s | %.1f s | ≤ %.1f s | %s | %s | %d | %d | %.3f |\n",
			count(r.Connections), r.Time.Seconds(), bound(d, r.Connections).Seconds(), count(r.Units), count(r.Calls), r.Splits, r.Lambdas, r.Usage.Dollars())
	}
	return b.String()
}

// count writes a number with commas.
func count(n int) string {
	s := strconv.Itoa(n)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

// Where the table stands in the README.
const (
	begin = "<!-- make simulate: go run ./scripts/simulate -update writes what follows -->\n"
	end   = "<!-- end of make simulate -->\n"
)

// plotFile is the plot, from the repository's root.
const plotFile = "scripts/simulate/plot.svg"

// update writes table and plot into the repository at root.
func update(root string, d deployment, results []Result) error {
	path := filepath.Join(root, "README.md")
	readme, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	text, err := replaced(string(readme), table(d, results))
	if err != nil {
		return err
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		return err
	}
	path = filepath.Join(root, plotFile)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	return os.WriteFile(path, []byte(plot(d, results)), 0o644)
}

// replaced puts the table between the README's marks.
func replaced(readme, table string) (string, error) {
	before, rest, found := strings.Cut(readme, begin)
	_, after, ended := strings.Cut(rest, end)
	if !found || !ended {
		return "", fmt.Errorf("README.md lacks the line %q or %q", begin, end)
	}
	return before + begin + table + end + after, nil
}
