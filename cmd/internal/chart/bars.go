package chart

import (
	"fmt"
	"html"
	"html/template"
)

// Bars is some bars for each name, one below the other.
type Bars struct {
	Title  string
	X      string // what the axis has
	Names  []string
	Groups []Group
	Levels []Level
}

// Group is a bar for each name. With From a bar begins there, else at 0.
type Group struct {
	Name         string
	Values, From []float64
}

const (
	barHeight, barGap  = 9.0, 6.0
	barsTop, barsFoot  = 26.0, 40.0
	barsLeft, barsPlot = 150.0, 300.0
	barsRight          = 90.0
	longestName        = 22
)

// SVG draws the chart; nothing where there are no names.
func (c Bars) SVG() template.HTML {
	if len(c.Names) == 0 || len(c.Groups) == 0 {
		return ""
	}
	row := barHeight*float64(len(c.Groups)) + barGap
	bottom := barsTop + row*float64(len(c.Names))
	var d drawing
	d.begin(c.Title, barsLeft+barsPlot+barsRight, bottom+barsFoot)
	at := c.axis(&d, bottom)
	for i, name := range c.Names {
		top := barsTop + row*float64(i) + barGap/2
		fmt.Fprintf(&d, `<text x="%s" y="%s" text-anchor="end">%s<title>%s</title></text>`, num(barsLeft-6), num(top+(row-barGap)/2+4),
			html.EscapeString(short(name)), html.EscapeString(name))
		for k, g := range c.Groups {
			g.bar(&d, k, i, top+barHeight*float64(k), at)
		}
	}
	for i, l := range c.Levels {
		d.line(levelClass(i), at(l.At), barsTop, at(l.At), bottom)
	}
	var names []string
	for _, g := range c.Groups {
		names = append(names, g.Name)
	}
	d.legend(barsLeft, 14, names, c.Levels)
	return d.end()
}

// axis draws the axis below, with lines up, and gives the place of a value.
func (c Bars) axis(d *drawing, bottom float64) func(float64) float64 {
	all := [][]float64{{0}}
	for _, g := range c.Groups {
		all = append(all, g.Values, g.From)
	}
	for _, l := range c.Levels {
		all = append(all, []float64{l.At})
	}
	marks := spanOf(all...).ticks(6)
	low, high := marks[0], marks[len(marks)-1]
	at := func(v float64) float64 { return barsLeft + barsPlot*(v-low)/(high-low) }
	for _, v := range marks {
		d.line("grid", at(v), barsTop, at(v), bottom)
		d.text(at(v), bottom+15, "middle", tick(v))
	}
	d.text(barsLeft+barsPlot/2, bottom+34, "middle", c.X)
	return at
}

// bar draws that of name i. One of no length is a line, so that it is seen.
func (g Group) bar(d *drawing, k, i int, y float64, at func(float64) float64) {
	v, from := g.Values[i], 0.0
	if g.From != nil {
		from = g.From[i]
	}
	if !finite(v) || !finite(from) {
		return
	}
	x := min(at(from), at(v))
	w := max(at(from)+at(v)-2*x, 2)
	fmt.Fprintf(d, `<rect class="%s" x="%s" y="%s" width="%s" height="%s"/>`, class(k), num(x), num(y), num(w), num(barHeight-1))
	label := Number(v)
	if g.From != nil && from != v {
		label = Number(from) + " to " + label
	}
	fmt.Fprintf(d, `<text class="value" x="%s" y="%s">%s</text>`, num(x+w+4), num(y+barHeight-1), label)
}

// short is a name that fits beside its bars: the end, which tells names of one network apart.
func short(name string) string {
	r := []rune(name)
	if len(r) <= longestName {
		return name
	}
	return "…" + string(r[len(r)-longestName+1:])
}
