package diff_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/tools/txtar"

	"spikingir/fixtures"
	"spikingir/graph"
	"spikingir/graph/diff"
	"spikingir/onnxio"
	"spikingir/onnxio/text"
)

// told is a report as lines, without the table of operators.
func told(r *diff.Report) string {
	var b strings.Builder
	for _, e := range r.Entries {
		fmt.Fprintf(&b, "%s %s %s: %s | %s\n", e.Change, e.Kind, e.Name, e.A, e.B)
	}
	for _, c := range r.Stat {
		fmt.Fprintf(&b, "%s: %d added, %d removed, %d changed, %d moved\n", c.Kind, c.Added, c.Removed, c.Changed, c.Moved)
	}
	if r.Weights.Norm != nil {
		fmt.Fprintf(&b, "weights: norm %.4g\n", *r.Weights.Norm)
	}
	return b.String()
}

// TestStructure holds the cases of testdata/structure, by names and by structure; UPDATE=1
// accepts what is reported.
func TestStructure(t *testing.T) {
	paths, err := filepath.Glob("testdata/structure/*.txtar")
	if err != nil || len(paths) == 0 {
		t.Fatal("no cases", err)
	}
	for _, path := range paths {
		a, err := txtar.ParseFile(path)
		if err != nil {
			t.Fatal(err)
		}
		model := func(i int) *graph.Model {
			m, err := text.Parse(string(a.Files[i].Data))
			if err != nil {
				t.Fatalf("%s: %v", path, err)
			}
			return m
		}
		before := text.Print(model(1), text.Options{})
		x, y := model(0), model(1)
		got := "by name\n" + told(diff.Models(x, y)) + "\nby structure\n" + told(diff.Structure(x, y))
		if text.Print(y, text.Options{}) != before {
			t.Errorf("%s: comparing changed B", path)
		}
		if os.Getenv("UPDATE") != "" {
			a.Files[2].Data = []byte(got)
			if err := os.WriteFile(path, txtar.Format(a), 0o666); err != nil {
				t.Fatal(err)
			}
		}
		if d := cmp.Diff(string(a.Files[2].Data), got); d != "" {
			t.Errorf("%s (-want +got):\n%s", path, d)
		}
	}
}

// renamed is m with every name new, and nodes of new names only where some had one.
func renamed(t *testing.T, m *graph.Model) *graph.Model {
	t.Helper()
	m = m.Clone()
	k := 0
	rename := func(v *graph.Value) {
		if v == nil || strings.HasPrefix(v.Name(), "other ") {
			return
		}
		k++
		if err := v.Graph().Rename(v, fmt.Sprint("other ", 1000-k)); err != nil {
			t.Fatal(err)
		}
		for i, d := range v.Type.Shape {
			if d.Param() == "N" || d.Param() == "H" || d.Param() == "W" {
				v.Type.Shape[i] = graph.Symbol("size_" + d.Param())
			}
		}
	}
	for g := range m.Graphs() {
		g.Name = "other graph"
		for _, v := range append(g.Inputs(), g.Initializers()...) {
			rename(v)
		}
		for n := range g.Nodes() {
			n.Name = ""
			for _, v := range n.Outputs() {
				rename(v)
			}
		}
	}
	return m
}

// TestRenamed: whole networks are equal under other names, and an edit of one node is the
// only difference.
func TestRenamed(t *testing.T) {
	names := fixtures.Names()
	if len(names) == 0 {
		t.Fatal("no models")
	}
	for _, name := range names {
		b, err := fixtures.Model(name)
		if err != nil {
			t.Fatal(err)
		}
		m, err := onnxio.Decode(b)
		if err != nil {
			t.Fatal(err)
		}
		other := renamed(t, m)
		if r := diff.Models(m, other); r.Same {
			t.Errorf("%s: names do not count", name)
		}
		if r := diff.Structure(m, other); !r.Same {
			t.Errorf("%s: renamed, it differs:\n%.2000s", name, told(r))
		}
		for _, v := range other.Graph.Initializers() {
			if xs, err := v.Const.Float32s(); err == nil && len(v.Const.Dims) == 4 {
				xs[0]++
				other.Graph.SetInitializer(v, graph.NewFloat32(v.Const.Dims, xs), nil)
				break
			}
		}
		r := diff.Structure(m, other)
		if len(r.Entries) != 1 || r.Entries[0].Kind != diff.Initializer || r.Weights.Changed != 1 || r.Weights.Norm == nil {
			t.Errorf("%s: one weight changed, told as:\n%.2000s", name, told(r))
		}
	}
}
