package nir_test

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/tools/txtar"

	"spikingir/graph"
	"spikingir/graph/infer"
	"spikingir/onnxio/hdf5/hdf5test"
	"spikingir/onnxio/nir"
	"spikingir/onnxio/text"
)

// TestExport exports the network of each file of testdata, in ONNX text, and holds what the written
// file has and what the report says to what stands there, or the error. UPDATE=1 accepts what is found.
func TestExport(t *testing.T) {
	files, err := filepath.Glob(filepath.Join("testdata", "*.txtar"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no cases: %v", err)
	}
	for _, path := range files {
		t.Run(strings.TrimSuffix(filepath.Base(path), ".txtar"), func(t *testing.T) {
			a, err := txtar.ParseFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if len(bytes.TrimSpace(a.Comment)) == 0 {
				t.Error("the comment is missing: say what the case shows")
			}
			in := map[string]string{}
			for _, f := range a.Files {
				in[f.Name] = string(f.Data)
			}
			out := exported(t, in["network"], nir.Readout(strings.TrimSpace(in["readout"])))
			kept := slices.DeleteFunc(slices.Clone(a.Files), func(f txtar.File) bool { return f.Name != "network" && f.Name != "readout" })
			if os.Getenv("UPDATE") != "" {
				a.Files = append(kept, out...)
				if err := os.WriteFile(path, txtar.Format(a), 0o666); err != nil {
					t.Fatal(err)
				}
				return
			}
			if d := cmp.Diff(string(txtar.Format(a)), string(txtar.Format(&txtar.Archive{Comment: a.Comment, Files: append(kept, out...)}))); d != "" {
				t.Errorf("the file differs (-golden +got); UPDATE=1 accepts it:\n%s", d)
			}
		})
	}
}

// exported is the sections that say what came of a network.
func exported(t *testing.T, src string, r nir.Readout) []txtar.File {
	t.Helper()
	m := parse(t, src)
	if r == "" {
		r = nir.Integrator
	}
	net, report, err := nir.Export(m, r)
	if err != nil {
		return []txtar.File{{Name: "error", Data: []byte(err.Error() + "\n")}}
	}
	file, again := written(t, net), written(t, net)
	if !bytes.Equal(file, again) {
		t.Error("the same network gives other bytes")
	}
	var told strings.Builder
	for _, f := range report.Lost {
		fmt.Fprintln(&told, "lost", f)
	}
	for _, f := range report.Reworded {
		fmt.Fprintln(&told, "reworded", f)
	}
	return []txtar.File{{Name: "nir", Data: []byte(listed(t, file))}, {Name: "report", Data: []byte(told.String())}}
}

func parse(t *testing.T, src string) *graph.Model {
	t.Helper()
	m, err := text.Parse(src)
	if err != nil {
		t.Fatal(err)
	}
	if err := infer.Model(m); err != nil {
		t.Fatal(err)
	}
	return m
}

func written(t *testing.T, n *nir.Network) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := n.Write(&b); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// listed is what a file has, a line for each dataset.
func listed(t *testing.T, file []byte) string {
	t.Helper()
	all, err := hdf5test.Read(file)
	if err != nil {
		t.Fatal(err)
	}
	var paths []string
	for path, x := range all {
		if x != nil {
			paths = append(paths, path)
		}
	}
	slices.Sort(paths)
	var b strings.Builder
	for _, path := range paths {
		x := all[path]
		fmt.Fprintf(&b, "%s %v", strings.TrimPrefix(path, "/node/"), x.Dims)
		switch {
		case x.Filled && len(x.Floats) > 0:
			fmt.Fprintf(&b, " all %g\n", x.Floats[0])
		case x.Floats != nil:
			fmt.Fprintf(&b, " %g\n", x.Floats)
		case x.Ints != nil:
			fmt.Fprintf(&b, " %d\n", x.Ints)
		default:
			fmt.Fprintf(&b, " %q\n", x.Texts)
		}
	}
	return b.String()
}
