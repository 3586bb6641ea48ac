package kernel

import (
	base "spikingir/runtime/kernel"
	"spikingir/runtime/kernel/machine"
)

// A winograd computes a 3x3 convolution by Winograd F(4x4, 3x3), as
// [base.WinogradConv] does: 36 products where 144 are taken otherwise. Rounding errors
// are a few times as large, relative to the largest inputs of a tile.
type winograd struct {
	plan       plan
	inputs     patchSource
	outputs    patchSource // tiles of outputs, whose gradient is transformed
	weights    []float32   // [36][block][inC][lanes]
	rows, cols []int32     // of the products
	pitch      int         // floats from position to position
}

const (
	winogradTile      = base.WinogradTile
	winogradPatch     = base.WinogradPatch
	winogradPositions = base.WinogradPositions
	// winogradTiles is the number of tiles that go through all three steps at once:
	// whole tiles of a product, few enough for the second cache.
	winogradTiles = 4 * productTile
)

// winogradArgs are the arguments of the kernels that transform the tiles of a row.
// Lengths are in floats; positions is at the first tile's first position, those of a
// tile are pitch apart, tiles channels apart.
//
// The input kernel reads patches of 6 x 6 pixels, 4 pixels apart, from image; the
// output kernel writes tiles of 4 x 4 pixels there.
type winogradArgs struct {
	image, positions []float32
	row              int // floats from one row of the image to the next
	pitch, channels  int
	tiles            int
	scratch          *float32 // 36 vectors on a cache line
}

// newWinograd returns nil when the plan is no convolution that gains by it.
func newWinograd(s Shape, p plan) *winograd {
	if s.KernelH != 3 || s.KernelW != 3 || s.StrideH != 1 || s.StrideW != 1 ||
		s.DilationH != 1 || s.DilationW != 1 || s.Group != 1 ||
		p.inC%vectorLanes != 0 || p.outC%vectorLanes != 0 || p.outC < 2*vectorLanes || p.inC < 2*vectorLanes {
		return nil
	}
	w := &winograd{plan: p}
	w.inputs = patchSource{
		srcH: p.srcH, srcW: p.srcW, channels: p.inC, top: p.top, left: p.left, size: winogradPatch,
		tilesH: machine.CeilDiv(p.dstH, winogradTile), tilesW: machine.CeilDiv(p.dstW, winogradTile),
	}
	w.outputs = patchSource{
		srcH: p.dstH, srcW: p.dstW, channels: p.outC, size: winogradTile,
		tilesH: w.inputs.tilesH, tilesW: w.inputs.tilesW,
	}
	// The transforms, and outputs beyond the border, must leave something to win.
	if w.inputs.tiles()*winogradPositions*2 > p.dstH*p.dstW*9 {
		return nil
	}
	// Not a multiple of the cache's size.
	w.pitch = winogradTiles*max(p.inC, p.outC) + vectorLanes
	for i := range winogradTiles {
		w.rows = append(w.rows, int32(i*p.inC))
	}
	for i := range p.inC {
		w.cols = append(w.cols, int32(i))
	}
	w.weights = machine.Aligned[float32](winogradPositions * p.inC * p.outC)
	return w
}

// setWeights transforms weights, turned round or not.
func (w *winograd) setWeights(weights weightOrder, turned bool) {
	in, size := w.plan.inC, w.plan.inC*w.plan.outC
	var lanes [winogradPositions][vectorLanes]float32
	for _, b := range w.plan.blocks {
		for i := range in {
			for first := 0; first < b.lanes; first += vectorLanes {
				for o := range vectorLanes {
					at := i*weights.in + (b.first+first+o)*weights.out
					base.WinogradWeights(&lanes, o, (*[9]float32)(weights.weights[at:]), turned)
				}
				at := b.first*in + i*b.lanes + first
				for position := range lanes {
					copy(w.weights[position*size+at:], lanes[position][:])
				}
			}
		}
	}
}

// run sets dst to the sums of all slices of src.
func (w *winograd) run(k *convKernels, sc *Scratch, dst, src []float32, slices int) {
	w.grow(sc)
	tiles := slices * w.inputs.tiles()
	for at := 0; at < tiles; at += winogradTiles {
		n := min(winogradTiles, tiles-at)
		w.inputs.transform(k.winogradIn, sc, src, at, n, sc.inputs)
		w.multiply(k, sc, n)
		w.transformOut(k, sc, dst, at, n)
	}
}

// grow makes room for the positions of a block of tiles.
func (w *winograd) grow(sc *Scratch) {
	sc.inputs = machine.GrowAligned(sc.inputs, winogradPositions*w.pitch)
	sc.outputs = machine.GrowAligned(sc.outputs, winogradPositions*w.pitch)
	size := (winogradTile*w.inputs.tilesW + 2) * max(w.plan.inC, w.plan.outC)
	sc.strip = machine.GrowAligned(sc.strip, max(len(sc.strip), winogradPatch*size))
	sc.vectors = machine.GrowAligned(sc.vectors, winogradPositions*vectorLanes)
	sc.transform.scratch, sc.transform.pitch = &sc.vectors[0], w.pitch
}

// multiply computes the products of n tiles.
func (w *winograd) multiply(k *convKernels, sc *Scratch, n int) {
	p, a := &w.plan, &sc.product
	a.rows, a.cols, a.outStride, a.add = w.rows[:n], w.cols, p.outC, false
	for position := range winogradPositions {
		a.a = sc.inputs[position*w.pitch:]
		weights := w.weights[position*p.inC*p.outC:]
		for _, b := range p.blocks {
			a.b, a.bStride, a.width = weights[b.first*p.inC:], b.lanes, b.width
			a.out = sc.outputs[position*w.pitch+b.first:]
			k.product(a)
		}
	}
}

// transformOut transforms the outputs of n tiles from at on. Tiles that the border cuts
// are written to a strip and copied.
func (w *winograd) transformOut(k *convKernels, sc *Scratch, dst []float32, at, n int) {
	p, a := &w.plan, &sc.transform
	a.channels = p.outC
	row := p.dstW * p.outC
	for done := 0; done < n; done += a.tiles {
		slice, y, x := w.inputs.place(at + done)
		a.tiles = min(n-done, w.inputs.tilesW-x)
		a.positions = sc.outputs[done*p.outC:]
		x, y = x*winogradTile, y*winogradTile
		width, height := min(a.tiles*winogradTile, p.dstW-x), min(winogradTile, p.dstH-y)
		to := dst[(slice*p.dstH+y)*row+x*p.outC:]
		if width == a.tiles*winogradTile && height == winogradTile {
			a.image, a.row = to, row
			k.winogradOut(a)
			continue
		}
		a.image, a.row = sc.strip, a.tiles*winogradTile*p.outC
		k.winogradOut(a)
		for r := range height {
			copy(to[r*row:][:width*p.outC], sc.strip[r*a.row:])
		}
	}
}

// winogradInGeneric is the input kernel in Go.
func winogradInGeneric(a *winogradArgs) { a.eachPosition(winogradPatch) }

// eachPosition writes the positions of all tiles and channels: patches of size x size
// pixels, transformed.
func (a *winogradArgs) eachPosition(size int) {
	var patch [winogradPositions]float32
	for tile := range a.tiles {
		for c := range a.channels {
			for i := range size * size {
				patch[i] = a.image[i/size*a.row+(tile*winogradTile+i%size)*a.channels+c]
			}
			if size == winogradPatch {
				winogradInputs(&patch)
			} else {
				winogradGradients(&patch)
			}
			for i, v := range patch {
				a.positions[i*a.pitch+tile*a.channels+c] = v
			}
		}
	}
}

// winogradInputs transforms a patch.
func winogradInputs(patch *[winogradPositions]float32) {
	var half [winogradPositions]float32
	for x := range winogradPatch {
		winogradInput(half[x:], patch[x:], winogradPatch)
	}
	for y := 0; y < winogradPositions; y += winogradPatch {
		winogradInput(patch[y:], half[y:], 1)
	}
}

// winogradGradients transforms a tile, the first 16 numbers of patch.
func winogradGradients(patch *[winogradPositions]float32) {
	var half [winogradTile * winogradPatch]float32
	for x := range winogradTile {
		winogradFilter(half[x:], patch[x:], winogradTile)
	}
	for y := range winogradPatch {
		winogradFilter(patch[y*winogradPatch:], half[y*winogradTile:], 1)
	}
}

// winogradInput is the transform B^T of six numbers that are step apart.
func winogradInput(to, d []float32, step int) {
	a, b, c, e, f, g := d[0], d[step], d[2*step], d[3*step], d[4*step], d[5*step]
	even, odd := f-float32(4*c), e-float32(4*b)
	to[step], to[2*step] = even+odd, even-odd
	even, odd = f-c, float32(2*(e-b))
	to[3*step], to[4*step] = even+odd, even-odd
	to[0] = float32(4*a) - float32(5*c) + f
	to[5*step] = float32(4*b) - float32(5*e) + g
}

// winogradOutGeneric is the output kernel in Go.
func winogradOutGeneric(a *winogradArgs) {
	var all [winogradPositions]float32
	var half, tile [winogradTile * winogradPatch]float32
	for t := range a.tiles {
		for c := range a.channels {
			for i := range all {
				all[i] = a.positions[i*a.pitch+t*a.channels+c]
			}
			for x := range winogradPatch {
				winogradOutput(half[x:], all[x:], winogradPatch)
			}
			for y := range winogradTile {
				winogradOutput(tile[y*winogradTile:], half[y*winogradPatch:], 1)
			}
			for i := range winogradTile * winogradTile {
				a.image[i/winogradTile*a.row+(t*winogradTile+i%winogradTile)*a.channels+c] = tile[i]
			}
		}
	}
}

// winogradOutput is the transform A^T of six numbers that are step apart to four.
func winogradOutput(to, m []float32, step int) {
	s, d := m[step]+m[2*step], m[step]-m[2*step]
	s2, d2 := m[3*step]+m[4*step], m[3*step]-m[4*step]
	to[0] = m[0] + s + s2
	to[step] = d + float32(2*d2)
	to[2*step] = s + float32(4*s2)
	to[3*step] = d + float32(8*d2) + m[5*step]
}
