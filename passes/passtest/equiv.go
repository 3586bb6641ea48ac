package passtest

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"

	"spikingir/graph"
	"spikingir/graph/infer"
	"spikingir/runtime/ops"
)

func (s *settings) check(before, after *graph.Model) error {
	if s.cannotRun != "" {
		return s.checkCannotRun(before)
	}
	finite := false
	for i := range s.n {
		in, err := s.inputs(before, i)
		if err != nil {
			return err
		}
		want, err := s.execute(before, in)
		if err != nil {
			return fmt.Errorf("cannot run before: %w", err)
		}
		if s.floats {
			if err := adapt(after, in); err != nil {
				return err
			}
		}
		got, err := s.execute(after, in)
		if err != nil {
			return fmt.Errorf("cannot run after: %w", err)
		}
		ok, err := s.compare(before, want, got)
		if err != nil {
			return fmt.Errorf("input %d: %w", i, err)
		}
		finite = finite || ok
	}
	if !finite {
		return errors.New("no output element is a number: the comparison shows nothing")
	}
	return nil
}

func (s *settings) execute(m *graph.Model,
	in map[string]*graph.Tensor) (map[string]*graph.Tensor, error) {
	if s.interpret {
		return interpret(m, in)
	}
	return Execute(m, in)
}

func (s *settings) checkCannotRun(m *graph.Model) error {
	in, err := s.inputs(m, 0)
	if err != nil {
		return err
	}
	if _, err := s.execute(m, in); err == nil {
		return fmt.Errorf("before runs, though equiv says it cannot (%s)", s.cannotRun)
	}
	return nil
}

// inputs draws the i-th value of every input of m that has no default.
func (s *settings) inputs(m *graph.Model, i int) (map[string]*graph.Tensor, error) {
	rng := rand.New(rand.NewPCG(s.seed, uint64(i)))
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

// adapt converts inputs to the float types that m takes.
func adapt(m *graph.Model, in map[string]*graph.Tensor) error {
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

func (s *settings) draw(rng *rand.Rand, d graph.DType, dims []int64) (*graph.Tensor, error) {
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
		x := s.lo + (s.hi-s.lo)*rng.Float64()
		if s.grid > 0 {
			x = math.Round(x*float64(s.grid)) / float64(s.grid)
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

// compare holds the outputs got against want in the order of m's outputs. It
// reports whether any element was a number.
func (s *settings) compare(m *graph.Model, want, got map[string]*graph.Tensor) (bool, error) {
	finite := false
	for _, v := range m.Graph.Outputs() {
		name := v.Name()
		w, g := want[name], got[name]
		if w == nil || g == nil {
			return false, fmt.Errorf("output %q is missing", name)
		}
		if same := w.DType == g.DType || s.floats && w.DType.IsFloat() && g.DType.IsFloat(); !same || !slices.Equal(w.Dims, g.Dims) {
			return false, fmt.Errorf("output %q is %v%v after the pass, was %v%v",
				name, g.DType, g.Dims, w.DType, w.Dims)
		}
		ws, err := elements(w)
		if err != nil {
			return false, fmt.Errorf("output %q: %w", name, err)
		}
		gs, err := elements(g)
		if err != nil {
			return false, fmt.Errorf("output %q: %w", name, err)
		}
		for i := range ws {
			finite = finite || !math.IsNaN(ws[i])
			if e := difference(ws[i], gs[i]); !(e <= s.tol) {
				return false, fmt.Errorf("output %q, element %d: %v after the pass, was %v"+
					" (difference %.3g, allowed %g)", name, i, gs[i], ws[i], e, s.tol)
			}
		}
	}
	return finite, nil
}

// difference is |b-a| relative to magnitudes above 1; 0 for two NaNs or equal
// infinities, infinite where only one is such.
func difference(a, b float64) float64 {
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
