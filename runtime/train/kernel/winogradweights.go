package kernel

import "spikingir/runtime/kernel/machine"

// The gradient of 3 x 3 weights is summed over slices in the transformed domain: it is
// a convolution with filters of 4 x 4, tiles of the output's gradient, and has 3 x 3
// outputs, so that F(3x3, 4x4) takes 36 products for 144. Its points, and with them
// the transform of the input, are those of F(4x4, 3x3).

// clearTiles makes sums that are 0.
func (c *Conv) clearTiles(sc *Scratch) {
	f := c.forward.fast
	f.grow(sc)
	sc.positions = machine.GrowAligned(sc.positions, winogradPositions*f.sumPitch())
	clear(sc.positions)
}

// sumPitch is the number of floats from one position of the sums to the next.
func (w *winograd) sumPitch() int { return w.plan.inC*w.plan.outC + vectorLanes }

// addTiles adds the terms of a slice.
func (c *Conv) addTiles(sc *Scratch, x, gy []float32) {
	f, p, k := c.forward.fast, &c.forward.fast.plan, c.kernels
	m := &sc.product
	for at := 0; at < f.inputs.tiles(); at += winogradTiles {
		n := min(winogradTiles, f.inputs.tiles()-at)
		f.inputs.transform(k.winogradIn, sc, x, at, n, sc.inputs)
		f.outputs.transform(k.winogradGradient, sc, gy, at, n, sc.outputs)
		m.rows, m.cols, m.outStride, m.bStride, m.add = f.cols, f.rows[:n], p.outC, p.outC, true
		for position := range winogradPositions {
			m.a = sc.inputs[position*f.pitch:]
			for first := 0; first < p.outC; first += blockLanes {
				m.b, m.width = sc.outputs[position*f.pitch+first:], min(blockLanes, p.outC-first)
				m.out = sc.positions[position*f.sumPitch()+first:]
				k.product(m)
			}
		}
	}
}

// finishTiles gives the sums as [9][inC][outC].
func (c *Conv) finishTiles(sc *Scratch) []float32 {
	f, a := c.forward.fast, &sc.transform
	size := f.plan.inC * f.plan.outC
	sc.sums = machine.GrowAligned(sc.sums, 9*size)
	a.image, a.positions, a.pitch, a.channels = sc.sums, sc.positions, f.sumPitch(), size
	c.kernels.winogradWeights(a)
	return sc.sums
}

// winogradGradientGeneric is the kernel in Go that transforms tiles of 4 x 4, 4
// pixels apart, to positions.
func winogradGradientGeneric(a *winogradArgs) { a.eachPosition(winogradTile) }

// winogradFilter is the transform G of F(3, 4): four numbers to six, step apart.
func winogradFilter(to, g []float32, step int) {
	a, b, c, d := g[0], g[step], g[2*step], g[3*step]
	even, odd := float32((a+c)*(-1.0/6)), float32((b+d)*(-1.0/6))
	to[step], to[2*step] = even+odd, even-odd
	even, odd = float32((a+float32(4*c))*(1.0/24)), float32((b+float32(4*d))*(1.0/12))
	to[3*step], to[4*step] = even+odd, even-odd
	to[0], to[5*step] = a/4, d
}

// winogradWeightsGeneric is the kernel in Go that transforms the positions of all
// channels, which are pairs of an input and an output channel, to 3 x 3 weights,
// [9][channels]. Row and tiles mean nothing.
func winogradWeightsGeneric(a *winogradArgs) {
	var all [winogradPositions]float32
	var half [3 * winogradPatch]float32
	var weights [9]float32
	for c := range a.channels {
		for i := range all {
			all[i] = a.positions[i*a.pitch+c]
		}
		for x := range winogradPatch {
			winogradTaps(half[x:], all[x:], winogradPatch)
		}
		for y := range 3 {
			winogradTaps(weights[y*3:], half[y*winogradPatch:], 1)
		}
		for i, v := range weights {
			a.image[i*a.channels+c] = v
		}
	}
}

// winogradTaps is the transform A^T of F(3, 4): six numbers to three, step apart.
func winogradTaps(to, m []float32, step int) {
	s, d := m[step]+m[2*step], m[step]-m[2*step]
	s2, d2 := m[3*step]+m[4*step], m[3*step]-m[4*step]
	to[0] = m[0] + s + s2
	to[step] = d + float32(2*d2)
	to[2*step] = s + float32(4*s2) + m[5*step]
}
