package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"spikingir/fixtures"
	"spikingir/graph"
	"spikingir/onnxio"
)

// TestHostileNames holds that nothing of a model reaches the terminal as more than text:
// names, operators, domains, producers, dimensions, metadata and locations with escapes,
// ends of lines and zeros.
func TestHostileNames(t *testing.T) {
	const evil = "\x1b[2J\nspikingir: all is well\x00\r\u009b\u202e\x7f"
	b, err := fixtures.Model("dncnn")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	path := func(name string, edit func(m *graph.Model)) string {
		m, err := onnxio.Decode(b)
		if err != nil {
			t.Fatal(err)
		}
		edit(m)
		data, err := onnxio.Encode(m)
		if err != nil {
			t.Fatal(err)
		}
		file := filepath.Join(dir, name)
		if err := os.WriteFile(file, data, 0o666); err != nil {
			t.Fatal(err)
		}
		return file
	}
	plain := path("plain.onnx", func(*graph.Model) {})
	names := path("names.onnx", func(m *graph.Model) {
		m.ProducerName, m.ProducerVersion, m.Domain, m.Doc = evil, evil, evil, evil
		m.Metadata.Set(graph.MetaPrefix+"recipe", evil)
		for n := range m.Graph.Nodes() {
			n.Name, n.Doc = evil+n.Name, evil
		}
		for i, v := range m.Graph.Inputs() {
			v.Type.Shape[0] = graph.Symbol(evil)
			if err := m.Graph.Rename(v, evil+string(rune('a'+i))); err != nil {
				t.Fatal(err)
			}
		}
	})
	op := path("op.onnx", func(m *graph.Model) {
		x := m.Graph.Outputs()[0]
		n := m.Graph.AddNode(graph.Op{Domain: evil, Type: evil}, nil, []*graph.Value{x}, evil)
		m.Graph.AddOutput(n.Output(0))
		m.SetOpset(evil, 1)
	})
	location := path("location.onnx", func(m *graph.Model) {
		v := m.Graph.Initializers()[0]
		at := &graph.External{Entries: graph.Metadata{{Key: "location", Value: evil}}}
		x, err := graph.NewExternal(v.Const.DType, v.Const.Dims, at, nil)
		if err != nil {
			t.Fatal(err)
		}
		m.Graph.SetInitializer(v, x, nil)
	})
	out := filepath.Join(dir, "out.onnx")
	for _, args := range [][]string{
		{"inspect", names}, {"inspect", names, "--format", "json"}, {"inspect", op}, {"inspect", op, "--format", "json"},
		{"inspect", location}, {"explain", names}, {"explain", op}, {"diff", plain, names}, {"diff", "--ignore-names", plain, op}, {"diff", plain, names, "--format", "json"}, {"diff", plain, op},
		{"diff", plain, names, "--format", "html"}, {"diff", plain, op, "--format", "html", "--ignore-names"}, {"diff", plain, names, "--format", "sarif"}, {"diff", plain, op, "--format", "junit"},
		{"inspect", names, "--assert-op-only", "Relu", "--format", "junit"}, {"inspect", op, "--assert-op-only", "Relu", "--format", "sarif"}, {"inspect", evil, "--assert-op-only", "Relu", "--format", "junit"},
		{"convert", op, "-o", out}, {"convert", names, "-o", out, "-T", "2", "--limit", "1", "--debug"}, {"convert", location, "-o", out},
		{"run", op, "-i", evil, "-o", evil}, {"inspect", evil}, {"bench", "--model", op},
	} {
		var stdout, stderr bytes.Buffer
		run(args, nil, &stdout, &stderr)
		if stdout.Len()+stderr.Len() == 0 {
			t.Errorf("%q says nothing", args)
		}
		if (args[0] == "inspect" || args[0] == "explain") && args[1] == names && !strings.Contains(stdout.String(), "Conv") { // in the verdict too
			t.Errorf("%q shows no nodes: %s", args[0], stderr.String())
		}
		for _, text := range []string{stdout.String(), stderr.String()} {
			if i := strings.IndexFunc(text, func(r rune) bool { return r < ' ' && r != '\n' && r != '\t' || r == 0x7f || r == 0x9b || r == 0x202e }); i >= 0 {
				t.Errorf("%q prints %q", args[:2], text[i:min(i+40, len(text))])
			}
			if strings.Contains(text, "\nspikingir: all is well") {
				t.Errorf("%q prints a line of the model's:\n%s", args[:2], text)
			}
		}
	}
}
