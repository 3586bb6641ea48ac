package onnxio

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"

	"spikingir/onnxio/onnxpb"
)

// FuzzExternal reads a model whose places of external data say anything: what is read is of a
// file in the model's folder, where the entries say, and what is written lies beside the
// new model and nowhere else.
func FuzzExternal(f *testing.F) {
	for _, c := range []struct{ location, offset, length, checksum string }{
		{"w.bin", "", "", ""}, {"w.bin", "4", "8", ""}, {"sub/w.bin", "0", "8", sha1Of(weights)}, {"./sub/../w.bin", "8", "", ""},
		{"../secret", "0", "8", ""}, {"link.bin", "0", "8", ""}, {"m.onnx", "0", "", ""}, {"w.bin", "18446744073709551615", "-8", "x"},
		{"sub", "0", "8", ""}, {"", "", "", ""}, {"w.bin\x00", "9", "08", ""}, {`sub\w.bin`, "4", "+8", ""}, {"//w.bin", "9223372036854775800", "8", ""},
	} {
		f.Add(c.location, c.offset, c.length, c.checksum, weights)
	}
	f.Fuzz(func(t *testing.T, location, offset, length, checksum string, data []byte) {
		dir := t.TempDir()
		secret := filepath.Join(dir, "secret")
		within := filepath.Join(dir, "model")
		place := externalCase(t, within, location, offset, length, checksum, data)
		if err := os.WriteFile(secret, []byte("kept from everybody"), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Symlink(secret, filepath.Join(within, "link.bin")); err != nil {
			t.Skip(err)
		}
		m, err := ReadFile(filepath.Join(within, "m.onnx"))
		if err != nil {
			return
		}
		got := m.Graph.Value("w").Const.Bytes()
		held := data
		if filepath.Base(place) == "m.onnx" {
			held = readAll(t, filepath.Join(within, "m.onnx"))
		}
		if !bytes.Contains(held, got) || len(got) != 8 {
			t.Fatalf("location %q, offset %q, length %q: read %x, which is not in %x", location, offset, length, got, held)
		}
		out := filepath.Join(dir, "out")
		if err := os.Mkdir(out, 0o777); err != nil {
			t.Fatal(err)
		}
		before := tree(t, dir)
		if err := WriteFile(filepath.Join(out, "o.onnx"), m); err != nil {
			t.Fatalf("what was read cannot be written: %v", err)
		}
		for path, content := range tree(t, dir) {
			if old, there := before[path]; there != !strings.HasPrefix(path, "out/o.onnx") || there && old != content {
				t.Errorf("writing to out/o.onnx made or changed %s", path)
			}
		}
		again, err := ReadFile(filepath.Join(out, "o.onnx"))
		if err != nil {
			t.Fatalf("what was written is refused: %v", err)
		}
		if w := again.Graph.Value("w").Const.Bytes(); !bytes.Equal(w, got) {
			t.Errorf("%x was written as %x", got, w)
		}
	})
}

// externalCase makes the model and its data in a new folder, and gives the place of the data, as far as it is
// one.
func externalCase(t *testing.T, dir, location, offset, length, checksum string, data []byte) string {
	t.Helper()
	m := base()
	w := makeExternal(m, location)
	for _, e := range []*onnxpb.StringStringEntryProto{entry("offset", offset), entry("length", length), entry("checksum", checksum)} {
		if e.GetValue() != "" {
			w.ExternalData = append(w.ExternalData, e)
		}
	}
	b, err := proto.Marshal(m)
	if err != nil {
		t.Skip(err) // text that is no UTF-8
	}
	if err := os.MkdirAll(filepath.Join(dir, "sub"), 0o777); err != nil {
		t.Fatal(err)
	}
	for name, content := range map[string][]byte{"m.onnx": b, "w.bin": data, "sub/w.bin": data} {
		if err := os.WriteFile(filepath.Join(dir, filepath.FromSlash(name)), content, 0o666); err != nil {
			t.Fatal(err)
		}
	}
	return filepath.Join(dir, filepath.FromSlash(location))
}

// tree is the files below a folder with what they hold.
func tree(t *testing.T, dir string) map[string]string {
	t.Helper()
	files := map[string]string{}
	err := filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		rel, err := filepath.Rel(dir, path)
		if err != nil {
			return err
		}
		b, err := os.ReadFile(path)
		files[filepath.ToSlash(rel)] = string(b)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}
