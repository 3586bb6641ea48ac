package main

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	goruntime "runtime"
	"slices"
	"strings"
	"testing"

	"spikingir/cmd/internal/cli"
	"spikingir/fixtures"
	"spikingir/runtime/bench"
)

// testRace is a race of small effort on the embedded DnCNN, which takes the place
// of the real one.
func testRace(t *testing.T) *race {
	data := t.TempDir()
	b, err := fixtures.Model("dncnn")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(filepath.Join(data, "models"), 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(data, "models", dncnn+".onnx"), b, 0o666); err != nil {
		t.Fatal(err)
	}
	a := &lab{Common: cli.Common{Err: &bytes.Buffer{}, Threads: 2}}
	t.Cleanup(a.Close)
	r := a.newRace()
	r.Runs, r.Rounds, r.data, r.tmp = 1, 1, data, t.TempDir()
	return r
}

// rendered is the page with one table besides the peaks.
func rendered(t *testing.T, r *race, name string, g *grid) string {
	r.Tables[name] = g
	page, err := r.page()
	if err != nil {
		t.Fatal(err)
	}
	return string(page)
}

// TestKernelTable holds that the float32 and the spiking form of a layer share a
// row, and that a layer with one of them only has dashes.
func TestKernelTable(t *testing.T) {
	g := newGrid("layer")
	for _, cells := range kernelRows([]bench.Line{
		{Work: bench.AnalogWork + "1->64 3x3", Kernel: "a", H: 8, W: 9, MS: 1, GOPS: 2, Share: 0.5},
		{Work: bench.AnalogWork + "3->3 5x5", Kernel: "a", H: 8, W: 9, MS: 3, GOPS: 4, Share: 0.25},
		{Work: bench.SpikingWork + "3->3 5x5", Kernel: "s", H: 8, W: 9, MS: 20, GOPS: 6, Share: 0.125},
		{Work: bench.SlicesWork + "3->3 5x5", Kernel: "a", H: 8, W: 9, MS: 30, GOPS: 8, Share: 0.75},
	}) {
		g.AppendRow(cells)
	}
	got := g.String()
	want := []string{
		"| 1->64 3x3 | 9x8 | a | 1.00 | 2.0 | 50 % | - | - | - | - |",
		"| 3->3 5x5 | 9x8 | a | 3.00 | 4.0 | 25 % | s | 20.0 | 6.0 | 12 % |",
		"| 3->3 5x5, step by step | 9x8 | - | - | - | - | a | 30.0 | 8.0 | 75 % |",
	}
	rows := strings.Split(got, "\n")
	if len(rows) != 2+len(want) || strings.Join(rows[2:], "\n") != strings.Join(want, "\n") {
		t.Errorf("table\n%s\nwant the rows\n%s", got, strings.Join(want, "\n"))
	}
}

// TestSweepPage writes the table of kernels of small images.
func TestSweepPage(t *testing.T) {
	r := testRace(t)
	r.h, r.w = 8, 8
	page := rendered(t, r, "kernels", r.kernels(t.Context()))
	for _, want := range []string{
		"| 64->64 3x3 groups 4 | 8x8 |", "| 56->1 9x9 transposed stride 3 | 8x8 |", "can't exceed 19 % or 6 %.", "at T = 10 ",
	} {
		if !strings.Contains(page, want) {
			t.Errorf("the page lacks %q", want)
		}
	}
	if strings.Contains(page, "%!") || strings.Contains(page, "Not measured") {
		t.Errorf("page\n%s", page)
	}
}

// TestLayersPage writes the table of a network's layers; it takes a minute where
// kernels are not in assembly.
func TestLayersPage(t *testing.T) {
	if testing.Short() {
		t.Skip("runs images of 256x256")
	}
	r := testRace(t)
	page := rendered(t, r, "layers", r.layers(t.Context()))
	for _, want := range []string{"the least of 7 runs", "| all (", " | 2 sustain at once | share, run by run | "} {
		if !strings.Contains(page, want) {
			t.Errorf("the page lacks %q:\n%s", want, page)
		}
	}
}

// TestRatio holds that of an even number of rounds the less favourable middle
// counts.
func TestRatio(t *testing.T) {
	s := &side{ours: []float64{1, 1, 2, 1}, theirs: []float64{3, 9, 2, 5}}
	if _, _, ratio := s.cells(); !slices.Equal(ratio, row{"3.00", "1.00 to 9.00", 4}) {
		t.Errorf("ratios 3, 9, 1 and 5 are %v", ratio)
	}
}

// TestDuels holds that rows which differ in the kernel alone share the peer's runs,
// and only those.
func TestDuels(t *testing.T) {
	shared := 0
	for i, d := range duels {
		shared += len(d.wanted(nil)) - 1
		for _, e := range duels[:i] {
			if d.model == e.model && d.h == e.h && d.steps == e.steps && d.peer.title == e.peer.title {
				t.Errorf("%s and %s are the same but for the kernel", d.name, e.name)
			}
		}
		if got := d.wanted([]string{d.name + "-avx512"}); len(d.kernels) == 2 && !slices.Equal(got, []string{"avx512"}) {
			t.Errorf("%s: %q is wanted, not avx512 alone", d.name, got)
		}
	}
	if rows := duelRows(); len(rows) != 13 || shared != 2 || !slices.Contains(rows, "dncnn-256-flat-avx512") {
		t.Errorf("rows %q, %d share a peer's runs, want 13 and 2", rows, shared)
	}
}

// TestShares holds that entrants are compared round by round, and that one that failed
// leaves dashes.
func TestShares(t *testing.T) {
	e := &entrant{times: []float64{1, 4, 3}}
	if got := e.share(&entrant{times: []float64{2, 4, 12}}); !slices.Equal(got, row{"0.50", "0.25 to 1.00"}) {
		t.Errorf("shares 0.5, 1 and 0.25 are %v", got)
	}
	if got := e.share(&entrant{times: []float64{2}}); !slices.Equal(got, row{"-", "-"}) {
		t.Errorf("beside one that failed: %v", got)
	}
}

// TestContests measures what runs without scripts, and says what is missing.
func TestContests(t *testing.T) {
	r := testRace(t)
	r.only = []string{"twophase-dncnn-256"}
	page := rendered(t, r, "contests", r.contests(t.Context()))
	for _, want := range []string{"| DnCNN-17 | 256x256 | spikingir, 16 bits |", "| spikingir, 8 bits |", " | - | - | - | - | 1 |",
		"- DnCNN-17 at 256x256, ONNX Runtime, qdq: no folder with ort_bench.js was given"} {
		if !strings.Contains(page, want) {
			t.Errorf("the page lacks %q:\n%s", want, page)
		}
	}
}

// TestRounds holds that the time of a row ends its rounds, and that a peer that
// fails after the first round loses nothing.
func TestRounds(t *testing.T) {
	if goruntime.GOOS == "windows" {
		t.Skip("runs shell scripts")
	}
	once := filepath.Join(t.TempDir(), "once")
	for _, c := range []struct {
		script string
		rounds int
		failed bool
	}{
		{`echo '{"ms_median": 5}'`, 1, false},
		{`test ! -e ` + once + ` && touch ` + once + ` && echo '{"ms_median": 5}'`, 3, false},
		{`exit 1`, 3, true},
	} {
		r := testRace(t)
		if r.Rounds = 3; c.rounds > 1 {
			r.RowTime = 1 << 40
		}
		d := duel{title: "row", model: dncnn, h: 8, w: 8, peer: peer{"sh", func(context.Context, *race, duel) (command, error) {
			return command{argv: []string{"sh", "-c", c.script}}, nil
		}}}
		g := newGrid("network")
		r.duel(t.Context(), g, d, best)
		got := g.String()
		if c.failed != strings.Contains(got, "- row at 8x8 beside sh: ") || !c.failed != strings.HasSuffix(got, " | 1 |") {
			t.Errorf("%s: %s; want one round", c.script, got)
		}
	}
}

// TestTheirTime holds that a script is interrupted with the program.
func TestTheirTime(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := (command{argv: []string{"sh", "-c", "sleep 100"}}).ask(ctx, ""); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v, want that of the context", err)
	}
}

// TestInterrupted holds that a run which the user ends in any table is an error, and
// writes no page.
func TestInterrupted(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for _, s := range sections {
		r := testRace(t)
		r.random, r.Patch, r.only, r.out = bench.DnCNN(3, 4, 2), 8, s.rows, filepath.Join(t.TempDir(), "page.md")
		if err := r.bench(ctx); !errors.Is(err, context.Canceled) {
			t.Errorf("%s: error %v, want that of the context", s.name, err)
		}
		if _, err := os.Stat(r.out); err == nil {
			t.Errorf("%s: a page is written", s.name)
		}
	}
}

// TestInterpreter prefers the first interpreter that has PyTorch.
func TestInterpreter(t *testing.T) {
	if goruntime.GOOS == "windows" {
		t.Skip("runs shell scripts")
	}
	dir := t.TempDir()
	write := func(name, body string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte("#!/bin/sh\n"+body+"\n"), 0o777); err != nil {
			t.Fatal(err)
		}
		return path
	}
	none, bare, torch := filepath.Join(dir, "none"), write("bare", "exit 1"), write("torch", `test "$2" = "import torch"`)
	for want, list := range map[string][]string{
		torch: {none, bare, torch}, bare: {none, bare}, none: {none},
	} {
		if got := interpreter(t.Context(), list); got != want {
			t.Errorf("of %q %s is chosen, want %s", list, got, want)
		}
	}
}
