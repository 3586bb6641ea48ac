// Package fit brings images to the sizes that a network takes.
//
// A file may state one size where the network takes any; [Free] finds that out by
// inference on symbols in the place of numbers. Where the operators themselves state the
// size, as a Reshape to numbers does, only images of it run: others are refused, by the
// name of the node. A network that halves its image and joins both sizes takes multiples
// only: images are padded up to them, and what is added is cut off the result.
package fit

import (
	"fmt"
	"slices"

	"spikingir/graph"
	"spikingir/graph/infer"
)

// Sizes is what a network takes. The zero value takes everything as it is.
type Sizes struct {
	Input string // the image's name
	// Rows and Columns are the only size of an image that runs, as the file states it; 0
	// for any.
	Rows, Columns int
	// Batch is the number of images that run at once, as the file states it; 0 for any.
	Batch int
	// RowsOf and ColumnsOf are what images are padded up to multiples of, where their own size
	// does not run; 0 or 1 for any size.
	RowsOf, ColumnsOf int

	why  string // what states the size
	asIs *trials
}

// Any reports whether images of all sizes run as they are.
func (s *Sizes) Any() bool {
	return s == nil || s.Rows == 0 && s.Columns == 0 && s.Batch <= 1 && s.RowsOf <= 1 && s.ColumnsOf <= 1
}

// Free makes batch, height and width of a model's image symbolic, as far as the network
// takes others than the file states, and forgets the types computed from them. It says what is
// left of conditions. The image is the input of a name, or the only one where that is empty;
// other inputs of its size are treated as it is.
func Free(m *graph.Model, input string) *Sizes {
	s := &Sizes{}
	v := image(m.Graph, input)
	if v == nil {
		return s
	}
	s.Input = v.Name()
	infer.NameSizes(m.Graph)
	if shape, pinned := pinned(m, v); pinned {
		replace(m.Graph, v, shape)
	}
	stated := v.Type.Shape
	for _, free := range [][]int{{0, 2, 3}, {2, 3}, {0}, {}} {
		shape, changed := freed(stated, free)
		if !changed && len(free) > 0 {
			continue
		}
		rows, columns, err := examine(m, v, shape)
		switch {
		case err == nil || !changed:
			s.settle(shape, rows, columns)
			if changed {
				replace(m.Graph, v, shape)
			}
			if rows > 1 || columns > 1 {
				s.asIs = &trials{model: m.Clone(), input: v.Name(), known: map[[2]int]bool{}}
			}
			return s
		case slices.Contains(free, 2):
			s.why = err.Error()
		}
	}
	return s
}

// pinned is the shape of the input v with numbers for rows and columns that the file leaves open, where a node
// wants one number of them: a Split into stated sizes does, and a sum with an image of constants.
func pinned(m *graph.Model, v *graph.Value) (shape graph.Shape, ok bool) {
	known, err := infer.SizesOf(m)
	if err != nil {
		return nil, false
	}
	shape = slices.Clone(v.Type.Shape)
	for _, d := range known.Demands {
		for axis := 2; axis < 4; axis++ {
			size := infer.FromDim(shape[axis])
			for _, pair := range [...][2]infer.Expr{{d.A, d.B}, {d.B, d.A}} {
				if n, number := pair[1].Int(); number && n > 1 && pair[0].Equal(size) && len(size.Parameters()) == 1 {
					shape[axis], ok = graph.Known(n), true
				}
			}
		}
	}
	return shape, ok
}

// settle notes what is left of conditions once shape is the input's.
func (s *Sizes) settle(shape graph.Shape, rows, columns int) {
	number := func(axis int) int {
		n, _ := shape[axis].Size()
		return int(n)
	}
	s.Batch, s.Rows, s.Columns = number(0), number(2), number(3)
	s.RowsOf, s.ColumnsOf = rows, columns
}

// image is the input of a name, or the only one; nil where that is none of rank 4.
func image(g *graph.Graph, name string) *graph.Value {
	var found *graph.Value
	for _, v := range g.Inputs() {
		switch {
		case v.IsInitializer() || name != "" && v.Name() != name:
			continue
		case found != nil || v.Type.Kind != graph.TensorType || len(v.Type.Shape) != 4:
			return nil
		}
		found = v
	}
	return found
}

// replace gives the input v a shape, and other inputs the symbols in it where they state the size that
// v did. All that nodes compute is forgotten.
func replace(g *graph.Graph, v *graph.Value, shape graph.Shape) {
	stated := v.Type.Shape
	for _, w := range g.Inputs() {
		if w.IsInitializer() || w == v || len(w.Type.Shape) != 4 {
			continue
		}
		other := slices.Clone(w.Type.Shape)
		for _, axis := range []int{0, 2, 3} {
			if n, number := other[axis].Size(); number && n > 1 && other[axis].Same(stated[axis]) {
				other[axis] = shape[axis]
			}
		}
		w.Type.Shape = other
	}
	v.Type.Shape = shape
	forget(g)
}

// freed is a shape with symbols on some axes that have numbers.
func freed(shape graph.Shape, axes []int) (graph.Shape, bool) {
	out, changed := append(graph.Shape(nil), shape...), false
	taken := map[string]bool{}
	for _, d := range shape {
		for _, name := range infer.FromDim(d).Parameters() {
			taken[name] = true
		}
	}
	for _, axis := range axes {
		if _, known := out[axis].Size(); !known {
			continue
		}
		name := "NCHW"[axis : axis+1]
		for taken[name] {
			name += "_"
		}
		out[axis], changed = graph.Symbol(name), true
	}
	return out, changed
}

// forget drops the shapes of everything that the nodes compute.
func forget(g *graph.Graph) {
	for n := range g.Nodes() {
		for _, v := range n.Outputs() {
			if v != nil {
				v.Type.Shape = nil
			}
		}
	}
}

// Only says which size alone runs and what states it.
func (s *Sizes) Only() string {
	size := fmt.Sprintf("%dx%d pixels", s.Columns, s.Rows)
	switch {
	case s.Columns == 0:
		size = fmt.Sprintf("a height of %d pixels", s.Rows)
	case s.Rows == 0:
		size = fmt.Sprintf("a width of %d pixels", s.Columns)
	}
	return size + ", the size that the model was exported for: " + s.why
}

// Fixed reports whether images of one size alone run.
func (s *Sizes) Fixed() bool { return s != nil && (s.Rows > 0 || s.Columns > 0) }

// String says what sizes run; "" for any.
func (s *Sizes) String() string {
	switch {
	case s.Fixed():
		return s.Only()
	case s.Any():
		return ""
	case s.Batch > 1:
		return fmt.Sprintf("any size, %d at once: %s", s.Batch, s.why)
	}
	return fmt.Sprintf("any size, mirrored at the right and the bottom to multiples of %dx%d pixels and cut back", s.ColumnsOf, s.RowsOf)
}
