package passes_test

import (
	"math"
	"strings"
	"testing"

	"spikingir/graph"
	"spikingir/passes"
)

// spiking is x -> Encode -> IF -> Decode -> y with timesteps, all of whose
// nodes have their region.
func spiking(theta float32) *graph.Model {
	g := graph.New("g", nil)
	x := g.AddInput("x", graph.TensorOf(graph.Float32, graph.ShapeOf(1, 1, 2, 2)))
	th := g.AddInitializer("theta", graph.Scalar(theta))
	add := func(typ, out string, in ...*graph.Value) *graph.Value {
		attrs := graph.Attrs{
			{Name: "timesteps", Value: graph.Int(4)}, {Name: "post", Value: graph.Int(0)},
		}
		n := g.AddNode(graph.Op{Domain: graph.Spiking, Type: typ}, attrs, in, out)
		n.Name, n.Region = strings.ToLower(typ), graph.SpikingRegion
		n.Output(0).Type = x.Type
		return n.Output(0)
	}
	e := add("Encode", "e", x)
	s := add("IF", "s", e, nil, th)
	g.AddOutput(add("Decode", "y", s))
	opsets := []graph.Opset{{Version: 17}, {Domain: graph.Spiking, Version: 1}}
	return &graph.Model{IRVersion: 10, Opsets: opsets, Graph: g}
}

// insert puts a standard node in front of the graph's output.
func insert(m *graph.Model, typ string) *graph.Node {
	g := m.Graph
	last := g.Outputs()[0].Producer()
	n := g.InsertBefore(last, graph.Op{Type: typ}, nil, []*graph.Value{last.Input(0)}, "between")
	n.Name, n.Region = "extra", last.Region
	n.Output(0).Type = last.Input(0).Type
	last.SetInput(0, n.Output(0))
	return n
}

// all is every fact.
const all = passes.Lowered<<1 - 1

// TestFacts breaks one property after the other.
func TestFacts(t *testing.T) {
	attr := func(name string, v int) func(*graph.Model) {
		return func(m *graph.Model) { m.Graph.Value("s").Producer().Attrs.Set(name, graph.Int(v)) }
	}
	tests := []struct {
		name  string
		fact  passes.Facts
		spoil func(*graph.Model)
		want  string // "" when the fact holds all the same
	}{
		{"sound", ^passes.Lowered & all, func(*graph.Model) {}, ""},
		{"call", passes.NoCalls, func(m *graph.Model) {
			insert(m, "Custom")
			define(m, "", "Custom")
		}, `node "extra" calls the function Custom`},
		{"spiking function", passes.NoCalls, func(m *graph.Model) {
			define(m, graph.Spiking, "IF")
		}, ""},
		{"call in a subgraph", passes.NoCalls, func(m *graph.Model) {
			sub := graph.New("body", m.Graph)
			sub.AddNode(graph.Op{Type: "Custom"}, nil, nil, "inner")
			insert(m, "Scan").Attrs.Set("body", sub)
			define(m, "", "Custom")
		}, `node "inner" calls the function Custom`},
		{"untyped", passes.Typed, func(m *graph.Model) {
			m.Graph.Value("s").Type = graph.Type{}
		}, `"s" of node "if" has no known type`},
		{"constant", passes.NoConstants, func(m *graph.Model) {
			m.Graph.AddNode(graph.Op{Type: "Constant"}, nil, nil, "c")
		}, `node "c" is a Constant`},
		{"identity", passes.NoIdentity, func(m *graph.Model) {
			insert(m, "Identity")
		}, `node "extra" is an Identity`},
		{"batchnorm", passes.NoBatchNorm, func(m *graph.Model) {
			insert(m, "BatchNormalization")
		}, `node "extra" in the spiking region`},
		{"analog batchnorm", passes.NoBatchNorm, func(m *graph.Model) {
			insert(m, "BatchNormalization").Region = graph.AnalogPost
		}, ""},
		{"region", passes.Split, func(m *graph.Model) {
			insert(m, "Neg").Region = graph.Unassigned
		}, `node "extra" has no region`},
		{"relu", passes.Neurons, func(m *graph.Model) { insert(m, "Relu") }, "is a Relu"},
		{"leak", passes.Readout, func(m *graph.Model) {
			insert(m, "Neg").Region = graph.AnalogPost
		}, "leaves the spiking region without a readout"},
		{"output", passes.Readout, func(m *graph.Model) {
			m.Graph.SetOutput(0, m.Graph.Value("s"))
		}, "leaves the spiking region"},
		{"zero threshold", passes.Thresholds, threshold(0), `neuron "if" has threshold 0`},
		{"denormal threshold", passes.Thresholds, threshold(1e-39), "has threshold 1e-39"},
		{"infinite threshold", passes.Thresholds, threshold(float32(math.Inf(1))), "has threshold +Inf"},
		{"no number", passes.Thresholds, threshold(float32(math.NaN())), "has threshold NaN"},
		{"other unit", passes.UnitForm, threshold(2), "has threshold 2, want 1"},
		{"untimed", passes.Timed, attr("timesteps", 0), `node "if" has no timesteps`},
		{"timesteps", passes.Timed, attr("timesteps", 5), "runs 5+0 timesteps, others 4+0"},
		{"post step", passes.Timed, attr("post", 1), "runs 4+1 timesteps, others 4+0"},
		{"old opset", passes.OpsetCurrent, func(m *graph.Model) {
			m.SetOpset("", 16)
		}, "imports opset 16, want at least 17"},
		{"no functions", passes.Lowered, func(*graph.Model) {},
			`operator ai.spikingir.Encode of node "encode" has no function`},
	}
	for _, test := range tests {
		m := spiking(1)
		test.spoil(m)
		err := test.fact.Check(m)
		if !matches(err, test.want) {
			t.Errorf("%s: error %v, want %q", test.name, err, test.want)
		}
	}
}

// define adds a function without a body of note.
func define(m *graph.Model, domain, name string) {
	m.Functions = append(m.Functions,
		&graph.Function{Domain: domain, Name: name, Body: graph.New(name, nil)})
}

// threshold gives the neuron another threshold.
func threshold(theta float32) func(*graph.Model) {
	return func(m *graph.Model) { m.Graph.Value("theta").Const = graph.Scalar(theta) }
}
