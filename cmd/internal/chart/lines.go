package chart

import (
	"fmt"
	"html"
	"html/template"
	"strings"
)

// Lines is series of points over one axis.
type Lines struct {
	Title  string
	X, Y   string // what the axes have
	Series []Series
	Levels []Level
	// Steps puts the values of X, of which there are few, at even distances and marks each, as
	// for numbers that double.
	Steps bool
}

// Series is points in rising order of X.
type Series struct {
	Name string
	X, Y []float64
}

// The places of the axes of Lines.
const (
	linesWidth, linesHeight         = 420.0, 250.0
	linesLeft, linesRight           = 62.0, 12.0
	linesTop, linesBottom           = 30.0, 40.0
	plotWidth, plotHeight   float64 = linesWidth - linesLeft - linesRight, linesHeight - linesTop - linesBottom
)

// SVG draws the chart; nothing where there is no point.
func (c Lines) SVG() template.HTML {
	points := 0
	for _, s := range c.Series {
		for i := range s.X {
			if finite(s.X[i]) && finite(s.Y[i]) {
				points++
			}
		}
	}
	if points == 0 {
		return ""
	}
	var d drawing
	d.begin(c.Title, linesWidth, linesHeight)
	x, y := c.axisX(&d), c.axisY(&d)
	for i, l := range c.Levels {
		if finite(l.At) {
			d.line(levelClass(i), linesLeft, y(l.At), linesWidth-linesRight, y(l.At))
		}
	}
	for i, s := range c.Series {
		c.series(&d, i, s, x, y)
	}
	var names []string
	for _, s := range c.Series {
		names = append(names, s.Name)
	}
	d.legend(linesLeft, 14, names, c.Levels)
	return d.end()
}

// axisX draws the axis below, and gives the place of a value.
func (c Lines) axisX(d *drawing) func(float64) float64 {
	var all [][]float64
	for _, s := range c.Series {
		all = append(all, s.X)
	}
	bottom := linesHeight - linesBottom
	d.line("axis", linesLeft, bottom, linesWidth-linesRight, bottom)
	d.text(linesLeft+plotWidth/2, linesHeight-6, "middle", c.X)
	s := spanOf(all...)
	at := func(v float64) float64 { return linesLeft + plotWidth*(v-s.low)/max(s.high-s.low, 1e-12) }
	marks := s.ticks(5)
	if c.Steps {
		marks = c.Series[0].X
		at = func(v float64) float64 {
			i := 0
			for i < len(marks)-1 && marks[i] < v {
				i++
			}
			return linesLeft + plotWidth*(float64(i)+0.5)/float64(len(marks))
		}
	}
	for _, v := range marks {
		if v < s.low || v > s.high {
			continue
		}
		d.line("axis", at(v), bottom, at(v), bottom+4)
		d.text(at(v), bottom+17, "middle", tick(v))
	}
	return at
}

// axisY draws the axis on the left with lines across, and gives the place of a value.
func (c Lines) axisY(d *drawing) func(float64) float64 {
	var all [][]float64
	for _, s := range c.Series {
		all = append(all, s.Y)
	}
	for _, l := range c.Levels {
		all = append(all, []float64{l.At})
	}
	marks := spanOf(all...).ticks(5)
	low, high := marks[0], marks[len(marks)-1]
	at := func(v float64) float64 { return linesTop + plotHeight*(high-v)/(high-low) }
	for _, v := range marks {
		d.line("grid", linesLeft, at(v), linesWidth-linesRight, at(v))
		d.text(linesLeft-6, at(v)+4, "end", tick(v))
	}
	mid := linesTop + plotHeight/2
	fmt.Fprintf(d, `<text transform="rotate(-90 12 %s)" x="12" y="%s" text-anchor="middle">%s</text>`, num(mid), num(mid), html.EscapeString(c.Y))
	return at
}

// mostMarks is the most points of a series that get a mark of their own.
const mostMarks = 40

func (c Lines) series(d *drawing, i int, s Series, x, y func(float64) float64) {
	var path []string
	for k := range s.X {
		if !finite(s.X[k]) || !finite(s.Y[k]) {
			continue
		}
		px, py := num(x(s.X[k])), num(y(s.Y[k]))
		path = append(path, px+","+py)
		if len(s.X) <= mostMarks {
			fmt.Fprintf(d, `<circle class="%s" cx="%s" cy="%s" r="3"><title>%s</title></circle>`, class(i), px, py,
				html.EscapeString(fmt.Sprintf("%s: %s at %s", s.Name, Number(s.Y[k]), tick(s.X[k]))))
		}
	}
	fmt.Fprintf(d, `<polyline class="%s" points="%s"/>`, class(i), strings.Join(path, " "))
}
