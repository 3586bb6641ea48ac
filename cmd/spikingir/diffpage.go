package main

import (
	"bytes"
	_ "embed"
	"fmt"
	"html/template"
	"strconv"

	"spikingir/cmd/internal/cli"
	"spikingir/graph"
	"spikingir/graph/diff"
)

//go:embed diffpage.html
var diffPageText string

var diffPage = template.Must(template.New("diff").Funcs(template.FuncMap{
	"line":   cli.Line,
	"shown":  cli.Shown,
	"mark":   func(c diff.Change) string { return changeMarks[c] },
	"change": func(e diff.Entry) string { return cli.Line(shownChange(e)) },
	"norm":   func(x *float64) string { return fmt.Sprintf("%.3g", *x) },
	"class": func(c diff.Change) string {
		if c == "" {
			return "same"
		}
		return string(c)
	},
	"number": func(s diff.Side) string {
		if s.Number == 0 {
			return ""
		}
		return strconv.Itoa(s.Number)
	},
}).Parse(diffPageText))

// writePage writes two models side by side as one page that needs no other file: to a file, or
// where that has no name to standard output.
func (a *app) writePage(args []string, x, y *graph.Model, structure bool, out string) (*diff.Report, error) {
	sheet := diff.SideBySide(x, y, structure)
	var b bytes.Buffer
	err := diffPage.Execute(&b, struct {
		*diff.Sheet
		A, B      string
		Structure bool
	}{sheet, args[0], args[1], structure})
	if err != nil {
		return nil, err
	}
	if out == "" {
		_, err = a.out.Write(b.Bytes())
	} else {
		err = cli.WriteFile(out, b.Bytes())
	}
	return sheet.Report, err
}
