package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/jedib0t/go-pretty/v6/table"

	"spikingir/cmd/internal/cli"
)

// row is the cells of a table.
type row = table.Row

// A grid is a table of a page, with what is left out of it.
type grid struct {
	table.Writer
	missing []string
	note    string // below the table
}

func newGrid(head ...any) *grid {
	g := &grid{Writer: table.NewWriter()}
	g.AppendHeader(head)
	return g
}

// leaveOut says which row cannot be measured, and why.
func (g *grid) leaveOut(err error, row string, args ...any) {
	g.missing = append(g.missing, fmt.Sprintf(row, args...)+": "+cli.OneLine(err))
}

// String is the table in Markdown, and below it what is left out.
func (g *grid) String() string {
	var parts []string
	if g.Length() > 0 {
		parts = append(parts, g.RenderMarkdown())
	}
	if len(g.missing) > 0 {
		parts = append(parts, "Not measured:", "- "+strings.Join(g.missing, "\n- "))
	}
	if g.note != "" {
		parts = append(parts, g.note)
	}
	return strings.Join(parts, "\n\n")
}

func ms(x float64) string {
	if x < 10 {
		return fmt.Sprintf("%.2f", x)
	}
	return fmt.Sprintf("%.1f", x)
}

func rate(gops float64) string { return fmt.Sprintf("%.1f", gops) }

func portion(share float64) string { return fmt.Sprintf("%.0f %%", 100*share) }

// size is a width and a height.
func size(w, h int) string { return fmt.Sprintf("%dx%d", w, h) }

// timesteps is T as tables have it.
func timesteps(t int) string {
	if t == 0 {
		return "-"
	}
	return fmt.Sprint(t)
}

// span is the least and the most of some figures.
func span(x []float64, form func(float64) string) string {
	return form(slices.Min(x)) + " to " + form(slices.Max(x))
}
