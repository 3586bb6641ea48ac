package chart

import (
	"encoding/xml"
	"errors"
	"io"
	"math"
	"slices"
	"strings"
	"testing"
)

// wellFormed demands that a drawing can be read as XML, and has the texts.
func wellFormed(t *testing.T, svg string, texts ...string) {
	t.Helper()
	d := xml.NewDecoder(strings.NewReader(svg))
	var found []string
	for {
		tok, err := d.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatalf("%v in %s", err, svg)
		}
		if c, ok := tok.(xml.CharData); ok {
			found = append(found, string(c))
		}
	}
	for _, want := range texts {
		if !slices.Contains(found, want) {
			t.Errorf("no text %q among %q", want, found)
		}
	}
	if strings.Contains(svg, "NaN") || strings.Contains(svg, "Inf") {
		t.Errorf("a coordinate is not a number: %s", svg)
	}
}

func TestLines(t *testing.T) {
	c := Lines{Title: "<PSNR> & T", X: "T", Y: "dB", Series: []Series{{"SNN", []float64{2, 4, 8}, []float64{20, math.NaN(), 30}}},
		Levels: []Level{{"ANN", 31.5}, {"worst", math.Inf(-1)}}, Steps: true}
	svg := string(c.SVG())
	wellFormed(t, svg, "<PSNR> & T", "T", "dB", "SNN", "ANN", "2", "4", "8", "20", "35")
	if n := strings.Count(svg, "<circle"); n != 2 {
		t.Errorf("%d points, want the 2 that are numbers", n)
	}
	c.Series[0].Y = []float64{math.NaN(), math.Inf(1), math.NaN()}
	if c.SVG() != "" {
		t.Error("a chart without points")
	}
	c.Series[0].Y = []float64{-1e308, 1e308, 5}
	wellFormed(t, string(c.SVG()), "SNN: 5 at 8")
	c = Lines{Series: []Series{{"one", []float64{3}, []float64{7}}}}
	wellFormed(t, string(c.SVG()), "3", "6", "8")
}

func TestBars(t *testing.T) {
	c := Bars{Title: "rates", X: "rate", Names: []string{"<b>", "a name that is longer than its place"},
		Groups: []Group{{Name: "SNN", Values: []float64{0.25, math.NaN()}}, {Name: "range", Values: []float64{3, 4}, From: []float64{1, 4}}},
		Levels: []Level{{"break-even", 5.11}}}
	svg := string(c.SVG())
	wellFormed(t, svg, "<b>", "rates", "rate", "0.25", "1 to 3", "4", "break-even", "…longer than its place")
	if n := strings.Count(svg, "<rect"); n != 3+2 {
		t.Errorf("%d bars and marks, want 3 bars and 2 of the legend", n)
	}
	if (Bars{}).SVG() != "" {
		t.Error("a chart without names")
	}
}

// TestTicks holds that the axis has all numbers, at round steps.
func TestTicks(t *testing.T) {
	for _, c := range []struct {
		low, high float64
		want      string
	}{
		{0, 1, "0 0.2 0.4 0.6 0.8 1"},
		{22.81, 28.2, "22 24 26 28 30"},
		{-4.15, -3.5, "-4.2 -4 -3.8 -3.6 -3.4"},
		{5, 5, "5 6"},
		{0, 0, "0 0.2"},
		{1, 1 + 1e-15, "1 1.5"},
		{0, 3e-9, "0 1e-09 2e-09 3e-09"},
	} {
		var got []string
		for _, v := range (span{c.low, c.high}).ticks(5) {
			got = append(got, tick(v))
		}
		if s := strings.Join(got, " "); s != c.want {
			t.Errorf("%v to %v: %s, want %s", c.low, c.high, s, c.want)
		}
	}
}
