package infer_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/tools/txtar"

	"spikingir/graph"
	"spikingir/graph/infer"
	"spikingir/onnxio/text"
)

// TestCases infers the models in testdata/cases and compares the types of all
// values that nodes compute, or the error. UPDATE=1 writes the sections anew.
func TestCases(t *testing.T) {
	files, err := filepath.Glob("testdata/cases/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatalf("no cases: %v", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txtar"), func(t *testing.T) {
			testCase(t, file)
		})
	}
}

func testCase(t *testing.T, file string) {
	a, err := txtar.ParseFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if len(a.Comment) == 0 || len(a.Files) == 0 || a.Files[0].Name != "model" {
		t.Fatal("want a comment that says what the case shows, and a section model")
	}
	m, err := text.Parse(string(a.Files[0].Data))
	if err != nil {
		t.Fatal(err)
	}
	before := text.Format(m)
	section := txtar.File{Name: "types"}
	if err := infer.Model(m); err != nil {
		section = txtar.File{Name: "error", Data: []byte(err.Error() + "\n")}
		if after := text.Format(m); after != before {
			t.Errorf("the model changed though inference failed:\n%s", cmp.Diff(before, after))
		}
	} else {
		section.Data = []byte(types(m.Graph, ""))
		again := m.Clone()
		if err := infer.Model(again); err != nil || types(again.Graph, "") != string(section.Data) {
			t.Errorf("a second run differs (%v):\n%s", err,
				cmp.Diff(string(section.Data), types(again.Graph, "")))
		}
	}
	if os.Getenv("UPDATE") != "" {
		a.Files = []txtar.File{a.Files[0], section}
		if err := os.WriteFile(file, txtar.Format(a), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if diff := cmp.Diff([]txtar.File{section}, a.Files[1:]); diff != "" {
		t.Errorf("-got +file:\n%s", diff)
	}
}

// types lists what the nodes of g compute, one value a line, subgraphs indented.
func types(g *graph.Graph, indent string) string {
	var b strings.Builder
	for n := range g.Nodes() {
		for _, v := range n.Outputs() {
			if v != nil {
				fmt.Fprintf(&b, "%s%s: %v\n", indent, v.Name(), v.Type)
			}
		}
		for _, sub := range n.Subgraphs() {
			b.WriteString(types(sub, indent+"  "))
		}
	}
	return b.String()
}
