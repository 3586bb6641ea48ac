package nir

import (
	"slices"

	"spikingir/graph"
	"spikingir/graph/op"
)

// kernel is the weights [M,C,kh,kw] of a convolution and how they move; pads are begin... and
// end....
type kernel struct {
	dims                   []int64
	w                      []float32
	stride, dilation, pads []int64
}

// part is the weights for some of the input channels.
func (k kernel) part(at, channels int64, sign float32) kernel {
	area := k.dims[2] * k.dims[3]
	p := k
	p.dims = []int64{k.dims[0], channels, k.dims[2], k.dims[3]}
	p.w = make([]float32, 0, k.dims[0]*channels*area)
	for m := range k.dims[0] {
		from := (m*k.dims[1] + at) * area
		for _, x := range k.w[from : from+channels*area] {
			p.w = append(p.w, sign*x)
		}
	}
	return p
}

// dense is a convolution of groups as one of all channels.
func (k kernel) dense(groups int64) kernel {
	per, area := k.dims[1], k.dims[2]*k.dims[3]
	d := k
	d.dims = []int64{k.dims[0], per * groups, k.dims[2], k.dims[3]}
	d.w = make([]float32, d.dims[0]*d.dims[1]*area)
	for m := range k.dims[0] {
		at := (m*per*groups + m/(k.dims[0]/groups)*per) * area
		copy(d.w[at:], k.w[m*per*area:(m+1)*per*area])
	}
	return d
}

// square is a kernel with zeros at its border that make it square and its padding the same on both
// sides: n more taps in front and m behind need n and m times the dilation more padding there.
func (k kernel) square(n *graph.Node) (kernel, bool, error) {
	if k.dims[2] == k.dims[3] && slices.Equal(k.pads[:2], k.pads[2:]) {
		return k, false, nil
	}
	var more [2]int64 // taps in front less those behind
	side := int64(0)
	for i := range 2 {
		d := k.pads[2+i] - k.pads[i]
		if d%k.dilation[i] != 0 {
			return k, false, op.Unsupportedf(n, "it is padded by %v, and NIR has one padding for both sides", k.pads)
		}
		more[i] = d / k.dilation[i]
		side = max(side, k.dims[2+i]+max(more[i], -more[i]))
	}
	odd := func(i int) bool { return (side-k.dims[2+i]-more[i])%2 != 0 }
	if odd(0) && odd(1) {
		side++
	}
	if odd(0) || odd(1) {
		return k, false, op.Unsupportedf(n, "its kernel is %dx%d, padded by %v, and NIR's reader knows square kernels with one padding for both sides",
			k.dims[2], k.dims[3], k.pads)
	}
	s := kernel{dims: []int64{k.dims[0], k.dims[1], side, side}, stride: k.stride, dilation: k.dilation, pads: slices.Clone(k.pads)}
	var front [2]int64
	for i := range 2 {
		front[i] = (side - k.dims[2+i] + more[i]) / 2
		s.pads[i] += front[i] * k.dilation[i]
		s.pads[2+i] = s.pads[i]
	}
	s.w = make([]float32, k.dims[0]*k.dims[1]*side*side)
	for c := range k.dims[0] * k.dims[1] {
		for row := range k.dims[2] {
			from := (c*k.dims[2] + row) * k.dims[3]
			at := (c*side+front[0]+row)*side + front[1]
			copy(s.w[at:], k.w[from:from+k.dims[3]])
		}
	}
	return s, true, nil
}
