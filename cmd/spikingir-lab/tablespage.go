package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"spikingir"
	"spikingir/passes/recipes"
)

// tableHead is the columns of Tables 1 to 4.
var tableHead = []any{"method", "T", "network", "PSNR, paper", "PSNR (dB)", "SSIM, paper", "SSIM", "rate, paper", "rate (%)",
	"agreement (dB)", "firing rate", "mJ, paper", "mJ"}

// table measures one table on all of its test sets, and writes it.
func (t *tables) table(ctx context.Context, page *bytes.Buffer, p paper) error {
	fmt.Fprintf(page, "\n## Table %d: %s (`%s`)\n", p.number, p.title, p.model)
	for _, set := range p.sets {
		fmt.Fprintf(page, "\n### %s\n\n", set.title)
		if !t.has(set) {
			fmt.Fprintf(page, "Not measured: %s is not in the data.\n", set.folder)
			continue
		}
		g := newGrid(tableHead...)
		var ann *cell
		for _, l := range t.lines(p, set) {
			c, err := t.cell(ctx, l.network, set, l.timesteps)
			switch {
			case errors.Is(err, errAbsent):
				l.absent(g, err)
				continue
			case err != nil:
				return fmt.Errorf("%s: %w", set.title, err)
			}
			ann = &c
			l.row(g, c)
		}
		if ann != nil {
			f := t.figure(p, set, "ANN", 0)
			fmt.Fprintf(page, "ANN: %s dB%s, SSIM %s%s, %.3f mJ%s. Input: %s dB. %d images, calibrated on %s.\n\n", decibel(ann.RefPSNR), inPaper(f.psnr), r4(ann.RefSSIM),
				inPaper(f.ssim), ann.RefMJ, inPaper(f.mj), decibel(ann.InputPSNR), ann.Images, p.calib)
		}
		if g.Length() == 0 {
			fmt.Fprintln(page, "Not measured.")
			continue
		}
		fmt.Fprintln(page, g)
	}
	return nil
}

// inPaper puts the paper's figure behind ours.
func inPaper(figure string) string {
	if figure == "" {
		return ""
	}
	return " (paper: " + figure + ")"
}

// has reports whether a test set is in the data.
func (t *tables) has(set testSet) bool {
	_, err := os.Stat(filepath.Join(t.data, "images", set.folder))
	return err == nil
}

// figure is the paper's figures of a method on a test set; none where it has none.
func (t *tables) figure(p paper, set testSet, method string, timesteps int) figure {
	for _, f := range t.figures {
		if f.table == p.number && f.variant == p.variant && f.set == set.title && f.method == method && f.timesteps == timesteps {
			return f
		}
	}
	return figure{method: method, timesteps: timesteps}
}

// tableRow is a row to be: a network, and the paper's figures beside it.
type tableRow struct {
	network
	figure
}

// lines is the rows of a table for one test set, in the paper's order: of each method what
// conversion gives, and the trained network where the paper's is one; then recipes that the
// paper does not have. A set that the paper does not have takes the rows of its first.
func (t *tables) lines(p paper, set testSet) []tableRow {
	var list []tableRow
	for _, f := range t.figures {
		if f.table != p.number || f.variant != p.variant || f.set != p.sets[0].title {
			continue
		}
		i := slices.IndexFunc(p.methods, func(m method) bool { return m.name == f.method })
		if i < 0 {
			continue // the ANN
		}
		m, bare := p.methods[i], figure{method: f.method, timesteps: f.timesteps}
		printed := t.figure(p, set, f.method, f.timesteps)
		for k, n := range conversions(&p, m) {
			if k == 0 && !m.trained {
				list = append(list, tableRow{n, printed})
			} else {
				list = append(list, tableRow{n, bare})
			}
		}
		if m.trained {
			file := filepath.Join(t.tuned, fmt.Sprintf("%s-%s-t%d.onnx", p.stem, m.file, f.timesteps))
			list = append(list, tableRow{network{paper: &p, file: file}, printed})
		}
	}
	for _, name := range recipes.Names() {
		if slices.ContainsFunc(p.methods, func(m method) bool { return m.recipe == name }) {
			continue
		}
		if p.others == 0 {
			continue
		}
		r, _ := recipes.Lookup(name)
		own := append([]int{p.others}, r.Timesteps...)
		slices.Sort(own)
		for _, steps := range slices.Compact(own) {
			list = append(list, tableRow{network{paper: &p, recipe: name}, figure{method: "not in the paper", timesteps: steps}})
		}
	}
	return list
}

// conversions is how a method's network is converted: by its recipe, and the paper's own by
// its exact settings and with neurons that start at 0 too.
func conversions(p *paper, m method) []network {
	if m.recipe == "" {
		return nil
	}
	list := []network{{paper: p, recipe: m.recipe, settings: m.settings}}
	if m.name == "SpikingIR" {
		list = append(list, network{paper: p, recipe: m.recipe, settings: spikingir.Settings{Paper: true}},
			network{paper: p, recipe: m.recipe, settings: spikingir.Settings{V0: spikingir.NoV0}})
	}
	return list
}

// absent writes the row of a network that is not there; one that is only in our own part of
// the table is left out.
func (l tableRow) absent(g *grid, err error) {
	if l.psnr == "" {
		return
	}
	g.AppendRow(row{l.method, l.timesteps, "not measured: " + strings.TrimSpace(err.Error()), l.psnr, "", l.ssim, "", l.rate, "", "", "", l.mj, ""})
}

// row writes the row of a network.
func (l tableRow) row(g *grid, c cell) {
	rate := c.Rate
	if l.paper.number == 2 { // there the paper's is that of PSNR alone
		rate = 100 * float64(c.PSNR/c.RefPSNR)
	}
	g.AppendRow(row{l.method, l.timesteps, l.title(), l.psnr, decibel(c.PSNR), l.ssim, r4(c.SSIM), l.rate, percent(rate),
		decibel(c.Agreement), r4(c.Firing), l.mj, fmt.Sprintf("%.3f", c.MJ)})
}
