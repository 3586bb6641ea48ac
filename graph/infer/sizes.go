package infer

import (
	"errors"

	"spikingir/graph"
	"spikingir/graph/op"
)

// Sizes is what inference knows of a model's sizes beside the types of its
// values.
type Sizes struct {
	// Demands is what sizes have to be for the model to run, as far as it does not
	// hold for all of them, each once, in the order of the nodes.
	Demands []Demand

	contents map[*graph.Value]content
	noted    map[string]bool // texts of Demands
	state    *state
}

// Demand is two sizes that a node needs to be equal. B is unknown where A is a number of elements
// that a view by numbers does not divide. Where they broadcast one of them may be 1 too.
type Demand struct {
	Node *graph.Node
	A, B Expr
}

// SizesOf infers a model, which stays as it is.
func SizesOf(m *graph.Model) (*Sizes, error) {
	if m.Graph == nil {
		return nil, &Error{errors.New("the model holds no graph")}
	}
	s := newState(m)
	k := &Sizes{contents: s.content, noted: map[string]bool{}, state: s}
	s.known = k
	if err := s.graph(m.Graph); err != nil {
		return nil, &Error{err}
	}
	return k, nil
}

// maxDemands bounds the demands that are noted: networks have a few.
const maxDemands = 1024

// demand notes that a and b have to be equal where that is not certain.
func (c *call) demand(a, b Expr) {
	if c.known == nil || !a.known || a.Equal(b) {
		return
	}
	if key := a.String() + " = " + b.String(); !c.known.noted[key] && len(c.known.noted) < maxDemands {
		c.known.noted[key] = true
		c.known.Demands = append(c.known.Demands, Demand{c.n, a, b})
	}
}

// Content is the elements of a small tensor of integers; ok is false where it is not
// known at all. Single elements may be unknown.
func (s *Sizes) Content(v *graph.Value) (list []Expr, ok bool) {
	if t := op.Constant(v); t != nil {
		k, ok := contentOf(t)
		return k.whole(), ok
	}
	k, ok := s.contents[v]
	return k.whole(), ok
}

// Constant is the tensor that v is whatever the sizes of the model's inputs; nil where
// that is not known.
func (s *Sizes) Constant(v *graph.Value) *graph.Tensor {
	k, ok := s.contents[v]
	dims, sized := v.Type.Shape.Sizes()
	if !ok || !sized || v.Type.Kind != graph.TensorType || v.Type.Shape == nil {
		return nil
	}
	if n, isNumber := total(numbersOf(dims)).Int(); !isNumber || n != int64(len(k)) {
		return nil
	}
	if v.Type.Elem == graph.Float32 {
		xs := make([]float32, len(k))
		for i, q := range k {
			if xs[i], ok = q.float(); !ok {
				return nil
			}
		}
		return graph.NewFloat32(dims, xs)
	}
	xs := make([]int64, len(k))
	for i, q := range k {
		if xs[i], ok = q.num.Int(); !ok || q.den != 1 {
			return nil
		}
	}
	return integers(v.Type.Elem, dims, xs)
}

// integers is a tensor of one of the element types that state shapes.
func integers(elem graph.DType, dims, xs []int64) *graph.Tensor {
	width := map[graph.DType]int{graph.Int64: 8, graph.Int32: 4, graph.Bool: 1}[elem]
	if width == 0 {
		return nil
	}
	data := make([]byte, 0, len(xs)*width)
	for _, x := range xs {
		for i := range width {
			data = append(data, byte(x>>(8*i)))
		}
	}
	t, err := graph.NewTensor(elem, dims, data)
	if err != nil {
		return nil
	}
	return t
}

// Carry gives v the contents of old, which it takes the place of.
func (s *Sizes) Carry(v, old *graph.Value) {
	if k, ok := s.contents[old]; ok {
		s.contents[v] = k
	}
}

// DimsOf is the dimensions of a type as expressions; ok is false where the rank is not known.
func DimsOf(t graph.Type) (dims []Expr, ok bool) {
	if t.Kind != graph.TensorType || t.Shape == nil {
		return nil, false
	}
	dims = make([]Expr, len(t.Shape))
	for i, d := range t.Shape {
		dims[i] = FromDim(d)
	}
	return dims, true
}

// Term is a product: of a number and of factors.
type Term struct {
	Coefficient int64
	Factors     []Factor
}

// Factor is a parameter, or floor(Of/Divisor) where it has no name.
type Factor struct {
	Parameter string
	Of        Expr
	Divisor   int64
}

// Terms is the products that e is the sum of; none for 0.
func (e Expr) Terms() []Term {
	list := make([]Term, len(e.terms))
	for i, t := range e.terms {
		list[i].Coefficient = t.coef
		for _, a := range t.atoms {
			f := Factor{Parameter: a.name}
			if a.num != nil {
				f = Factor{Of: *a.num, Divisor: a.den}
			}
			list[i].Factors = append(list[i].Factors, f)
		}
	}
	return list
}

// With is e with by in the place of a parameter.
func (e Expr) With(parameter string, by Expr) Expr {
	sum := Number(0)
	if !e.known {
		return e
	}
	for _, t := range e.terms {
		p := Number(t.coef)
		for _, a := range t.atoms {
			x := Expr{known: true, terms: []term{{1, a.text, []*atom{a}}}}
			switch {
			case a.num != nil:
				x = a.num.With(parameter, by).FloorDiv(a.den)
			case a.name == parameter:
				x = by
			}
			p = p.Mul(x)
		}
		sum = sum.Add(p)
	}
	return sum
}

// Type is the type of a value as inferred, and declared where inference does not tell.
func (s *Sizes) Type(v *graph.Value) graph.Type { return s.state.typeOf(v) }
