// Package equiv compares what two models compute: it draws seeded inputs, runs models
// whole, also such that the executor leaves to passes first, and tells how far their
// outputs lie apart.
package equiv

import (
	"encoding/binary"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"

	"spikingir/graph"
	"spikingir/graph/infer"
	"spikingir/runtime/ops"
)

// Inputs says how a model's inputs are drawn.
type Inputs struct {
	Seed   uint64
	Lo, Hi float64 // range of the elements
	Grid   int     // where positive, elements are multiples of 1/Grid, so that sums are exact
	// Size gives the size of a dimension that the model leaves open, by its place and its
	// symbol; 0 where it has none.
	Size func(axis int, symbol string) int64
}

// Draw draws the i-th value of every input of m that has no default.
func (s *Inputs) Draw(m *graph.Model, i int) (map[string]*graph.Tensor, error) {
	rng := rand.New(rand.NewPCG(s.Seed, uint64(i)))
	in := map[string]*graph.Tensor{}
	for _, v := range m.Graph.Inputs() {
		if v.IsInitializer() {
			continue
		}
		t := v.Type
		t.Shape = infer.Input(v)
		dims, err := s.shape(t)
		if err != nil {
			return nil, fmt.Errorf("input %q: %w", v.Name(), err)
		}
		if in[v.Name()], err = s.draw(rng, t.Elem, dims); err != nil {
			return nil, fmt.Errorf("input %q: %w", v.Name(), err)
		}
	}
	return in, nil
}

// shape gives the sizes of a type.
func (s *Inputs) shape(t graph.Type) ([]int64, error) {
	if t.Kind != graph.TensorType || t.Shape == nil {
		return nil, fmt.Errorf("type %v, want a tensor of known rank", t)
	}
	dims := make([]int64, len(t.Shape))
	for i, d := range t.Shape {
		n, known := d.Size()
		if !known {
			n = s.Size(i, d.Param())
		}
		if n < 1 {
			return nil, fmt.Errorf("dimension %v has no size; set it in a line dims", d)
		}
		dims[i] = n
	}
	return dims, nil
}

// Adapt converts inputs to the float types that m takes.
func Adapt(m *graph.Model, in map[string]*graph.Tensor) error {
	for _, v := range m.Graph.Inputs() {
		t := in[v.Name()]
		if t == nil || !t.DType.IsFloat() || t.DType == v.Type.Elem {
			continue
		}
		var err error
		if in[v.Name()], err = as(t, v.Type.Elem); err != nil {
			return err
		}
	}
	return nil
}

// as is t of another type.
func as(t *graph.Tensor, d graph.DType) (*graph.Tensor, error) {
	x, err := ops.FromGraph(t)
	if err != nil {
		return nil, err
	}
	return x.As(d).Graph()
}

func (s *Inputs) draw(rng *rand.Rand, d graph.DType, dims []int64) (*graph.Tensor, error) {
	if d == graph.Float16 || d == graph.BFloat16 {
		t, err := s.draw(rng, graph.Float32, dims)
		if err != nil {
			return nil, err
		}
		return as(t, d)
	}
	n := 1
	for _, k := range dims {
		n *= int(k)
	}
	le := binary.LittleEndian
	var data []byte
	for range n {
		x := s.Lo + (s.Hi-s.Lo)*rng.Float64()
		if s.Grid > 0 {
			x = math.Round(x*float64(s.Grid)) / float64(s.Grid)
		}
		switch d {
		case graph.Float32:
			data = le.AppendUint32(data, math.Float32bits(float32(x)))
		case graph.Float64:
			data = le.AppendUint64(data, math.Float64bits(x))
		case graph.Int64:
			data = le.AppendUint64(data, uint64(int64(math.Round(x))))
		case graph.Int32:
			data = le.AppendUint32(data, uint32(int32(math.Round(x))))
		case graph.Bool:
			data = append(data, byte(rng.IntN(2)))
		default:
			return nil, fmt.Errorf("elements of %v cannot be drawn", d)
		}
	}
	return graph.NewTensor(d, dims, data)
}

// Difference is the largest difference of two sets of outputs.
type Difference struct {
	Output    string
	Element   int
	Want, Got float64
	Size      float64 // as [Relative]
	Finite    bool    // any element is a number, so that the comparison shows something
	MSE       float64 // mean of the squared differences, of all outputs
}

func (d Difference) String() string {
	return fmt.Sprintf("output %q, element %d: %v after the pass, was %v (difference %.3g)", d.Output, d.Element, d.Got, d.Want, d.Size)
}

// Compare holds the outputs got against want in the order of m's outputs. Outputs of
// other sizes are an error, and of other types, but where floats is set for one float
// type in the place of another.
func Compare(m *graph.Model, want, got map[string]*graph.Tensor, floats bool) (Difference, error) {
	var d Difference
	var sum float64
	n := 0
	for _, v := range m.Graph.Outputs() {
		name := v.Name()
		w, g := want[name], got[name]
		if w == nil || g == nil {
			return d, fmt.Errorf("output %q is missing", name)
		}
		if same := w.DType == g.DType || floats && w.DType.IsFloat() && g.DType.IsFloat(); !same || !slices.Equal(w.Dims, g.Dims) {
			return d, fmt.Errorf("output %q is %v%v after the pass, was %v%v",
				name, g.DType, g.Dims, w.DType, w.Dims)
		}
		ws, err := elements(w)
		if err != nil {
			return d, fmt.Errorf("output %q: %w", name, err)
		}
		gs, err := elements(g)
		if err != nil {
			return d, fmt.Errorf("output %q: %w", name, err)
		}
		n += len(ws)
		for i := range ws {
			if ws[i] != gs[i] {
				sum += (gs[i] - ws[i]) * (gs[i] - ws[i])
			}
			d.Finite = d.Finite || !math.IsNaN(ws[i])
			if e := Relative(ws[i], gs[i]); e > d.Size || d.Output == "" {
				d.Output, d.Element, d.Want, d.Got, d.Size = name, i, ws[i], gs[i], e
			}
		}
	}
	d.MSE = sum / float64(n)
	return d, nil
}

// Relative is |b-a| relative to magnitudes above 1; 0 for two NaNs or equal
// infinities, infinite where only one is such.
func Relative(a, b float64) float64 {
	if a == b || (math.IsNaN(a) && math.IsNaN(b)) {
		return 0
	}
	e := math.Abs(b-a) / max(1, math.Abs(a))
	if math.IsNaN(e) {
		return math.Inf(1)
	}
	return e
}

// elements widens a tensor to float64; integers above 2^53 do not occur here.
func elements(t *graph.Tensor) ([]float64, error) {
	var out []float64
	if t.DType.IsFloat() {
		xs, err := t.Float32s()
		for _, x := range xs {
			out = append(out, float64(x))
		}
		return out, err
	}
	xs, err := t.Int64s()
	for _, x := range xs {
		out = append(out, float64(x))
	}
	return out, err
}
