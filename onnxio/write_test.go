package onnxio

import (
	"bytes"
	"crypto/sha1"
	"encoding/hex"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"

	"spikingir/graph"
	"spikingir/onnxio/onnxpb"
)

func sha1Of(data []byte) string {
	sum := sha1.Sum(data)
	return hex.EncodeToString(sum[:])
}

func mustDecode(t *testing.T, p *onnxpb.ModelProto) *graph.Model {
	t.Helper()
	m, err := Decode(wire(t, p))
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func TestWriteFile(t *testing.T) {
	m := mustDecode(t, base())
	dir := t.TempDir()
	path := filepath.Join(dir, "m.onnx")
	for range 2 { // the second time over the first
		if err := WriteFile(path, m); err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(readAll(t, path), wire(t, base())) {
			t.Error("the file is not the model")
		}
	}
	link := filepath.Join(dir, "link.onnx")
	if err := os.Symlink("m.onnx", link); err != nil {
		t.Fatal(err)
	}
	if err := WriteFile(link, m); err != nil {
		t.Fatal(err)
	}
	if info, err := os.Lstat(link); err != nil || info.Mode()&fs.ModeSymlink == 0 {
		t.Errorf("the link was replaced: %v", err)
	}
	if names := entries(t, dir); names != "link.onnx m.onnx" {
		t.Errorf("the folder holds %s", names)
	}
}

func entries(t *testing.T, dir string) string {
	t.Helper()
	list, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, e := range list {
		names = append(names, e.Name())
	}
	return strings.Join(names, " ")
}

// TestWriteFileFails holds that a failure leaves the old file and nothing else.
func TestWriteFileFails(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "m.onnx")
	if err := os.WriteFile(path, []byte("old"), 0o600); err != nil {
		t.Fatal(err)
	}
	bad := mustDecode(t, base())
	bad.Graph.Unknown = []byte{0xff}
	if err := WriteFile(path, bad); err == nil || !strings.Contains(err.Error(), path) {
		t.Errorf("the error is %v, want one that names the file", err)
	}
	p := base()
	makeExternal(p, "w.bin")
	m, err := ReadFile(store(t, p, map[string][]byte{"w.bin": weights}))
	if err != nil {
		t.Fatal(err)
	}
	folder := filepath.Join(dir, "folder")
	if err := os.Mkdir(folder, 0o777); err != nil {
		t.Fatal(err)
	}
	if err := WriteFile(folder, m); err == nil || !strings.Contains(err.Error(), "is a folder") {
		t.Errorf("the error is %v, want that the name is a folder's", err)
	}
	if string(readAll(t, path)) != "old" {
		t.Error("the old file was changed")
	}
	if names := entries(t, dir); names != "folder m.onnx" {
		t.Errorf("the folder holds %s", names)
	}
	err = WriteFile(filepath.Join(dir, "none", "m.onnx"), mustDecode(t, base()))
	if !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the error is %v, want that the folder does not exist", err)
	}
}

func TestProvenance(t *testing.T) {
	m := mustDecode(t, base())
	n := m.Graph.Value("s").Producer()
	n.Metadata.Set("own", "entry")
	n.From = graph.Origin{Node: "Conv_3", Pass: "fold-bn"}
	n.Region = graph.SpikingRegion
	data, err := Encode(m)
	if err != nil {
		t.Fatal(err)
	}
	p := &onnxpb.ModelProto{}
	if err := proto.Unmarshal(data, p); err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, kv := range p.Graph.Node[0].MetadataProps {
		got = append(got, kv.GetKey()+"="+kv.GetValue())
	}
	want := "own=entry spikingir.origin=Conv_3 spikingir.pass=fold-bn spikingir.region=spiking"
	if strings.Join(got, " ") != want {
		t.Errorf("metadata is %v, want %s", got, want)
	}
	back, err := Decode(data)
	if err != nil {
		t.Fatal(err)
	}
	k := back.Graph.Value("s").Producer()
	if k.From != n.From || k.Region != n.Region || len(k.Metadata) != 1 {
		t.Errorf("read back %+v, region %v, metadata %v", k.From, k.Region, k.Metadata)
	}
	if !bytes.Equal(own(t, back), data) {
		t.Error("reading and writing changed the provenance")
	}
}

// TestForeignProvenance holds that properties under our keys which we would not
// write stay metadata.
func TestForeignProvenance(t *testing.T) {
	p := base()
	p.Graph.Node[0].MetadataProps = []*onnxpb.StringStringEntryProto{
		entry(graph.MetaOrigin, ""), entry(graph.MetaRegion, "nowhere"), entry(graph.MetaPass, "a"), entry(graph.MetaPass, "b"),
	}
	m := mustDecode(t, p)
	n := m.Graph.Value("s").Producer()
	if n.From != (graph.Origin{Pass: "a"}) || n.Region != graph.Unassigned || len(n.Metadata) != 3 {
		t.Errorf("read %+v, region %v, metadata %v", n.From, n.Region, n.Metadata)
	}
	if data, err := Encode(m); err != nil || !bytes.Equal(data, wire(t, p)) {
		t.Errorf("the unchanged model is written as other bytes: %v", err)
	}
}

// TestDeterministic holds that independent readings give the same bytes.
func TestDeterministic(t *testing.T) {
	p := base()
	addFunctions(p)
	p.Graph.Node[1].Attribute = allAttributes()
	data := wire(t, p)
	for range 20 {
		m, err := Decode(data)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(own(t, m), data) {
			t.Fatal("the encoding differs from one time to the next")
		}
	}
}

// TestEncodeRefuses covers IR that has no form in a file.
func TestEncodeRefuses(t *testing.T) {
	for _, c := range []struct {
		name string
		edit func(*graph.Model)
		want string
	}{
		{"no graph", func(m *graph.Model) { m.Graph = nil }, "no graph"},
		{"nil tensor attribute", func(m *graph.Model) {
			m.Graph.Value("s").Producer().Attrs.Set("value", (*graph.Tensor)(nil))
		}, `node "add" (Add): attribute "value": it holds no tensor`},
		{"external nowhere", func(m *graph.Model) {
			w := m.Graph.Value("w")
			m.Graph.SetInitializer(w, &graph.Tensor{
				DType: graph.Float32, Dims: []int64{2}, Store: graph.ExternalData}, nil)
		}, `initializer "w": its data is external but nothing says where`},
		{"constants of a function", func(m *graph.Model) {
			f := &graph.Function{Domain: "my", Name: "F", Body: graph.New("F", nil)}
			f.Body.AddInitializer("k", graph.Scalar(1))
			m.Functions = append(m.Functions, f)
		}, `function "my.F": its body has 1 initializers`},
	} {
		m := mustDecode(t, base())
		c.edit(m)
		if _, err := Encode(m); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: the error is %v, want %q", c.name, err, c.want)
		}
	}
}
