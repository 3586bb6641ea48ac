package infer

import (
	"errors"
	"slices"

	"spikingir/graph"
	"spikingir/graph/op"
)

// Model sets the type of every value of the main graph and its subgraphs that
// can be found, merged with the types declared. Inputs of the model without a shape get
// the one that [Input] finds. The first contradiction is an
// error that names the node; the model is then unchanged. Bodies of functions
// are inferred for each call and keep their values untyped.
func Model(m *graph.Model) error {
	if m.Graph == nil {
		return &Error{errors.New("the model holds no graph")}
	}
	s := newState(m)
	if err := s.graph(m.Graph); err != nil {
		return &Error{err}
	}
	for v, t := range s.types {
		v.Type = t
	}
	return nil
}

func newState(m *graph.Model) *state {
	s := &state{
		model:     m,
		functions: m.FunctionIndex(),
		opset:     m.Opset,
		types:     map[*graph.Value]graph.Type{},
		content:   map[*graph.Value]content{},
		tensors:   map[*graph.Value][]graph.Type{},
		exprs:     map[string]Expr{},
		budget:    new(int),
	}
	*s.budget = maxInlined
	for _, v := range m.Graph.Inputs() {
		if shape := Input(v); shape != nil && !slices.Equal(shape, v.Type.Shape) {
			s.types[v] = graph.TensorOf(v.Type.Elem, shape)
		}
	}
	return s
}

// Error says that a model contradicts itself or the rules of its operators, or, where its
// cause is an [op.Error] marked so, that it cannot be understood.
type Error struct{ Err error }

func (e *Error) Error() string { return e.Err.Error() }

// Unwrap gives the cause.
func (e *Error) Unwrap() error { return e.Err }

// maxInlined bounds the nodes inferred inside of functions: a few functions that
// call each other in cascade would otherwise take forever.
const maxInlined = 1 << 20

// state is one inference: what is found, not yet written to the values.
type state struct {
	model     *graph.Model
	functions graph.FunctionIndex
	opset     func(domain string) int64
	types     map[*graph.Value]graph.Type
	content   map[*graph.Value]content
	tensors   map[*graph.Value][]graph.Type // of sequences whose tensors are known one by one
	exprs     map[string]Expr               // parsed parameters
	calls     []graph.Op                    // functions being inferred, outermost first
	budget    *int                          // nodes of function bodies that may still be inferred
	known     *Sizes                        // where demands are noted; nil where nobody asks
}

// graph infers g, whose inputs have their types.
func (s *state) graph(g *graph.Graph) error {
	for _, v := range g.Initializers() {
		s.initializer(v)
	}
	for n := range g.Nodes() {
		if err := s.node(n); err != nil {
			return err
		}
	}
	return nil
}

// initializer types a constant and remembers small contents. An input that has
// a default value counts as constant before IR version 4, where the format had
// no other way to write constants.
func (s *state) initializer(v *graph.Value) {
	switch {
	case v.Const == nil:
		return
	case s.typeOf(v).Kind == graph.NoType:
		s.types[v] = graph.TensorOf(v.Const.DType, graph.ShapeOf(v.Const.Dims...))
	}
	if !v.IsInput() || s.model.IRVersion < 4 {
		if c, ok := contentOf(v.Const); ok {
			s.content[v] = c
		}
	}
}

func (s *state) typeOf(v *graph.Value) graph.Type {
	if v == nil {
		return graph.Type{}
	}
	if t, ok := s.types[v]; ok {
		return t
	}
	return v.Type
}

// node infers the outputs of n. Operators that are neither in the table nor
// functions of the model, and those of an opset not understood, leave their
// outputs as declared.
func (s *state) node(n *graph.Node) error {
	o := n.Op()
	opset := s.opset(o.Domain)
	if o.Domain == graph.Spiking && opset == 0 {
		opset = op.NewestSpiking // it knows all operators
	}
	spec := op.Lookup(o)
	if spec != nil && spec.Form(opset) != nil {
		if err := op.CheckArity(n, opset); err != nil {
			return err
		}
		c := &call{state: s, n: n, opset: opset, out: make([]graph.Type, n.NumOutputs())}
		return c.run(ruleOf(spec.Op))
	}
	if spec == nil || o.Domain != graph.Spiking {
		if f := s.functions.Of(n); f != nil {
			return s.function(n, f)
		}
	}
	for _, sub := range n.Subgraphs() {
		if err := s.graph(sub); err != nil {
			return err
		}
	}
	return nil
}

// call is one node being inferred.
type call struct {
	*state
	n     *graph.Node
	opset int64
	out   []graph.Type
}

// run applies a rule, merges what it found with what is declared, and carries
// contents on.
func (c *call) run(r rule) error {
	if err := protected(func() error { return r(c) }); err != nil {
		return err
	}
	for i, v := range c.n.Outputs() {
		if v == nil {
			continue
		}
		if err := c.settle(c.n, v, c.out[i]); err != nil {
			return err
		}
	}
	if p := propagators[c.n.Op().Type]; p != nil && op.Lookup(c.n.Op()).Op.Domain == "" {
		c.propagate(p)
	}
	return nil
}

func (s *state) settle(n *graph.Node, v *graph.Value, found graph.Type) error {
	declared := yielding(s.typeOf(v), found)
	t, err := s.merge(declared, found)
	if err != nil {
		return op.Errorf(n, "output %q is %v by its inputs but declared %v: %v",
			v.Name(), found, declared, err)
	}
	s.types[v] = t
	return nil
}

// yielding is a declared type without sizes of 0 where another is found: exporters write 0 for
// sizes that they do not know.
func yielding(declared, found graph.Type) graph.Type {
	if declared.Kind != graph.TensorType || len(declared.Shape) != len(found.Shape) {
		return declared
	}
	shape := slices.Clone(declared.Shape)
	for i, d := range shape {
		if n, known := d.Size(); known && n == 0 && (len(shape) > 2 || FromDim(found.Shape[i]).Known()) {
			shape[i] = graph.Dim{Denotation: d.Denotation, Unknown: d.Unknown}
		}
	}
	declared.Shape = shape
	return declared
}

// Types gives the types that inference finds for the values of the main graph, by name, and
// leaves the model as it is.
func Types(m *graph.Model) (map[string]graph.Type, error) {
	typed := m.Clone()
	if err := Model(typed); err != nil {
		return nil, err
	}
	types := map[string]graph.Type{}
	for _, v := range typed.Graph.Values() {
		types[v.Name()] = v.Type
	}
	return types, nil
}
