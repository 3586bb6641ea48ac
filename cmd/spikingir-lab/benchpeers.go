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

	"spikingir/fixtures"
	"spikingir/graph"
	"spikingir/internal/atomicfile"
	"spikingir/onnxio"
)

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
	// torchDnCNN takes the median of 3 runs. It asks for a training step that is as
	// small as can be: only the first line counts.
	torchDnCNN = peer{"PyTorch multi-step", func(ctx context.Context, r *race, d duel, _ int) ([]string, string, error) {
		script, err := r.script("torch_multistep_bench.py")
		if err != nil {
			return nil, "", err
		}
		return []string{r.python(ctx), script, strconv.Itoa(r.threads), strconv.Itoa(d.steps),
			strconv.Itoa(d.h), "1", "8"}, "", nil
	}}
	torchVDSR, torchAOD = torch("vdsr"), torch("aod")
)

// torch is the project's own script, for networks that the given one lacks.
func torch(net string) peer {
	return peer{"PyTorch multi-step", func(ctx context.Context, r *race, d duel, _ int) ([]string, string, error) {
		return []string{r.python(ctx), "-", net, strconv.Itoa(r.threads), strconv.Itoa(d.steps),
			strconv.Itoa(d.h), strconv.Itoa(d.w), strconv.Itoa(r.runsOf(d))}, fixtures.TorchMultistep, nil
	}}
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

// race is a run of all comparisons.
type race struct {
	*lab
	peers, data  string
	threads      int
	runs, rounds int
	rowTime      time.Duration // see run
	end          time.Time     // when no other row is begun; zero for never
	tmp          string        // holds the flat forms
	interpreter  string        // see python
	networks     map[string]*graph.Model
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

// ort is the command line of ONNX Runtime on a model.
func (r *race) ort(d duel, path string, channels int) ([]string, string, error) {
	script, err := r.script("ort_bench.js")
	if err != nil {
		return nil, "", err
	}
	return []string{"node", script, path, strconv.Itoa(d.h), strconv.Itoa(d.w), strconv.Itoa(r.threads),
		strconv.Itoa(r.runsOf(d)), strconv.Itoa(channels)}, "", nil
}

// open reads a network of the data folder.
func (r *race) open(name string) (*graph.Model, error) {
	if r.data == "" {
		return nil, fmt.Errorf("no folder with models was given: want --data or SPIKINGIR_DATA")
	}
	return r.load(r.modelPath(name))
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

// network is a network of the data folder: the ANN, or converted to T steps. Each
// is made once; plans leave it as it is.
func (r *race) network(ctx context.Context, name string, steps int) (*graph.Model, error) {
	key := fmt.Sprintf("%s T=%d", name, steps)
	if m := r.networks[key]; m != nil {
		return m, nil
	}
	m, err := r.open(name)
	if err == nil && steps > 0 {
		err = r.spikingForm(ctx, name, m, steps, "none")
	}
	if err != nil {
		return nil, err
	}
	r.networks[key] = m
	return m, nil
}

// peerLimit is how long a peer's script may take: one that hangs loses its row and
// not the page.
const peerLimit = 3 * time.Minute

// theirTime runs a peer's script and reads ms_median off the first line that has
// it.
func theirTime(ctx context.Context, argv []string, stdin string) (float64, error) {
	stdout, err := printed(ctx, argv, stdin)
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(stdout) {
		var found struct {
			MS float64 `json:"ms_median"`
		}
		if json.Unmarshal([]byte(line), &found) == nil && found.MS > 0 {
			return found.MS, nil
		}
	}
	return 0, fmt.Errorf("%s %s printed no ms_median: %q", argv[0], filepath.Base(argv[1]), stdout)
}

// printed is what a peer's script prints.
func printed(ctx context.Context, argv []string, stdin string) (string, error) {
	outer := ctx
	ctx, cancel := context.WithTimeout(ctx, peerLimit)
	defer cancel()
	cmd := osexec.CommandContext(ctx, argv[0], argv[1:]...)
	cmd.Stdin = strings.NewReader(stdin)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	cmd.WaitDelay = time.Second // for what the script started
	err := cmd.Run()
	if outer.Err() != nil {
		return "", outer.Err()
	}
	if ctx.Err() != nil {
		return "", fmt.Errorf("%s %s took more than %v", argv[0], filepath.Base(argv[1]), peerLimit)
	}
	if errors.Is(err, osexec.ErrNotFound) {
		return "", fmt.Errorf("the program %s is not installed", argv[0])
	}
	if err != nil {
		return "", fmt.Errorf("%s %s: %s", argv[0], filepath.Base(argv[1]), complaint(stderr.String(), err))
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
		if line != "" {
			last = line
		}
	}
	return last
}
