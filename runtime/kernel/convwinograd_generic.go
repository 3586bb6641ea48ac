package kernel

import "spikingir/runtime/kernel/machine"

// filterInGeneric is the input kernel in Go: rows first, then columns.
func filterInGeneric(a *filterArgs) {
	var half, all [WinogradPositions]float32
	for tile := range a.tiles {
		for y := range WinogradPatch {
			filterInput(half[y*WinogradPatch:], a.image[y*a.row+tile*WinogradTile:], 1)
		}
		for x := range WinogradPatch {
			filterInput(all[x:], half[x:], WinogradPatch)
		}
		for i, v := range all {
			a.positions[i*a.pitch+tile] = v
		}
	}
}

// filterInput is the transform B^T of six numbers that are step apart. Its products
// are those of powers of two, so that fused or not only matters where they overflow.
func filterInput(to, d []float32, step int) {
	a, b, c, e, f, g := d[0], d[step], d[2*step], d[3*step], d[4*step], d[5*step]
	even, odd := f-c, e-b
	ac, ge := a-c, g-e
	p, q := machine.FMA32(-4, c, f), machine.FMA32(-4, b, e)
	to[0], to[5*step] = machine.FMA32(4, ac, even), machine.FMA32(-4, odd, ge)
	to[step], to[2*step] = p+q, p-q
	to[3*step], to[4*step] = machine.FMA32(2, odd, even), machine.FMA32(-2, odd, even)
}

// filterOutGeneric is the output kernel in Go: columns first, then rows.
func filterOutGeneric(a *filterArgs) {
	var all [WinogradPositions]float32
	var half, tile [WinogradTile * WinogradPatch]float32
	for t := range a.tiles {
		for i := range all {
			all[i] = a.positions[i*a.pitch+t]
		}
		for x := range WinogradPatch {
			filterOutput(half[x:], all[x:], WinogradPatch)
		}
		for y := range WinogradTile {
			filterOutput(tile[:], half[y*WinogradPatch:], 1)
			for x, v := range tile[:WinogradTile] {
				a.image[y*a.row+t*WinogradTile+x] = a.finish(v)
			}
		}
	}
}

// filterOutput is the transform A^T of six numbers that are step apart to four.
func filterOutput(to, m []float32, step int) {
	s, d := m[step]+m[2*step], m[step]-m[2*step]
	s2, d2 := m[3*step]+m[4*step], m[3*step]-m[4*step]
	end := d + m[5*step]
	first := m[0] + s
	to[0] = first + s2
	to[step] = machine.FMA32(2, d2, d)
	to[2*step] = machine.FMA32(4, s2, s)
	to[3*step] = machine.FMA32(8, d2, end)
}

// finish is the tail of one output.
func (a *filterArgs) finish(v float32) float32 {
	if a.biased {
		v += a.bias
	}
	if a.affine {
		v = float32((v + a.offset) * a.scale)
		v += a.shift
	}
	if a.relu && v < 0 {
		v = 0
	}
	return v
}
