package tile

import (
	"fmt"
	"math"
	"slices"

	"spikingir/graph"
	"spikingir/graph/op"
)

// rule tells what a node that depends on the image does to extents; the error
// says why its results depend on more than a neighbourhood.
func (r *Fields) rule(n *graph.Node) (*rule, error) {
	u := &rule{node: n, channels: sameChannels}
	if n.Op().Domain == graph.Spiking {
		return r.spikingRule(u)
	}
	var err error
	switch n.Op().Type {
	case "Conv":
		err = r.conv(u)
	case "ConvTranspose":
		err = r.convTranspose(u)
	case "AveragePool", "MaxPool", "LpPool":
		err = r.pool(u)
	case "Resize", "Upsample":
		err = r.resize(u)
	case "DepthToSpace", "SpaceToDepth":
		err = r.block(u)
	case "Pad":
		err = r.pad(u)
	case "Slice":
		err = r.slice(u)
	case "Concat":
		err = r.concat(u)
	case "Split":
		err = r.split(u)
	case "Softmax":
		err = r.softmax(u)
	case "ReduceMean", "ReduceSum", "ReduceMax", "ReduceMin", "ReduceProd", "ReduceL2":
		err = r.reduce(u)
	case "BatchNormalization":
		err = r.batchNorm(u)
	default:
		err = r.pointwise(u)
	}
	if err != nil {
		return nil, err
	}
	return u, nil
}

// sameChannels gives every output the batch and channels of the first input.
func sameChannels(in []Area) ([]Area, error) { return in[:1], nil }

// only requires that no input but those named varies with the image.
func (r *Fields) only(n *graph.Node, inputs ...int) error {
	for i, v := range n.Inputs() {
		if r.image(v) != slices.Contains(inputs, i) {
			return fmt.Errorf("input %d: the result depends on the image in another way than pixel by pixel", i)
		}
	}
	return nil
}

// pointwise is an operator whose operands broadcast to each other.
func (r *Fields) pointwise(u *rule) error {
	s := op.Lookup(u.node.Op())
	if s == nil || !s.Elementwise {
		return fmt.Errorf("each of its results depends on more than a neighbourhood of one pixel")
	}
	least := Area{N: 1, C: 1}
	for _, v := range u.node.Inputs() {
		if v == nil || r.image(v) {
			continue
		}
		dims, ok := dimsOf(v)
		if !ok {
			return fmt.Errorf("the size of operand %q is not known", v.Name())
		}
		for i, d := range dims {
			switch fromEnd := len(dims) - 1 - i; {
			case fromEnd > 3 || fromEnd < 2 && d != 1:
				return fmt.Errorf("operand %q of dimensions %v has rows and columns of its own", v.Name(), dims)
			case fromEnd == 3:
				least.N = max(least.N, d)
			case fromEnd == 2:
				least.C = max(least.C, d)
			}
		}
	}
	u.channels = func(in []Area) ([]Area, error) {
		y := least
		for _, a := range in {
			y.N, y.C = max(y.N, a.N), max(y.C, a.C)
		}
		return []Area{y}, nil
	}
	return nil
}

// spikingRule is that of an operator of domain ai.spikingir, timed or not.
func (r *Fields) spikingRule(u *rule) (*rule, error) {
	if !u.node.IsSpiking("CPM") {
		if !slices.Contains([]string{"Encode", "Bias", "IF", "MPRN", "Decode"}, u.node.Op().Type) {
			return nil, fmt.Errorf("the operator is not known")
		}
		return u, r.only(u.node, 0)
	}
	c, err := op.CPMOf(u.node)
	if err == nil {
		err = r.only(u.node, 0, 1)
	}
	if err != nil {
		return nil, err
	}
	u.beside = c.VRes
	return u, r.kernel(u, c.Window, c.W, func(i int) mover { return windowAxis(c.Window, i) })
}

// kernel sets the moves of a convolution and its output channels.
func (r *Fields) kernel(u *rule, w op.Window, weights *graph.Value, axis func(i int) mover) error {
	if len(w.Kernel) != 2 {
		return fmt.Errorf("the kernel %v is not known, or not one of rows and columns", w.Kernel)
	}
	dims, ok := dimsOf(weights)
	if !ok || len(dims) != 4 {
		return fmt.Errorf("the size of the weights is not known")
	}
	u.axes = [2]mover{axis(0), axis(1)}
	u.channels = func(in []Area) ([]Area, error) { return []Area{{N: in[0].N, C: dims[0]}}, nil }
	return nil
}

func (r *Fields) conv(u *rule) error {
	c, err := op.ConvOf(u.node)
	if err == nil {
		err = r.only(u.node, 0)
	}
	if err != nil {
		return err
	}
	return r.kernel(u, c.Window, c.W, func(i int) mover {
		if r.fast[u.node] {
			return filtered{windowAxis(c.Window, i)}
		}
		return windowAxis(c.Window, i)
	})
}

func (r *Fields) convTranspose(u *rule) error {
	c, err := op.ConvTransposeOf(u.node)
	if err == nil {
		err = r.only(u.node, 0)
	}
	if err == nil && c.OutputShape != nil {
		err = fmt.Errorf("output_shape fixes the size")
	}
	if err == nil {
		err = r.kernel(u, c.Window, c.W, func(i int) mover { return spreadAxis(c, i) })
	}
	if err != nil {
		return err
	}
	dims, _ := dimsOf(c.W)
	u.channels = func(in []Area) ([]Area, error) {
		return []Area{{N: in[0].N, C: dims[1] * int(c.Group)}}, nil
	}
	return nil
}

func (r *Fields) pool(u *rule) error {
	p, err := op.PoolOf(u.node)
	switch {
	case err != nil:
		return err
	case len(p.Kernel) != 2:
		return fmt.Errorf("the kernel %v is not one of rows and columns", p.Kernel)
	case u.node.NumOutputs() > 1:
		return fmt.Errorf("the indices count in the whole frame")
	}
	u.axes = [2]mover{windowAxis(p.Window, 0), windowAxis(p.Window, 1)}
	return nil
}

// mostFactor bounds the factors of Resize: place and weights of an interpolation
// are then the same bits anywhere in a frame.
const mostFactor = 16

func (r *Fields) resize(u *rule) error {
	z, err := op.ResizeOf(u.node, r.opset)
	if err != nil {
		return err
	}
	switch z.Coordinate {
	case "asymmetric", "half_pixel", "pytorch_half_pixel":
	default:
		return fmt.Errorf("%s places pixels by the size of the frame", z.Coordinate)
	}
	if !z.Scales.Given || !z.Scales.Known {
		return fmt.Errorf("sizes are not stated as constant scales")
	}
	axes, err := z.AxesFor(u.node, 4)
	if err == nil {
		err = r.only(u.node, 0)
	}
	if err != nil {
		return err
	}
	reach := 1
	if z.Mode == "cubic" {
		reach = 2
	}
	for i, s := range z.Scales.Value {
		whole := s == float32(math.Trunc(float64(s))) && s <= mostFactor
		if i >= len(axes) || !whole || axes[i] < 2 && s != 1 {
			return fmt.Errorf("scales %v, want whole factors of rows and columns up to %d", z.Scales.Value, mostFactor)
		}
		if axes[i] >= 2 && s != 1 {
			u.axes[axes[i]-2] = enlarge{int(s), reach}
		}
	}
	return nil
}

func (r *Fields) block(u *rule) error {
	b, err := op.BlockOf(u.node)
	if err != nil {
		return err
	}
	size := int(b.Size)
	if size > mostScale {
		return fmt.Errorf("blocks of %d, want at most %d", size, mostScale)
	}
	var m mover = enlarge{factor: size}
	if u.node.Is("SpaceToDepth") {
		m = window{op.Window{Kernel: []int64{b.Size}, Stride: []int64{b.Size},
			Dilation: []int64{1}, Pads: []int64{0, 0}}}
	}
	u.axes = [2]mover{m, m}
	u.channels = func(in []Area) ([]Area, error) {
		y := in[0]
		if u.node.Is("SpaceToDepth") {
			y.C *= size * size
		} else {
			y.C /= size * size
		}
		return []Area{y}, nil
	}
	return nil
}

func (r *Fields) pad(u *rule) error {
	p, err := op.PadOf(u.node, r.opset)
	if err != nil {
		return err
	}
	pads, err := p.For(4)
	if err == nil {
		err = r.only(u.node, 0)
	}
	if err != nil {
		return err
	}
	for axis := range 2 {
		begin, end := int(pads[2+axis]), int(pads[6+axis])
		if p.Mode == "wrap" && (begin != 0 || end != 0) {
			return fmt.Errorf("wrap takes pixels of the other side")
		}
		u.axes[axis] = border{begin, end, p.Mode == "reflect"}
	}
	u.channels = func(in []Area) ([]Area, error) {
		y := in[0]
		y.N += int(pads[0] + pads[4])
		y.C += int(pads[1] + pads[5])
		return []Area{y}, nil
	}
	return nil
}
