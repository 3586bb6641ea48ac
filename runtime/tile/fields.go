package tile

import (
	"fmt"
	"slices"

	"spikingir/graph"
	"spikingir/graph/op"
	"spikingir/runtime/kernel"
)

// Fields is the receptive fields of a network: which elements of its inputs a node's
// results depend on, and at what scale they lie.
type Fields struct {
	Input *graph.Value // the image
	rules []*rule
	align [2]int                    // what the first row and column of a tile are multiples of
	ratio map[*graph.Value][2]ratio // of the values that vary with the image
	net   Network
}

// ratio is the size of an image over that of the input, in lowest terms.
type ratio struct{ num, den int }

// rule is what one node does.
type rule struct {
	node *graph.Node
	// axes moves rows and columns of the first input; nil entries leave the
	// elements where they are, for all inputs that vary with the image.
	axes [2]mover
	// beside is an input that meets the result of axes element by element.
	beside *graph.Value
	// channels sets N and C of the outputs from those of the inputs; fixed and omitted
	// inputs have the zero area.
	channels func(in []Area) []Area
}

// mover is what the rule does to an axis of input i; nil when it stays as it is.
func (u *rule) mover(i, axis int) mover {
	if i > 0 && u.node.Input(i) == u.beside {
		return nil
	}
	return u.axes[axis]
}

// Area is the extent of an image-like value [N, C, rows, columns]; a time-major one
// stands for a slice.
type Area struct {
	N, C int
	Axes [2]Span
}

// Image is the area of an image that is not cut.
func Image(n, c, h, w int) Area { return Area{n, c, [2]Span{whole(h), whole(w)}} }

// Network is what tiles depend on.
type Network struct {
	Graph     *graph.Graph
	Opset     int64
	Inputs    []*graph.Value       // that a run is given
	Winograd  map[*graph.Node]bool // convolutions that run by Winograd
	TimeMajor map[*graph.Value]bool
}

// New studies a network. The error says which node keeps it from being run
// in tiles, and why.
func New(net Network) (*Fields, error) {
	r := &Fields{align: [2]int{1, 1}, ratio: map[*graph.Value][2]ratio{}, net: net}
	if err := r.takeInput(net.Inputs); err != nil {
		return nil, err
	}
	for n := range net.Graph.Nodes() {
		if !r.varies(n) {
			continue
		}
		u, err := r.ruleOf(n)
		if err != nil {
			return nil, op.Wrap(n, err)
		}
		if err := r.scale(u); err != nil {
			return nil, op.Wrap(n, err)
		}
		r.rules = append(r.rules, u)
	}
	for _, v := range net.Graph.Outputs() {
		if _, ok := r.ratio[v]; !ok {
			return nil, fmt.Errorf("output %q does not depend on the image", v.Name())
		}
		if net.TimeMajor[v] {
			return nil, fmt.Errorf("output %q is time-major", v.Name())
		}
	}
	return r, nil
}

// takeInput demands one image of free height and width.
func (r *Fields) takeInput(inputs []*graph.Value) error {
	if len(inputs) != 1 {
		return fmt.Errorf("the model has %d inputs, want one image", len(inputs))
	}
	r.Input = inputs[0]
	t := r.Input.Type
	if t.Kind == graph.TensorType && t.Shape != nil {
		if len(t.Shape) != 4 {
			return fmt.Errorf("input %q is %v, want an image [N,C,H,W]", r.Input.Name(), t)
		}
		for _, d := range t.Shape[2:] {
			if _, fixed := d.Size(); fixed {
				return fmt.Errorf("input %q is %v, of a fixed size", r.Input.Name(), t)
			}
		}
	}
	r.ratio[r.Input] = [2]ratio{{1, 1}, {1, 1}}
	return nil
}

// varies reports whether a node depends on the image.
func (r *Fields) varies(n *graph.Node) bool { return slices.ContainsFunc(n.Inputs(), r.image) }

func (r *Fields) image(v *graph.Value) bool {
	_, ok := r.ratio[v]
	return ok
}

// scale sets the ratios of a node's outputs.
func (r *Fields) scale(u *rule) error {
	var y [2]ratio
	for i, v := range u.node.Inputs() {
		q, ok := r.ratio[v]
		if !ok {
			continue
		}
		for axis := range q {
			if m := u.mover(i, axis); m != nil {
				num, den := m.scale()
				q[axis] = lowest(q[axis].num*num, q[axis].den*den)
			}
		}
		if y != q && y[0].den > 0 {
			return fmt.Errorf("joins images of different scales")
		}
		y = q
	}
	for axis, q := range y {
		if q.num > mostScale || q.den > mostScale {
			return fmt.Errorf("the scale is %d/%d of the image", q.num, q.den)
		}
		r.align[axis] = lcm(r.align[axis], q.den)
		if r.net.Winograd[u.node] { // outputs of a tile begin where those of a Winograd tile do
			r.align[axis] = lcm(r.align[axis], q.den*kernel.WinogradTile/gcd(q.num, kernel.WinogradTile))
		}
		if r.align[axis] > mostScale {
			return fmt.Errorf("tiles would have to start at multiples of %d", r.align[axis])
		}
	}
	for _, v := range u.node.Outputs() {
		if v != nil {
			r.ratio[v] = y
		}
	}
	return nil
}

// mostScale bounds ratios and alignments, so that sizes cannot overflow.
const mostScale = 1 << 12

func lowest(num, den int) ratio {
	d := gcd(num, den)
	return ratio{num / d, den / d}
}

func gcd(a, b int) int {
	for b != 0 {
		a, b = b, a%b
	}
	return a
}

func lcm(a, b int) int { return a / gcd(a, b) * b }

// Areas carries the extent of the input through the network. An error tells that a
// tile is too small, or that the sizes do not suit the network.
func (r *Fields) Areas(in Area) (map[*graph.Value]Area, error) {
	areas := map[*graph.Value]Area{r.Input: in}
	for _, u := range r.rules {
		if err := u.apply(areas); err != nil {
			return nil, op.Wrap(u.node, err)
		}
	}
	return areas, nil
}

func (u *rule) apply(areas map[*graph.Value]Area) (err error) {
	in := make([]Area, u.node.NumInputs())
	var y *Area
	for i, v := range u.node.Inputs() {
		a, ok := areas[v]
		if !ok {
			continue
		}
		in[i] = a
		for axis := range a.Axes {
			if m := u.mover(i, axis); m != nil {
				if a.Axes[axis], err = m.move(a.Axes[axis]); err != nil {
					return err
				}
			}
		}
		if y != nil {
			if a, err = meet(*y, a); err != nil {
				return err
			}
		}
		y = &a
	}
	out := u.channels(in)
	for i, v := range u.node.Outputs() {
		if v != nil {
			a := out[min(i, len(out)-1)]
			a.Axes = y.Axes
			areas[v] = a
		}
	}
	return nil
}

// meet is what two operands of one place both have right.
func meet(a, b Area) (Area, error) {
	for i := range a.Axes {
		s, t := a.Axes[i], b.Axes[i]
		if s.Full != t.Full || s.Size != t.Size || s.At != t.At {
			return a, fmt.Errorf("joins images of different sizes")
		}
		s.Lo, s.Hi = max(s.Lo, t.Lo), min(s.Hi, t.Hi)
		if s.Lo >= s.Hi {
			return a, fmt.Errorf("a tile is too small")
		}
		a.Axes[i] = s
	}
	return a, nil
}

// dimsOf is the dimensions of a value that does not vary with the image.
func dimsOf(v *graph.Value) ([]int64, bool) {
	t := op.Constant(v)
	if t == nil && v.IsInitializer() { // an overridable one, which runs do not override
		t = v.Const
	}
	if t != nil {
		return t.Dims, true
	}
	if n := v.Producer(); n != nil && n.Is("DequantizeLinear") && n.Input(0) != nil {
		return dimsOf(n.Input(0)) // quantised weights, which files often leave untyped
	}
	if v.Type.Kind != graph.TensorType || v.Type.Shape == nil {
		return nil, false
	}
	return v.Type.Shape.Sizes()
}
