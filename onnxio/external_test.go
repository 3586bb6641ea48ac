package onnxio

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"

	"spikingir/graph"
	"spikingir/onnxio/onnxpb"
)

// makeExternal moves the initializer w of the base model to a file.
func makeExternal(m *onnxpb.ModelProto, location string, more ...string) *onnxpb.TensorProto {
	t := m.Graph.Initializer[0]
	t.RawData = nil
	t.DataLocation = onnxpb.TensorProto_EXTERNAL.Enum()
	t.ExternalData = []*onnxpb.StringStringEntryProto{entry("location", location)}
	for i := 0; i+1 < len(more); i += 2 {
		t.ExternalData = append(t.ExternalData, entry(more[i], more[i+1]))
	}
	return t
}

// weights is the contents of w with some bytes before.
var weights = []byte("1234\x00\x00\x80\x3f\x00\x00\x00\x40tail")

// store writes a model and its data, by name, to a new folder.
func store(t *testing.T, m *onnxpb.ModelProto, files map[string][]byte) string {
	t.Helper()
	dir := t.TempDir()
	for name, data := range files {
		path := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, data, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	path := filepath.Join(dir, "m.onnx")
	if err := os.WriteFile(path, wire(t, m), 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestExternalData(t *testing.T) {
	const sha = "checksum"
	for _, c := range []struct {
		name     string
		location string
		more     []string
		want     string // error texts, "" for success
	}{
		{"plain", "w.bin", []string{"offset", "4"}, ""},
		{"all", "w.bin", []string{"offset", "4", "length", "8", sha, sha1Of(weights)}, ""},
		{"folder", "sub/w.bin", []string{"offset", "4", "other", "key"}, ""},
		{"no location", "", nil, "no location"},
		{"absolute", "/etc/passwd", nil, `location "/etc/passwd" is absolute`},
		{"parent", "../w.bin", nil, `location "../w.bin" leaves the model's folder`},
		{"hidden parent", "sub/../../w.bin", nil, "leaves the model's folder"},
		{"link out", "link.bin", nil, `external data|location "link.bin" leads out of the model's folder by the link "link.bin"`},
		{"zero byte", "a\x00b.bin", nil, `location "a\x00b.bin" has a zero byte`},
		{"is a folder", "sub", nil, "is a folder"},
		{"missing", "none.bin", nil, `initializer "w"|open none.bin: file does not exist in the folder of the model`},
		{"short", "w.bin", []string{"offset", "10"}, `"w.bin" has 16 bytes, want 8 at offset 10`},
		{"far", "w.bin", []string{"offset", "9223372036854775807"}, "16 bytes, want 8"},
		{"negative", "w.bin", []string{"offset", "-1"}, `offset is "-1"`},
		{"no number", "w.bin", []string{"length", "eight"}, `length is "eight"`},
		{"wrong length", "w.bin", []string{"length", "12"}, "length is 12, want 8"},
		{"wrong checksum", "w.bin", []string{sha, sha1Of(nil)}, "SHA-1"},
	} {
		t.Run(c.name, func(t *testing.T) {
			m := base()
			makeExternal(m, c.location, c.more...)
			path := store(t, m, map[string][]byte{"w.bin": weights, "sub/w.bin": weights})
			link := filepath.Join(filepath.Dir(path), "link.bin")
			if err := os.Symlink("/etc/passwd", link); err != nil {
				t.Fatal(err)
			}
			got, err := ReadFile(path)
			if c.want != "" {
				checkError(t, err, c.want)
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			w := got.Graph.Value("w").Const
			if !bytes.Equal(w.Bytes(), weights[4:12]) || w.Store != graph.ExternalData {
				t.Errorf("elements are %x, want %x", w.Bytes(), weights[4:12])
			}
			if data, _ := Encode(got); !bytes.Equal(data, wire(t, m)) {
				t.Error("the unchanged model is written as other bytes")
			}
		})
	}
}

// TestSharedExternalData holds that tensors may share a place, but not overlap
// so often that the file would be read several times over.
func TestSharedExternalData(t *testing.T) {
	for _, c := range []struct {
		offsets []string
		want    string
	}{
		{[]string{"4", "4", "4", "4", "4"}, ""},
		{[]string{"0", "2", "4", "6"}, "the places of its tensors overlap"},
	} {
		m := base()
		first := makeExternal(m, "w.bin", "offset", "8")
		for i, offset := range c.offsets {
			u := proto.Clone(first).(*onnxpb.TensorProto)
			u.Name = proto.String(string(rune('a' + i)))
			u.ExternalData[1].Value = proto.String(offset)
			m.Graph.Initializer = append(m.Graph.Initializer, u)
		}
		_, err := ReadFile(store(t, m, map[string][]byte{"w.bin": weights}))
		if c.want != "" {
			checkError(t, err, c.want)
		} else if err != nil {
			t.Error(err)
		}
	}
}

// TestExternalFromPython reads what the onnx package stored.
func TestExternalFromPython(t *testing.T) {
	m, err := ReadFile("testdata/external/model.onnx")
	if err != nil {
		t.Fatal(err)
	}
	want := readAll(t, "testdata/external/weights.bin")
	var got []byte
	for _, v := range m.Graph.Initializers() {
		got = append(got, v.Const.Bytes()...)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("elements are %x, want %x", got, want)
	}
	unloaded, err := Decode(readAll(t, "testdata/external/model.onnx"))
	if err != nil {
		t.Fatal(err)
	}
	if unloaded.Graph.Initializers()[0].Const.Loaded() {
		t.Error("Decode loaded external data")
	}
	err = WriteFile(filepath.Join(t.TempDir(), "m.onnx"), unloaded)
	if err == nil || !strings.Contains(err.Error(), "not loaded") {
		t.Errorf("the error is %v, want that the data was not loaded", err)
	}
}

func TestExternalThreshold(t *testing.T) {
	p := base()
	p.Graph.Initializer = append(p.Graph.Initializer,
		&onnxpb.TensorProto{Name: proto.String("small"), DataType: proto.Int32(1),
			FloatData: []float32{3}},
		&onnxpb.TensorProto{Name: proto.String("large"), DataType: proto.Int32(1),
			Dims: []int64{3}, FloatData: []float32{1, 2, 3}})
	m, err := Decode(wire(t, p))
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	path := filepath.Join(dir, "big.onnx")
	if err := (WriteOptions{ExternalThreshold: 8}).WriteFile(path, m); err != nil {
		t.Fatal(err)
	}
	data := readAll(t, filepath.Join(dir, dataOf(t, path)))
	if len(data) != smallAlignment+12 || !bytes.Equal(data[:8], m.Graph.Value("w").Const.Bytes()) {
		t.Errorf("the data file has %d bytes", len(data))
	}
	got, err := ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for _, v := range m.Graph.Initializers() {
		c := got.Graph.Value(v.Name()).Const
		if !bytes.Equal(c.Bytes(), v.Const.Bytes()) {
			t.Errorf("%s: elements differ", v.Name())
		}
		if outside := c.Store == graph.ExternalData; outside != (len(c.Bytes()) >= 8) {
			t.Errorf("%s: %d bytes, outside: %v", v.Name(), len(c.Bytes()), outside)
		}
	}
	if m.Graph.Value("w").Const.Store != graph.RawData {
		t.Error("writing changed the model")
	}

	// And back into one file.
	one := filepath.Join(dir, "one.onnx")
	if err := (WriteOptions{ExternalThreshold: 1 << 20}).WriteFile(one, got); err != nil {
		t.Fatal(err)
	}
	if back, err := Decode(readAll(t, one)); err != nil {
		t.Error(err)
	} else if !bytes.Equal(back.Graph.Value("large").Const.Bytes(), data[smallAlignment:]) {
		t.Error("large: elements differ after moving them into the model")
	}
}
