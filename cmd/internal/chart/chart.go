// Package chart draws small charts as SVG that stands within a page: lines over an axis, and a
// bar or a range for each name. Colours are the page's: a series has the class s0, s1, and so
// on, a level the classes level and l0, l1, and so on, text and axes are of the current colour. The same numbers give
// the same bytes, and numbers that are not finite, or beyond 1e100, are left out.
package chart

import (
	"fmt"
	"html"
	"html/template"
	"math"
	"strconv"
	"strings"
)

// Level is a straight line to compare with.
type Level struct {
	Name string
	At   float64
}

// drawing is an SVG under way.
type drawing struct{ strings.Builder }

// begin opens an SVG of a size in pixels, which a narrow page shrinks.
func (d *drawing) begin(title string, w, h float64) {
	fmt.Fprintf(d, `<svg class="chart" role="img" viewBox="0 0 %s %s" style="max-width:%spx"><title>%s</title>`, num(w), num(h), num(w), html.EscapeString(title))
}

func (d *drawing) end() template.HTML {
	d.WriteString("</svg>")
	return template.HTML(d.String())
}

// text writes at a place; anchor is start, middle or end.
func (d *drawing) text(x, y float64, anchor, s string) {
	fmt.Fprintf(d, `<text x="%s" y="%s" text-anchor="%s">%s</text>`, num(x), num(y), anchor, html.EscapeString(s))
}

func (d *drawing) line(class string, x1, y1, x2, y2 float64) {
	fmt.Fprintf(d, `<line class="%s" x1="%s" y1="%s" x2="%s" y2="%s"/>`, class, num(x1), num(y1), num(x2), num(y2))
}

// legend names the series in a row, and levels behind them.
func (d *drawing) legend(x, y float64, series []string, levels []Level) {
	for i, s := range series {
		fmt.Fprintf(d, `<rect class="%s" x="%s" y="%s" width="10" height="10"/>`, class(i), num(x), num(y-9))
		d.text(x+14, y, "start", s)
		x += 26 + width(s)
	}
	for i, l := range levels {
		d.line(levelClass(i), x, y-4, x+14, y-4)
		d.text(x+18, y, "start", l.Name)
		x += 30 + width(l.Name)
	}
}

// colours is how many classes of series there are.
const colours = 4

func class(i int) string { return "s" + strconv.Itoa(i%colours) }

func levelClass(i int) string { return "level l" + strconv.Itoa(i) }

// width is about what a text takes in pixels, at 12 pixels for a letter's height.
func width(s string) float64 { return 6.6 * float64(len([]rune(s))) }

// num is a coordinate.
func num(x float64) string { return strconv.FormatFloat(math.Round(x*100)/100, 'f', -1, 64) }

// Number is a figure as axes and tables show it.
func Number(x float64) string { return strconv.FormatFloat(x, 'g', 4, 64) }

// finite reports whether a number can be drawn: its distance to any other is one too.
func finite(x float64) bool { return math.Abs(x) < 1e100 }

// span is the least and the greatest of some numbers.
type span struct{ low, high float64 }

func spanOf(lists ...[]float64) span {
	s := span{math.Inf(1), math.Inf(-1)}
	for _, list := range lists {
		for _, x := range list {
			if finite(x) {
				s.low, s.high = min(s.low, x), max(s.high, x)
			}
		}
	}
	if s.low > s.high {
		return span{0, 1}
	}
	return s
}

// ticks are round numbers from the least to the greatest, and a little beyond, so that about n
// steps lie between them.
func (s span) ticks(n int) []float64 {
	size := s.high - s.low
	if size <= 1e-9*max(math.Abs(s.low), math.Abs(s.high)) { // also where rounding alone tells them apart
		size = max(math.Abs(s.high), 1)
	}
	step := math.Pow(10, math.Floor(math.Log10(size/float64(n))))
	for _, k := range []float64{1, 2, 5, 10} {
		if size/(step*k) <= float64(n) {
			step *= k
			break
		}
	}
	var list []float64
	for i := math.Floor(s.low / step); ; i++ {
		list = append(list, i*step)
		if i*step >= s.high && len(list) > 1 || len(list) > 4*n {
			return list
		}
	}
}

// tick is the text of a tick: what floating point adds to a round number is cut.
func tick(x float64) string {
	if math.Abs(x) < 1e-12 {
		return "0"
	}
	return strconv.FormatFloat(x, 'g', 6, 64)
}
