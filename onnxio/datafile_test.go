package onnxio

import (
	"bytes"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"spikingir/graph"
)

// externalModel is the base model with w outside, at a location, holding two numbers.
func externalModel(t *testing.T, location string, a, b float32) *graph.Model {
	t.Helper()
	m := mustDecode(t, base())
	w := m.Graph.Value("w")
	at := &graph.External{Entries: graph.Metadata{{Key: "location", Value: location}}}
	x, err := graph.NewExternal(graph.Float32, []int64{2}, at, graph.NewFloat32([]int64{2}, []float32{a, b}).Bytes())
	if err != nil {
		t.Fatal(err)
	}
	m.Graph.SetInitializer(w, x, nil)
	return m
}

// write writes a model and demands that it reads back with the same w.
func write(t *testing.T, path string, m *graph.Model) {
	t.Helper()
	if err := WriteFile(path, m); err != nil {
		t.Fatal(err)
	}
	checkW(t, path, m)
}

func checkW(t *testing.T, path string, m *graph.Model) {
	t.Helper()
	got, err := ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if a, b := got.Graph.Value("w").Const.Bytes(), m.Graph.Value("w").Const.Bytes(); !bytes.Equal(a, b) {
		t.Errorf("%s holds %x, want %x", path, a, b)
	}
}

// dataOf is the only location that the initializers of a model state.
func dataOf(t *testing.T, path string) string {
	t.Helper()
	m, err := Decode(readAll(t, path))
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for x := range tensors(m) {
		if x.Store != graph.ExternalData {
			continue
		}
		if w, err := parseExternal(x.External); err != nil {
			t.Error(err)
		} else if !slices.Contains(names, w.location) {
			names = append(names, w.location)
		}
	}
	if len(names) != 1 {
		t.Fatalf("%s states data files %q, want one", path, names)
	}
	return names[0]
}

// TestDataBesideModel holds that data goes to one new file beside the model, whatever
// location the model was read from, and nowhere else.
func TestDataBesideModel(t *testing.T) {
	for _, location := range []string{"w.bin", "sub/w.bin", ".git/hooks/pre-commit", "../victim", "/victim", "m.onnx", "out.onnx", ""} {
		root := t.TempDir()
		dir := filepath.Join(root, "dir")
		if err := os.MkdirAll(filepath.Join(dir, ".git", "hooks"), 0o777); err != nil {
			t.Fatal(err)
		}
		victims := []string{filepath.Join(root, "victim"), filepath.Join(dir, "w.bin"), filepath.Join(dir, ".git", "hooks", "pre-commit"),
			filepath.Join(dir, "m.onnx"), filepath.Join(dir, "out.onnx.data")}
		for _, v := range victims {
			if err := os.WriteFile(v, []byte("mine"), 0o666); err != nil {
				t.Fatal(err)
			}
		}
		out := filepath.Join(dir, "out.onnx")
		write(t, out, externalModel(t, location, 1, 2))
		if name := dataOf(t, out); !isDataName(name, "out.onnx") || !strings.HasPrefix(name, "out.onnx.") {
			t.Errorf("location %q is written as %q", location, name)
		}
		for _, v := range victims {
			if string(readAll(t, v)) != "mine" {
				t.Errorf("location %q: %s was changed", location, v)
			}
		}
		if n := strings.Count(entries(t, dir)+" ", " "); n != 6 {
			t.Errorf("location %q: the folder holds %s", location, entries(t, dir))
		}
	}
}

// TestDataNotThroughLink holds that a link which lies in the data file's place is not
// followed, and that what is damaged there is replaced.
func TestDataNotThroughLink(t *testing.T) {
	dir := t.TempDir()
	out, victim := filepath.Join(dir, "out.onnx"), filepath.Join(dir, "victim")
	m := externalModel(t, "w.bin", 1, 2)
	write(t, out, m)
	data := filepath.Join(dir, dataOf(t, out))
	right := readAll(t, data)
	for _, mine := range [][]byte{[]byte("mine"), right} {
		if err := os.WriteFile(victim, mine, 0o666); err != nil {
			t.Fatal(err)
		}
		if err := os.Remove(data); err != nil {
			t.Fatal(err)
		}
		if err := os.Symlink("victim", data); err != nil {
			t.Skipf("no symbolic links here: %v", err)
		}
		write(t, out, m)
		if info, err := os.Lstat(data); err != nil || !info.Mode().IsRegular() {
			t.Errorf("the data is still a link: %v", err)
		}
		if !bytes.Equal(readAll(t, victim), mine) {
			t.Error("the data was written through a link")
		}
	}
	if err := os.WriteFile(data, []byte("\x00\x00\x80\x3f\x00\x00\x80\x3f"), 0o666); err != nil {
		t.Fatal(err)
	}
	write(t, out, m)
}

// TestDataOfOthers holds that writing models changes nothing of others in the same
// folder, whose data had a name in common or was read from the same file, and that a
// model's own old data goes.
func TestDataOfOthers(t *testing.T) {
	dir := t.TempDir()
	at := func(name string) string { return filepath.Join(dir, name) }
	first, second := externalModel(t, "m.onnx.data", 1, 2), externalModel(t, "m.onnx.data", 3, 4)
	write(t, at("a.onnx"), first)
	write(t, at("b.onnx"), second)
	checkW(t, at("a.onnx"), first)

	old := dataOf(t, at("a.onnx"))
	write(t, at("a.onnx"), second)
	if _, err := os.Stat(at(old)); err == nil {
		t.Error("the old data is left")
	}
	checkW(t, at("b.onnx"), second)

	// A copy of the model states the same data.
	if err := os.WriteFile(at("copy.onnx"), readAll(t, at("a.onnx")), 0o666); err != nil {
		t.Fatal(err)
	}
	write(t, at("a.onnx"), first)
	checkW(t, at("copy.onnx"), second)

	// One without data outside takes the place of one that had some.
	old = dataOf(t, at("a.onnx"))
	write(t, at("a.onnx"), mustDecode(t, base()))
	if _, err := os.Stat(at(old)); err == nil {
		t.Error("the data of a model that was replaced is left")
	}
	checkW(t, at("b.onnx"), second)
	checkW(t, at("copy.onnx"), second)

	// In place, changed and unchanged.
	for range 2 {
		m, err := ReadFile(at("b.onnx"))
		if err != nil {
			t.Fatal(err)
		}
		write(t, at("b.onnx"), m)
		m.Graph.SetInitializer(m.Graph.Value("w"), externalModel(t, "x", 5, 6).Graph.Value("w").Const, nil)
		write(t, at("b.onnx"), m)
	}
	if n := strings.Count(entries(t, dir), dataEnding); n != 2 {
		t.Errorf("the folder holds %s, want data of b and copy", entries(t, dir))
	}
}

// TestDataOrphans holds that a write removes the data that a killed one of the same name has
// left, and no file that is of another name, is no regular one, or that any file states.
func TestDataOrphans(t *testing.T) {
	dir := t.TempDir()
	at := func(name string) string { return filepath.Join(dir, name) }
	name := func(model string, digit string) string {
		return model + "." + strings.Repeat(digit, hashDigits) + dataEnding
	}
	out, m := at("out.onnx"), externalModel(t, "w.bin", 1, 2)
	gone := []string{name("out.onnx", "0"), name("out.onnx", "1")}
	stay := []string{name("other.onnx", "0"), name("xout.onnx", "0"), "out.onnx.data", "out.onnx.0123.data", name("out.onnx", "G"),
		name("out.onnx", "2"), name("out.onnx", "3")}
	for _, f := range append(gone, stay...) {
		if err := os.WriteFile(at(f), []byte("data"), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	for i, model := range []string{"renamed.model", "link"} { // which state data of out.onnx
		to := at(model)
		if model == "link" {
			to = filepath.Join(t.TempDir(), "m.onnx")
			if err := os.Symlink(to, at(model)); err != nil {
				t.Skipf("no symbolic links here: %v", err)
			}
		}
		if err := os.WriteFile(to, []byte("location"+name("out.onnx", strconv.Itoa(2+i))), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Mkdir(at(name("out.onnx", "4")), 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("renamed.model", at(name("out.onnx", "5"))); err != nil {
		t.Fatal(err)
	}
	stay = append(stay, name("out.onnx", "4"), name("out.onnx", "5"))
	for range 2 {
		write(t, out, m)
		for _, f := range stay {
			if _, err := os.Lstat(at(f)); err != nil {
				t.Errorf("a file that is no orphan is gone: %v", err)
			}
		}
		for _, f := range gone {
			if _, err := os.Lstat(at(f)); (err == nil) == locks {
				t.Errorf("%s, which nothing states: %v", f, err)
			}
		}
	}
	// A model inside of its file has orphans of its name removed too.
	if err := os.WriteFile(at(gone[0]), []byte("data"), 0o666); err != nil {
		t.Fatal(err)
	}
	write(t, out, mustDecode(t, base()))
	if _, err := os.Lstat(at(gone[0])); (err == nil) == locks {
		t.Errorf("%s is left by a model without data: %v", gone[0], err)
	}
}

// TestDataHeld holds that data which another process has written, and is about to state, is
// not taken for an orphan.
func TestDataHeld(t *testing.T) {
	if !locks {
		t.Skip("no locks here: orphans stay")
	}
	out := filepath.Join(t.TempDir(), "out.onnx")
	name := out + "." + strings.Repeat("0", hashDigits) + dataEnding
	if err := os.WriteFile(name, []byte("data"), 0o666); err != nil {
		t.Fatal(err)
	}
	release, there := hold(name)
	if !there {
		t.Fatal("the data is not there")
	}
	write(t, out, externalModel(t, "w.bin", 1, 2))
	if _, err := os.Lstat(name); err != nil {
		t.Error(err)
	}
	release()
	write(t, out, externalModel(t, "w.bin", 1, 2))
	if _, err := os.Lstat(name); err == nil {
		t.Error("the data is left when nobody holds it")
	}
	if _, there := hold(name); there {
		t.Error("data that is gone is held")
	}
}

// TestDataDeterministic holds that bytes depend on the model and its name alone, not on
// the folder or on what was there.
func TestDataDeterministic(t *testing.T) {
	var want []byte
	for i := range 3 {
		out := filepath.Join(t.TempDir(), "out.onnx")
		for range i { // over others
			write(t, out, externalModel(t, "w.bin", 7, float32(i)))
		}
		write(t, out, externalModel(t, "loc"+strconv.Itoa(i), 1, 2))
		if got := readAll(t, out); want == nil {
			want = got
		} else if !bytes.Equal(got, want) {
			t.Error("the same model has other bytes")
		}
	}
}

// TestDataShared holds that tensors that share their elements are written once.
func TestDataShared(t *testing.T) {
	m := externalModel(t, "w.bin", 1, 2)
	w := m.Graph.Value("w").Const
	for i := range 20 {
		twin := *w
		twin.Name = ""
		m.Graph.AddInitializer("twin"+strconv.Itoa(i), &twin)
	}
	out := filepath.Join(t.TempDir(), "out.onnx")
	write(t, out, m)
	if n := len(readAll(t, filepath.Join(filepath.Dir(out), dataOf(t, out)))); n != 8 {
		t.Errorf("the data has %d bytes, want 8", n)
	}
}

// TestDataFails holds that what cannot be written leaves the old model with its data, and
// nothing of the new one.
func TestDataFails(t *testing.T) {
	dir := t.TempDir()
	out := filepath.Join(dir, "out.onnx")
	old := externalModel(t, "w.bin", 1, 2)
	write(t, out, old)
	before := entries(t, dir)
	bad := externalModel(t, "w.bin", 3, 4)
	bad.Graph.Unknown = []byte{0xff}
	unloaded := externalModel(t, "w.bin", 3, 4)
	w := unloaded.Graph.Value("w")
	x, err := graph.NewExternal(graph.Float32, []int64{2}, w.Const.External, nil)
	if err != nil {
		t.Fatal(err)
	}
	unloaded.Graph.SetInitializer(w, x, nil)
	for _, m := range []*graph.Model{bad, unloaded} {
		if err := WriteFile(out, m); err == nil || !strings.Contains(err.Error(), out) {
			t.Errorf("the error is %v, want one that names the file", err)
		}
	}
	// The data can be written, the model cannot.
	folder := filepath.Join(dir, "folder.onnx")
	if err := os.Mkdir(folder, 0o777); err != nil {
		t.Fatal(err)
	}
	if err := WriteFile(folder, old); err == nil {
		t.Error("a folder was written")
	}
	d, err := WriteOptions{}.gather(externalModel(t, "w.bin", 5, 6))
	if err != nil {
		t.Fatal(err)
	}
	d.place("fresh.data")
	if err := d.write(folder, &contents{5, func(w io.Writer) error { _, err := io.WriteString(w, "model"); return err }}); err == nil {
		t.Error("a folder was written")
	}
	if err := os.Remove(folder); err != nil {
		t.Fatal(err)
	}
	if after := entries(t, dir); after != before {
		t.Errorf("the folder holds %s, want %s", after, before)
	}
	checkW(t, out, old)
}

// TestDataLinkedModel holds that a model which is a link is written where it leads to,
// with its data there, and reads back by both names; data beside the link is found too.
func TestDataLinkedModel(t *testing.T) {
	dir := t.TempDir()
	real := filepath.Join(dir, "real")
	if err := os.Mkdir(real, 0o777); err != nil {
		t.Fatal(err)
	}
	link := filepath.Join(dir, "link.onnx")
	if err := os.Symlink(filepath.Join("real", "m.onnx"), link); err != nil {
		t.Skipf("no symbolic links here: %v", err)
	}
	m := externalModel(t, "w.bin", 1, 2)
	write(t, link, m)
	checkW(t, filepath.Join(real, "m.onnx"), m)
	if name := dataOf(t, link); !isDataName(name, "m.onnx") {
		t.Errorf("the data is called %s", name)
	}
	name := dataOf(t, link)
	if err := os.Rename(filepath.Join(real, name), filepath.Join(dir, name)); err != nil {
		t.Fatal(err)
	}
	checkW(t, link, m)
}

// TestDataNames tells data files of a model from others.
func TestDataNames(t *testing.T) {
	sum := bytes.Repeat([]byte{0xab}, 32)
	for _, model := range []string{"m.onnx", "m", "a b.onnx", "\xff.onnx"} {
		if name := dataName(model, sum); !isDataName(name, model) || isDataName(name, "x"+model) {
			t.Errorf("%q of %q is taken for another's", name, model)
		}
	}
	for _, name := range []string{"m.onnx.data", "m.onnx.0123456789abcdeg.data", "m.onnx.0123456789abcdef", "m.onnx.0123456789abcdef0.data", "n.onnx.0123456789abcdef.data"} {
		if isDataName(name, "m.onnx") {
			t.Errorf("%q is taken for m.onnx's", name)
		}
	}
}

// TestMaxExternal holds that a tensor which is too large is refused before memory is
// taken, be its file ever so long: this one has no blocks on disk.
func TestMaxExternal(t *testing.T) {
	p := base()
	w := makeExternal(p, "w.bin")
	w.Dims = []int64{1 << 38}
	path := store(t, p, map[string][]byte{"w.bin": nil})
	if err := os.Truncate(filepath.Join(filepath.Dir(path), "w.bin"), 1<<40); err != nil {
		t.Skipf("no sparse files here: %v", err)
	}
	_, err := ReadOptions{MaxExternal: 1 << 20}.ReadFile(path)
	checkError(t, err, `initializer "w"|"w.bin"|1099511627776 bytes|room for 1048576`)
}
