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
	"spikingir/onnxio"
)

// TestLostNeurons holds that a lowered file which no longer tells its neurons is refused by
// what needs them, with what is missing, and is a plain network to the rest.
func TestLostNeurons(t *testing.T) {
	dir, args := trained(t, 1)
	flat, out := filepath.Join(dir, "flat.onnx"), filepath.Join(dir, "out.onnx")
	if code := run([]string{"lower", args[1], "--to", "flat", "-o", flat, "--quiet"}, nil, io.Discard, os.Stderr); code != cli.ExitOK {
		t.Fatalf("lower: exit code %d", code)
	}
	m, err := onnxio.ReadFile(flat)
	if err != nil {
		t.Fatal(err)
	}
	var spikes *graph.Value
	for n := range m.Graph.Nodes() {
		if n.Is("Concat") {
			spikes, n.Name = n.Output(0), "another"
			break
		}
	}
	if err := m.Graph.Rename(spikes, "another"); err != nil {
		t.Fatal(err)
	}
	if err := onnxio.WriteFile(flat, m); err != nil {
		t.Fatal(err)
	}
	task := []string{"--task", "denoise", "--sigma", "25", "--data", filepath.Join(dir, "data")}
	for _, c := range []struct {
		args []string
		code int
	}{
		{[]string{"lower", flat, "--to", "functions", "-o", out}, cli.ExitUnsupported},
		{[]string{"convert", flat, "-o", out, "--absorb-scales"}, cli.ExitUnsupported},
		{slices.Concat([]string{"finetune", flat, "-o", out}, args[2:]), cli.ExitUnsupported},
		{slices.Concat([]string{"eval", flat, "--limit", "1"}, task), cli.ExitOK},
		{[]string{"diff", flat, flat}, cli.ExitOK},
		{[]string{"explain", flat}, cli.ExitOK},
	} {
		var said bytes.Buffer
		if code := run(c.args, nil, io.Discard, &said); code != c.code {
			t.Errorf("%s: exit code %d, want %d: %s", c.args[0], code, c.code, &said)
		}
		if !strings.Contains(said.String(), `there is no value "`) {
			t.Errorf("%s does not say what is missing: %s", c.args[0], &said)
		}
	}
	if _, err := os.Stat(out); err == nil {
		t.Error("a refused command has left a file")
	}
}
