package conformance

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// placeholders are the forms of what differs from event to event. In a golden
// file <id>, <id:connection> and so on stand for such a value; one with a name
// stands for the same value wherever it occurs.
var placeholders = map[string]*regexp.Regexp{
	"id":        regexp.MustCompile(`^[A-Za-z0-9_-]{15}=$`), // "R1kmxc2VNjMCFIA="
	"apiId":     regexp.MustCompile(`^[a-z0-9]{10}$`),       //
	"ms":        regexp.MustCompile(`^1[0-9]{12}$`),         // since 1970
	"clf":       regexp.MustCompile(`^\d\d/[A-Z][a-z]{2}/\d{4}:\d\d:\d\d:\d\d \+0000$`),
	"trace":     regexp.MustCompile(`^Root=1-[0-9a-f]{8}-[0-9a-f]{24}$`),
	"host":      regexp.MustCompile(`^localhost(:\d+)?$`),
	"ip":        regexp.MustCompile(`^(127\.0\.0\.1|::1)$`),
	"number":    regexp.MustCompile(`^\d+$`),
	"uuid":      regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$`),
	"msText":    regexp.MustCompile(`^1[0-9]{12}$`),
	"md5":       regexp.MustCompile(`^[0-9a-f]{32}$`),
	"methodArn": regexp.MustCompile(`^arn:aws:execute-api:eu-west-1:000000000000:[a-z0-9]{10}/live/\$connect$`),
	"queue":     regexp.MustCompile(`^arn:aws:sqs:eu-west-1:000000000000:queue-\d+$`),
	"text":      regexp.MustCompile(`.`),
}

// numbers are the placeholders of JSON numbers; the others are strings.
var numbers = []string{"ms", "number"}

var placeholder = regexp.MustCompile(`^<([A-Za-z0-9]+)(:[a-zA-Z]+)?>$`)

// golden compares an event with testdata/events/<file>: no member more, none
// missing, none null or of another type.
func golden(t *testing.T, file string, got json.RawMessage) {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join("testdata", "events", file))
	if err != nil {
		t.Fatal(err)
	}
	var want, have any
	if err := json.Unmarshal(raw, &want); err != nil {
		t.Fatalf("%s: %v", file, err)
	}
	if err := json.Unmarshal(got, &have); err != nil {
		t.Fatalf("event %s: %v", got, err)
	}
	if differences := (matcher{}).compare("event", want, have); len(differences) > 0 {
		t.Errorf("not as %s:\n%s\n%s", file, strings.Join(differences, "\n"), got)
	}
}

// matcher remembers the values of placeholders with names.
type matcher map[string]any

func (m matcher) compare(path string, want, got any) []string {
	switch w := want.(type) {
	case map[string]any:
		g, ok := got.(map[string]any)
		if !ok {
			return []string{fmt.Sprintf("%s is %v, want an object", path, got)}
		}
		return m.compareObjects(path, w, g)
	case []any:
		g, ok := got.([]any)
		if !ok || len(g) != len(w) {
			return []string{fmt.Sprintf("%s is %v, want %d elements", path, got, len(w))}
		}
		var found []string
		for i := range w {
			found = append(found, m.compare(fmt.Sprintf("%s[%d]", path, i), w[i], g[i])...)
		}
		return found
	case string:
		if kind := placeholder.FindStringSubmatch(w); kind != nil {
			return m.fill(path, w, kind[1], kind[2] != "", got)
		}
	}
	if !reflect.DeepEqual(want, got) {
		return []string{fmt.Sprintf("%s is %#v, want %#v", path, got, want)}
	}
	return nil
}

func (m matcher) compareObjects(path string, want, got map[string]any) []string {
	var found []string
	for _, key := range slices.Sorted(maps.Keys(want)) {
		value, ok := got[key]
		if !ok {
			found = append(found, path+"."+key+" is missing")
			continue
		}
		found = append(found, m.compare(path+"."+key, want[key], value)...)
	}
	for _, key := range slices.Sorted(maps.Keys(got)) {
		if _, ok := want[key]; !ok {
			found = append(found, fmt.Sprintf("%s.%s (%v) is one too many", path, key, got[key]))
		}
	}
	return found
}

func (m matcher) fill(path, token, kind string, named bool, got any) []string {
	form, known := placeholders[kind]
	if !known {
		return []string{path + ": no placeholder " + token}
	}
	text, isText := got.(string)
	number, isNumber := got.(float64)
	if wantNumber := slices.Contains(numbers, kind); wantNumber {
		text, isText = fmt.Sprintf("%.0f", number), isNumber
	}
	if !isText || !form.MatchString(text) {
		return []string{fmt.Sprintf("%s is %#v, want %s", path, got, token)}
	}
	if !named {
		return nil
	}
	if before, ok := m[token]; ok && before != got {
		return []string{fmt.Sprintf("%s is %v, but %s was %v before", path, got, token, before)}
	}
	m[token] = got
	return nil
}

func TestGoldenFilesNoticeEveryDifference(t *testing.T) {
	const want = `{"id":"<id:a>","same":"<id:a>","at":"<ms>","list":["x"],"flag":false}`
	tests := []struct {
		name, got string
		found     int
	}{
		{"equal", `{"id":"R1kmxc2VNjMCFIA=","same":"R1kmxc2VNjMCFIA=","at":1700000000000,"list":["x"],"flag":false}`, 0},
		{"missing", `{"id":"R1kmxc2VNjMCFIA=","same":"R1kmxc2VNjMCFIA=","at":1700000000000,"list":["x"]}`, 1},
		{"one more", `{"id":"R1kmxc2VNjMCFIA=","same":"R1kmxc2VNjMCFIA=","at":1700000000000,"list":["x"],"flag":false,"y":1}`, 1},
		{"null", `{"id":"R1kmxc2VNjMCFIA=","same":"R1kmxc2VNjMCFIA=","at":1700000000000,"list":null,"flag":false}`, 1},
		{"a string for a number", `{"id":"R1kmxc2VNjMCFIA=","same":"R1kmxc2VNjMCFIA=","at":"1700000000000","list":["x"],"flag":false}`, 1},
		{"another value for the same name", `{"id":"R1kmxc2VNjMCFIA=","same":"R1kmxc2VNjMCFIB=","at":1700000000000,"list":["x"],"flag":false}`, 1},
		{"another form", `{"id":"17","same":"17","at":1700000000000,"list":["x"],"flag":false}`, 2},
		{"another length", `{"id":"R1kmxc2VNjMCFIA=","same":"R1kmxc2VNjMCFIA=","at":1700000000000,"list":["x","y"],"flag":false}`, 1},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var w, g any
			if err := json.Unmarshal([]byte(want), &w); err != nil {
				t.Fatal(err)
			}
			if err := json.Unmarshal([]byte(tt.got), &g); err != nil {
				t.Fatal(err)
			}
			if found := (matcher{}).compare("event", w, g); len(found) != tt.found {
				t.Errorf("found %q, want %d", found, tt.found)
			}
		})
	}
}
