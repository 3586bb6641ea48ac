package count

import (
	"fmt"
	"math/rand/v2"

	"spikingir/runtime/kernel"
	"spikingir/runtime/kernel/spike"
)

// layerCase is a layer and its input, all by hand.
type layerCase struct {
	s          kernel.ConvTransposeShape // the output padding is 0 unless transposed
	transposed bool
	h, w       int
	sources    []*Tensor
	weight     []int16
	neurons    *Neurons
}

func (k *layerCase) String() string {
	return fmt.Sprintf("%+v, transposed %v, of %d x %d, %d sources", k.s, k.transposed, k.h, k.w, len(k.sources))
}

// square is a convolution of kernel x kernel whose output is as large as its input.
func square(in, out, kernelSize int) kernel.ConvTransposeShape {
	p := kernelSize / 2
	return kernel.ConvTransposeShape{ConvShape: kernel.ConvShape{
		InC: in, OutC: out, Groups: 1, KH: kernelSize, KW: kernelSize,
		StrideH: 1, StrideW: 1, DilationH: 1, DilationW: 1, PadTop: p, PadLeft: p, PadBottom: p, PadRight: p,
	}}
}

// with is a shape changed.
func with(s kernel.ConvTransposeShape, change func(*kernel.ConvTransposeShape)) kernel.ConvTransposeShape {
	change(&s)
	return s
}

// drawShape draws a shape and the size of its image, mostly a plain convolution.
func drawShape(r *rand.Rand) layerCase {
	groups := 1
	if r.IntN(4) == 0 {
		groups = 1 + r.IntN(4)
	}
	s := kernel.ConvTransposeShape{ConvShape: kernel.ConvShape{
		InC: groups * (1 + r.IntN(20)), OutC: groups * (1 + r.IntN(40/groups)), Groups: groups,
		KH: 1 + r.IntN(4), KW: 1 + r.IntN(4), StrideH: 1, StrideW: 1, DilationH: 1, DilationW: 1,
		PadTop: r.IntN(3), PadLeft: r.IntN(3), PadBottom: r.IntN(3), PadRight: r.IntN(3),
	}}
	if r.IntN(4) == 0 { // what tiles suit
		s = square(leastIn+r.IntN(9), leastOut+r.IntN(40), 3)
		s.PadTop, s.PadLeft, s.PadBottom, s.PadRight = r.IntN(3), r.IntN(3), r.IntN(3), r.IntN(3)
		return layerCase{s: s, h: 1 + r.IntN(9), w: 1 + r.IntN(40)}
	}
	k := layerCase{transposed: r.IntN(4) == 0, h: 1 + r.IntN(9), w: 1 + r.IntN(60)}
	if k.transposed || r.IntN(4) == 0 {
		s.StrideH, s.StrideW = 1+r.IntN(3), 1+r.IntN(3)
	}
	if r.IntN(4) == 0 {
		s.DilationH, s.DilationW = 1+r.IntN(3), 1+r.IntN(3)
	}
	if k.transposed {
		s.OutPadH, s.OutPadW = r.IntN(max(s.StrideH, s.DilationH)), r.IntN(max(s.StrideW, s.DilationW))
	}
	k.s = s
	return k
}

// fill draws the rest of the case: images of counts up to most, joined from parts, weights in
// -bound..bound or, for 0, all that there are, and neurons of which many fire.
func (k *layerCase) fill(r *rand.Rand, images, most int, parts []int, bound int) {
	for _, channels := range parts {
		s := &Tensor{N: images, C: channels, H: k.h, W: k.w, Most: most}
		s.Data = make([]uint8, s.Size())
		for i := range s.Data {
			s.Data[i] = uint8(max(0, r.IntN(2*s.most()+1)-s.most()))
		}
		k.sources = append(k.sources, s)
	}
	for range k.s.Weights() {
		w := r.IntN(spike.MostWeight-spike.LeastWeight+1) + spike.LeastWeight
		if bound > 0 {
			w = r.IntN(2*bound+1) - bound
		}
		if r.IntN(20) == 0 {
			w = 0
		}
		k.weight = append(k.weight, int16(w))
	}
	if bound == 0 {
		bound = spike.MostWeight
	}
	if most == 0 {
		most = Most
	}
	k.drawNeurons(r, 2*bound*most)
}

// drawNeurons draws neurons with thresholds of some magnitude, from 1 on.
func (k *layerCase) drawNeurons(r *rand.Rand, magnitude int) {
	n := &Neurons{Top: int32(1 + r.IntN(Most-1))}
	for range k.s.OutC {
		threshold := int32(1 + r.IntN(1+r.IntN(magnitude)))
		n.Threshold = append(n.Threshold, threshold)
		n.Potential = append(n.Potential, int32(r.IntN(2*magnitude)-magnitude/2))
		n.Fire = append(n.Fire, threshold/2+r.Int32N(threshold/2+1)+1)
	}
	if r.IntN(3) == 0 {
		n.Fire = nil
	}
	k.neurons = n
}

func (k *layerCase) outSize() (oh, ow int) {
	if k.transposed {
		return k.s.OutSize(k.h, k.w)
	}
	return k.s.ConvShape.OutSize(k.h, k.w)
}

func (k *layerCase) pack() (*Conv, error) {
	if k.transposed {
		return PackConvTranspose(k.s, k.weight)
	}
	return PackConv(k.s.ConvShape, k.weight)
}

// at is source channel c of a pixel, 0 beyond the border.
func (k *layerCase) at(n, c, y, x int) int32 {
	if y < 0 || y >= k.h || x < 0 || x >= k.w {
		return 0
	}
	for _, s := range k.sources {
		if c < s.C {
			return int32(s.Data[((n*s.H+y)*s.W+x)*s.C+c])
		}
		c -= s.C
	}
	panic("no such channel")
}

// sum is an output by the definition of the operator.
func (k *layerCase) sum(n, o, y, x int) int32 {
	s := k.s
	inC, outC := s.InC/s.Groups, s.OutC/s.Groups
	sum := int32(0)
	for i := range inC {
		c := o/outC*inC + i
		for ky := range s.KH {
			for kx := range s.KW {
				if !k.transposed {
					w := k.weight[((o*inC+i)*s.KH+ky)*s.KW+kx]
					sum += int32(w) * k.at(n, c, y*s.StrideH-s.PadTop+ky*s.DilationH, x*s.StrideW-s.PadLeft+kx*s.DilationW)
					continue
				}
				dy, dx := y+s.PadTop-ky*s.DilationH, x+s.PadLeft-kx*s.DilationW
				if dy%s.StrideH == 0 && dx%s.StrideW == 0 {
					w := k.weight[((c*outC+o%outC)*s.KH+ky)*s.KW+kx]
					sum += int32(w) * k.at(n, c, dy/s.StrideH, dx/s.StrideW)
				}
			}
		}
	}
	return sum
}

// want is what a run must give, by the definitions, planar but for the counts.
type want struct {
	sums, residuals []int32
	counts          []uint8
	late            []bool
}

func (k *layerCase) want() want {
	oh, ow := k.outSize()
	images, outC := k.sources[0].N, k.s.OutC
	size := images * outC * oh * ow
	x := want{make([]int32, size), make([]int32, size), make([]uint8, size), make([]bool, size)}
	for i := range size {
		n, o, row, col := i/(outC*oh*ow), i/(oh*ow)%outC, i/ow%oh, i%ow
		x.sums[i] = k.sum(n, o, row, col)
		v := x.sums[i] + k.neurons.Potential[o]
		count := int32(0)
		for count < k.neurons.Top && v >= k.neurons.Threshold[o] { // step by step
			v -= k.neurons.Threshold[o]
			count++
		}
		if k.neurons.Fire != nil && v >= k.neurons.Fire[o] {
			v -= k.neurons.Threshold[o]
			count++
			x.late[i] = true
		}
		x.residuals[i] = v
		x.counts[((n*oh+row)*ow+col)*outC+o] = uint8(count)
	}
	return x
}
