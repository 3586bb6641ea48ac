package inlinefunctions_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"spikingir/graph"
	"spikingir/onnxio/text"
	"spikingir/passes"
	"spikingir/passes/inlinefunctions"
	"spikingir/passes/passtest"
)

func TestInlineFunctions(t *testing.T) { passtest.Run(t, inlinefunctions.Pass) }

// doubling is a model whose functions F1, F2, ... call the one before twice.
func doubling(levels int) string {
	var b strings.Builder
	fmt.Fprintf(&b, `<ir_version: 10, opset_import: ["" : 17, "local" : 1]>
g (float[N,3] x) => (float[N,3] y) { y = local.F%d(x) }
<domain: "local", opset_import: ["" : 17]>
F0 (u) => (v) { v = Neg(u) }
`, levels)
	for i := range levels {
		fmt.Fprintf(&b, `<domain: "local", opset_import: ["local" : 1]>
F%d (u) => (v) { p = local.F%d(u) v = local.F%d(p) }
`, i+1, i, i)
	}
	return b.String()
}

// apply runs the pass on a model.
func apply(t *testing.T, src string) (*graph.Model, error) {
	t.Helper()
	m, err := text.Parse(src)
	if err != nil {
		t.Fatal(err)
	}
	_, err = passes.Pipeline{inlinefunctions.Pass.With()}.Run(m, passes.Options{})
	return m, err
}

// nesting is a model whose functions F1, F2, ... hand a graph down that holds the
// one they were given twice.
func nesting(levels int) string {
	var b strings.Builder
	fmt.Fprintf(&b, `<ir_version: 10, opset_import: ["" : 17, "local" : 1]>
g (float[N,3] x, bool c) => (float[N,3] y)
{
  y = local.F%d <body = given () => (p) { p = Neg(x) }> (c)
}
<domain: "local", opset_import: ["" : 17]>
F0 <body> (c) => (v) { v = If <then_branch: graph = @body, else_branch: graph = @body> (c) }
`, levels)
	for i := range levels {
		fmt.Fprintf(&b, `<domain: "local", opset_import: ["" : 17, "local" : 1]>
F%d <body> (c) => (v)
{
  v = local.F%d <body = both () => (p) {
    p = If <then_branch: graph = @body, else_branch: graph = @body> (c)
  }> (c)
}
`, i+1, i)
	}
	return b.String()
}

// TestGrowth counts what functions that call others twice become, and graphs
// that are read twice, and demands that a few lines cannot fill the memory.
func TestGrowth(t *testing.T) {
	for _, test := range []struct {
		name  string
		model func(levels int) string
		at6   int
	}{
		{"calls", doubling, 1 << 6},
		{"graphs", nesting, 1<<8 - 1},
	} {
		m, err := apply(t, test.model(6))
		if err != nil {
			t.Fatal(err)
		}
		nodes := 0
		for g := range m.Graphs() {
			nodes += g.NumNodes()
		}
		if nodes != test.at6 {
			t.Errorf("%s: %d nodes, want %d", test.name, nodes, test.at6)
		}
		_, err = apply(t, test.model(60))
		if err == nil || !strings.Contains(err.Error(), "grow by more than 65536 nodes") {
			t.Errorf("%s: error %v, want one that says how much it would grow", test.name, err)
		}
	}
}

// TestDeterminism inlines the same model twice.
func TestDeterminism(t *testing.T) {
	first, err := apply(t, doubling(5))
	if err != nil {
		t.Fatal(err)
	}
	second, err := apply(t, doubling(5))
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(text.Format(first), text.Format(second)); d != "" {
		t.Errorf("two runs differ (-first +second):\n%s", d)
	}
}

// TestRecursionError demands the type that tells a caller what is unsupported.
func TestRecursionError(t *testing.T) {
	_, err := apply(t, `<ir_version: 10, opset_import: ["local" : 1]>
g (float[N,3] x) => (float[N,3] y) { y = local.Self(x) }
<domain: "local", opset_import: ["local" : 1]>
Self (u) => (v) { [again] v = local.Self(u) }
`)
	var unsupported *passes.Unsupported
	if !errors.As(err, &unsupported) {
		t.Fatalf("error %v, want *passes.Unsupported", err)
	}
	want := []passes.Refusal{{Node: "again", Op: "local.Self", Why: "the function calls itself" +
		" (local.Self -> local.Self), want functions without recursion"}}
	if d := cmp.Diff(want, unsupported.Refusals); d != "" {
		t.Errorf("refusals differ (-want +got):\n%s", d)
	}
}
