package main

import (
	"bytes"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"spikingir/cmd/internal/cli"
	"spikingir/graph"
	"spikingir/graph/op"
	"spikingir/onnxio"
)

// TestParameters holds that every command refuses a spiking network with a parameter of
// the wrong type or out of range: as a model that is not valid, in one line that names
// the node, and without an output.
func TestParameters(t *testing.T) {
	dir, args := trained(t, 1)
	good, bad, out := args[1], filepath.Join(dir, "bad.onnx"), filepath.Join(dir, "out")
	data := filepath.Join(dir, "data")
	files, err := os.ReadDir(data)
	if err != nil {
		t.Fatal(err)
	}
	image := filepath.Join(data, files[0].Name())
	task := []string{"--task", "denoise", "--sigma", "25", "--data", data}
	commands := [][]string{
		{"inspect", bad}, {"convert", bad, "-o", out, "--lower", "flat"}, {"run", bad, "-i", image, "-o", out},
		slices.Concat([]string{"eval", bad}, task), {"diff", good, bad}, {"verify", bad, good},
		{"bench", "--model", bad}, slices.Concat([]string{"finetune", bad, "-o", out}, args[2:]),
		slices.Concat([]string{"finetune", filepath.Join(dir, "ann.onnx"), "-o", out, "--ref", bad}, smallRun(data)),
	}
	integers := func(t *graph.Tensor) *graph.Tensor {
		n, _ := t.Len()
		return graph.NewInt64(t.Dims, make([]int64, n))
	}
	for _, c := range []struct {
		name string
		edit func(neuron, conv *graph.Node)
		want string
	}{
		{"integer thresholds", func(n, _ *graph.Node) { replace(n, op.NeuronTheta, integers) }, "theta is of type int64"},
		{"no thresholds", func(n, _ *graph.Node) { replace(n, op.NeuronTheta, negative) }, "theta is -1"},
		{"v0", func(n, _ *graph.Node) { n.Attrs.Set("v0", graph.Float(7)) }, `"v0" is 7, want 0 to 1`},
		{"integer weights", func(_, n *graph.Node) { replace(n, 1, integers) }, "float and int64"},
		{"double weights", func(_, n *graph.Node) {
			replace(n, 1, func(t *graph.Tensor) *graph.Tensor {
				size, _ := t.Len()
				d, err := graph.NewTensor(graph.Float64, t.Dims, make([]byte, 8*size))
				if err != nil {
					panic(err)
				}
				return d
			})
		}, "float and double"},
		{"no weights", func(_, n *graph.Node) { n.SetInput(1, nil) }, "input 1 is omitted"},
	} {
		m, err := onnxio.ReadFile(good)
		if err != nil {
			t.Fatal(err)
		}
		var neuron, conv *graph.Node
		for n := range m.Graph.Nodes() {
			switch {
			case neuron == nil && op.IsNeuron(n):
				neuron = n
			case neuron != nil && conv == nil && n.Is("Conv"):
				conv = n
			}
		}
		c.edit(neuron, conv)
		if err := onnxio.WriteFile(bad, m); err != nil {
			t.Fatal(err)
		}
		for _, command := range commands {
			var errs bytes.Buffer
			code := run(append(command, "--quiet"), nil, io.Discard, &errs)
			if text := errs.String(); code != cli.ExitInvalid || strings.Count(text, "\n") != 1 || !strings.Contains(text, c.want) ||
				!strings.Contains(text, neuron.OriginLabel()) && !strings.Contains(text, conv.OriginLabel()) {
				t.Errorf("%s: %s: exit code %d, want %d and %q: %s", c.name, command[0], code, cli.ExitInvalid, c.want, text)
			}
			if _, err := os.Stat(out); err == nil {
				t.Errorf("%s: %s wrote its output", c.name, command[0])
			}
		}
	}
}

// replace puts another constant of the same size in the place of an input.
func replace(n *graph.Node, i int, by func(*graph.Tensor) *graph.Tensor) {
	n.SetInput(i, n.Graph().AddInitializer(n.Graph().FreshName("other"), by(n.Input(i).Const)))
}

func negative(t *graph.Tensor) *graph.Tensor {
	n, _ := t.Len()
	return graph.NewFloat32(t.Dims, slices.Repeat([]float32{-1}, int(n)))
}
