package main

import (
	"context"
	"errors"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"spikingir/fixtures"
	"spikingir/passes/recipes"
)

// TestPaperFigures holds the figures against what the paper says of them: a rate is the mean
// of the conversion rates of PSNR and SSIM, in Table 2 that of PSNR alone, and 100 at most. One
// row of the paper does not keep to it.
func TestPaperFigures(t *testing.T) {
	figures, err := paperFigures()
	if err != nil {
		t.Fatal(err)
	}
	key := func(f figure, method string, steps int) [5]any {
		return [5]any{f.table, f.variant, f.set, method, steps}
	}
	seen := map[[5]any]figure{}
	for _, f := range figures {
		seen[key(f, f.method, f.timesteps)] = f
	}
	if len(seen) != len(figures) || len(figures) != 28+24+16+6 {
		t.Errorf("%d rows, %d of them different, want 74", len(figures), len(seen))
	}
	for _, f := range figures {
		if f.rate == "" {
			continue
		}
		ann := seen[key(f, "ANN", 0)]
		want := share(t, f.psnr, ann.psnr)
		if f.table != 2 {
			want = (want + share(t, f.ssim, ann.ssim)) / 2
		}
		d := math.Abs(number(t, f.rate) - min(want, 100))
		odd := f.method == "QCFS" && f.set == "SOTS-outdoor" && f.timesteps == 8
		if odd != (d > 0.15) {
			t.Errorf("table %d, %s, %s at T = %d: rate %s, want %.2f", f.table, f.set, f.method, f.timesteps, f.rate, want)
		}
	}
}

func number(t *testing.T, text string) float64 {
	t.Helper()
	x, err := strconv.ParseFloat(text, 64)
	if err != nil {
		t.Fatal(err)
	}
	return x
}

func share(t *testing.T, a, b string) float64 { return 100 * number(t, a) / number(t, b) }

// TestLines holds that every method of the paper's tables has its rows, and that every recipe
// is in one of them.
func TestLines(t *testing.T) {
	figures, err := paperFigures()
	if err != nil {
		t.Fatal(err)
	}
	run := &tables{figures: figures}
	used := map[string]bool{}
	for _, p := range papers {
		for _, set := range p.sets {
			printed := 0
			for _, l := range run.lines(p, set) {
				used[l.recipe] = true
				if l.psnr != "" {
					printed++
				}
			}
			want := 0
			for _, f := range figures {
				if f.table == p.number && f.variant == p.variant && f.set == set.title && f.method != "ANN" {
					want++
				}
			}
			if printed != want {
				t.Errorf("table %d, %s: %d rows have the paper's figures, want %d", p.number, set.title, printed, want)
			}
		}
	}
	for _, name := range recipes.Names() {
		if !used[name] {
			t.Errorf("recipe %s is in no table", name)
		}
	}
}

// TestTogether holds that a network is measured in one run at the timesteps of its table, but
// one that is converted for one T.
func TestTogether(t *testing.T) {
	figures, err := paperFigures()
	if err != nil {
		t.Fatal(err)
	}
	run := &tables{figures: figures}
	for _, c := range []struct {
		network
		want []int
	}{
		{network{recipe: "qcfs"}, []int{5, 8, 10}},
		{network{recipe: "rueckauer"}, []int{20, 50}},
		{network{recipe: "deng-gu"}, []int{10}},
		{network{recipe: "ltb"}, []int{10, 16, 32}},
		{network{file: "aod-qcfs-t10.onnx"}, []int{10}},
	} {
		c.paper = &papers[0]
		if got := run.together(c.network, c.want[len(c.want)-1]); !slices.Equal(got, c.want) {
			t.Errorf("%s: together %v, want %v", c.title(), got, c.want)
		}
	}
}

// TestCells measures a cell on a fixture, keeps it, and takes it from the file then, behind a
// line that a killed run cut short.
func TestCells(t *testing.T) {
	dir := t.TempDir()
	write := func(name string, data []byte) {
		path := filepath.Join(dir, name)
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o777), os.WriteFile(path, data, 0o666)); err != nil {
			t.Fatal(err)
		}
	}
	model, err := fixtures.Model("residual")
	if err != nil {
		t.Fatal(err)
	}
	write("models/dncnn_s25_bn_op16.onnx", model)
	images, err := fixtures.Images(fixtures.Calib)
	if err != nil {
		t.Fatal(err)
	}
	for _, set := range []string{"Train400", "Set12"} {
		write("images/"+set+"/"+images[0].Name, images[0].Data)
	}
	write("cells.jsonl", []byte(`{"key": "cut`))
	var p paper
	for _, p = range papers {
		if p.variant == "25" {
			break
		}
	}
	figures, err := paperFigures()
	if err != nil {
		t.Fatal(err)
	}
	open := func() *tables {
		run := &tables{lab: &lab{}, data: dir, tuned: dir, figures: figures, crop: 24, hashes: map[string]string{}}
		run.Quiet, run.Threads, run.Precision = true, 1, "fixed"
		if run.cells, err = openCells(filepath.Join(dir, "cells.jsonl")); err != nil {
			t.Fatal(err)
		}
		return run
	}
	n := network{paper: &p, recipe: "qcfs"}
	first, err := open().cell(context.Background(), n, noisy[0], 4)
	if err != nil {
		t.Fatal(err)
	}
	if first.Images != 1 || !(first.PSNR > 5) || !(first.Agreement > 5) || len(first.Residuals) == 0 || first.First.Name == "" {
		t.Errorf("measured %+v", first)
	}
	again := open()
	if len(again.cells.list) != 1 {
		t.Fatalf("%d cells are kept, want one", len(again.cells.list))
	}
	kept := again.cells.list[first.Key]
	kept.PSNR = 77
	again.cells.list[first.Key] = kept
	if c, err := again.cell(context.Background(), n, noisy[0], 4); err != nil || c.PSNR != 77 {
		t.Errorf("a kept cell is measured again: %v, %v", c.PSNR, err)
	}
	if c, err := again.cell(context.Background(), n, noisy[0], 5); err != nil || c.Key == first.Key {
		t.Errorf("T = 5 is taken for T = 4: %v", err)
	}
	again.keptOnly = true
	if c, err := again.cell(context.Background(), n, noisy[0], 4); err != nil || c.PSNR != 77 {
		t.Errorf("what is kept alone: %v, %v", c.PSNR, err)
	}
	if _, err := again.cell(context.Background(), n, noisy[0], 6); !errors.Is(err, errAbsent) {
		t.Errorf("error %v, want that T = 6 is not kept", err)
	}
	again.keptOnly = false
	for _, n := range []network{{paper: &p, recipe: "none"}, {paper: &p, file: filepath.Join(dir, "no.onnx")}, {paper: &papers[0], recipe: "qcfs"}} {
		if _, err := again.cell(context.Background(), n, noisy[0], 4); !errors.Is(err, errAbsent) {
			t.Errorf("%s: error %v, want one of what is not there", n.title(), err)
		}
	}
	if _, err := again.cell(context.Background(), n, noisy[1], 4); !errors.Is(err, errAbsent) || !strings.Contains(err.Error(), "BSD68 is not in the data") {
		t.Errorf("error %v, want that BSD68 is not there", err)
	}
}
