package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	osexec "os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"spikingir/fixtures"
	"spikingir/graph"
	"spikingir/onnxio"
	"spikingir/runtime/bench"
	"spikingir/runtime/exec"
	"spikingir/runtime/ops"
)

// duel is one row of the comparison: a network here beside a peer's run of the
// same, or of the network it was made from.
type duel struct {
	name  string // for --only
	title string
	model string // of the data folder, without .onnx
	h, w  int
	steps int // T; 0 runs the ANN
	peer  peer
}

// peer is another runtime, run by a script that prints a JSON object with
// ms_median.
type peer struct {
	title string
	// command makes the command line for images of so many channels, and what the
	// script reads from standard input. An error says what is missing.
	command func(ctx context.Context, r *race, d duel, channels int) (argv []string, stdin string, err error)
}

var (
	ortANN = peer{"ONNX Runtime, the ANN", func(_ context.Context, r *race, d duel, channels int) ([]string, string, error) {
		return r.ort(d, r.modelPath(d.model), channels)
	}}
	ortFlat = peer{"ONNX Runtime, the same spiking network (flat)", func(ctx context.Context, r *race, d duel, channels int) ([]string, string, error) {
		path, err := r.flat(ctx, d)
		if err != nil {
			return nil, "", err
		}
		return r.ort(d, path, channels)
	}}
	// torchDnCNN asks for a training step that is as small as can be: only the
	// first line counts.
	torchDnCNN = peer{"PyTorch multi-step", func(_ context.Context, r *race, d duel, _ int) ([]string, string, error) {
		script, err := r.script("torch_multistep_bench.py")
		return []string{python(), script, strconv.Itoa(r.threads), strconv.Itoa(d.steps),
			strconv.Itoa(d.h), "1", "8"}, "", err
	}}
	torchVDSR, torchAOD = torch("vdsr"), torch("aod")
)

// torch is the project's own script, for networks that the given one lacks.
func torch(net string) peer {
	return peer{"PyTorch multi-step", func(_ context.Context, r *race, d duel, _ int) ([]string, string, error) {
		return []string{python(), "-", net, strconv.Itoa(r.threads), strconv.Itoa(d.steps),
			strconv.Itoa(d.h), strconv.Itoa(d.w), strconv.Itoa(r.runs)}, fixtures.TorchMultistep, nil
	}}
}

const (
	dncnn = "dncnn_s25_bn_op16"
	vdsr  = "vdsr_twt_op16"
	aod   = "aod_boyiliee_op11"
)

var duels = []duel{
	{"dncnn-ann-256", "DnCNN-17, ANN", dncnn, 256, 256, 0, ortANN},
	{"dncnn-ann-128", "DnCNN-17, ANN", dncnn, 128, 128, 0, ortANN},
	{"dncnn-256-ort", "DnCNN-17, spiking", dncnn, 256, 256, 10, ortANN},
	{"dncnn-128-flat", "DnCNN-17, spiking", dncnn, 128, 128, 10, ortFlat},
	{"dncnn-128-torch", "DnCNN-17, spiking", dncnn, 128, 128, 10, torchDnCNN},
	{"vdsr-640-ort", "VDSR-20, spiking", vdsr, 480, 640, 10, ortANN},
	{"vdsr-640-torch", "VDSR-20, spiking", vdsr, 480, 640, 10, torchVDSR},
	{"aod-640-ort", "AOD-Net, spiking", aod, 480, 640, 10, ortANN},
	{"aod-640-torch", "AOD-Net, spiking", aod, 480, 640, 10, torchAOD},
}

// python is the interpreter that Debian's packages belong to, where there is one.
func python() string {
	const debian = "/usr/bin/python3"
	if _, err := os.Stat(debian); err == nil {
		return debian
	}
	return "python3"
}

// race is a run of all comparisons.
type race struct {
	*app
	peers, data  string
	threads      int
	runs, rounds int
	tmp          string // holds the flat forms
}

// score is what a duel found, in milliseconds.
type score struct {
	ours, theirs float64 // medians over the rounds
	ratios       []float64
}

func (r *race) modelPath(name string) string { return filepath.Join(r.data, "models", name+".onnx") }

// script is the path of a peer's script.
func (r *race) script(name string) (string, error) {
	if r.peers == "" {
		return "", fmt.Errorf("no folder with %s was given: want --peers", name)
	}
	path := filepath.Join(r.peers, name)
	if _, err := os.Stat(path); err != nil {
		return "", fmt.Errorf("%s: %w", path, cause(err))
	}
	return path, nil
}

// ort is the command line of ONNX Runtime on a model.
func (r *race) ort(d duel, path string, channels int) ([]string, string, error) {
	script, err := r.script("ort_bench.js")
	if err != nil {
		return nil, "", err
	}
	return []string{"node", script, path, strconv.Itoa(d.h), strconv.Itoa(d.w), strconv.Itoa(r.threads),
		strconv.Itoa(r.runs), strconv.Itoa(channels)}, "", nil
}

// open reads a network of the data folder.
func (r *race) open(name string) (*graph.Model, error) {
	if r.data == "" {
		return nil, fmt.Errorf("no folder with models was given: want --data or SPIKINGIR_DATA")
	}
	return r.load(r.modelPath(name), "onnx")
}

// flat writes the flat form of a spiking network.
func (r *race) flat(ctx context.Context, d duel) (string, error) {
	m, err := r.open(d.model)
	if err != nil {
		return "", err
	}
	if err := r.spikingForm(ctx, d.model, m, d.steps, "flat"); err != nil {
		return "", err
	}
	path := filepath.Join(r.tmp, fmt.Sprintf("%s.T%d.flat.onnx", d.model, d.steps))
	return path, onnxio.WriteFile(path, m)
}

// network plans a network of the data folder: the ANN, or converted to T steps.
func (r *race) network(ctx context.Context, name string, steps int) (*graph.Model, error) {
	m, err := r.open(name)
	if err != nil || steps == 0 {
		return m, err
	}
	return m, r.spikingForm(ctx, name, m, steps, "none")
}

// run lets a network and a peer take turns: a run to warm up here, then the
// median of some; the peer's script does the same.
func (r *race) run(ctx context.Context, d duel) (*score, error) {
	m, err := r.network(ctx, d.model, d.steps)
	if err != nil {
		return nil, err
	}
	p, channels, err := compileOn(m, r.kernels(), r.numbers())
	if err != nil {
		return nil, err
	}
	argv, stdin, err := d.peer.command(ctx, r, d, channels)
	if err != nil {
		return nil, err
	}
	x := bench.Uniform(1, channels, d.h, d.w)
	s := &score{}
	var ours, theirs []float64
	for range r.rounds {
		mine, err := r.ours(ctx, p, x)
		if err != nil {
			return nil, err
		}
		other, err := theirTime(ctx, argv, stdin)
		if err != nil {
			return nil, err
		}
		ours, theirs = append(ours, mine), append(theirs, other)
		s.ratios = append(s.ratios, other/mine)
	}
	s.ours, s.theirs = bench.Median(ours), bench.Median(theirs)
	return s, nil
}

// ours is the median time of a program in milliseconds.
func (r *race) ours(ctx context.Context, p *exec.Program, x *ops.Tensor) (float64, error) {
	in := map[string]*ops.Tensor{p.Inputs()[0].Name(): x}
	var times []float64
	for i := range r.runs + 1 {
		start := time.Now()
		if _, err := p.Run(ctx, in, exec.RunOptions{}); err != nil {
			return 0, err
		}
		if i > 0 {
			times = append(times, float64(time.Since(start).Nanoseconds())/1e6)
		}
	}
	return bench.Median(times), nil
}

// theirTime runs a peer's script and reads ms_median off the first line that has
// it.
func theirTime(ctx context.Context, argv []string, stdin string) (float64, error) {
	cmd := osexec.CommandContext(ctx, argv[0], argv[1:]...)
	cmd.Stdin = strings.NewReader(stdin)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	err := cmd.Run()
	if ctx.Err() != nil {
		return 0, ctx.Err()
	}
	if errors.Is(err, osexec.ErrNotFound) {
		return 0, fmt.Errorf("the program %s is not installed", argv[0])
	}
	if err != nil {
		return 0, fmt.Errorf("%s %s: %s", argv[0], filepath.Base(argv[1]), complaint(stderr.String(), err))
	}
	for line := range strings.Lines(stdout.String()) {
		var found struct {
			MS float64 `json:"ms_median"`
		}
		if json.Unmarshal([]byte(line), &found) == nil && found.MS > 0 {
			return found.MS, nil
		}
	}
	return 0, fmt.Errorf("%s %s printed no ms_median: %q", argv[0], filepath.Base(argv[1]), stdout.String())
}

// complaint is the line of a script's error output that says what is wrong.
func complaint(stderr string, err error) string {
	last := err.Error()
	for line := range strings.Lines(stderr) {
		line = strings.TrimSpace(line)
		if strings.Contains(line, "Error:") {
			return line
		}
		if line != "" {
			last = line
		}
	}
	return last
}
