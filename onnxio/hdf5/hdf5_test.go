package hdf5_test

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"spikingir/onnxio/hdf5"
	"spikingir/onnxio/hdf5/hdf5test"
)

func write(t *testing.T, root *hdf5.Group) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := hdf5.Write(&b, root); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// sample has every kind of content; its group many has names for a B-tree of three levels.
func sample() (*hdf5.Group, map[string]*hdf5test.Array) {
	root := &hdf5.Group{}
	root.Set("version", hdf5.Strings(nil, "1.0"))
	root.Set("texts", hdf5.Strings([]int64{2, 2}, "a", "", "Überlauf", strings.Repeat("long ", 2000)))
	root.Set("floats", hdf5.Floats([]int64{3, 1}, []float32{1, -0.5, 1e30}))
	root.Set("ones", hdf5.Filled([]int64{4, 2}, 1))
	root.Set("none", hdf5.Floats([]int64{0, 3}, nil))
	root.Set("number", hdf5.Ints(nil, -7))
	sub := root.Group("empty").Group("below")
	sub.Set("list", hdf5.Ints([]int64{2}, 1<<40, -1))
	want := map[string]*hdf5test.Array{
		"/": nil, "/empty/": nil, "/empty/below/": nil, "/many/": nil,
		"/version":          {Dims: []int64{}, Texts: []string{"1.0"}},
		"/texts":            {Dims: []int64{2, 2}, Texts: []string{"a", "", "Überlauf", strings.Repeat("long ", 2000)}},
		"/floats":           {Dims: []int64{3, 1}, Floats: []float32{1, -0.5, 1e30}},
		"/ones":             {Dims: []int64{4, 2}, Floats: []float32{1, 1, 1, 1, 1, 1, 1, 1}, Filled: true},
		"/none":             {Dims: []int64{0, 3}},
		"/number":           {Dims: []int64{}, Ints: []int64{-7}},
		"/empty/below/list": {Dims: []int64{2}, Ints: []int64{1 << 40, -1}},
	}
	many := root.Group("many")
	for i := range 8500 {
		name := fmt.Sprintf("n%d", i)
		many.Set(name, hdf5.Ints(nil, int64(i)))
		want["/many/"+name] = &hdf5test.Array{Dims: []int64{}, Ints: []int64{int64(i)}}
	}
	return root, want
}

// TestWrite holds a file to a reader that knows nothing of the writer.
func TestWrite(t *testing.T) {
	root, want := sample()
	b := write(t, root)
	got, err := hdf5test.Read(b)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("the file holds something else (-want +got):\n%.2000s", d)
	}
	again, _ := sample()
	if !bytes.Equal(b, write(t, again)) {
		t.Error("the same content gives other bytes")
	}
	empty, err := hdf5test.Read(write(t, &hdf5.Group{}))
	if d := cmp.Diff(map[string]*hdf5test.Array{"/": nil}, empty); d != "" || err != nil {
		t.Errorf("an empty file: %v\n%s", err, d)
	}
}

// TestSmall holds that numbers that are all the same take no place, and texts hardly more than they are.
func TestSmall(t *testing.T) {
	small, large := &hdf5.Group{}, &hdf5.Group{}
	small.Set("x", hdf5.Filled([]int64{1}, 2))
	large.Set("x", hdf5.Filled([]int64{1 << 20}, 2))
	if a, b := len(write(t, small)), len(write(t, large)); a != b {
		t.Errorf("a million numbers take %d bytes, one takes %d", b, a)
	}
	texts := &hdf5.Group{}
	for i := range 1000 {
		texts.Set(fmt.Sprint(i), hdf5.Strings(nil, "text"))
	}
	if n := len(write(t, texts)); n > 1000*300 {
		t.Errorf("a thousand texts take %d bytes", n)
	}
}

// TestRefuse holds that what no file can hold is an error that names it.
func TestRefuse(t *testing.T) {
	set := func(name string, d hdf5.Dataset) *hdf5.Group {
		g := &hdf5.Group{}
		g.Group("in").Set(name, d)
		return g
	}
	for _, c := range []struct {
		root *hdf5.Group
		want string
	}{
		{set("a/b", hdf5.Ints(nil, 1)), `"a/b"`},
		{set("", hdf5.Ints(nil, 1)), `/in/: the name ""`},
		{set("x", hdf5.Ints([]int64{2}, 1)), "/in/x: 1 elements of dimensions [2], want 2"},
		{set("x", hdf5.Floats([]int64{-1}, nil)), "dimensions [-1]"},
		{set("x", hdf5.Filled([]int64{1 << 40, 1 << 40}, 1)), "dimensions"},
		{set("x", hdf5.Filled(make([]int64, 33), 1)), "33 dimensions"},
		{set("x", hdf5.Strings(nil, "a\x00b")), "zero byte"},
	} {
		err := hdf5.Write(&bytes.Buffer{}, c.root)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("error %v, want %q", err, c.want)
		}
	}
}

// TestTools holds a file to h5dump and to Python's h5py, where they are.
func TestTools(t *testing.T) {
	root, _ := sample()
	path := filepath.Join(t.TempDir(), "sample.h5")
	if err := os.WriteFile(path, write(t, root), 0o666); err != nil {
		t.Fatal(err)
	}
	t.Run("h5dump", func(t *testing.T) {
		if _, err := exec.LookPath("h5dump"); err != nil {
			t.Skip("h5dump is not there: it is of Debian's hdf5-tools")
		}
		out, err := exec.Command("h5dump", path).CombinedOutput()
		for _, want := range []string{"CSET H5T_CSET_UTF8", `DATASET "n8499"`, "(0): 1099511627776, -1", `"a", NULL`, "(0): -7"} {
			if err != nil || !bytes.Contains(out, []byte(want)) {
				t.Fatalf("%v: no %s in\n%.2000s", err, want, out)
			}
		}
	})
	t.Run("h5py", func(t *testing.T) {
		const python = "/usr/bin/python3"
		if exec.Command(python, "-c", "import h5py").Run() != nil {
			t.Skip("h5py is not there: it is Debian's python3-h5py")
		}
		out, err := exec.Command(python, "-c", `
import h5py, sys
f = h5py.File(sys.argv[1], "r")
assert f["version"][()] == b"1.0" and f["number"][()] == -7
assert f["texts"][()].tolist() == [[b"a", b""], ["Überlauf".encode(), b"long " * 2000]], f["texts"][()]
assert f["floats"][()].tolist() == [[1.0], [-0.5], [1.0000000150474662e30]]
assert f["floats"].dtype == "<f4" and f["number"].dtype == "<i8" and h5py.check_string_dtype(f["version"].dtype).encoding == "utf-8"
assert f["ones"][()].tolist() == [[1.0, 1.0]] * 4 and f["none"].shape == (0, 3)
assert f["empty/below/list"][()].tolist() == [2 ** 40, -1] and list(f["empty"]) == ["below"]
assert len(f["many"]) == 8500 and all(f["many/n%d" % i][()] == i for i in range(8500))
`, path).CombinedOutput()
		if err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
	})
}
