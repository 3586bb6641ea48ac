package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	_ "embed"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"spikingir"
	"spikingir/cmd/internal/cli"
	"spikingir/passes/shiftbiases"
	"spikingir/runtime/dataset"
	"spikingir/runtime/metric"
)

// tables is a run of the command: what it was asked for, and what it has measured.
type tables struct {
	*lab
	data, tuned string
	limit, crop int
	keptOnly    bool
	cells       *cells
	figures     []figure
	hashes      map[string]string // of models
}

func (a *lab) tablesCmd() *cobra.Command {
	t := &tables{lab: a, hashes: map[string]string{}}
	var out, kept string
	var only []string
	cmd := &cobra.Command{
		Use:   "tables --data DIR -o FILE",
		Short: "Measure what the SpikingIR paper's tables and figures show, beside its figures",
		Long: `tables measures Tables 1 to 4 of the paper, and the data of its Figs. 1, 4 and 5, with
the networks in DIR/models and the test sets in DIR/images (TestSetA, SOTS-outdoor,
SOTS-indoor/test, Set12, BSD68, Set5, Urban100), and writes Markdown with the paper's
figures beside ours. Test sets that DIR lacks are left out, and named.

What is converted is measured at once. Rows of trained networks are taken from --tuned, a
folder with files ANN-METHOD-tT.onnx that finetune wrote:

  aod-spikingir-t10.onnx         Table 1; METHOD is spikingir, qcfs or ternary
  dncnn-s25-spikingir-t10.onnx   Table 2, of each sigma; spikingir or dnsnn
  vdsr-x2-spikingir-t10.onnx     Table 3, of each scale
  aod-ft-t10.onnx                Table 4: ft, conv, rmpis, membrane, spikingir

Each figure that is measured is kept in --cells (FILE.cells.jsonl) at once: the same
command goes on where it was ended. Remove that file to measure all of it anew.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := t.open(out, kept, only); err != nil {
				return err
			}
			page, err := t.page(cmd.Context(), only)
			if err != nil {
				return err
			}
			return a.write(out, page)
		},
	}
	f := cmd.Flags()
	f.StringVar(&t.data, "data", "", "folder with models/ and images/")
	f.StringVarP(&out, "output", "o", "", "Markdown file to write; empty prints it")
	f.StringVar(&t.tuned, "tuned", "", "folder of trained networks")
	f.StringVar(&kept, "cells", "", "file of what is measured already (default FILE.cells.jsonl of -o FILE)")
	f.BoolVar(&t.keptOnly, "kept-only", false, "measure nothing: write what --cells has")
	f.StringSliceVar(&only, "only", nil, "tables to measure, 1 to 4; empty measures all, and the figures too")
	f.IntVar(&t.limit, "limit", 0, "images of each test set; 0 takes all")
	f.IntVar(&t.crop, "crop", 0, "central pixels of each image; 0 takes the whole")
	return cmd
}

// open checks the flags, and reads what was measured before.
func (t *tables) open(out, kept string, only []string) (err error) {
	for _, n := range only {
		if !slices.Contains([]string{"1", "2", "3", "4"}, n) {
			return fmt.Errorf("--only %s: want tables, 1 to 4", n)
		}
	}
	switch {
	case t.data == "":
		return errors.New("tables: --data is missing, want a folder with models and images")
	case t.limit < 0 || t.crop < 0:
		return errors.New("--limit and --crop: want 0 or more")
	}
	if out != "" {
		if err := cli.CheckOutput(out); err != nil {
			return err
		}
		if kept == "" {
			kept = out + ".cells.jsonl"
		}
	}
	if t.figures, err = paperFigures(); err != nil {
		return err
	}
	t.cells, err = openCells(kept)
	return err
}

// tablesHead says what the tables hold.
//
//go:embed tables.md
var tablesHead string

// page measures what is not measured yet, and writes all of it.
func (t *tables) page(ctx context.Context, only []string) ([]byte, error) {
	page := bytes.NewBufferString(tablesHead)
	for _, p := range papers {
		if len(only) > 0 && !slices.Contains(only, fmt.Sprint(p.number)) {
			continue
		}
		if err := t.table(ctx, page, p); err != nil {
			return nil, fmt.Errorf("table %d: %w", p.number, err)
		}
	}
	if len(only) == 0 {
		if err := t.plots(ctx, page); err != nil {
			return nil, err
		}
	}
	return page.Bytes(), nil
}

// network is what stands in a row: a conversion of an ANN, or a trained file.
type network struct {
	paper    *paper
	recipe   string
	settings spikingir.Settings
	file     string // of a trained network; empty converts
}

// errAbsent is why a cell cannot be measured here.
var errAbsent = errors.New("")

// absent is an error that leaves a cell out.
func absent(format string, args ...any) error {
	return fmt.Errorf("%s%w", fmt.Sprintf(format, args...), errAbsent)
}

// cell is what a network is on a test set at T timesteps, measured now or before. A network is
// measured at all timesteps that its table has of it, in one run.
func (t *tables) cell(ctx context.Context, n network, set testSet, timesteps int) (cell, error) {
	ann := filepath.Join(t.data, "models", n.paper.model+".onnx")
	if _, err := os.Stat(ann); errors.Is(err, fs.ErrNotExist) {
		return cell{}, absent("%s is not in the data", filepath.Base(ann))
	}
	test := spikingir.Data{Task: n.paper.task, Dir: filepath.Join(t.data, "images", set.folder), Limit: t.limit, Seed: t.Seed}
	if _, err := os.Stat(test.Dir); errors.Is(err, fs.ErrNotExist) {
		return cell{}, absent("%s is not in the data", set.folder)
	}
	made, err := t.made(n, timesteps)
	if err != nil {
		return cell{}, err
	}
	source, err := t.hash(ann)
	if err != nil {
		return cell{}, err
	}
	all := t.together(n, timesteps)
	key := func(steps int) string {
		return strings.Join([]string{source, made, fmt.Sprintf("%s %s", n.paper.task, n.paper.ssim), set.folder,
			fmt.Sprintf("T=%d of %v limit=%d crop=%d seed=%d %s", steps, all, t.limit, t.crop, t.Seed, t.Precision)}, " | ")
	}
	if c, ok := t.cells.list[key(timesteps)]; ok {
		return c, nil
	}
	if t.keptOnly {
		return cell{}, absent("it is not in --cells")
	}
	reports, err := t.measure(ctx, n, ann, test, all)
	if err != nil {
		return cell{}, err
	}
	for i, r := range reports {
		c := cellOf(key(all[i]), r)
		t.Warnf("table %d, %s: %s, T = %d: %s dB, agreement %s dB", n.paper.number, set.title, n.title(), all[i], decibel(c.PSNR), decibel(c.Agreement))
		if err := t.cells.add(c); err != nil {
			return cell{}, err
		}
	}
	return t.cells.list[key(timesteps)], nil
}

// together is the timesteps that a network is measured at in one run: those of its table at
// which the same conversion makes it.
func (t *tables) together(n network, timesteps int) []int {
	list := []int{timesteps}
	if n.file != "" {
		return list
	}
	want, err := t.made(n, timesteps)
	for _, l := range t.lines(*n.paper, n.paper.sets[0]) {
		if l.file != "" || l.title() != n.title() {
			continue
		}
		if made, err2 := t.made(n, l.timesteps); err == nil && err2 == nil && made == want {
			list = append(list, l.timesteps)
		}
	}
	slices.Sort(list)
	return slices.Compact(list)
}

// made says how a network is made: by which passes, but for the number of timesteps, or that it
// is a certain file.
func (t *tables) made(n network, timesteps int) (string, error) {
	if n.file != "" {
		if t.tuned == "" {
			return "", absent("it is trained, and there is no --tuned")
		}
		if _, err := os.Stat(n.file); errors.Is(err, fs.ErrNotExist) {
			return "", absent("%s is not there", filepath.Base(n.file))
		}
		return t.hash(n.file)
	}
	if !slices.Contains(spikingir.Recipes(), n.recipe) {
		return "", absent("there is no recipe %s", n.recipe)
	}
	s := spikingir.DefaultSettings()
	s.Timesteps, s.Per, s.Readout, s.Paper, s.V0 = timesteps, n.settings.Per, n.settings.Readout, n.settings.Paper, n.settings.V0
	p, err := spikingir.Recipe(n.recipe, s)
	if err != nil {
		return "", err
	}
	passes := p.String()
	if !strings.Contains(passes, shiftbiases.Pass.Name) { // whose shift is of one T
		passes = strings.Replace(passes, fmt.Sprintf("{timesteps=%d", timesteps), "{timesteps=T", 1)
	}
	return fmt.Sprintf("%s %s %d", passes, n.paper.calib, n.paper.limit), nil
}

// hash identifies a file.
func (t *tables) hash(path string) (string, error) {
	if h, ok := t.hashes[path]; ok {
		return h, nil
	}
	b, err := os.ReadFile(path)
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256(b)
	t.hashes[path] = hex.EncodeToString(sum[:8])
	return t.hashes[path], nil
}

// measure evaluates a network beside its ANN, at rising numbers of timesteps.
func (t *tables) measure(ctx context.Context, n network, path string, test spikingir.Data, timesteps []int) ([]*spikingir.Report, error) {
	m, err := t.load(path)
	if err != nil {
		return nil, err
	}
	options := spikingir.RunOptions{Threads: t.Threads, Precision: t.Numbers()}
	ann, err := spikingir.Open(m, options)
	if err != nil {
		return nil, err
	}
	defer ann.Close()
	if n.file != "" {
		if m, err = t.load(n.file); err != nil {
			return nil, err
		}
	} else if err = t.convert(ctx, m, n, timesteps[len(timesteps)-1]); err != nil {
		return nil, err
	}
	options.Timesteps = timesteps
	snn, err := spikingir.Open(m, options)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", n.title(), err)
	}
	defer snn.Close()
	step, end := t.Progress(n.title())
	defer end()
	all, err := spikingir.Evaluate(ctx, snn, test, spikingir.EvaluateOptions{Reference: ann, SSIM: n.paper.ssim, Crop: t.crop, Progress: step})
	if err != nil {
		return nil, fmt.Errorf("%s: %w", n.title(), err)
	}
	return all, nil
}

func (t *tables) convert(ctx context.Context, m *spikingir.Model, n network, timesteps int) error {
	s := n.settings
	s.Timesteps = timesteps
	calib := spikingir.Data{Task: n.paper.task, Dir: filepath.Join(t.data, "images", n.paper.calib), Limit: n.paper.limit, Seed: t.Seed}
	_, err := spikingir.Convert(ctx, m, spikingir.Options{Recipe: n.recipe, Settings: s, Calibration: calib, Threads: t.Threads})
	if err != nil {
		return fmt.Errorf("%s: %w", n.title(), err)
	}
	return nil
}

// title names a network in a row.
func (n network) title() string {
	switch {
	case n.file != "":
		return "trained, " + filepath.Base(n.file)
	case n.settings.Paper:
		return n.recipe + " --paper"
	}
	title := n.recipe
	if n.settings.Per != "" {
		title += ", per " + string(n.settings.Per)
	}
	if n.settings.Readout != "" {
		title += ", readout " + string(n.settings.Readout)
	}
	if n.settings.V0 != 0 {
		title += fmt.Sprintf(", v0 = %g", max(n.settings.V0, 0))
	}
	return title
}

// paper is one table of the paper, for one variant of it.
type paper struct {
	number  int
	title   string
	variant string // of the table: sigma or scale
	stem    string // of trained files
	model   string
	task    spikingir.Task
	ssim    metric.Window
	calib   string
	limit   int
	sets    []testSet
	methods []method
	others  int // timesteps, beside their own, of recipes that the table does not have; 0 leaves them out
}

// testSet is one of the paper's, or one that stands in for it.
type testSet struct {
	title, folder string
}

var (
	hazy  = []testSet{{"TestSet A", "TestSetA"}, {"SOTS-outdoor", "SOTS-outdoor"}, {"SOTS-indoor", "SOTS-indoor/test"}}
	noisy = []testSet{{"Set12", "Set12"}, {"BSD68", "BSD68"}}
	small = []testSet{{"Set5", "Set5"}, {"Urban100", "Urban100"}}
)

// papers are the tables. The SSIM of VDSR agrees with the paper's in a uniform window of 7x7,
// and its energy at x4 where images are cropped for x3 before.
var papers = []paper{
	{number: 1, title: "dehazing, AOD-Net", stem: "aod", model: "aod_boyiliee_op11", task: spikingir.Task{Kind: spikingir.Dehaze},
		calib: "SOTS-indoor/train", sets: hazy, methods: methods, others: 10},
	denoising("15", "dncnn_s15_bn_op11"), denoising("25", "dncnn_s25_bn_op16"), denoising("50", "dncnn_s50_bn_op11"),
	{number: 3, title: "super-resolution x2, VDSR", variant: "2", stem: "vdsr-x2", model: "vdsr_twt_op16", task: spikingir.Task{Kind: spikingir.SR, Scale: 2},
		ssim: metric.Uniform7, calib: "T91", limit: 40, sets: small, methods: methods},
	{number: 3, title: "super-resolution x4, VDSR", variant: "4", stem: "vdsr-x4", model: "vdsr_twt_op16",
		task: spikingir.Task{Kind: spikingir.SR, Scale: 4, Crop: dataset.Cumulative}, ssim: metric.Uniform7, calib: "T91", limit: 40, sets: small, methods: methods},
	{number: 4, title: "ablation, AOD-Net", stem: "aod", model: "aod_boyiliee_op11", task: spikingir.Task{Kind: spikingir.Dehaze},
		calib: "SOTS-indoor/train", sets: hazy, methods: ablation},
}

// denoising is Table 2 at one strength of noise.
func denoising(sigma, model string) paper {
	p := paper{number: 2, title: "denoising at sigma " + sigma + ", DnCNN", variant: sigma, stem: "dncnn-s" + sigma, model: model,
		task: spikingir.Task{Kind: spikingir.Denoise}, calib: "Train400", limit: 40, sets: noisy, methods: methods}
	fmt.Sscan(sigma, &p.task.Sigma)
	return p
}
