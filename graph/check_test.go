package graph

import "testing"

// parts are the pieces of sample that the violations break.
type parts struct {
	g, then    *Graph
	x, w, a, y *Value
	add, relu  *Node
	branch     *Node
}

func partsOf(m *Model) parts {
	g := m.Graph
	p := parts{g: g, x: g.Value("x"), w: g.Value("w"), a: g.Value("a"), y: g.Value("y"),
		add: g.nodes.all()[0], branch: g.nodes.all()[1], relu: g.nodes.all()[2]}
	p.then = p.branch.Subgraphs()[0]
	return p
}

// TestCheckFinds breaks every invariant once.
func TestCheckFinds(t *testing.T) {
	for _, c := range []struct {
		name  string
		spoil func(p parts)
		want  string
	}{
		{"name table, missing", func(p parts) { delete(p.g.byName, "a") },
			`value "a" is not the one found under its name`},
		{"name table, stale", func(p parts) { p.g.byName["old"] = p.a },
			`value "a" is found under the name "old"`},
		{"name twice", func(p parts) { p.a.name = "x" },
			`value "x" is not the one found under its name`},
		{"shadow", func(p parts) { p.then.AddInput("x", Type{}) },
			`graph "then": value "x" shadows one of an outer graph`},
		{"loose", func(p parts) { p.g.mustValue("loose") }, `nothing defines value "loose"`},
		{"input twice", func(p parts) { p.g.inputs.items = append(p.g.inputs.items, p.x) },
			`input "x" is listed twice`},
		{"initializer twice", func(p parts) { p.g.inits.items = append(p.g.inits.items, p.w) },
			`initializer "w" is listed twice`},
		{"node twice", func(p parts) { p.g.nodes.items = append(p.g.nodes.items, p.add) },
			`node "a" is listed twice`},
		{"declared twice", func(p parts) { p.g.infos.items = append(p.g.infos.items, p.a) },
			`declared value "a" is listed twice`},
		{"foreign input", func(p parts) { p.x.graph = p.then },
			`input "x" is not a value of the graph`},
		{"foreign initializer", func(p parts) { p.w.graph = p.then },
			`initializer "w" is not a value of the graph`},
		{"foreign output", func(p parts) { p.g.outputs[0] = p.then.Value("t") },
			`output "t" is not a value of the graph`},
		{"foreign declared", func(p parts) { p.g.infos.items[0] = p.then.Value("t") },
			`declared value "t" is not a value of the graph`},
		{"node's graph", func(p parts) { p.add.graph = p.then }, `node "a" does not know its graph`},
		{"producer", func(p parts) { p.a.def = p.relu }, `output 0 of node "a" is not its own`},
		{"index", func(p parts) { p.a.index = 1 }, `output 0 of node "a" is not its own`},
		{"output's graph", func(p parts) { p.a.graph = p.then }, `output 0 of node "a" is not its own`},
		{"use not recorded", func(p parts) { p.x.uses = sequence[Use]{} },
			`input "x" of node "a" does not record the use`},
		{"use that is none", func(p parts) { p.add.inputs[0] = nil },
			`value "x" records a use by node "a" that is none`},
		{"use past the end", func(p parts) { p.x.addUse(p.add, 7) },
			`value "x" records a use by node "a" that is none`},
		{"use by a removed node", func(p parts) { p.g.nodes.items = p.g.nodes.items[:2] },
			`value "y" records a use by node "relu" that is none`},
		{"use by a node without graph", func(p parts) { p.relu.graph = nil },
			`value "y" records a use by node "relu" that is none`},
		{"use twice", func(p parts) { p.x.addUse(p.add, 0) },
			`value "x" records a use by node "a" twice`},
		{"out of sight", func(p parts) { p.relu.inputs[0] = p.then.Value("t") },
			`node "relu" uses "t" of a graph out of sight`},
		{"removed value", func(p parts) { p.g.nodes.items = p.g.nodes.items[1:]; delete(p.g.byName, "a") },
			`node "t" uses "a", which its graph does not hold`},
		{"subgraph's outer", func(p parts) { p.then.outer = nil },
			`a subgraph of node "y" does not know its outer graph`},
		{"order", func(p parts) { p.g.nodes.items[1], p.g.nodes.items[2] = p.relu, p.branch },
			`node "relu" stands before node "y", which it needs`},
		{"order of a capture", func(p parts) { p.g.nodes.items[0], p.g.nodes.items[1] = p.branch, p.add },
			`node "y" stands before node "a", which it needs`},
		{"needs itself", func(p parts) { p.relu.SetInput(0, p.relu.Output(0)) },
			`node "relu" stands before node "relu", which it needs`},
		{"computed and given", func(p parts) { p.a.Const = Scalar(1) },
			`value "a" is both computed and given`},
		{"input flag", func(p parts) { p.x.input = false },
			`value "x" and the list of inputs disagree`},
		{"initializer without contents", func(p parts) { p.w.Const = nil },
			`value "w" and the list of initializers disagree`},
		{"contents without list", func(p parts) { p.x.Const = NewFloat32([]int64{2}, []float32{1, 2}) },
			`value "x" and the list of initializers disagree`},
		{"element type", func(p parts) { p.w.Type.Elem = Int64 },
			`initializer "w" holds float but is declared int64[2]`},
		{"kind", func(p parts) { p.w.Type = Type{Kind: OptionalType, Elem: Float32} },
			`initializer "w" holds float but is declared optional(?)`},
		{"dimensions", func(p parts) { p.w.Type.Shape = ShapeOf(3) },
			`initializer "w" has dimensions [2] but is declared float[3]`},
	} {
		m := sample()
		c.spoil(partsOf(m))
		wantError(t, c.name, m.Check(), c.want)
	}
}

// TestCheckAllows covers what is unusual but right.
func TestCheckAllows(t *testing.T) {
	for _, c := range []struct {
		name string
		edit func(p parts)
	}{
		{"input with a default", func(p parts) {
			p.g.SetInitializer(p.x, NewFloat32([]int64{2}, []float32{1, 2}), nil)
		}},
		{"symbolic dimension of a constant", func(p parts) { p.w.Type.Shape = Shape{Symbol("N")} }},
		{"constant without type", func(p parts) { p.w.Type = Type{} }},
		{"constant of unknown rank", func(p parts) { p.w.Type.Shape = nil }},
		{"same output twice", func(p parts) { p.g.AddOutput(p.g.outputs[0]) }},
		{"input as output", func(p parts) { p.g.AddOutput(p.x) }},
		{"siblings share a name", func(p parts) {
			p.branch.Subgraphs()[1].AddNode(Op{"", "Neg"}, nil, nil, "t")
		}},
		{"sparse", func(p parts) {
			p.g.SetInitializer(p.x, nil, &SparseTensor{Values: Scalar(1), Indices: Scalar(0)})
		}},
	} {
		m := sample()
		c.edit(partsOf(m))
		wantError(t, c.name, m.Check(), "")
	}
}

// TestCheckReportsAll wants every violation, in the same order each time.
func TestCheckReportsAll(t *testing.T) {
	broken := func() error {
		m := sample()
		for _, name := range []string{"q1", "q2", "q3"} {
			m.Graph.mustValue(name)
		}
		m.Graph.Value("x").uses = sequence[Use]{}
		m.Functions[0].Body.mustValue("q4")
		return m.Check()
	}
	const want = `graph "main": nothing defines value "q1"
graph "main": nothing defines value "q2"
graph "main": nothing defines value "q3"
graph "main": input "x" of node "a" does not record the use
graph "F": nothing defines value "q4"`
	for range 10 {
		if got := broken().Error(); got != want {
			t.Fatalf("got:\n%s\nwant:\n%s", got, want)
		}
	}
}
