package integration

import (
	"cmp"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"

	tfjson "github.com/hashicorp/terraform-json"
)

// changes are what a plan does, by address: "update timeout version?" names the
// attributes that change, with a question mark those that are known only after the
// apply. What is created or deleted says no more than that.
type changes map[string]string

func planned(p *tfjson.Plan) changes {
	all := changes{}
	for _, r := range p.ResourceChanges {
		if r.Mode == tfjson.ManagedResourceMode && !r.Change.Actions.NoOp() {
			all[r.Address] = describe(r.Change)
		}
	}
	return all
}

func describe(c *tfjson.Change) string {
	var words []string
	for _, a := range c.Actions {
		words = append(words, string(a))
	}
	what := strings.Join(words, ",") // "create,delete" is a replacement that makes the new one first
	switch {
	case c.Actions.Update():
		return what + " " + strings.Join(differences(c.Before, c.After, c.AfterUnknown), " ")
	case c.Actions.Replace():
		var because []string
		for _, path := range c.ReplacePaths {
			because = append(because, fmt.Sprint(path))
		}
		return strings.TrimSpace(what + " for " + strings.Join(because, " "))
	}
	return what
}

// differences lists the paths of attributes that differ, and those of unknown ones.
func differences(before, after, unknown any) []string {
	var paths []string
	var walk func(before, after, unknown any, path string)
	walk = func(before, after, unknown any, path string) {
		if unknown == true {
			paths = append(paths, path+"?")
			return
		}
		b, a, u := members(before), members(after), members(unknown)
		if b == nil || a == nil {
			if !reflect.DeepEqual(before, after) && (!isZero(before) || !isZero(after)) {
				paths = append(paths, path)
			}
			return
		}
		keys := map[string]bool{}
		for _, m := range []map[string]any{b, a, u} {
			for k := range m {
				keys[k] = true
			}
		}
		for _, k := range slices.Sorted(maps.Keys(keys)) {
			walk(b[k], a[k], u[k], strings.TrimPrefix(path+"."+k, "."))
		}
	}
	walk(before, after, unknown, "")
	return paths
}

// isZero reports whether a value says nothing. The provider is built on an SDK
// that does not tell null from zero, so a plan may have the one for the other.
func isZero(v any) bool {
	switch v := v.(type) {
	case []any:
		return len(v) == 0
	case map[string]any:
		return len(v) == 0
	}
	return v == nil || v == "" || v == 0.0 || v == false
}

// members are those of an object, and of a list by their numbers.
func members(v any) map[string]any {
	switch v := v.(type) {
	case map[string]any:
		return v
	case []any:
		all := map[string]any{}
		for i, e := range v {
			all[fmt.Sprint(i)] = e
		}
		return all
	}
	return nil
}

func (got changes) want(t *testing.T, want changes) {
	t.Helper()
	for _, address := range slices.Sorted(maps.Keys(want)) {
		if got[address] != want[address] {
			t.Errorf("%s\n  plan: %s\n  want: %s", address, cmp.Or(got[address], "nothing"), want[address])
		}
	}
	for _, address := range slices.Sorted(maps.Keys(got)) {
		if _, ok := want[address]; !ok {
			t.Errorf("%s\n  plan: %s\n  want: nothing", address, got[address])
		}
	}
}

func TestAPlanIsReadToTheAttribute(t *testing.T) {
	for name, c := range map[string]struct {
		change tfjson.Change
		want   string
	}{
		"nested, unknown and removed": {tfjson.Change{
			Actions:      tfjson.Actions{tfjson.ActionUpdate},
			Before:       map[string]any{"a": 1.0, "block": []any{map[string]any{"x": 1.0, "y": 2.0}}, "tags": map[string]any{"old": "1"}, "v": "1", "same": nil},
			After:        map[string]any{"a": 2.0, "block": []any{map[string]any{"x": 1.0, "y": 3.0}}, "tags": map[string]any{}, "same": nil},
			AfterUnknown: map[string]any{"v": true, "block": []any{map[string]any{}}},
		}, "update a block.0.y tags.old v?"},
		"a block that goes": {tfjson.Change{
			Actions: tfjson.Actions{tfjson.ActionUpdate}, Before: map[string]any{"block": []any{map[string]any{"x": 1.0}}}, After: map[string]any{"block": []any{}},
		}, "update block.0"},
		"null and zero": {tfjson.Change{
			Actions: tfjson.Actions{tfjson.ActionUpdate},
			Before:  map[string]any{"a": nil, "b": 0.0, "c": "", "d": []any{}, "e": false, "f": 0.0},
			After:   map[string]any{"a": 0.0, "b": nil, "c": nil, "d": nil, "e": nil, "f": 1.0},
		}, "update f"},
		"a replacement": {tfjson.Change{
			Actions: tfjson.Actions{tfjson.ActionCreate, tfjson.ActionDelete}, ReplacePaths: []any{[]any{"triggers"}},
		}, "create,delete for [triggers]"},
		"a creation": {tfjson.Change{Actions: tfjson.Actions{tfjson.ActionCreate}, After: map[string]any{"a": 1.0}}, "create"},
	} {
		if got := describe(&c.change); got != c.want {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}
