// Infradocs writes the inputs, outputs and example of each Terraform module into
// its README, from the .tf files and examples/basic. Its test, part of `make
// test`, fails where one is out of date.
//
//	go run ./scripts/infradocs
//
// It reads what `terraform fmt` has formatted, no HCL at large: a variable is
// declared over several lines, its object type's attributes each on a line of
// its own, where a comment is the attribute's description.
package main

import (
	"fmt"
	"os"
	"path/filepath"
)

func main() {
	if err := write("."); err != nil {
		fmt.Fprintln(os.Stderr, "infradocs:", err)
		os.Exit(1)
	}
}

func write(root string) error {
	all, err := folders(root)
	if err != nil {
		return err
	}
	for _, folder := range all {
		is, want, err := readme(folder)
		if err != nil {
			return err
		}
		if is == want {
			continue
		}
		path := filepath.Join(folder, "README.md")
		if err := os.WriteFile(path, []byte(want), 0o644); err != nil {
			return err
		}
		fmt.Println("wrote", path)
	}
	return nil
}
