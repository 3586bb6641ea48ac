package tile

import (
	"fmt"
	"math"
	"slices"

	"spikingir/graph"
	"spikingir/graph/op"
)

// ruleOf tells what a node that depends on the image does to extents; the error says
// why its results depend on more than a neighbourhood.
func (r *Fields) ruleOf(n *graph.Node) (*rule, error) {
	u := &rule{node: n, channels: func(in []Area) []Area { return in[:1] }}
	find, known := map[string]func(*rule) error{
		"Conv": r.conv, "ConvTranspose": r.convTranspose,
		"AveragePool": r.pool, "MaxPool": r.pool, "LpPool": r.pool,
		"Resize": r.resize, "Upsample": r.resize,
		"DepthToSpace": r.block, "SpaceToDepth": r.block,
		"Pad": r.pad, "Slice": r.slice, "Split": r.split,
		"Softmax": r.softmax, "BatchNormalization": r.batchNorm,
		"QuantizeLinear": r.quantize, "DequantizeLinear": r.quantize,
		"ReduceMean": r.reduce, "ReduceSum": r.reduce, "ReduceMax": r.reduce, "ReduceMin": r.reduce,
		"ReduceProd": r.reduce, "ReduceL2": r.reduce,
	}[n.Op().Type]
	switch {
	case n.Op().Domain == graph.Spiking:
		return u, r.spiking(u)
	case n.Is("Concat"):
		return u, r.concat(u)
	case !known:
		return u, r.pointwise(u)
	}
	if err := r.only(n, 0); err != nil {
		return nil, err
	}
	return u, find(u)
}

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
				least.N = max(least.N, int(d))
			case fromEnd == 2:
				least.C = max(least.C, int(d))
			}
		}
	}
	u.channels = func(in []Area) []Area {
		y := least
		for _, a := range in {
			y.N, y.C = max(y.N, a.N), max(y.C, a.C)
		}
		return []Area{y}
	}
	return nil
}

// spiking is an operator of domain ai.spikingir, timed or not.
func (r *Fields) spiking(u *rule) error {
	switch u.node.Op().Type {
	case "Encode", "Bias", "IF", "MPRN", "TwoPhaseIF", "TwoPhaseMPRN", "BurstIF", "MultiThresholdIF", "SignedIF", "Decode":
		return r.only(u.node, 0)
	case "CPM":
		c, err := op.CPMOf(u.node)
		if err == nil {
			err = r.only(u.node, 0, 1)
		}
		if err != nil {
			return err
		}
		u.beside = c.VRes
		return u.kernel(c.Window, c.W, func(i int) mover { return windowAxis(c.Window, i) })
	}
	return fmt.Errorf("the operator is not known")
}

// kernel sets the moves of a convolution and its output channels.
func (u *rule) kernel(w op.Window, weights *graph.Value, axis func(i int) mover) error {
	if len(w.Kernel) != 2 {
		return fmt.Errorf("the kernel %v is not known, or not one of rows and columns", w.Kernel)
	}
	dims, ok := dimsOf(weights)
	if !ok || len(dims) != 4 {
		return fmt.Errorf("the size of the weights is not known")
	}
	u.axes = [2]mover{axis(0), axis(1)}
	u.gives(int(dims[0]))
	return nil
}

// gives sets the number of output channels.
func (u *rule) gives(channels int) {
	u.channels = func(in []Area) []Area { return []Area{{N: in[0].N, C: channels}} }
}

func (r *Fields) conv(u *rule) error {
	c, err := op.ConvOf(u.node)
	if err != nil {
		return err
	}
	return u.kernel(c.Window, c.W, func(i int) mover {
		if r.net.Winograd[u.node] {
			return winograd{windowAxis(c.Window, i)}
		}
		return windowAxis(c.Window, i)
	})
}

func (r *Fields) convTranspose(u *rule) error {
	c, err := op.ConvTransposeOf(u.node)
	if err == nil && c.OutputShape != nil {
		err = fmt.Errorf("output_shape fixes the size")
	}
	if err == nil {
		err = u.kernel(c.Window, c.W, func(i int) mover { return spreadAxis(c, i) })
	}
	if err != nil {
		return err
	}
	dims, _ := dimsOf(c.W)
	u.gives(int(dims[1] * c.Group))
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
		return fmt.Errorf("the indices count in the whole image")
	}
	u.axes = [2]mover{windowAxis(p.Window, 0), windowAxis(p.Window, 1)}
	return nil
}

// mostFactor bounds the factors of Resize: place and weights of an interpolation
// are then the same bits anywhere in an image.
const mostFactor = 16

func (r *Fields) resize(u *rule) error {
	z, err := op.ResizeOf(u.node, r.net.Opset)
	if err != nil {
		return err
	}
	if !slices.Contains([]string{"asymmetric", "half_pixel", "pytorch_half_pixel"}, z.Coordinate) {
		return fmt.Errorf("%s places pixels by the size of the image", z.Coordinate)
	}
	if !z.Scales.Given || !z.Scales.Known {
		return fmt.Errorf("sizes are not stated as constant scales")
	}
	axes, err := z.AxesFor(u.node, 4)
	if err != nil {
		return err
	}
	around := 1
	if z.Mode == "cubic" {
		around = 2
	}
	for i, s := range z.Scales.Value {
		integer := s == float32(math.Trunc(float64(s))) && s <= mostFactor
		if i >= len(axes) || !integer || axes[i] < 2 && s != 1 {
			return fmt.Errorf("scales %v, want integer factors of rows and columns up to %d", z.Scales.Value, mostFactor)
		}
		if axes[i] >= 2 && s != 1 {
			u.axes[axes[i]-2] = enlarge{int(s), around}
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
	toDepth := u.node.Is("SpaceToDepth")
	var m mover = enlarge{factor: size}
	if toDepth {
		m = window{op.Window{Kernel: []int64{b.Size}, Stride: []int64{b.Size},
			Dilation: []int64{1}, Pads: []int64{0, 0}}}
	}
	u.axes = [2]mover{m, m}
	u.channels = func(in []Area) []Area {
		y := in[0]
		if toDepth {
			y.C *= size * size
		} else {
			y.C /= size * size
		}
		return []Area{y}
	}
	return nil
}

func (r *Fields) pad(u *rule) error {
	p, err := op.PadOf(u.node, r.net.Opset)
	if err != nil {
		return err
	}
	pads, err := p.For(4)
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
	u.channels = func(in []Area) []Area {
		return []Area{{N: in[0].N + int(pads[0]+pads[4]), C: in[0].C + int(pads[1]+pads[5])}}
	}
	return nil
}

func (r *Fields) batchNorm(u *rule) error {
	b, err := op.BatchNormOf(u.node, r.net.Opset)
	switch {
	case err != nil:
		return err
	case b.Training:
		return fmt.Errorf("takes statistics of the whole image")
	case b.PerElement:
		return fmt.Errorf("has parameters for every pixel")
	}
	return nil
}

func (r *Fields) quantize(u *rule) error {
	q, err := op.QuantizeOf(u.node)
	if err != nil {
		return err
	}
	dims, ok := dimsOf(q.Scale)
	switch {
	case !ok:
		return fmt.Errorf("the size of the scales is not known")
	case q.Block != 0 || len(dims) > 0 && dims[0] != 1 && q.Axis != 1 && q.Axis != -3:
		return fmt.Errorf("has scales for rows or columns")
	}
	return nil
}
