package lambda

import (
	"bytes"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

func TestReadLines(t *testing.T) {
	long := strings.Repeat("x", maxLine)
	for _, tt := range []struct {
		what, in string
		want     []string
	}{
		{"nothing", "", nil},
		{"lines", "a\nb\n", []string{"a\n", "b\n"}},
		{"no end", "a\nb", []string{"a\n", "b"}},
		{"an empty line", "a\n\nb\n", []string{"a\n", "\n", "b\n"}},
		{"a line longer than the first buffer", long[:5000] + "\nb\n", []string{long[:5000] + "\n", "b\n"}},
		{"a line longer than any", long + "yz\n", []string{long, "yz\n"}},
	} {
		for _, size := range []int{1 << 20, 7, 1} {
			if size < 7 && len(tt.in) > 10000 {
				continue
			}
			var got []string
			readLines(&chunks{[]byte(tt.in), size}, func(line []byte) { got = append(got, string(line)) })
			if strings.Join(got, "|") != strings.Join(tt.want, "|") || len(got) != len(tt.want) {
				t.Errorf("%s, %d bytes at a time: %d lines, want %d", tt.what, size, len(got), len(tt.want))
			}
		}
	}
}

// chunks hands out at most size bytes at a time.
type chunks struct {
	rest []byte
	size int
}

func (c *chunks) Read(p []byte) (int, error) {
	n := min(len(p), c.size)
	return bytes.NewReader(c.take(n)).Read(p)
}

func (c *chunks) take(n int) []byte {
	n = min(n, len(c.rest))
	head := c.rest[:n]
	c.rest = c.rest[n:]
	return head
}

// The platform's mark comes right behind what a process has printed, also where
// a line that is too long is cut.
func TestAMarkIsNeverCut(t *testing.T) {
	for missing := range markLength + 2 {
		var texts []string
		l := newFunctionLog(func(line LogLine) { texts = append(texts, line.Text) }, time.Now, LogLine{})
		r, w, err := os.Pipe()
		if err != nil {
			t.Fatal(err)
		}
		l.start(r, w)
		printed := strings.Repeat("x", maxLine-missing)
		if _, err := w.WriteString(printed); err != nil {
			t.Fatal(err)
		}
		l.catchUp()
		_ = w.Close()
		<-l.ended
		_ = r.Close()
		if len(texts) != 1 || texts[0] != printed {
			t.Errorf("%d bytes before the limit: %d lines", missing, len(texts))
		}
	}
}

func TestTail(t *testing.T) {
	var k tail
	for i := range 5000 {
		k.add("line " + strconv.Itoa(i))
	}
	got := k.String()
	if len(got) != maxTail || !strings.HasSuffix(got, "\nline 4998\nline 4999\n") {
		t.Errorf("%d bytes: …%q", len(got), got[len(got)-30:])
	}
	if slices.Contains(strings.Split(got, "\n"), "line 1") {
		t.Error("the head is kept")
	}
}
