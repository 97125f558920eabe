package main

import (
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// view shows how far a broadcast is.
type view interface {
	show(s state)
	// working shows a long step before there is a state.
	working(text string)
	// clear makes room for other output.
	clear()
}

// newView is a bar on a terminal and plain lines elsewhere.
func newView(out io.Writer) view {
	if f, ok := out.(*os.File); ok {
		if columns(f) > 0 {
			return &bar{out: out, columns: func() int { return columns(f) }}
		}
	}
	return &lines{out: out, begin: time.Now()}
}

// columns returns a terminal's width, 0 if f is none.
func columns(f *os.File) int {
	size, err := unix.IoctlGetWinsize(int(f.Fd()), unix.TIOCGWINSZ)
	if err != nil || os.Getenv("TERM") == "dumb" {
		return 0
	}
	return int(size.Col)
}

// bar draws over one line of a terminal.
type bar struct {
	out     io.Writer
	columns func() int
}

const barWidth = 24

func (b *bar) show(s state) {
	text := progressLine(s)
	if s.begun {
		full := 0
		if s.Units > 0 {
			full = barWidth * (s.Units - s.Open) / s.Units
		}
		text = "[" + strings.Repeat("█", full) + strings.Repeat("░", barWidth-full) + "] " + text
	}
	b.working(text)
}

func (b *bar) working(text string) {
	// A line that wraps could not be drawn over.
	if room := b.columns() - 1; room > 0 {
		if runes := []rune(text); len(runes) > room {
			text = string(runes[:room])
		}
	}
	fmt.Fprint(b.out, "\r\x1b[K"+text)
}

func (b *bar) clear() { fmt.Fprint(b.out, "\r\x1b[K") }

// lines writes a line whenever something has changed.
type lines struct {
	out   io.Writer
	begin time.Time
	last  string
}

func (l *lines) show(s state) { l.working(progressLine(s)) }

func (l *lines) working(text string) {
	if text != l.last {
		fmt.Fprintf(l.out, "%6.1f s   %s\n", time.Since(l.begin).Seconds(), text)
		l.last = text
	}
}

func (l *lines) clear() {}

// progressLine is a state in one line, the most important first.
func progressLine(s state) string {
	if !s.begun {
		return "waits for the broadcast function"
	}
	units := count(s.Units)
	if s.splitting {
		units += "+" // more may come
	}
	parts := []string{fmt.Sprintf("units %s/%s", count(s.Units-s.Open), units), fmt.Sprintf("delivered %s of %s", count(s.Delivered), count(s.Audience))}
	for _, p := range []struct {
		what string
		n    int
	}{{"gone", s.Gone}, {"expired", s.Expired}, {"dead units", s.Dead}, {"waiting", s.Waiting}} {
		if p.n > 0 {
			parts = append(parts, p.what+" "+count(p.n))
		}
	}
	if len(s.Failed) > 0 {
		parts = append(parts, "failed: "+byType(s.Failed))
	}
	if s.Delivered > 0 {
		parts = append(parts, fmt.Sprintf("last %s, p50 %s, p99 %s", took(s.Last), took(s.P50), took(s.P99)))
	}
	return strings.Join(parts, " · ")
}
