package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"

	"spikingir/cmd/internal/cli"
	"spikingir/graph"
	"spikingir/graph/op"
	"spikingir/onnxio"
	"spikingir/onnxio/onnxgo"
	"spikingir/runtime/eval"
	"spikingir/runtime/exec"
)

// load reads a model; reader is onnx or onnx-go.
func (a *app) load(path, reader string) (*graph.Model, error) {
	if reader != "onnx" && reader != "onnx-go" {
		return nil, fmt.Errorf("--reader %s, want onnx or onnx-go", reader)
	}
	var p *fs.PathError
	m, err := readModel(path, reader)
	switch {
	case err == nil:
		return m, nil
	case errors.Is(err, onnxgo.ErrUnsupported):
		return nil, cli.Unsupported(err)
	case !errors.As(err, &p):
		return nil, cli.Invalid(err)
	case p.Path != path: // a file of external data
		return nil, err
	case errors.Is(err, fs.ErrNotExist):
		return nil, fmt.Errorf("model %s does not exist", path)
	}
	return nil, fmt.Errorf("model %s cannot be read: %w", path, p.Err)
}

func readModel(path, reader string) (*graph.Model, error) {
	if reader == "onnx" {
		return onnxio.ReadFile(path)
	}
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	m, err := onnxgo.Read(b)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return m, nil
}

// maxTimesteps bounds T as the pass encode-input does.
const maxTimesteps = 65536

// checkTimesteps demands rising numbers of timesteps.
func checkTimesteps(list []int) error {
	last := 0
	for _, t := range list {
		if t < 1 || t > maxTimesteps {
			return fmt.Errorf("--timesteps %d, want 1 to %d", t, maxTimesteps)
		}
		if t <= last {
			return fmt.Errorf("--timesteps %d after %d, want rising numbers", t, last)
		}
		last = t
	}
	return nil
}

// loaded is a model ready to run on images.
type loaded struct {
	path    string
	model   *graph.Model
	program *exec.Program
	ports   eval.Ports
}

// loadProgram reads a model and plans its execution; see [app.program].
func (a *app) loadProgram(path string, memory memorySize, timesteps ...int) (*loaded, error) {
	m, err := a.load(path, "onnx")
	if err != nil {
		return nil, err
	}
	return a.program(path, m, memory, timesteps...)
}

// program plans the execution of a model; timesteps, when given, replace the
// model's own: rising numbers, each with results of its own. No memory stated is the
// default.
func (a *app) program(path string, m *graph.Model, memory memorySize, timesteps ...int) (*loaded, error) {
	ports, err := eval.PortsOf(m.Graph)
	if err != nil {
		return nil, cli.Unsupported(fmt.Errorf("%s: %w", path, err))
	}
	if len(timesteps) > 0 && !spiking(m) {
		return nil, fmt.Errorf("%s is not a spiking model: it has no timesteps to set", path)
	}
	if eval.FreeSize(m.Graph) {
		a.log().Debug("the model states a fixed image size; it is run on images of any size", "model", path)
	}
	p, err := exec.Compile(m, exec.Options{Pool: a.Kernels(), Checkpoints: timesteps, Precision: a.Numbers(),
		MemoryLimit: int64(memory)})
	if err != nil {
		return nil, cli.Unsupported(fmt.Errorf("%s: %w", path, err))
	}
	return &loaded{path, m, p, ports}, nil
}

// spiking reports whether a model holds neurons.
func spiking(m *graph.Model) bool {
	for n := range m.Graph.Nodes() {
		if op.IsNeuron(n) {
			return true
		}
	}
	return false
}
