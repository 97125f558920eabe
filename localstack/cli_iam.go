package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/url"
	"strconv"
	"strings"
	"text/tabwriter"

	"fanfare/localstack/emulator"
)

const iamHelp = `usage: go run ./localstack iam report [-role NAME] [-json]   what each role is granted and has used
       go run ./localstack iam policy ROLE                   the smallest policy for what it has used
       go run ./localstack iam clear                         forget what was used

For each role the report lists what its policies grant, and how often that was
used; what was used, by its policies or a queue's or function's own; and what was
refused. It counts calls that are signed with a role's credentials, and what
Lambda and API Gateway do with the role, since the cloud started or "clear": so
clear, run your tests, and see what the policies could do without.

"policy" prints a JSON document to paste or to compare. It allows what was used,
without the conditions that your policies have: put those back. What your tests
do not do is not in it. It has this cloud's account, 000000000000, and the ids of
its APIs. A role that used over 1,000 resources has "*" in it for the others.
`

func (p program) iam(ctx context.Context, args []string) error {
	verb := ""
	if len(args) > 0 && !strings.HasPrefix(args[0], "-") {
		verb, args = args[0], args[1:]
	}
	f, addr := p.flags("iam " + verb)
	var role string
	var asJSON bool
	if verb == "report" {
		f.StringVar(&role, "role", "", "only of the `role` with this name or ARN")
		f.BoolVar(&asJSON, "json", false, "one JSON object a line, for each role")
	}
	rest, c, err := p.open(f, addr, args, iamHelp)
	if err != nil {
		return err
	}
	switch {
	case verb == "report" && len(rest) == 0:
		roles, err := c.access(ctx, role)
		if err != nil {
			return err
		}
		return p.printAccess(roles, asJSON)
	case verb == "policy" && len(rest) == 1:
		return p.printPolicy(ctx, c, rest[0])
	case verb == "clear" && len(rest) == 0:
		return c.call(ctx, "DELETE", "iam", nil, nil)
	}
	return p.misused("want iam report, policy ROLE or clear: see go run ./localstack iam --help")
}

// access asks for one role, or for all.
func (c cloud) access(ctx context.Context, role string) ([]emulator.RoleAccess, error) {
	path := "iam"
	if role != "" {
		path += "?" + url.Values{"role": {role}}.Encode()
	}
	var list emulator.AccessList
	err := c.call(ctx, "GET", path, nil, &list)
	return list.Roles, err
}

func (p program) printPolicy(ctx context.Context, c cloud, role string) error {
	roles, err := c.access(ctx, role)
	if err != nil {
		return err
	}
	if len(roles[0].Policy) == 0 {
		return fmt.Errorf("%s has used nothing yet", roles[0].Role)
	}
	var b bytes.Buffer
	if err := json.Indent(&b, roles[0].Policy, "", "  "); err != nil {
		return err
	}
	unused := 0
	for _, g := range roles[0].Granted {
		if g.Used == 0 {
			unused++
		}
	}
	if unused > 0 {
		fmt.Fprintf(p.stderr, "It leaves out %d that are granted and were not used yet (iam report lists them): has the role done all that it does?\n", unused)
	}
	_, err = fmt.Fprintln(p.stdout, b.String())
	return err
}

func (p program) printAccess(roles []emulator.RoleAccess, asJSON bool) error {
	if asJSON {
		enc := json.NewEncoder(p.stdout)
		for _, r := range roles {
			if err := enc.Encode(r); err != nil {
				return err
			}
		}
		return nil
	}
	for i, r := range roles {
		if i > 0 {
			fmt.Fprintln(p.stdout)
		}
		if err := printRole(p.stdout, r); err != nil {
			return err
		}
	}
	return nil
}

// printRole prints a role's lists, each where it has lines.
func printRole(out io.Writer, r emulator.RoleAccess) error {
	fmt.Fprintln(out, emulator.Printable(r.Role, ""))
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	row := func(cells ...string) {
		for i, cell := range cells {
			cells[i] = emulator.Printable(cell, "")
		}
		fmt.Fprintln(w, "  "+strings.Join(cells, "\t"))
	}
	head := func(cells ...string) {
		_ = w.Flush() // each list has columns of its own; the last Flush tells of errors
		row(cells...)
	}
	unused := 0
	for i, g := range r.Granted {
		if i == 0 {
			head("GRANTED", "ON", "BY", "USED")
		}
		used := strconv.Itoa(g.Used)
		if g.Used == 0 {
			used = "never"
			unused++
		}
		row(g.Action, g.Resource, grantedBy(g), used)
	}
	for i, a := range r.Used {
		if i == 0 {
			head("USED", "ON", "TIMES")
		}
		row(a.Action, a.Resource, strconv.Itoa(a.Allowed))
	}
	for i, a := range r.Refused {
		if i == 0 {
			head("REFUSED", "ON", "TIMES")
		}
		row(a.Action, a.Resource, strconv.Itoa(a.Denied))
	}
	for i, a := range r.AssumedBy {
		if i == 0 {
			head("ASSUMED BY", "TIMES", "REFUSED")
		}
		row(a.Service, strconv.Itoa(a.Allowed), strconv.Itoa(a.Denied))
	}
	if err := w.Flush(); err != nil {
		return err
	}
	_, err := fmt.Fprintf(out, "  %d of %d grants were never used\n", unused, len(r.Granted))
	return err
}

// grantedBy names the statement.
func grantedBy(g emulator.Grant) string {
	by := g.Policy
	if g.Sid != "" {
		by += " " + g.Sid
	}
	if g.Conditional {
		by += " (on a condition)"
	}
	return by
}
