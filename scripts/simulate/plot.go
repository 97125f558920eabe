package main

import (
	"fmt"
	"math"
	"strings"
)

// plot draws time and dollars over the audience, both axes logarithmic: what
// grows linearly is a straight line.
func plot(d deployment, results []Result) string {
	time := panel{left: 60, title: "seconds to the last client", low: 1, high: 1000, unit: "%g s"}
	dollars := panel{left: 460, title: "dollars", low: 0.001, high: 10, unit: "$%g"}
	var b strings.Builder
	b.WriteString(`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 800 300" font-family="sans-serif" font-size="12">` + "\n")
	b.WriteString(`<rect width="800" height="300" fill="white"/>` + "\n")
	time.axes(&b)
	time.line(&b, results, "gray", `stroke-dasharray="5 4"`, func(r Result) float64 { return bound(d, r.Connections).Seconds() })
	time.line(&b, results, "steelblue", `stroke-width="2"`, func(r Result) float64 { return r.Time.Seconds() })
	time.dots(&b, results, func(r Result) (float64, string) { return r.Time.Seconds(), fmt.Sprintf("%.1f s", r.Time.Seconds()) })
	fmt.Fprintf(&b, `<text x="75" y="50" fill="gray">dashed: 1.05 × connections / %s + 3 s</text>`+"\n", count(int(d.PostRate)))
	dollars.axes(&b)
	dollars.line(&b, results, "steelblue", `stroke-width="2"`, func(r Result) float64 { return r.Usage.Dollars() })
	dollars.dots(&b, results, func(r Result) (float64, string) {
		return r.Usage.Dollars(), fmt.Sprintf("$%.2f", r.Usage.Dollars())
	})
	b.WriteString("</svg>\n")
	return b.String()
}

// panel is one of the two diagrams.
type panel struct {
	left      float64
	title     string
	low, high float64 // powers of ten
	unit      string
}

// Of each panel, in the SVG's units, and of the audience's axis.
const (
	width, height, top = 320.0, 220.0, 35.0
	fewest, most       = 1e4, 1e7
)

func (p panel) x(connections float64) float64 {
	return p.left + width*math.Log10(connections/fewest)/math.Log10(most/fewest)
}

func (p panel) y(value float64) float64 {
	return top + height*(1-math.Log10(value/p.low)/math.Log10(p.high/p.low))
}

func (p panel) axes(b *strings.Builder) {
	fmt.Fprintf(b, `<text x="%.0f" y="22" font-weight="bold">%s</text>`+"\n", p.left, p.title)
	for v := p.low; v <= p.high*1.01; v *= 10 {
		fmt.Fprintf(b, `<path d="M%.1f %.1fh%.1f" stroke="lightgray"/><text x="%.1f" y="%.1f" text-anchor="end">`+p.unit+"</text>\n",
			p.left, p.y(v), width, p.left-5, p.y(v)+4, v)
	}
	for i, name := range []string{"10 k", "100 k", "1 M", "10 M"} {
		x := p.x(fewest * math.Pow10(i))
		fmt.Fprintf(b, `<path d="M%.1f %.1fv%.1f" stroke="lightgray"/><text x="%.1f" y="%.1f" text-anchor="middle">%s</text>`+"\n",
			x, top, height, x, top+height+18, name)
	}
	fmt.Fprintf(b, `<text x="%.1f" y="%.1f" text-anchor="middle">connections</text>`+"\n", p.left+width/2, top+height+36)
}

func (p panel) line(b *strings.Builder, results []Result, colour, style string, value func(Result) float64) {
	points := make([]string, len(results))
	for i, r := range results {
		points[i] = fmt.Sprintf("%.1f,%.1f", p.x(float64(r.Connections)), p.y(value(r)))
	}
	fmt.Fprintf(b, `<polyline points="%s" fill="none" stroke="%s" %s/>`+"\n", strings.Join(points, " "), colour, style)
}

func (p panel) dots(b *strings.Builder, results []Result, value func(Result) (float64, string)) {
	for _, r := range results {
		v, label := value(r)
		x, y := p.x(float64(r.Connections)), p.y(v)
		fmt.Fprintf(b, `<circle cx="%.1f" cy="%.1f" r="4" fill="steelblue"/><text x="%.1f" y="%.1f">%s</text>`+"\n", x, y, x+8, y+14, label)
	}
}
