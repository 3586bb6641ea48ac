package raiseforms

import (
	"encoding/binary"
	"fmt"
	"math"
	"slices"

	"spikingir/graph"
	"spikingir/graph/op"
	"spikingir/passes/annotations"
	"spikingir/passes/weights"
)

// tensors puts the initializers back that the file lacks, or has other numbers in.
func (r *raising) tensors() error {
	for i := range r.doc.Tensors {
		t := &r.doc.Tensors[i]
		if t.Spare && r.g.Value(t.Name) != nil {
			continue
		}
		made, err := r.tensor(t)
		if err != nil {
			return fmt.Errorf("metadata %q: initializer %q: %w", graph.MetaNeurons, t.Name, err)
		}
		v := r.g.Value(t.Name)
		switch {
		case v == nil && t.Name != "":
			if r.g.AddInitializer(t.Name, made); t.Spare {
				r.Notef(nil, "%q is not in the file any more, and is what its metadata state", t.Name)
			}
		case v == nil || !v.IsInitializer() || v.IsInput():
			return fmt.Errorf("metadata %q: initializer %q: the file has something else of that name", graph.MetaNeurons, t.Name)
		default:
			r.g.SetInitializer(v, made, nil)
			v.Type = graph.TensorOf(made.DType, graph.ShapeOf(made.Dims...))
		}
	}
	return nil
}

// tensor is what the document states, unless the file states other numbers.
func (r *raising) tensor(t *annotations.Tensor) (*graph.Tensor, error) {
	if t.Grid != nil {
		return r.onGrid(t)
	}
	d, ok := graph.ParseDType(t.Type)
	if !ok {
		return nil, fmt.Errorf("there is no element type %q", t.Type)
	}
	stored, err := graph.NewTensor(d, t.Dims, t.Data)
	if err != nil {
		return nil, err
	}
	from := r.constant(t.From)
	if from == nil || d != graph.Float32 {
		return stored, nil
	}
	factors := []float32{1}
	switch {
	case t.Factor != nil:
		factors[0] = *t.Factor
	case r.constant(t.Over) != nil:
		if factors, err = r.constant(t.Over).Float32s(); err != nil {
			return nil, err
		}
	}
	xs, err := stored.Float32s()
	if err != nil {
		return nil, err
	}
	ys, err := from.Float32s()
	if err != nil {
		return nil, err
	}
	if product(xs, factors, ys) {
		return stored, nil
	}
	return r.quotient(t, ys, factors)
}

// product reports whether ys is xs times factors to the bit, the shorter one repeated.
func product(xs, factors, ys []float32) bool {
	if len(xs) == 0 || len(factors) == 0 || len(ys) != max(len(xs), len(factors)) {
		return false
	}
	for i, y := range ys {
		if y != xs[i%len(xs)]*factors[i%len(factors)] {
			return false
		}
	}
	return true
}

// quotient is what the file's numbers, which somebody has changed, say: they, divided by the
// factors.
func (r *raising) quotient(t *annotations.Tensor, ys, factors []float32) (*graph.Tensor, error) {
	xs := make([]float32, len(ys))
	for i, y := range ys {
		if len(factors) == 0 || factors[i%len(factors)] == 0 {
			return nil, fmt.Errorf("the file states it by %q, which is 0 times anything", t.From)
		}
		xs[i] = y / factors[i%len(factors)]
	}
	size := int64(1)
	for _, d := range t.Dims {
		size *= d
	}
	if size == 1 && len(xs) > 1 && !slices.ContainsFunc(xs, func(x float32) bool { return math.Abs(float64(x-xs[0])) > 1e-6*math.Abs(float64(xs[0])) }) {
		xs = xs[:1]
	}
	if size != int64(len(xs)) {
		return nil, fmt.Errorf("the file states it by %d numbers in %q, want %d", len(xs), t.From, size)
	}
	r.Notef(nil, "%q was changed in the file, and %q is what it says now", t.From, t.Name)
	return graph.NewFloat32(t.Dims, xs), nil
}

// constant is the numbers of an initializer of the file, nil where there is none.
func (r *raising) constant(name string) *graph.Tensor {
	if name == "" || r.g.Value(name) == nil {
		return nil
	}
	return op.Constant(r.g.Value(name))
}

// maker is the node of the file that gives a layer's output, or did.
func (r *raising) maker(output string) *graph.Node {
	if v := r.g.Value(output); v != nil {
		return v.Producer()
	}
	for _, l := range r.doc.Layers {
		if slices.Contains(l.Outputs, output) {
			return r.names[l.Name]
		}
	}
	return nil
}

// onGrid is weights of which the file states the integers.
func (r *raising) onGrid(t *annotations.Tensor) (*graph.Tensor, error) {
	from, layer := r.constant(t.From), r.maker(t.Grid.Layer)
	if from == nil || layer == nil {
		return nil, fmt.Errorf("the file has no integers %q, or no layer that gives %q", t.From, t.Grid.Layer)
	}
	if !slices.Equal(from.Dims, t.Dims) || len(t.Dims) < 2 {
		return nil, fmt.Errorf("the integers %q have dimensions %v, want %v", t.From, from.Dims, t.Dims)
	}
	integers, err := from.Int64s()
	if err != nil {
		return nil, err
	}
	layout, err := op.LayoutOf(layer, t.Dims)
	if err != nil {
		return nil, err
	}
	if len(t.Grid.Scales) != layout.Out || len(t.Grid.Amplitudes) != layout.In {
		return nil, fmt.Errorf("%d scales and %d amplitudes, want %d and %d", len(t.Grid.Scales), len(t.Grid.Amplitudes), layout.Out, layout.In)
	}
	q := weights.Quantised{Integers: make([]int32, len(integers)), Scale: t.Grid.Scales}
	for i, k := range integers {
		q.Integers[i] = int32(k)
	}
	xs := q.Floats(layout, t.Grid.Amplitudes)
	if len(t.Data) != 4*len(t.Grid.Odd) {
		return nil, fmt.Errorf("%d bytes of numbers beside the grid, want %d", len(t.Data), 4*len(t.Grid.Odd))
	}
	for k, i := range t.Grid.Odd {
		if i < 0 || i >= len(xs) {
			return nil, fmt.Errorf("a number beside the grid at %d, want 0 to %d", i, len(xs)-1)
		}
		in, out := layout.Channel(i)
		x := math.Float32frombits(binary.LittleEndian.Uint32(t.Data[4*k:]))
		if unit := t.Grid.Scales[out] / float64(t.Grid.Amplitudes[in]); math.Abs(float64(x)-float64(xs[i])) < math.Abs(unit)/2 {
			xs[i] = x // else the file has another multiple now
		}
	}
	return graph.NewFloat32(t.Dims, xs), nil
}
