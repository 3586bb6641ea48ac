package exec_test

import (
	"slices"
	"testing"

	"spikingir/graph"
	"spikingir/runtime/exec"
	"spikingir/runtime/ops"
)

// TestUnits demands that the units hold every node once, that progress counts
// them, and that the work reports are shared out among them.
func TestUnits(t *testing.T) {
	m := model(t, chain, 4, 1)
	p := compile(t, m, exec.Options{})
	units := p.Units()
	calls := 0
	x := random(1, 0, 1, 1, 1, 8, 8)
	res, err := p.Run(t.Context(), map[string]*ops.Tensor{"x": x}, exec.RunOptions{
		Measure: true,
		Progress: func(_, total int) {
			if calls++; total != len(units) {
				t.Errorf("progress counts %d units, want %d", total, len(units))
			}
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	if calls != len(units) {
		t.Errorf("%d calls of Progress, want %d", calls, len(units))
	}
	var nodes []string
	var works []int
	for _, u := range units {
		for _, n := range u.Nodes {
			nodes = append(nodes, n.Label())
		}
		for _, w := range u.Work {
			works = append(works, w)
			if !slices.ContainsFunc(u.Nodes, func(n *graph.Node) bool { return n.Name == res.Work[w].Node }) {
				t.Errorf("the unit of %v is given the work of %q", u.Nodes[0].Label(), res.Work[w].Node)
			}
		}
	}
	if slices.Sort(nodes); len(slices.Compact(nodes)) != m.Graph.NumNodes() {
		t.Errorf("the units hold %v, want every node once", nodes)
	}
	if slices.Sort(works); len(slices.Compact(works)) != len(res.Work) {
		t.Errorf("the units hold work %v, want each of %d once", works, len(res.Work))
	}
}
