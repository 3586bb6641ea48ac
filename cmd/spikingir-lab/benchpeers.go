package main

import (
	"bytes"
	"cmp"
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

	"spikingir"
	"spikingir/fixtures"
	"spikingir/internal/atomicfile"
	"spikingir/passes/recipes"
)

// A command is a peer's script: it prints JSON objects with ms_median.
type command struct {
	argv  []string
	stdin string
}

// line is the command of a line of words.
func line(words ...any) command {
	var c command
	for _, w := range words {
		c.argv = append(c.argv, fmt.Sprint(w))
	}
	return c
}

// peer is another runtime.
type peer struct {
	title string
	// command is that of a duel. An error says what is missing.
	command func(context.Context, *race, duel) (command, error)
}

const torchTitle = "PyTorch multi-step"

var (
	ortANN = peer{"ONNX Runtime, the ANN", func(ctx context.Context, r *race, d duel) (command, error) {
		return r.ort(ctx, d, r.modelPath(d.model))
	}}
	ortFlat = peer{"ONNX Runtime, the same spiking network (flat)", func(ctx context.Context, r *race, d duel) (command, error) {
		m, err := r.convert(ctx, d.model, "", spikingir.Settings{Timesteps: d.steps, Lower: recipes.Flat})
		if err != nil {
			return command{}, err
		}
		path := filepath.Join(r.tmp, fmt.Sprintf("%s.T%d.flat.onnx", d.model, d.steps))
		if err := spikingir.Write(path, m); err != nil {
			return command{}, err
		}
		return r.ort(ctx, d, path)
	}}
	// torchDnCNN takes the median of 3 runs. It asks for a training step that is as
	// small as can be: only the first line counts.
	torchDnCNN = peer{torchTitle, func(ctx context.Context, r *race, d duel) (command, error) {
		script, err := r.script("torch_multistep_bench.py")
		return line(r.python(ctx), script, r.Workers(), d.steps, d.h, 1, 8), err
	}}
	torchVDSR, torchAOD = torch("vdsr"), torch("aod")
)

// torch is the project's own script, for networks that the given one lacks.
func torch(net string) peer {
	return peer{torchTitle, func(ctx context.Context, r *race, d duel) (command, error) {
		c := line(r.python(ctx), "-", net, r.Workers(), d.steps, d.h, d.w, r.runsOf(d))
		c.stdin = fixtures.TorchMultistep
		return c, nil
	}}
}

// ort is ONNX Runtime on the model of a file.
func (r *race) ort(ctx context.Context, d duel, path string) (command, error) {
	script, err := r.script("ort_bench.js")
	if err != nil {
		return command{}, err
	}
	m, err := r.network(ctx, d.model, 0)
	if err != nil {
		return command{}, err
	}
	channels, err := spikingir.Channels(m)
	return line("node", script, path, d.h, d.w, r.Workers(), r.runsOf(d), max(channels, 1)), err
}

// pythons are the interpreters to try: first the one that Debian's packages belong
// to.
var pythons = []string{"/usr/bin/python3", "python3"}

// python is the first interpreter that has PyTorch, else the first that runs: its
// script's error is told.
func (r *race) python(ctx context.Context) string {
	if r.interpreter == "" {
		r.interpreter = interpreter(ctx, pythons)
	}
	return r.interpreter
}

func interpreter(ctx context.Context, candidates []string) string {
	found := ""
	for _, name := range candidates {
		if osexec.CommandContext(ctx, name, "-c", "import torch").Run() == nil {
			return name
		}
		if _, err := osexec.LookPath(name); err == nil && found == "" {
			found = name
		}
	}
	return cmp.Or(found, candidates[0])
}

func (r *race) modelPath(name string) string { return filepath.Join(r.data, "models", name+".onnx") }

// script is the path of a peer's script.
func (r *race) script(name string) (string, error) {
	if r.peers == "" {
		return "", fmt.Errorf("no folder with %s was given: want --peers", name)
	}
	path := filepath.Join(r.peers, name)
	if _, err := os.Stat(path); err != nil {
		return "", fmt.Errorf("%s: %w", path, atomicfile.Cause(err))
	}
	return path, nil
}

// network is a network of the data folder: the ANN, or converted to T steps. Each
// is made once; plans leave it as it is.
func (r *race) network(ctx context.Context, name string, steps int) (*spikingir.Model, error) {
	key := fmt.Sprintf("%s T=%d", name, steps)
	if m := r.networks[key]; m != nil {
		return m, nil
	}
	m, err := r.convert(ctx, name, "", spikingir.Settings{Timesteps: steps, Lower: recipes.None})
	if err == nil {
		r.networks[key] = m
	}
	return m, err
}

// convert reads a network, and converts it where T says so, calibrated on the
// embedded images: the speed hardly depends on thresholds.
func (r *race) convert(ctx context.Context, name, recipe string, s spikingir.Settings) (*spikingir.Model, error) {
	if r.data == "" {
		return nil, errors.New("no folder with models was given: want --data or SPIKINGIR_DATA")
	}
	m, err := r.load(r.modelPath(name))
	if err != nil || s.Timesteps == 0 {
		return m, err
	}
	if _, err := spikingir.Convert(ctx, m, spikingir.Options{Recipe: recipe, Settings: s, Threads: r.Workers()}); err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return m, nil
}

// peerLimit is how long a peer's script may take: one that hangs loses its row and
// not the page.
const peerLimit = 3 * time.Minute

// answer is what a peer's script measured.
type answer struct {
	Work   string
	MS     float64 `json:"ms_median"`
	Firing float64 `json:"firing_rate"` // 0 where it is not told
}

// ask runs a peer's script and takes the first time that it prints, of work where that
// is named, and the firing rate.
func (c command) ask(ctx context.Context, work string) (answer, error) {
	stdout, err := c.printed(ctx)
	if err != nil {
		return answer{}, err
	}
	var found answer
	for line := range strings.Lines(stdout) {
		var a answer
		if json.Unmarshal([]byte(line), &a) != nil {
			continue
		}
		if found.MS == 0 && (work == "" || a.Work == work) {
			found.MS = a.MS
		}
		found.Firing = cmp.Or(found.Firing, a.Firing)
	}
	if found.MS <= 0 {
		return answer{}, fmt.Errorf("%s printed no ms_median %s: %q", c, strconv.Quote(work), stdout)
	}
	return found, nil
}

// String is the program and its script.
func (c command) String() string { return c.argv[0] + " " + filepath.Base(c.argv[1]) }

// printed is what a peer's script prints.
func (c command) printed(ctx context.Context) (string, error) {
	outer := ctx
	ctx, cancel := context.WithTimeout(ctx, peerLimit)
	defer cancel()
	cmd := osexec.CommandContext(ctx, c.argv[0], c.argv[1:]...)
	cmd.Stdin = strings.NewReader(c.stdin)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	cmd.WaitDelay = time.Second // for what the script started
	err := cmd.Run()
	switch {
	case outer.Err() != nil:
		return "", outer.Err()
	case ctx.Err() != nil:
		return "", fmt.Errorf("%s took more than %v", c, peerLimit)
	case errors.Is(err, osexec.ErrNotFound):
		return "", fmt.Errorf("the program %s is not installed", c.argv[0])
	case err != nil:
		return "", fmt.Errorf("%s: %s", c, complaint(stderr.String(), err))
	}
	return stdout.String(), nil
}

// complaint is the line of a script's error output that says what is wrong.
func complaint(stderr string, err error) string {
	last := err.Error()
	for line := range strings.Lines(stderr) {
		line = strings.TrimSpace(line)
		if strings.Contains(line, "Error:") {
			return line
		}
		last = cmp.Or(line, last)
	}
	return last
}
