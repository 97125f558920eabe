package main

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// The generated part of a README lies between these lines.
const (
	begin = "<!-- made from the .tf files by `go run ./scripts/infradocs` -->"
	end   = "<!-- until here -->"
)

// MaxVariables is how many variables a module has at most: what belongs
// together is one typed object.
const MaxVariables = 14

// folders are the root module and the modules, below the repository.
func folders(root string) ([]string, error) {
	modules, err := filepath.Glob(filepath.Join(root, "infra", "modules", "*"))
	return append([]string{filepath.Join(root, "infra")}, modules...), err
}

// readme returns what a folder's README is and what it should be.
func readme(folder string) (is, want string, err error) {
	data, err := os.ReadFile(filepath.Join(folder, "README.md"))
	if err != nil {
		return "", "", err
	}
	made, err := generate(folder)
	if err != nil {
		return "", "", fmt.Errorf("%s: %w", folder, err)
	}
	is = string(data)
	before, rest, ok := strings.Cut(is, begin)
	_, after, closed := strings.Cut(rest, end)
	if !ok || !closed {
		return "", "", fmt.Errorf("%s/README.md lacks the lines %s and %s", folder, begin, end)
	}
	return is, before + begin + "\n\n" + made + "\n" + end + after, nil
}

// parse reads the variables and outputs of a folder.
func parse(folder string) ([]block, error) {
	files, err := filepath.Glob(filepath.Join(folder, "*.tf"))
	if err != nil {
		return nil, err
	}
	var all []block
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			return nil, err
		}
		all = append(all, blocks(string(data))...)
	}
	return all, nil
}

// generate makes a folder's example, inputs and outputs.
func generate(folder string) (string, error) {
	all, err := parse(folder)
	if err != nil {
		return "", err
	}
	var s strings.Builder
	if err := example(&s, folder); err != nil {
		return "", err
	}
	if err := inputs(&s, all); err != nil {
		return "", err
	}
	return s.String(), outputs(&s, all)
}

// example shows the module's example, which its tests apply, without the block
// that names the provider. The root has none: people apply it itself.
func example(s *strings.Builder, folder string) error {
	data, err := os.ReadFile(filepath.Join(folder, "examples", "basic", "main.tf"))
	if os.IsNotExist(err) && filepath.Base(folder) == "infra" {
		return nil
	}
	if err != nil {
		return err
	}
	_, code, ok := strings.Cut(string(data), "\n}\n\n")
	if !ok {
		return fmt.Errorf("examples/basic/main.tf does not begin with a terraform block")
	}
	code = strings.ReplaceAll(code, `"../.."`, `"./modules/`+filepath.Base(folder)+`"`)
	fmt.Fprintf(s, "Example (`examples/basic`, which the tests apply):\n\n```hcl\n%s```\n\n", code)
	return nil
}

func inputs(s *strings.Builder, all []block) error {
	s.WriteString("## Inputs\n\n| input | type | default | meaning |\n|---|---|---|---|\n")
	count := 0
	for _, b := range sorted(all, "variable") {
		count++
		description, err := b.text("description")
		if err != nil {
			return err
		}
		kind, members := b.attribute("type"), b.members()
		if kind == "" {
			return fmt.Errorf("variable %q has no type", b.Name)
		}
		if members != nil {
			kind, _, _ = strings.Cut(kind, "({")
			kind += strings.Repeat(")", strings.Count(kind, "("))
		}
		fallback := b.attribute("default")
		if fallback == "" {
			fallback = "required"
		}
		row(s, "`"+b.Name+"`", kind, code(fallback), description)
		for _, m := range members {
			if m.Comment == "" {
				return fmt.Errorf("attribute %s of variable %q has no comment behind it that says what it is", m.Name, b.Name)
			}
			row(s, "`"+b.Name+"."+m.Name+"`", m.Type, code(m.Default), m.Comment)
		}
	}
	if count > MaxVariables {
		return fmt.Errorf("%d variables: a module has at most %d, group what belongs together", count, MaxVariables)
	}
	return nil
}

func outputs(s *strings.Builder, all []block) error {
	s.WriteString("\n## Outputs\n\n| output | meaning |\n|---|---|\n")
	for _, b := range sorted(all, "output") {
		description, err := b.text("description")
		if err != nil {
			return err
		}
		row(s, "`"+b.Name+"`", description)
	}
	return nil
}

// sorted picks the blocks of a kind: the required ones in the file's order.
func sorted(all []block, kind string) []block {
	var picked []block
	for _, b := range all {
		if b.Kind == kind {
			picked = append(picked, b)
		}
	}
	if kind == "variable" {
		slices.SortStableFunc(picked, func(a, b block) int { return optional(a) - optional(b) })
	}
	return picked
}

func optional(b block) int {
	if b.attribute("default") == "" {
		return 0
	}
	return 1
}

func code(value string) string {
	if value == "required" {
		return value
	}
	return "`" + value + "`"
}

func row(s *strings.Builder, cells ...string) {
	for i, c := range cells {
		cells[i] = strings.ReplaceAll(strings.Join(strings.Fields(c), " "), "|", `\|`)
	}
	s.WriteString("| " + strings.Join(cells, " | ") + " |\n")
}
