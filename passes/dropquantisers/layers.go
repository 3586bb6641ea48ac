package dropquantisers

import (
	"slices"

	"spikingir/graph"
	"spikingir/graph/op"
	"spikingir/passes"
)

// unfoldLayers writes the convolutions of integers in c's model as Conv, and tells how many.
func unfoldLayers(c *passes.Context) (count int, err error) {
	_, err = c.Each(func(n *graph.Node) (bool, error) {
		done := false
		switch {
		case n.Is("QLinearConv"):
			done, err = unfoldQLinear(c, n)
		case n.Is("DynamicQuantizeLinear"):
			done, err = unfoldDynamic(c, n)
		}
		if done {
			count++
		}
		return done, err
	})
	return count, err
}

// unfoldQLinear writes y = QLinearConv(x, ...) as QuantizeLinear(Conv(DequantizeLinear(x), W, B)). It leaves
// a convolution whose numbers are not all constant.
func unfoldQLinear(c *passes.Context, n *graph.Node) (bool, error) {
	x, bias := n.Input(0), n.Input(8)
	for i := 1; i < 8; i++ {
		if op.Constant(n.Input(i)) == nil {
			return false, nil
		}
	}
	w, each, err := dequantised(n.Input(3), n.Input(5), n.Input(4))
	if err != nil || w == nil || bias != nil && op.Constant(bias) == nil {
		return false, err
	}
	scale, err := op.Constant(n.Input(1)).Float32s()
	if err != nil || len(scale) != 1 {
		return false, err
	}
	var b []float32
	if bias != nil {
		sums, err := op.Constant(bias).Int64s()
		if err != nil || len(sums) != len(each) {
			return false, err
		}
		b = make([]float32, len(sums))
		for i, s := range sums {
			b[i] = float32(float64(s) * float64(scale[0]) * float64(each[i]))
		}
	}
	g := n.Graph()
	back := c.Insert(n, n, "", graph.Op{Type: "DequantizeLinear"}, nil, []*graph.Value{x, n.Input(1), n.Input(2)}, g.FreshName(n.Label()+".x"))
	retype(back.Output(0), x.Type)
	inputs := []*graph.Value{back.Output(0), g.AddInitializer(g.FreshName(n.Label()+".weight"), w)}
	if bias != nil {
		inputs = append(inputs, g.AddInitializer(g.FreshName(n.Label()+".bias"), graph.NewFloat32([]int64{int64(len(b))}, b)))
	}
	conv := c.Insert(n, n, "", graph.Op{Type: "Conv"}, slices.Clone(n.Attrs), inputs, g.FreshName(n.Label()+".y"))
	retype(conv.Output(0), n.Output(0).Type)
	_, err = c.Replace(n, graph.Op{Type: "QuantizeLinear"}, nil, conv.Output(0), n.Input(6), n.Input(7))
	return true, err
}

// unfoldDynamic takes n = DynamicQuantizeLinear(x) apart, whose integers only ConvInteger reads, and those
// results only Casts to float32: they become Conv(x, W), and the scale that they are multiplied by 1.
func unfoldDynamic(c *passes.Context, n *graph.Node) (bool, error) {
	x, whole, scale, zero := n.Input(0), n.Output(0), n.Output(1), n.Output(2)
	if x == nil || x.Type.Elem != graph.Float32 || whole == nil || scale == nil || scale.IsOutput() || whole.IsOutput() || zero != nil && zero.IsOutput() {
		return false, nil
	}
	var layers []*graph.Node
	for _, v := range []*graph.Value{whole, zero} {
		if v == nil {
			continue
		}
		for _, u := range v.Uses() {
			k := u.Node
			if !k.Is("ConvInteger") || k.Graph() != n.Graph() || k.Input(0) != whole || k.Input(2) != zero || !onlyFloats(k.Output(0)) {
				return false, nil
			}
			if !slices.Contains(layers, k) {
				layers = append(layers, k)
			}
		}
	}
	weights := make([]*graph.Tensor, len(layers))
	for i, k := range layers {
		w, _, err := dequantised(k.Input(1), k.Input(3), nil)
		if w == nil || err != nil {
			return false, err
		}
		weights[i] = w
	}
	if len(layers) == 0 {
		return false, nil
	}
	g := n.Graph()
	for i, k := range layers {
		w := g.AddInitializer(g.FreshName(k.Label()+".weight"), weights[i])
		conv := c.Insert(k, k, "", graph.Op{Type: "Conv"}, slices.Clone(k.Attrs), []*graph.Value{x, w}, g.FreshName(k.Label()+".y"))
		retype(conv.Output(0), k.Output(0).Type)
		for _, u := range k.Output(0).Uses() {
			if _, err := c.Replace(u.Node, graph.Op{Type: "Identity"}, nil, conv.Output(0)); err != nil {
				return false, err
			}
		}
		if err := g.Remove(k); err != nil {
			return false, err
		}
	}
	one := g.AddInitializer(g.FreshName(n.Label()+".scale"), graph.Scalar(1))
	return true, g.ReplaceUses(scale, one)
}

// onlyFloats reports whether nothing but Casts to float32 reads v.
func onlyFloats(v *graph.Value) bool {
	return v.NumUses() > 0 && !v.IsOutput() && !slices.ContainsFunc(v.Uses(), func(u graph.Use) bool {
		return !u.Node.Is("Cast") || u.Node.Graph() != v.Graph() || u.Node.Output(0).Type.Elem != graph.Float32
	})
}

// dequantised is the weights v as numbers, and the scale of each output channel; nil where they or
// what belongs to them is not constant. Without scales they are whole numbers.
func dequantised(v, zero, scale *graph.Value) (w *graph.Tensor, each []float32, err error) {
	t := op.Constant(v)
	if t == nil || len(t.Dims) == 0 || t.Dims[0] < 1 || zero != nil && op.Constant(zero) == nil || scale != nil && op.Constant(scale) == nil {
		return nil, nil, nil
	}
	numbers, err := t.Int64s()
	if err != nil {
		return nil, nil, err
	}
	zeros, scales := []int64{0}, []float32{1}
	if zero != nil {
		if zeros, err = op.Constant(zero).Int64s(); err != nil {
			return nil, nil, err
		}
	}
	if scale != nil {
		if scales, err = op.Constant(scale).Float32s(); err != nil {
			return nil, nil, err
		}
	}
	channels := int(t.Dims[0])
	fits := func(n int) bool { return n == 1 || n == channels }
	if !fits(len(zeros)) || !fits(len(scales)) {
		return nil, nil, nil
	}
	each = make([]float32, channels)
	for i := range each {
		each[i] = scales[i%len(scales)]
	}
	out := make([]float32, len(numbers))
	for i, k := range numbers {
		channel := i * channels / len(numbers)
		out[i] = float32(k-zeros[channel%len(zeros)]) * each[channel]
	}
	return graph.NewFloat32(t.Dims, out), each, nil
}

// retype gives v the type of t with elements of float32.
func retype(v *graph.Value, t graph.Type) {
	t.Elem = graph.Float32
	v.Type = t
}
