package ops

import (
	"fmt"
	"math"

	"spikingir/graph"
	"spikingir/graph/op"
)

// deformed is a DeformConv bound to one input size.
type deformed struct {
	op.DeformConv
	pads                     []int64
	x, weight, y             *Tensor
	offset, mask             *Tensor
	h, w, outH, outW, kh, kw int
}

// bindDeformConv is a convolution of rows and columns whose kernel reads beside its places:
// every element has an offset of its own at every place, and a weight if there is a mask.
func bindDeformConv(n *graph.Node, _ int64) (runner, error) {
	c, err := op.DeformConvOf(n)
	return func(env *Env, in []*Tensor) ([]*Tensor, error) {
		d := must(deform(c, env, n, in))
		env.each(d.y.Dims[0]*d.outH*d.outW, d.weight.Len(), func(lo, hi int) {
			samples := make([]float32, d.x.Dims[1]*d.kh*d.kw)
			for k := lo; k < hi; k++ {
				d.place(k, samples)
			}
		})
		addBias(env, d.y, optional(in, 3))
		return one(d.y), nil
	}, err
}

// deform checks the inputs and makes the result.
func deform(c op.DeformConv, env *Env, n *graph.Node, in []*Tensor) (*deformed, error) {
	x, weight, offset, bias, mask := in[0], in[1], in[2], optional(in, 3), optional(in, 4)
	check(wantFloat(x, weight, offset, bias, mask))
	if x.Rank() != 4 || weight.Rank() != 4 || weight.Len() == 0 || weight.Dims[0]%int(c.Group) != 0 {
		return nil, fmt.Errorf("inputs are %v and weights %v, want rows and columns, and output channels in %d groups", x, weight, c.Group)
	}
	check(checkConvInput(x, weight, weight.Dims[1]*int(c.Group)))
	if x.Dims[1]%int(c.OffsetGroup) != 0 {
		return nil, fmt.Errorf("input 0 (X) is %v, want channels in %d groups of offsets", x, c.OffsetGroup)
	}
	win := must(c.WithKernel(n, sizesOf(weight.Dims[2:])))
	check(wantKernel(win.Kernel, weight.Dims))
	out := win.Out(sizesOf(x.Dims[2:]))
	check(wantRoom(out, win.Kernel, x))
	c.Window = win
	dims := must(dimsOf([]int64{int64(x.Dims[0]), int64(weight.Dims[0]), out[0], out[1]}))
	cells := int(c.OffsetGroup) * weight.Dims[2] * weight.Dims[3]
	check(wantDims(2, "offset", offset, dims[0], 2*cells, dims[2], dims[3]))
	if mask != nil {
		check(wantDims(4, "mask", mask, dims[0], cells, dims[2], dims[3]))
	}
	if bias != nil {
		check(wantPerChannel(3, "B", bias, dims[1]))
	}
	return &deformed{DeformConv: c, pads: win.PadsFor(sizesOf(x.Dims[2:])), x: x, weight: weight, offset: offset,
		mask: mask, y: env.alloc(x.DType, dims), h: x.Dims[2], w: x.Dims[3], outH: dims[2], outW: dims[3],
		kh: weight.Dims[2], kw: weight.Dims[3]}, nil
}

// place computes all channels of the result at one place of one image; samples is room for
// what the kernel reads there.
func (d *deformed) place(k int, samples []float32) {
	area, cells := d.outH*d.outW, d.kh*d.kw
	image, at := k/area, k%area
	perGroup := d.x.Dims[1] / int(d.OffsetGroup)
	for c := range d.x.Dims[1] {
		plane := d.x.F32[(image*d.x.Dims[1]+c)*d.h*d.w:][:d.h*d.w]
		for cell := range cells {
			g := image*int(d.OffsetGroup) + c/perGroup
			y := float64(at/d.outW*int(d.Stride[0])-int(d.pads[0])+cell/d.kw*int(d.Dilation[0])) +
				float64(d.offset.F32[(g*2*cells+2*cell)*area+at])
			x := float64(at%d.outW*int(d.Stride[1])-int(d.pads[1])+cell%d.kw*int(d.Dilation[1])) +
				float64(d.offset.F32[(g*2*cells+2*cell+1)*area+at])
			v := d.sample(plane, y, x)
			if d.mask != nil {
				v *= d.mask.F32[(g*cells+cell)*area+at]
			}
			samples[c*cells+cell] = v
		}
	}
	taps := d.weight.Dims[1] * cells
	perOut := d.weight.Dims[0] / int(d.Group)
	for m := range d.weight.Dims[0] {
		sum := float32(0)
		from := samples[m/perOut*taps:][:taps]
		for i, w := range d.weight.F32[m*taps : (m+1)*taps] {
			sum += float32(w * from[i])
		}
		d.y.F32[(image*d.y.Dims[1]+m)*area+at] = sum
	}
}

// sample interpolates between the four elements around a place; outside lie zeros.
func (d *deformed) sample(plane []float32, y, x float64) float32 {
	if !(y > -1 && y < float64(d.h) && x > -1 && x < float64(d.w)) {
		return 0
	}
	top, left := math.Floor(y), math.Floor(x)
	sum := 0.0
	for i := range 4 {
		row, col := int(top)+i/2, int(left)+i%2
		if row < 0 || row >= d.h || col < 0 || col >= d.w {
			continue
		}
		weight := (1 - math.Abs(y-float64(row))) * (1 - math.Abs(x-float64(col)))
		sum += float64(weight * float64(plane[row*d.w+col]))
	}
	return float32(sum)
}
