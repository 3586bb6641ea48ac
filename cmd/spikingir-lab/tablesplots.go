package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"path/filepath"
)

// plots writes the data of the paper's Figs. 1, 4 and 5, at T = 10.
func (t *tables) plots(ctx context.Context, page *bytes.Buffer) error {
	for _, plot := range []func(context.Context, *bytes.Buffer) error{t.bars, t.residuals, t.pictures} {
		if err := plot(ctx, page); err != nil {
			return err
		}
	}
	return nil
}

// plotted is the timesteps that the figures show.
const plotted = 10

// cellIf is a cell, or nil where its network or its test set is not there.
func (t *tables) cellIf(ctx context.Context, n network, set testSet) (*cell, error) {
	c, err := t.cell(ctx, n, set, plotted)
	if errors.Is(err, errAbsent) {
		return nil, nil
	}
	return &c, err
}

// both is the recipe spikingir of a table: converted, and trained.
func (t *tables) both(p *paper) [2]network {
	file := filepath.Join(t.tuned, fmt.Sprintf("%s-spikingir-t%d.onnx", p.stem, plotted))
	return [2]network{{paper: p, recipe: "spikingir"}, {paper: p, file: file}}
}

// orNone is a PSNR, or a dash.
func orNone(c *cell) string {
	if c == nil {
		return "-"
	}
	return decibel(c.PSNR)
}

// bars is Fig. 1: the PSNR of SpikingIR beside that of the ANN on each test set.
func (t *tables) bars(ctx context.Context, page *bytes.Buffer) error {
	g := newGrid("task", "test set", "ANN, paper", "ANN (dB)", "SpikingIR, paper", "converted (dB)", "trained (dB)")
	for i := range papers[:len(papers)-1] {
		p := &papers[i]
		for _, set := range p.sets {
			var list [2]*cell
			for k, n := range t.both(p) {
				var err error
				if list[k], err = t.cellIf(ctx, n, set); err != nil {
					return err
				}
			}
			ann := "-"
			if list[0] != nil {
				ann = decibel(list[0].RefPSNR)
			}
			g.AppendRow(row{p.title, set.title, t.figure(*p, set, "ANN", 0).psnr, ann, t.figure(*p, set, "SpikingIR", plotted).psnr, orNone(list[0]), orNone(list[1])})
		}
	}
	fmt.Fprintf(page, "\n## Fig. 1: PSNR on all test sets, T = %d\n\n%s\n", plotted, g)
	return nil
}

// residuals is Fig. 4: what is left of membrane potentials in AOD-Net, of IF and of MPRN.
func (t *tables) residuals(ctx context.Context, page *bytes.Buffer) error {
	g := newGrid("layer", "IF, v >= theta/2 (%)", "MPRN, v >= theta/2 (%)", "IF, v >= theta (%)", "MPRN, v >= theta (%)")
	p := &papers[len(papers)-1]
	var kinds [2]*cell
	for k, n := range []network{{paper: p, recipe: "rueckauer", settings: ablation[3].settings}, {paper: p, recipe: "spikingir"}} {
		var err error
		if kinds[k], err = t.cellIf(ctx, n, hazy[1]); err != nil {
			return err
		}
		if kinds[k] == nil {
			g.missing = append(g.missing, hazy[1].folder+" or the network is not in the data")
		}
	}
	if kinds[0] != nil && kinds[1] != nil {
		for i, l := range kinds[0].Residuals {
			m := kinds[1].Residuals[i]
			g.AppendRow(row{l.Layer, percent(100 * l.Half), percent(100 * m.Half), percent(100 * l.Full), percent(100 * m.Full)})
		}
	}
	fmt.Fprintf(page, "\n## Fig. 4: residual membrane potentials in AOD-Net, %s, T = %d\n\n%s\n", hazy[1].title, plotted, g)
	return nil
}

// pictures is the figures of the pictures in Fig. 5: the first image of a test set of each task.
func (t *tables) pictures(ctx context.Context, page *bytes.Buffer) error {
	g := newGrid("task", "image", "ANN (dB)", "ANN, SSIM", "network", "PSNR (dB)", "SSIM")
	for _, shown := range []struct {
		paper int
		set   testSet
	}{{0, hazy[1]}, {2, noisy[0]}, {5, small[0]}} {
		p := &papers[shown.paper]
		for _, n := range t.both(p) {
			c, err := t.cellIf(ctx, n, shown.set)
			if err != nil {
				return err
			}
			if c == nil {
				continue
			}
			f := c.First
			g.AppendRow(row{p.title, f.Name, decibel(f.RefPSNR), r4(f.RefSSIM), n.title(), decibel(f.PSNR), r4(f.SSIM)})
		}
	}
	fmt.Fprintf(page, "\n## Fig. 5: one image of each task, T = %d\n\n%s\n\nThe pictures: `spikingir eval FILE --ref ANN --task TASK --data DIR --limit 1 --montage FILE.png`.\n", plotted, g)
	return nil
}
