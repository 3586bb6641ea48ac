package randommodel

import (
	"slices"

	"spikingir/graph"
)

// inputsOf makes all inputs of the operators that read more than tensors like the first one:
// weights, indices, sizes, positions. It gives nil where data does not suit.
var inputsOf = map[string]func(b *builder, data *graph.Value) []*graph.Value{
	"Reshape":         with((*builder).reshaped),
	"Expand":          with((*builder).expanded),
	"Tile":            with(func(b *builder, t *graph.Tensor) []int64 { return picks[int64](&b.choices, len(t.Dims), 1, 2, 3) }),
	"ConstantOfShape": func(b *builder, _ *graph.Value) []*graph.Value { return []*graph.Value{b.list(b.small(b.N(4)))} },
	"Pad":             padded,
	"Slice":           sliced,
	"Squeeze":         listed((*builder).ones),
	"Unsqueeze":       listed(func(b *builder, t *graph.Tensor) []int64 { return b.axes(len(t.Dims) + 1) }),
	"ReduceSum":       listed(axesOf), "ReduceMean": listed(axesOf), "ReduceMax": listed(axesOf), "ReduceMin": listed(axesOf),
	"ReduceProd": listed(axesOf), "ReduceL2": listed(axesOf), "ReduceL1": listed(axesOf), "ReduceSumSquare": listed(axesOf),
	"ReduceLogSum": listed(axesOf), "ReduceLogSumExp": listed(axesOf),
	"Gather":          indexed(false),
	"GatherND":        func(b *builder, v *graph.Value) []*graph.Value { return []*graph.Value{v, b.indices(b.small(2)...)} },
	"GatherElements":  indexed(true),
	"ScatterElements": scattered, "Scatter": scattered,
	"ScatterND": func(b *builder, v *graph.Value) []*graph.Value {
		t := b.held[v]
		if len(t.Dims) == 0 {
			return nil
		}
		return []*graph.Value{v, b.indices(2, 1), b.random(t.DType, append([]int64{2}, t.Dims[1:]...)...)}
	},
	"OneHot": func(b *builder, v *graph.Value) []*graph.Value {
		return []*graph.Value{v, b.number(graph.Int64, 3), b.random(graph.Float32, 2)}
	},
	"TopK":   with(func(b *builder, _ *graph.Tensor) []int64 { return picks[int64](&b.choices, 1, 1, 2, 3) }),
	"CumSum": func(b *builder, v *graph.Value) []*graph.Value { return []*graph.Value{v, b.axis(v)} },
	"Trilu": func(b *builder, v *graph.Value) []*graph.Value {
		return []*graph.Value{v, b.number(graph.Int64, float64(b.N(4)-2))}
	},
	"Range":           ranged,
	"Where":           chosen,
	"Clip":            clipped,
	"Compress":        func(b *builder, v *graph.Value) []*graph.Value { return []*graph.Value{v, b.random(graph.Bool, 2)} },
	"ReverseSequence": func(b *builder, v *graph.Value) []*graph.Value { return []*graph.Value{v, b.ints(1, 2)} },
	"Dropout":         func(b *builder, v *graph.Value) []*graph.Value { return []*graph.Value{v} },
	"Resize":          resized,
	"Upsample":        resized,
	"Conv":            convolved, "ConvTranspose": convolved, "ConvInteger": convolved,
	"BatchNormalization":    func(b *builder, v *graph.Value) []*graph.Value { return b.perChannel(v, 4) },
	"InstanceNormalization": func(b *builder, v *graph.Value) []*graph.Value { return b.perChannel(v, 2) },
	"GroupNormalization":    func(b *builder, v *graph.Value) []*graph.Value { return b.perChannel(v, 2) },
	"LayerNormalization":    normalized,
	"RMSNormalization":      normalized,
	"MatMul":                multiplied, "MatMulInteger": multiplied,
	"Gemm":           multiplied,
	"QuantizeLinear": quantized, "DequantizeLinear": quantized,
}

// with is data and a list that is made for it.
func with(list func(b *builder, t *graph.Tensor) []int64) func(*builder, *graph.Value) []*graph.Value {
	return func(b *builder, v *graph.Value) []*graph.Value {
		return []*graph.Value{v, b.list(list(b, b.held[v]))}
	}
}

// listed is with, where the opset has the list as an input; some leave it out.
func listed(list func(b *builder, t *graph.Tensor) []int64) func(*builder, *graph.Value) []*graph.Value {
	return func(b *builder, v *graph.Value) []*graph.Value {
		if b.opset() < 13 || b.Chance(3) {
			return []*graph.Value{v}
		}
		return with(list)(b, v)
	}
}

func axesOf(b *builder, t *graph.Tensor) []int64 { return b.axes(len(t.Dims)) }

// ones is the axes of size 1.
func (b *builder) ones(t *graph.Tensor) []int64 {
	var list []int64
	for i, n := range t.Dims {
		if n == 1 {
			list = append(list, int64(i))
		}
	}
	return list
}

// list is a constant list, or now and then a value that is one.
func (b *builder) list(list []int64) *graph.Value {
	if b.Chance(4) {
		if v := b.value(graph.Int64); v != nil && len(b.held[v].Dims) == 1 {
			return v
		}
	}
	return b.ints(list...)
}

// axis is a constant that names an axis of v.
func (b *builder) axis(v *graph.Value) *graph.Value {
	rank := len(b.held[v].Dims)
	return b.number(graph.Int64, float64(b.N(2*rank+1)-rank))
}

// reshaped is a shape of as many elements: two axes joined, one divided, or one left
// to be computed.
func (b *builder) reshaped(t *graph.Tensor) []int64 {
	dims := slices.Clone(t.Dims)
	for range b.N(3) {
		if len(dims) == 0 {
			break
		}
		i := b.N(len(dims))
		switch n := dims[i]; {
		case b.N(2) == 0 && i > 0:
			dims[i-1] *= n
			dims = slices.Delete(dims, i, i+1)
		case n%2 == 0:
			dims[i] = 2
			dims = slices.Insert(dims, i+1, n/2)
		}
	}
	for i := range dims {
		if i < len(t.Dims) && dims[i] == t.Dims[i] && b.Chance(3) {
			dims[i] = 0
		}
	}
	if len(dims) > 0 && b.Chance(2) {
		dims[b.N(len(dims))] = -1
	}
	return dims
}

func (b *builder) expanded(t *graph.Tensor) []int64 {
	dims := slices.Clone(t.Dims)
	for i, n := range dims {
		if n == 1 {
			dims[i] = pick[int64](&b.choices, 1, 2, 3)
		}
	}
	if b.Chance(3) {
		dims = slices.Insert(dims, 0, 2)
	}
	return dims
}

func padded(b *builder, v *graph.Value) []*graph.Value {
	if b.opset() < 11 {
		return []*graph.Value{v}
	}
	t := b.held[v]
	in := []*graph.Value{v, b.list(picks[int64](&b.choices, 2*len(t.Dims), 0, 1, 2, -1))}
	if b.N(2) == 0 {
		in = append(in, b.number(t.DType, 1))
	}
	return in
}

func sliced(b *builder, v *graph.Value) []*graph.Value {
	if b.opset() < 10 {
		return []*graph.Value{v}
	}
	axes := b.axes(len(b.held[v].Dims))
	bounds := func() *graph.Value { return b.ints(picks[int64](&b.choices, len(axes), 0, 1, -1, 2, 1<<40, -3)...) }
	in := []*graph.Value{v, bounds(), bounds(), b.ints(axes...)}
	if b.N(2) == 0 {
		in = append(in, b.ints(picks[int64](&b.choices, len(axes), 1, 2, -1)...))
	}
	return in
}

// indices is a constant of small indices, some of which count from the end.
func (b *builder) indices(dims ...int64) *graph.Value {
	list := make([]float64, count(dims))
	for i := range list {
		list[i] = float64(pick(&b.choices, 0, 1, -1))
	}
	return b.constant(tensorOf(graph.Int64, dims, list))
}

func indexed(whole bool) func(b *builder, v *graph.Value) []*graph.Value {
	return func(b *builder, v *graph.Value) []*graph.Value {
		t := b.held[v]
		if !whole {
			return []*graph.Value{v, b.indices(b.small(b.N(3))...)}
		}
		return []*graph.Value{v, b.fewIndices(t.Dims)}
	}
}

// fewIndices is indices of at most 2 along each axis.
func (b *builder) fewIndices(dims []int64) *graph.Value {
	dims = slices.Clone(dims)
	for i := range dims {
		dims[i] = min(dims[i], 2)
	}
	return b.indices(dims...)
}

func scattered(b *builder, v *graph.Value) []*graph.Value {
	at := b.fewIndices(b.held[v].Dims)
	return []*graph.Value{v, at, b.random(b.held[v].DType, b.held[at].Dims...)}
}

func ranged(b *builder, _ *graph.Value) []*graph.Value {
	d := pick(&b.choices, graph.Int64, graph.Float32)
	return []*graph.Value{b.number(d, 0), b.number(d, float64(b.N(6))), b.number(d, float64(pick(&b.choices, 1, 2, -1)))}
}

func chosen(b *builder, v *graph.Value) []*graph.Value {
	x := b.value(graph.Float32)
	if x == nil {
		return nil
	}
	return []*graph.Value{v, x, b.random(graph.Float32, b.broadcast(b.held[x].Dims)...)}
}

func clipped(b *builder, v *graph.Value) []*graph.Value {
	if b.opset() < 11 {
		return []*graph.Value{v}
	}
	d := b.held[v].DType
	in := []*graph.Value{v, nil, nil}
	if b.N(2) == 0 {
		in[1] = b.number(d, float64(pick(&b.choices, 0, -1)))
	}
	if b.N(2) == 0 {
		in[2] = b.number(d, float64(pick(&b.choices, 1, 6)))
	}
	return in
}

func resized(b *builder, v *graph.Value) []*graph.Value {
	t := b.held[v]
	scales := make([]float64, len(t.Dims))
	sizes := make([]int64, len(t.Dims))
	for i, n := range t.Dims {
		scales[i], sizes[i] = 1, n
		if i >= 2 {
			scales[i] = pick(&b.choices, 2, 1, 0.5, 1.5)
			sizes[i] = n + int64(b.N(4))
		}
	}
	by := func() *graph.Value { return b.constant(tensorOf(graph.Float32, []int64{int64(len(scales))}, scales)) }
	switch {
	case b.opset() < 9:
		return []*graph.Value{v}
	case b.opset() < 11:
		return []*graph.Value{v, by()}
	}
	roi := b.constant(graph.NewFloat32([]int64{0}, nil))
	if b.N(2) == 0 {
		return []*graph.Value{v, roi, by()}
	}
	if b.opset() >= 13 {
		return []*graph.Value{v, nil, nil, b.list(sizes)}
	}
	return []*graph.Value{v, roi, b.constant(graph.NewFloat32([]int64{0}, nil)), b.list(sizes)}
}

// convolved is data and weights of one group, which may not suit.
func convolved(b *builder, v *graph.Value) []*graph.Value {
	t := b.held[v]
	if len(t.Dims) < 3 {
		return nil
	}
	m := int64(1 + b.N(4))
	dims := append([]int64{m, t.Dims[1]}, picks[int64](&b.choices, len(t.Dims)-2, 3, 1, 2)...)
	in := []*graph.Value{v, b.random(t.DType, dims...)}
	if b.N(2) == 0 && t.DType.IsFloat() {
		in = append(in, b.random(t.DType, m))
	}
	return in
}

// perChannel is data and vectors over its channels.
func (b *builder) perChannel(v *graph.Value, k int) []*graph.Value {
	t := b.held[v]
	if len(t.Dims) < 2 {
		return nil
	}
	in := []*graph.Value{v}
	for range k {
		in = append(in, b.positive(t.DType, t.Dims[1]))
	}
	return in
}

func normalized(b *builder, v *graph.Value) []*graph.Value {
	t := b.held[v]
	if len(t.Dims) == 0 {
		return nil
	}
	return []*graph.Value{v, b.random(t.DType, t.Dims[len(t.Dims)-1])}
}

func multiplied(b *builder, v *graph.Value) []*graph.Value {
	t := b.held[v]
	if len(t.Dims) == 0 {
		return nil
	}
	return []*graph.Value{v, b.random(t.DType, t.Dims[len(t.Dims)-1], int64(1+b.N(3)))}
}

func quantized(b *builder, v *graph.Value) []*graph.Value {
	d := b.held[v].DType
	if d.IsFloat() {
		d = pick(&b.choices, graph.Uint8, graph.Int8)
	}
	return []*graph.Value{v, b.number(graph.Float32, 0.125), b.number(d, 1)}
}
