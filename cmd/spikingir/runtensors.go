package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"spikingir"
	"spikingir/cmd/internal/cli"
	"spikingir/graph"
	"spikingir/internal/regular"
	"spikingir/onnxio/npy"
	"spikingir/runtime/exec"
	"spikingir/runtime/ops"
)

// tensorFile is a .npy file for an input or an output of a model.
type tensorFile struct{ name, path string }

// tensorFiles pairs the values of a model with files: those given as NAME=FILE by name,
// the others in the order of the model.
func tensorFiles(flag, kind string, given []string, values []*graph.Value) ([]tensorFile, error) {
	names := make([]string, len(values))
	for i, v := range values {
		names[i] = v.Name()
	}
	var files []tensorFile
	taken := map[string]bool{}
	for _, g := range given {
		// a name may hold '=' itself: the longest that the model has counts
		f := tensorFile{path: g}
		for _, name := range names {
			if rest, ok := strings.CutPrefix(g, name+"="); ok && len(name) >= len(f.name) {
				f = tensorFile{name, rest}
			}
		}
		if name := nobody(g); f.name == "" && name != "" {
			return nil, fmt.Errorf("--%s %s: the model has no %s %q, it has %q; for a file of that name want ./%[2]s", flag, g, kind, name, names)
		}
		if f.name != "" && taken[f.name] {
			return nil, fmt.Errorf("--%s names %s %q twice", flag, kind, f.name)
		}
		taken[f.name] = true
		files = append(files, f)
	}
	for i := range files {
		if files[i].name != "" {
			continue
		}
		at := slices.IndexFunc(names, func(name string) bool { return !taken[name] })
		if at < 0 {
			return nil, fmt.Errorf("--%s %s: the model has %d %ss (%s), want no more files", flag, files[i].path,
				len(names), kind, fmt.Sprintf("%q", names))
		}
		files[i].name = names[at]
		taken[names[at]] = true
	}
	return files, nil
}

// nobody is the name in NAME=FILE where the model has none such; it is empty for a file.
func nobody(given string) string {
	name, _, named := strings.Cut(given, "=")
	if _, err := os.Stat(given); err == nil || !named || strings.ContainsAny(name, `/\`) {
		return ""
	}
	return name
}

// computed is what run reports of an output; its JSON form is a contract.
type computed struct {
	Output string `json:"output"`
	File   string `json:"file"`
	Type   string `json:"type"`
}

// runTensors runs a model on .npy files and writes its outputs as such.
func (a *app) runTensors(ctx context.Context, model string, r *restoration) error {
	if r.in != "" {
		return fmt.Errorf("run: --tensor and --input exclude each other: want tensors or images")
	}
	m, err := a.load(model, "onnx")
	if err != nil {
		return err
	}
	if len(r.run.Timesteps) > 0 && !spikingir.Spiking(m) {
		return fmt.Errorf("%s is not a spiking model: it has no timesteps to set", model)
	}
	a.warnWeights(model, m)
	r.run.Threads, r.run.Precision, r.run.AsFiled = a.Threads, a.Numbers(), true
	net, err := spikingir.Open(m, r.run)
	if err != nil {
		return fmt.Errorf("%s: %w", model, err)
	}
	defer net.Close()
	p := net.Program()
	in, err := tensorFiles("tensor", "input", r.tensors, p.Inputs())
	if err != nil {
		return err
	}
	out, err := tensorFiles("output", "output", r.outs, net.Model().Graph.Outputs())
	if err != nil {
		return err
	}
	if err := checkTensorOutputs(out, in, model); err != nil {
		return err
	}
	inputs, err := a.readTensors(in, p.Inputs())
	if err != nil {
		return err
	}
	res, err := p.Run(ctx, inputs, exec.RunOptions{})
	if err != nil {
		return fmt.Errorf("%s: %w", model, net.Fault(err))
	}
	list := []computed{}
	for _, f := range out {
		i := slices.IndexFunc(net.Model().Graph.Outputs(), func(v *graph.Value) bool { return v.Name() == f.name })
		if err := writeTensor(f.path, res.Outputs[i]); err != nil {
			return err
		}
		list = append(list, computed{f.name, f.path, res.Outputs[i].String()})
		if !a.Quiet && a.format == "text" {
			fmt.Fprintf(a.out, "%q -> %s: %v\n", f.name, f.path, res.Outputs[i])
		}
	}
	if a.format == "json" {
		return a.json(list)
	}
	return nil
}

func checkTensorOutputs(out, in []tensorFile, model string) error {
	sources := []string{model}
	for _, f := range in {
		sources = append(sources, f.path)
	}
	for i, f := range out {
		if f.path == stream {
			return fmt.Errorf("--output - with --tensor: tensors are written to files, want the name of a .npy file")
		}
		if ext := strings.ToLower(filepath.Ext(f.path)); ext == ".png" || ext != ".npy" && slices.Contains(otherFormats, ext) {
			return fmt.Errorf("output %s: tensors are written as .npy, want a name that ends so", f.path)
		}
		if err := cli.CheckOutput(f.path, sources...); err != nil {
			return err
		}
		if slices.ContainsFunc(out[:i], func(g tensorFile) bool { return g.path == f.path }) {
			return fmt.Errorf("--output %s is named for two outputs, want a file for each", f.path)
		}
	}
	return nil
}

// readTensors reads a file for every input of a model.
func (a *app) readTensors(files []tensorFile, want []*graph.Value) (map[string]*ops.Tensor, error) {
	inputs := map[string]*ops.Tensor{}
	for _, v := range want {
		i := slices.IndexFunc(files, func(f tensorFile) bool { return f.name == v.Name() })
		if i < 0 {
			return nil, fmt.Errorf("no tensor for input %q (%v), want --tensor %s=FILE.npy", v.Name(), v.Type, v.Name())
		}
		t, err := a.readTensor(files[i].path, v)
		if err != nil {
			return nil, fmt.Errorf("input %q: %s: %w", v.Name(), files[i].path, err)
		}
		inputs[v.Name()] = t
	}
	return inputs, nil
}

// readTensor reads numbers for an input. Floats of another precision than it has are
// rounded: NumPy makes float64 unless told otherwise, and has no bfloat16.
func (a *app) readTensor(path string, v *graph.Value) (*ops.Tensor, error) {
	f, _, err := regular.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	g, err := npy.Read(f)
	if err != nil {
		return nil, err
	}
	t, err := ops.FromGraph(g)
	if err != nil {
		return nil, err
	}
	elem := v.Type.Elem
	switch {
	case elem == graph.Undefined || elem == t.DType:
		return t, nil
	case elem.IsFloat() && t.DType.IsFloat():
		a.Warnf("%s holds %v, input %q takes %v: rounded", path, t.DType, v.Name(), elem)
		return t.As(elem), nil
	}
	return nil, fmt.Errorf("elements of type %v, the model wants %v", t.DType, elem)
}

func writeTensor(path string, t *ops.Tensor) error {
	g, err := t.Graph()
	if err != nil {
		return err
	}
	var b bytes.Buffer
	if err := npy.Write(&b, g); err != nil {
		return err
	}
	return cli.WriteFile(path, b.Bytes())
}
