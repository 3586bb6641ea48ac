package onnxio

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/testing/protocmp"

	"spikingir/graph"
	"spikingir/onnxio/onnxpb"
)

// realModels lists the fixtures and, where SPIKINGIR_DATA names their folder,
// the real models.
func realModels(t testing.TB) []string {
	t.Helper()
	paths := glob(t, "../fixtures/models/*.onnx")
	data := os.Getenv("SPIKINGIR_DATA")
	if data == "" {
		t.Log("SPIKINGIR_DATA is unset: the real models are left out")
		return paths
	}
	return append(paths, glob(t, filepath.Join(data, "models", "*.onnx"))...)
}

// testModels lists the models of testdata, made by testdata/gen.py.
func testModels(t testing.TB) []string {
	t.Helper()
	return append(glob(t, "testdata/*.onnx"), glob(t, "testdata/*/*.onnx")...)
}

func glob(t testing.TB, pattern string) []string {
	t.Helper()
	paths, err := filepath.Glob(pattern)
	if err != nil {
		t.Fatal(err)
	}
	if len(paths) == 0 {
		t.Fatalf("found no files %s", pattern)
	}
	return paths
}

func readAll(t testing.TB, path string) []byte {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// own gives the writer's own encoding, without what the reader kept of the file.
func own(t testing.TB, m *graph.Model) []byte {
	t.Helper()
	c := *m
	c.Source = nil
	data, err := Encode(&c)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// TestRoundTrip holds that the writer's own encoding, without the reader's copy
// of the file, is the file. Of the test models only the one with nodes out of
// order may differ.
func TestRoundTrip(t *testing.T) {
	for _, path := range append(realModels(t), testModels(t)...) {
		t.Run(filepath.Base(path), func(t *testing.T) {
			want := readAll(t, path)
			m, err := ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if err := m.Check(); err != nil {
				t.Error(err)
			}
			same := bytes.Equal(own(t, m), want)
			if sorted := filepath.Base(path) != "unsorted.onnx"; same != sorted {
				t.Errorf("the writer's own encoding is the file: %v, want %v", same, sorted)
			}
			if kept := m.Source.Bytes != nil; kept == same {
				t.Errorf("the reader kept the file: %v, want %v", kept, !same)
			}
			for _, c := range []*graph.Model{m, m.Clone()} {
				got, err := Encode(c)
				if err != nil {
					t.Fatal(err)
				}
				if !bytes.Equal(got, want) {
					t.Error("the unchanged model is written as other bytes")
				}
			}
		})
	}
}

// TestChangedModelLosesNothing changes one field and compares all others.
func TestChangedModelLosesNothing(t *testing.T) {
	for _, path := range testModels(t) {
		t.Run(filepath.Base(path), func(t *testing.T) {
			want := &onnxpb.ModelProto{}
			if err := proto.Unmarshal(readAll(t, path), want); err != nil {
				t.Fatal(err)
			}
			m, err := ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			m.Doc, want.DocString = "changed", proto.String("changed")
			data, err := Encode(m)
			if err != nil {
				t.Fatal(err)
			}
			got := &onnxpb.ModelProto{}
			if err := proto.Unmarshal(data, got); err != nil {
				t.Fatal(err)
			}
			order := protocmp.SortRepeated(func(a, b *onnxpb.NodeProto) bool {
				return a.GetName() < b.GetName()
			})
			opts := cmp.Options{protocmp.Transform(), cmpopts.EquateNaNs()}
			if filepath.Base(path) == "unsorted.onnx" {
				opts = append(opts, order)
			}
			if diff := cmp.Diff(want, got, opts); diff != "" {
				t.Errorf("the changed model differs (-file +written):\n%s", diff)
			}
		})
	}
}

// rewrite marshals the fields of a model in reverse order, as no encoder does.
func rewrite(t testing.TB, data []byte) []byte {
	t.Helper()
	var parts [][]byte
	for rest := data; len(rest) > 0; {
		n := fieldSize(rest)
		if n < 0 {
			t.Fatal("bad wire format")
		}
		parts = append(parts, rest[:n])
		rest = rest[n:]
	}
	var out []byte
	for i := len(parts) - 1; i >= 0; i-- {
		out = append(out, parts[i]...)
	}
	return out
}

// TestForeignEncoding holds that a file which other software encoded in another
// way comes back as it is while the model is unchanged, and as the writer's
// encoding once it is changed.
func TestForeignEncoding(t *testing.T) {
	plain := readAll(t, "testdata/plain/optional.onnx")
	foreign := rewrite(t, plain)
	if bytes.Equal(foreign, plain) {
		t.Fatal("the file was not rewritten")
	}
	m, err := Decode(foreign)
	if err != nil {
		t.Fatal(err)
	}
	got, err := Encode(m)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, foreign) {
		t.Error("the unchanged model is written as other bytes")
	}
	got[0]++
	if again, _ := Encode(m); !bytes.Equal(again, foreign) {
		t.Error("the result of Encode shares memory with the model")
	}
	if m.Source.Fingerprint == m.Source.SHA256 {
		t.Error("the fingerprint is the file's hash although the encodings differ")
	}

	c := m.Clone()
	for n := range c.Graph.Nodes() {
		n.Name += "_changed"
	}
	changed, err := Encode(c)
	if err != nil {
		t.Fatal(err)
	}
	if bytes.Equal(changed, foreign) || bytes.Equal(changed, plain) {
		t.Error("a change of names was not written")
	}
	for n := range c.Graph.Nodes() {
		n.Name = n.Name[:len(n.Name)-len("_changed")]
	}
	if undone, err := Encode(c); err != nil || !bytes.Equal(undone, foreign) {
		t.Errorf("after the change was undone the file is not written back: %v", err)
	}
}
