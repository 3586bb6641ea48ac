package kernel

import "spikingir/runtime/kernel/machine"

// A plan is one direction of a training convolution: each output pixel is a sum
// over taps of a padded copy of the source. Backwards the source is the output's
// gradient, spread by the strides, and the kernel is turned round.
type plan struct {
	groups, inC, outC int // channels of a group
	srcH, srcW        int
	dstH, dstW        int
	padH, padW        int // size of the padded copy
	// Source pixel (y, x) is pixel (top+y*stepH, left+x*stepW) of the padded copy,
	// where that exists.
	top, left    int
	stepH, stepW int
	// rows are the offsets of output pixels in the padded copy of a group, cols
	// those of the terms of a sum, [taps][inC].
	rows, cols []int32
	// pixels and taps are the same in pixels.
	pixels, taps     []int32
	blocks           []block
	packed           []float32  // weights of group after group
	groupSize        int        // of packed
	fast             *winograd  // nil for most shapes
	planes           *planePlan // nil where products are faster
	strideH, strideW int        // between outputs in the padded copy
	work             int        // vectors for an output pixel
}

// A block is output channels first to first+width of a group, whose weights are
// [taps][inC][lanes] from at on; lanes is width rounded up to whole vectors.
type block struct{ first, width, lanes, at int }

const (
	// vectorLanes is the unit in which output channels are packed.
	vectorLanes = 16
	// blockLanes is the most output channels that a product kernel takes.
	blockLanes = 64
)

func forwardPlan(s Shape) plan {
	p := plan{
		groups: s.Group, inC: s.InC / s.Group, outC: s.OutC / s.Group,
		srcH: s.InH, srcW: s.InW, dstH: s.OutH, dstW: s.OutW,
		padH: s.paddedH(), padW: s.paddedW(), top: s.PadT, left: s.PadL, stepH: 1, stepW: 1,
	}
	p.offsets(s, s.StrideH, s.StrideW, func(ky, kx int) (int, int) { return ky, kx })
	p.fast = newWinograd(s, p)
	return p
}

func backwardPlan(s Shape) plan {
	p := plan{
		groups: s.Group, inC: s.OutC / s.Group, outC: s.InC / s.Group,
		srcH: s.OutH, srcW: s.OutW, dstH: s.InH, dstW: s.InW,
		padH: s.backPaddedH(), padW: s.backPaddedW(),
		top: (s.KernelH-1)*s.DilationH - s.PadT, left: (s.KernelW-1)*s.DilationW - s.PadL,
		stepH: s.StrideH, stepW: s.StrideW,
	}
	p.offsets(s, 1, 1, func(ky, kx int) (int, int) { return s.KernelH - 1 - ky, s.KernelW - 1 - kx })
	p.fast = newWinograd(s, p)
	return p
}

// offsets fills rows, cols and blocks for outputs that lie strideH x strideW pixels
// apart; tap says where in the window a kernel element is.
func (p *plan) offsets(s Shape, strideH, strideW int, tap func(ky, kx int) (int, int)) {
	for y := range p.dstH {
		for x := range p.dstW {
			pixel := y*strideH*p.padW + x*strideW
			p.pixels, p.rows = append(p.pixels, int32(pixel)), append(p.rows, int32(pixel*p.inC))
		}
	}
	for ky := range s.KernelH {
		for kx := range s.KernelW {
			y, x := tap(ky, kx)
			pixel := y*s.DilationH*p.padW + x*s.DilationW
			p.taps = append(p.taps, int32(pixel))
			for i := range p.inC {
				p.cols = append(p.cols, int32(pixel*p.inC+i))
			}
		}
	}
	p.strideH, p.strideW = strideH, strideW
	vectors := machine.CeilDiv(p.outC, vectorLanes)
	p.work = len(p.cols) * vectors
	count := machine.CeilDiv(vectors, blockLanes/vectorLanes)
	for i := range count {
		first, end := vectors*i/count*vectorLanes, vectors*(i+1)/count*vectorLanes
		b := block{first, min(end, p.outC) - first, end - first, p.groupSize}
		p.blocks = append(p.blocks, b)
		p.groupSize += len(p.cols) * b.lanes
	}
	p.packed = machine.Aligned[float32](p.groups * p.groupSize)
	if p.planes = p.newPlanePlan(); p.planes != nil {
		p.work = p.planeWork()
	}
}

// setWeights packs weights for direct.
func (p *plan) setWeights(w weightOrder) {
	for g := range p.groups {
		for i := range p.inC {
			for t := range p.taps {
				if p.planes != nil {
					p.planes.setWeights(&w, g, t, i, p.inC, p.outC)
					continue
				}
				for _, b := range p.blocks {
					w.row(p.packed[g*p.groupSize+b.at+(t*p.inC+i)*b.lanes:][:b.width], g, t, i, b.first)
				}
			}
		}
	}
}

// form is the arrangement of the weights that run reads.
func (p *plan) form(filtered, direct weightForm) weightForm {
	if p.fast != nil {
		return filtered
	}
	return direct
}

// run sets dst to the sums of all slices of src.
func (p *plan) run(k *convKernels, sc *Scratch, dst, src []float32, slices int) {
	if p.fast != nil {
		p.fast.run(k, sc, dst, src, slices)
		return
	}
	p.direct(k, sc, dst, src, slices)
}

// direct is run without Winograd's transforms.
func (p *plan) direct(k *convKernels, sc *Scratch, dst, src []float32, slices int) {
	if p.planes != nil {
		p.runPlanes(k, sc, dst, src, slices)
		return
	}
	in, out := p.groups*p.inC, p.groups*p.outC
	srcSize, dstSize := p.srcH*p.srcW*in, p.dstH*p.dstW*out
	a := &sc.product
	a.rows, a.cols, a.outStride, a.add = p.rows, p.cols, out, false
	for s := range slices {
		for g := range p.groups {
			a.a = p.pad(&sc.padded, src[s*srcSize:(s+1)*srcSize], g)
			for _, b := range p.blocks {
				a.b, a.bStride, a.width = p.packed[g*p.groupSize+b.at:], b.lanes, b.width
				a.out = dst[s*dstSize+g*p.outC+b.first:]
				k.product(a)
			}
		}
	}
}

// pad gives the padded copy, [padH][padW][inC], of the channels of group g of a
// slice, in memory that it makes larger if need be.
func (p *plan) pad(memory *[]float32, src []float32, g int) []float32 {
	*memory = machine.GrowAligned(*memory, p.padH*p.padW*p.inC)
	padded := *memory
	steps := p.stepH > 1 || p.stepW > 1
	if steps {
		clear(padded)
	}
	row := p.padW * p.inC
	done := 0 // rows of the copy
	for y := range p.srcH {
		at := p.top + y*p.stepH
		if at < 0 || at >= p.padH {
			continue
		}
		if !steps {
			clear(padded[done*row : at*row])
			done = at + 1
		}
		p.padRow(padded[at*row:(at+1)*row], src[y*p.srcW*p.groups*p.inC:], g)
	}
	if !steps {
		clear(padded[done*row:])
	}
	return padded
}

// padRow copies a row of the source, whose steps it leaves as they are.
func (p *plan) padRow(dst, src []float32, g int) {
	n, pixel := p.inC, p.groups*p.inC
	first, end := p.columns()
	if p.stepW == 1 && p.groups == 1 {
		left := 0
		if first < end {
			left = p.left + first
		}
		clear(dst[:left*n])
		copy(dst[left*n:], src[first*n:end*n])
		clear(dst[(left+end-first)*n:])
		return
	}
	if p.stepW == 1 {
		clear(dst)
	}
	for x := first; x < end; x++ {
		at := (p.left + x*p.stepW) * n
		copy(dst[at:at+n], src[x*pixel+g*n:])
	}
}

// columns are the first of the source's columns that are in the padded copy, and the
// one behind the last.
func (p *plan) columns() (first, end int) {
	first = max(0, machine.CeilDiv(-p.left, p.stepW))
	end = min(p.srcW, (p.padW-1-p.left)/p.stepW+1)
	if p.padW-1-p.left < 0 || first >= end {
		return 0, 0
	}
	return first, end
}
