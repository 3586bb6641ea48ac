package diff

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"spikingir/graph"
)

// TestSideBySide holds that a sheet shows a difference where the report has one, and every
// node of both models once.
func TestSideBySide(t *testing.T) {
	for _, c := range differences {
		a, b := model(), model()
		c.edit(b)
		for _, structure := range []bool{false, true} {
			s := SideBySide(a, b, structure)
			compare := Models
			if structure {
				compare = Structure
			}
			if want := compare(a, b); s.Same != want.Same || len(s.Entries) != len(want.Entries) {
				t.Errorf("%s: %d differences, want the report's %d", c.name, len(s.Entries), len(want.Entries))
			}
			differ, inA, inB := 0, 0, 0
			for _, x := range s.Sections {
				for _, row := range x.Rows {
					if row.Change != "" {
						differ++
					}
					if row.Change == "" && (row.A.Text != row.B.Text || len(row.Details) > 0) {
						t.Errorf("%s: a row that is the same differs: %+v", c.name, row)
					}
					if row.Kind == NodeKind && row.A.Text != "" {
						inA++
					}
					if row.Kind == NodeKind && row.B.Text != "" {
						inB++
					}
				}
			}
			if (differ == 0) != s.Same {
				t.Errorf("%s: %d rows differ, and the models are the same: %v", c.name, differ, s.Same)
			}
			if inA != allNodes(a) || inB != allNodes(b) {
				t.Errorf("%s: %d and %d nodes are shown of %d and %d", c.name, inA, inB, allNodes(a), allNodes(b))
			}
		}
	}
}

func allNodes(m *graph.Model) int {
	n := 0
	for g := range m.Graphs() {
		n += g.NumNodes()
	}
	return n
}

// TestSideBySideTells holds rows of each kind of change.
func TestSideBySideTells(t *testing.T) {
	a, b := model(), model()
	add := producer(b, "h")
	add.Attrs.Set("axis", graph.Int(1))
	b.Graph.SetInitializer(b.Graph.Value("w"), floats(1, 4), nil)
	b.Graph.AddNode(operator("Abs"), nil, []*graph.Value{b.Graph.Value("x")}, "z").Name = "abs"
	rows := map[string]Row{}
	for _, s := range SideBySide(a, b, false).Sections {
		for _, r := range s.Rows {
			name := r.A.Name
			if name == "" {
				name = r.B.Name
			}
			rows[string(r.Kind)+" "+name] = r
		}
	}
	want := []Entry{{Attribute, "axis", Added, "", "int 1"},
		{Initializer, "w", Changed, "float[2] [1, 2]", "float[2] [1, 4], largest difference 2, relative norm 0.894"}}
	if r := rows["node add"]; r.Change != Changed || !slices.Equal(r.Details, want) || r.B.Attributes[0] != "axis = int 1" {
		t.Errorf("the changed node: %+v", r)
	}
	if r := rows["node abs"]; r.Change != Added || r.A.Text != "" || r.B.Text != "z = Abs(x)" || r.B.Number != 3 {
		t.Errorf("the new node: %+v", r)
	}
	if r := rows["initializer w"]; r.Change != Changed || r.B.Text != want[1].B {
		t.Errorf("the weights: %+v", r)
	}
	if r := rows["node if"]; r.Change != "" || r.A.Number != 2 {
		t.Errorf("the node that is the same: %+v", r)
	}
}

// TestAlign holds that every node has one place, that A's are in A's order and what B alone
// has in B's, and that pairs in one order stay so.
func TestAlign(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	g := graph.New("g", nil)
	list := func(names []int) []keyed {
		var all []keyed
		for _, k := range names {
			all = append(all, keyed{fmt.Sprint(k), g.AddNode(operator("Abs"), nil, nil, "")})
		}
		return all
	}
	for range 200 {
		a, b := r.Perm(12)[:r.IntN(13)], r.Perm(12)[:r.IntN(13)]
		if r.IntN(2) == 0 {
			slices.Sort(a)
			slices.Sort(b)
		}
		var inA, inB, alone []int
		pairs, kept := 0, true
		last := -1
		for _, p := range align(list(a), list(b)) {
			if p.a.node != nil {
				inA = append(inA, p.i)
			}
			if p.b.node != nil {
				inB = append(inB, p.j)
				kept = kept && p.j > last
				last = p.j
			}
			switch {
			case p.a.node == nil:
				alone = append(alone, p.j)
			case p.b.node != nil:
				pairs++
				if p.a.key != p.b.key {
					t.Fatalf("%v beside %v: %q stands with %q", a, b, p.a.key, p.b.key)
				}
			}
		}
		if len(inA) != len(a) || !slices.IsSorted(inA) || len(inB) != len(b) || !slices.IsSorted(alone) {
			t.Fatalf("%v beside %v: %v and %v, %v of B alone", a, b, inA, inB, alone)
		}
		if slices.IsSorted(a) && slices.IsSorted(b) && !kept {
			t.Fatalf("%v beside %v: B's are not in order: %v", a, b, inB)
		}
		slices.Sort(inB)
		if len(slices.Compact(inB)) != len(b) {
			t.Fatalf("%v beside %v: a node of B stands twice", a, b)
		}
	}
}
