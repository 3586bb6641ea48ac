package prelutoonoff

import (
	"math"

	"spikingir/passes/weights"

	"spikingir/graph"
	"spikingir/graph/op"
	"spikingir/passes"
)

// layer is a reader of y whose weights can take up the slope.
type layer struct {
	node *graph.Node
	dims []int64 // of the weights, input 1
	axis int     // of them that counts input channels
}

// readers lists the layers that read y; ok is false unless they are all that
// do, and take the slope.
func readers(y *graph.Value, a slope) (list []layer, ok bool) {
	if y.IsOutput() || !a.channel || len(y.Uses()) == 0 {
		return nil, false
	}
	for _, u := range y.Uses() {
		l, ok := layerOf(u.Node)
		if !ok || u.Index != 0 || u.Node.Graph() != y.Graph() || u.Node.Region != graph.SpikingRegion {
			return nil, false
		}
		list = append(list, l)
	}
	return list, true
}

func layerOf(n *graph.Node) (l layer, ok bool) {
	if !weights.IsLayer(n) {
		return l, false
	}
	t := op.Constant(n.Input(1))
	if t == nil || t.DType != graph.Float32 || len(t.Dims) < 2 {
		return l, false
	}
	layout, err := op.LayoutOf(n, t.Dims)
	if err != nil || layout.Group != 1 {
		return l, false
	}
	if n.Is("Gemm") {
		if v, err := op.GemmOf(n); err != nil || v.TransA {
			return l, false
		}
	}
	return layer{n, t.Dims, layout.Axis}, true
}

// fold makes every layer read both populations side by side.
func fold(c *passes.Context, n *graph.Node, a slope, layers []layer, on, off *graph.Value) error {
	g := n.Graph()
	y := n.Output(0)
	both := c.Insert(n, n, n.Label()+".both", graph.Op{Type: "Concat"},
		graph.Attrs{{Name: "axis", Value: graph.Int(1)}}, []*graph.Value{on, off},
		g.FreshName(y.Name()+".both"))
	both.Output(0).Type = doubled(y.Type)
	type key struct {
		w    *graph.Value
		axis int
	}
	shared := map[key]*graph.Value{}
	for _, l := range layers {
		k := key{l.node.Input(1), l.axis}
		if shared[k] == nil {
			t, err := l.widen(a)
			if err != nil {
				return err
			}
			shared[k] = g.AddInitializer(g.FreshName(k.w.Name()+".on_off"), t)
		}
		l.node.SetInput(1, shared[k])
		l.node.SetInput(0, both.Output(0))
	}
	return g.Remove(n)
}

// doubled is t with twice the channels.
func doubled(t graph.Type) graph.Type {
	shape := append(graph.Shape(nil), t.Shape...)
	if c, ok := shape[1].Size(); ok {
		shape[1] = graph.Known(2 * c)
	} else {
		shape[1] = graph.Dim{}
	}
	return graph.TensorOf(t.Elem, shape)
}

// widen gives the weights [W, -a*W] along the input channels.
func (l layer) widen(a slope) (*graph.Tensor, error) {
	ws, err := op.Constant(l.node.Input(1)).Float32s()
	if err != nil {
		return nil, op.Errorf(l.node, "weights: %v", err)
	}
	channels := int(l.dims[l.axis])
	if len(a.xs) != 1 && len(a.xs) != channels {
		return nil, op.Errorf(l.node, "its weights have %d input channels, the slope in front of it %d",
			channels, len(a.xs))
	}
	inner := 1
	for _, d := range l.dims[l.axis+1:] {
		inner *= int(d)
	}
	block := channels * inner
	out := make([]float32, 0, 2*len(ws))
	for at := 0; at < len(ws); at += block {
		out = append(out, ws[at:at+block]...)
		for i, w := range ws[at : at+block] {
			x := float32(-a.at(i/inner) * float64(w))
			if math.IsNaN(float64(x)) || math.IsInf(float64(x), 0) {
				return nil, op.Unsupportedf(l.node, "weight %g times slope %g is no finite number", w, a.at(i/inner))
			}
			out = append(out, x)
		}
	}
	dims := append([]int64(nil), l.dims...)
	dims[l.axis] *= 2
	return graph.NewFloat32(dims, out), nil
}
