package report

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"

	"spikingir"
	"spikingir/cmd/internal/chart"
	"spikingir/graph"
	"spikingir/graph/op"
)

// node is one of the graph.
type node struct {
	Number                         int
	Name, Op, Region, Origin, Pass string
	Inputs, Outputs                []string
	Neuron, Spiking, Weights       bool
	Threshold                      string
}

// Nodes are those of the network in order, those of branches behind the node that has them.
func (p *Page) Nodes() []node {
	var list []node
	for top := range p.Network.Graph.Nodes() {
		for n := range top.Within() {
			x := node{Number: len(list) + 1, Name: n.Label(), Op: n.Op().String(), Region: n.Region.String(), Origin: n.OriginLabel(),
				Pass: n.From.Pass, Inputs: names(n.Inputs()), Outputs: names(n.Outputs()),
				Neuron: op.IsNeuron(n), Spiking: n.Op().Domain == graph.Spiking, Weights: hasWeights(n)}
			if s, err := op.NeuronOf(n); x.Neuron && err == nil {
				x.Threshold = threshold(s.Theta)
			}
			list = append(list, x)
		}
	}
	return list
}

// Short is the operator without its domain.
func (n node) Short() string { return n.Op[strings.LastIndex(n.Op, ".")+1:] }

func names(values []*graph.Value) []string {
	var list []string
	for _, v := range values {
		if v != nil {
			list = append(list, v.Name())
		}
	}
	return list
}

func hasWeights(n *graph.Node) bool {
	return slices.ContainsFunc(n.Inputs(), func(v *graph.Value) bool {
		return v != nil && v.Const != nil && len(v.Const.Dims) >= 2 && v.Const.DType.IsFloat()
	})
}

// span is the least and the greatest element of a constant, where all are finite.
func span(v *graph.Value) (low, high float64, ok bool) {
	if v == nil || v.Const == nil {
		return 0, 0, false
	}
	xs, err := v.Const.Float32s()
	if err != nil || len(xs) == 0 {
		return 0, 0, false
	}
	low, high = float64(slices.Min(xs)), float64(slices.Max(xs))
	return low, high, !math.IsNaN(low+high) && !math.IsInf(low+high, 0)
}

func threshold(v *graph.Value) string {
	low, high, ok := span(v)
	switch {
	case !ok:
		return ""
	case low == high:
		return chart.Number(low)
	}
	return chart.Number(low) + " to " + chart.Number(high)
}

// count is how many nodes an operator has in the ANN and in the network.
type count struct {
	Op       string
	ANN, SNN int
}

// Operators counts the nodes of each operator, in the order of their names.
func (p *Page) Operators() []count {
	all := map[string]*count{}
	add := func(m *spikingir.Model, which func(*count) *int) {
		if m == nil {
			return
		}
		for top := range m.Graph.Nodes() {
			for n := range top.Within() {
				name := n.Op().String()
				if all[name] == nil {
					all[name] = &count{Op: name}
				}
				*which(all[name])++
			}
		}
	}
	add(p.ANN, func(c *count) *int { return &c.ANN })
	add(p.Network, func(c *count) *int { return &c.SNN })
	var list []count
	for _, c := range all {
		list = append(list, *c)
	}
	slices.SortFunc(list, func(a, b count) int { return cmp.Compare(a.Op, b.Op) })
	return list
}

// pass is one of those that made the network.
type pass struct {
	Text, Title string
	Nodes       int    // of the network, that it made
	Kinds       string // their operators, with numbers
}

// Passes are those that the metadata state, in order, each with the nodes of the network that
// it made; those of a pass that runs twice stand at its first run. What cannot be read is one
// line without nodes.
func (p *Page) Passes() []pass {
	made := map[string][]string{}
	for _, n := range p.Nodes() {
		made[n.Pass] = append(made[n.Pass], n.Op)
	}
	var list []pass
	add := func(name, text, title string) {
		list = append(list, pass{text, title, len(made[name]), kinds(made[name])})
		delete(made, name)
	}
	add("", "(imported)", "nodes of the ANN that are still there")
	if text, ok := p.Network.Metadata.Get(graph.MetaPipeline); ok {
		steps, err := spikingir.ParsePipeline(text)
		if err != nil {
			list = append(list, pass{Text: text})
		}
		for _, s := range steps {
			title, _, _ := strings.Cut(s.Pass.Doc, "\n")
			add(s.Pass.Name, s.String(), title)
		}
	}
	var others []string
	for name := range made {
		others = append(others, name)
	}
	slices.Sort(others)
	for _, name := range others {
		add(name, name, "not in the pipeline that the file states")
	}
	return list
}

// kinds counts words.
func kinds(ops []string) string {
	slices.Sort(ops)
	var parts []string
	for len(ops) > 0 {
		n := 1
		for n < len(ops) && ops[n] == ops[0] {
			n++
		}
		parts = append(parts, fmt.Sprintf("%d %s", n, ops[0]))
		ops = ops[n:]
	}
	return strings.Join(parts, ", ")
}

// property is a line of the header of a file.
type property struct{ Name, Value string }

// Header is what the file of the network states of itself. The lists of its neurons, which only
// programs read, are left out.
func (p *Page) Header() []property {
	m := p.Network
	list := []property{{"producer", strings.TrimSpace(m.ProducerName + " " + m.ProducerVersion)}, {"IR version", fmt.Sprint(m.IRVersion)}}
	for _, o := range m.Opsets {
		list = append(list, property{"opset " + cmp.Or(o.Domain, "ai.onnx"), fmt.Sprint(o.Version)})
	}
	for _, kv := range m.Metadata {
		if kv.Key != graph.MetaNeurons && kv.Key != graph.MetaMeasured && kv.Key != graph.MetaNodes {
			list = append(list, property{kv.Key, kv.Value})
		}
	}
	return list
}
