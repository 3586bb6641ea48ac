package eval

import (
	"fmt"
	"slices"

	"spikingir/graph"
	"spikingir/graph/infer"
	"spikingir/runtime/ops"
)

// beside is an input that is fed anew for each image, as its size follows the image's.
type beside struct {
	value *graph.Value
	feed  Feed
	axes  []axis
}

// An axis is a dimension of an input beside the image.
type axis struct {
	size  infer.Expr     // in terms of the image's sizes
	image map[string]int // which of the image's axes each parameter of size is
}

// Bind finds the ports of a model and gives the inputs beside the image their values. One
// whose dimensions do not follow those of the image gets a stored value, ONNX's default of
// an input, which is of no use for the others: they are fed by [Ports.Inputs].
func Bind(g *graph.Graph, feeds map[string]Feed, output string) (Ports, error) {
	p, err := FindPorts(g, feeds, output)
	if err != nil {
		return p, err
	}
	image := infer.Input(g.Value(p.Input))
	for _, v := range g.Inputs() {
		feed, fed := feeds[v.Name()]
		if !fed {
			continue
		}
		b := beside{v, feed, axesOf(v, image)}
		if err := b.check(); err != nil {
			return p, err
		}
		if !b.fixed() {
			p.beside = append(p.beside, b)
			continue
		}
		t, err := b.tensor([]int{1, 1, 1, 1})
		if err != nil {
			return p, err
		}
		c, err := t.Graph()
		if err != nil {
			return p, fmt.Errorf("input %q: %w", v.Name(), err)
		}
		g.SetInitializer(v, c, nil)
	}
	return p, nil
}

// axesOf says what each dimension of v is in terms of the image. The batch is 1. What
// neither the model nor the image tells is the image's height and width, in the places
// where an image has them, else 1.
func axesOf(v *graph.Value, image graph.Shape) []axis {
	const batch, height = 0, 2
	at := map[string]int{}
	for i, d := range image {
		if name := d.Param(); name != "" {
			at[name] = i
		}
	}
	axes := make([]axis, len(v.Type.Shape))
	for i, d := range v.Type.Shape {
		a := axis{size: infer.FromDim(d), image: map[string]int{}}
		known := a.size.Known()
		for _, name := range a.size.Parameters() {
			place, ok := at[name]
			a.image[name] = place
			known = known && ok
		}
		n, fixed := a.size.Int()
		follows := len(axes) == 4 && i >= height
		// A size that was fixed with the image's is freed with it.
		withImage := follows && len(image) == 4 && fixed && n > 1 && image[i].Same(d)
		switch {
		case withImage, follows && !known:
			a = axis{infer.Parameter("image"), map[string]int{"image": i}}
		case !known, i == batch && !fixed:
			a = axis{size: infer.Number(1)}
		}
		axes[i] = a
	}
	return axes
}

// fixed reports whether no dimension follows the image's.
func (b beside) fixed() bool {
	return !slices.ContainsFunc(b.axes, func(a axis) bool { return len(a.image) > 0 })
}

// check refuses a tensor or a number that does not fit the input.
func (b beside) check() error {
	v := b.value
	if v.Type.Kind != graph.TensorType || !ops.Computable(v.Type.Elem) {
		return fmt.Errorf("input %q is %v, want a tensor of numbers to feed", v.Name(), v.Type)
	}
	t, elem := b.feed.Tensor, v.Type.Elem
	if t == nil {
		x := b.feed.Number
		if v.Type.Shape == nil {
			return fmt.Errorf("input %q is %v, without dimensions that a number could fill: want a tensor, --input %[1]s=FILE.npy",
				v.Name(), v.Type)
		}
		if !numberFits(x, elem) {
			return fmt.Errorf("input %q is %v, want a number of that type, not %v", v.Name(), v.Type, x)
		}
		return nil
	}
	bad := t.DType.IsFloat() != elem.IsFloat() || v.Type.Shape != nil && len(v.Type.Shape) != len(t.Dims)
	for i := 0; !bad && i < len(b.axes); i++ {
		n, fixed := b.axes[i].size.Int()
		_, stated := v.Type.Shape[i].Size()
		bad = fixed && stated && n != int64(t.Dims[i])
	}
	if bad {
		return fmt.Errorf("input %q is %v, and the tensor for it %v: want one of that type and size, or a number, --input %[1]s=VALUE",
			v.Name(), v.Type, t)
	}
	if x := misfit(t, elem); x != "" {
		return fmt.Errorf("input %q is %v, and the tensor for it has an element %s, want numbers of that type", v.Name(), v.Type, x)
	}
	return nil
}

// tensor is what the input is fed beside an image of dimensions [N,C,H,W].
func (b beside) tensor(image []int) (*ops.Tensor, error) {
	elem := b.value.Type.Elem
	if t := b.feed.Tensor; t != nil {
		return t.As(elem), nil
	}
	dims := make([]int, len(b.axes))
	for i, a := range b.axes {
		sizes := map[string]int64{}
		for name, at := range a.image {
			sizes[name] = int64(image[at])
		}
		n, err := a.size.Eval(sizes)
		if err != nil {
			return nil, fmt.Errorf("input %q, dimension %d: %w", b.value.Name(), i, err)
		}
		dims[i] = int(n)
	}
	if !ops.Sizeable(dims) {
		return nil, fmt.Errorf("input %q has dimensions %v beside an image of %dx%d", b.value.Name(), dims, image[3], image[2])
	}
	t := ops.NewTensor(elem, dims)
	for i := range t.F32 {
		t.F32[i] = float32(b.feed.Number)
	}
	for i := range t.I64 {
		t.I64[i] = int64(b.feed.Number)
	}
	return t, nil
}
