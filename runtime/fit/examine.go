package fit

import (
	"fmt"
	"math"
	"slices"

	"spikingir/graph"
	"spikingir/graph/infer"
	"spikingir/graph/op"
)

// trial is a model of which the sizes were inferred.
type trial struct {
	known *infer.Sizes
	names [4]string // of the open sizes of the input; "" for a number
	fresh map[string]bool
}

// examine infers a model whose input v has the given shape and gives the multiples of rows and
// columns that run. The error says what shows that sizes which are symbols there, and numbers in
// the file, cannot be others. Where multiples are needed they are put in and sizes inferred again:
// only then more of them are known.
func examine(m *graph.Model, v *graph.Value, shape graph.Shape) (rows, columns int, err error) {
	t := &trial{fresh: map[string]bool{}}
	fixed := false
	for axis, d := range shape {
		e := infer.FromDim(d)
		if names := e.Parameters(); len(names) == 1 && e.Equal(infer.Parameter(names[0])) {
			_, number := v.Type.Shape[axis].Size()
			t.names[axis], t.fresh[names[0]], fixed = names[0], number, fixed || number
		}
	}
	rows, columns = 1, 1
	for range mostRounds {
		work := m
		if fixed || rows > 1 || columns > 1 {
			work = m.Clone()
			replace(work.Graph, work.Graph.Value(v.Name()), t.scaled(shape, rows, columns))
		}
		if t.known, err = infer.SizesOf(work); err != nil {
			return rows, columns, err
		}
		if err := t.refuted(work); err != nil {
			return rows, columns, err
		}
		r, c := t.multiples()
		if r == 1 && c == 1 {
			return rows, columns, t.outputs(work.Graph)
		}
		rows, columns = rows*r, columns*c
	}
	return 1, 1, fmt.Errorf("no multiples of the size were found that run")
}

// mostRounds bounds how often sizes are inferred.
const mostRounds = 6

// scaled is a shape with multiples of its open rows and columns.
func (t *trial) scaled(shape graph.Shape, rows, columns int) graph.Shape {
	out := slices.Clone(shape)
	for axis, k := range []int{2: rows, 3: columns} {
		if name := t.names[axis]; name != "" && k > 1 {
			out[axis] = infer.Parameter(name).Times(int64(k)).Dim()
		}
	}
	return out
}

// refuted finds what states a size that the file fixes.
func (t *trial) refuted(m *graph.Model) error {
	opset := m.Opset("")
	for n := range m.Graph.Nodes() {
		if err := t.states(n, opset); err != nil {
			return err
		}
	}
	for _, d := range t.known.Demands {
		if err := t.demanded(d); err != nil {
			return err
		}
	}
	return nil
}

// open reports whether an expression depends on a size that the file fixes.
func (t *trial) open(e infer.Expr) bool {
	for _, name := range e.Parameters() {
		if t.fresh[name] {
			return true
		}
	}
	return false
}

// states finds sizes in the settings of operators that have them as numbers.
func (t *trial) states(n *graph.Node, opset int64) error {
	switch {
	case n.Is("Slice"):
		s, err := op.SliceOf(n, opset)
		if err != nil || !s.Ends.Known || !s.Axes.Known {
			return nil
		}
		dims, _ := infer.DimsOf(t.known.Type(s.X))
		for i, end := range s.Ends.Value {
			axis := int64(i)
			if s.Axes.Given {
				axis = s.Axes.Value[i]
			}
			a, ok := op.Axis(axis, len(dims))
			if ok && t.open(dims[a]) && end >= 0 && end < math.MaxInt32 {
				return fmt.Errorf("node %q (Slice) cuts axis %d at %d", n.OriginLabel(), a, end)
			}
		}
	case n.Is("Resize"):
		z, err := op.ResizeOf(n, opset)
		if err != nil || !z.Sizes.Given || !z.Sizes.Known {
			return nil
		}
		dims, _ := infer.DimsOf(t.known.Type(z.X))
		axes, err := z.AxesFor(n, len(dims))
		for i, a := range axes {
			if err == nil && t.open(dims[a]) && i < len(z.Sizes.Value) {
				return fmt.Errorf("node %q (Resize) resizes axis %d to %d", n.OriginLabel(), a, z.Sizes.Value[i])
			}
		}
	}
	return nil
}

// demanded refuses a demand that no multiples of the sizes meet, if the file fixes them.
func (t *trial) demanded(d infer.Demand) error {
	if !t.open(d.A) && !t.open(d.B) {
		return nil
	}
	_, numberA := d.A.Int()
	_, numberB := d.B.Int()
	if !numberA && !numberB && d.B.Known() && t.meets(d, mostMultiple, mostMultiple) {
		return nil
	}
	if !d.B.Known() {
		return fmt.Errorf("node %q (%v) views %v elements by numbers that fit one size", d.Node.OriginLabel(), d.Node.Op(), d.A)
	}
	return fmt.Errorf("node %q (%v) wants sizes %v and %v to be the same", d.Node.OriginLabel(), d.Node.Op(), d.A, d.B)
}

// outputs demands of images that the model gives that their size depends on the input's.
func (t *trial) outputs(g *graph.Graph) error {
	for _, v := range g.Outputs() {
		dims, ok := infer.DimsOf(t.known.Type(v))
		if !ok || len(dims) != 4 {
			continue
		}
		for axis, name := range t.names {
			if !t.fresh[name] || axis == 1 || !dims[axis].Known() {
				continue
			}
			follows := axis == 0 && dims[0].Equal(infer.Parameter(name))
			for _, p := range dims[axis].Parameters() {
				follows = follows || axis > 0 && p == name
			}
			if !follows {
				return fmt.Errorf("output %q has size %v along axis %d whatever the input's", v.Name(), dims[axis], axis)
			}
		}
	}
	return nil
}

// Ignored says which size of an output is a number where that of the image is open: an exporter has
// written that of its example. It is "" where there is none.
func Ignored(m *graph.Model, input string, output int) string {
	v, known := image(m.Graph, input), (*infer.Sizes)(nil)
	if v != nil {
		known, _ = infer.SizesOf(m)
	}
	if known == nil {
		return ""
	}
	out := m.Graph.Outputs()[output]
	from, _ := infer.DimsOf(known.Type(v))
	to, _ := infer.DimsOf(known.Type(out))
	for axis := 2; axis < 4 && len(from) == 4 && len(to) == 4; axis++ {
		_, number := from[axis].Int()
		if n, ok := to[axis].Int(); ok && !number && n > 1 {
			return fmt.Sprintf("output %q has size %d along axis %d whatever the input's", out.Name(), n, axis)
		}
	}
	return ""
}

// mostMultiple is a multiple of every multiple that is tried, largest the largest of them.
const (
	mostMultiple = 1 << 7 * 9 * 5 * 7
	largest      = 128
)

// meets reports whether a demand holds for multiples of rows and columns.
func (t *trial) meets(d infer.Demand, rows, columns int64) bool {
	a, b := d.A, d.B
	for axis, k := range []int64{2: rows, 3: columns} {
		if name := t.names[axis]; name != "" && k > 0 {
			by := infer.Parameter(name).Times(k)
			a, b = a.With(name, by), b.With(name, by)
		}
	}
	return a.Equal(b)
}

// multiples is the smallest ones of rows and columns that meet every demand which multiples can
// meet.
func (t *trial) multiples() (rows, columns int) {
	var list []infer.Demand
	for _, d := range t.known.Demands {
		if d.B.Known() && t.meets(d, mostMultiple, mostMultiple) {
			list = append(list, d)
		}
	}
	all := func(rows, columns int64) bool {
		for _, d := range list {
			if !t.meets(d, rows, columns) {
				return false
			}
		}
		return true
	}
	rows, columns = 1, 1
	for rows < largest && !all(int64(rows), mostMultiple) {
		rows++
	}
	for columns < largest && !all(int64(rows), int64(columns)) {
		columns++
	}
	if !all(int64(rows), int64(columns)) {
		return 1, 1
	}
	return rows, columns
}
