package ops

import "slices"

// smallestNormal is the smallest float32 of full precision.
const smallestNormal = 0x1p-126

// NormalWeights is weights of a convolution with zeros for those that are subnormal. They
// add nothing that a float32 beside an ordinary weight would hold, but a CPU multiplies
// them up to a hundred times more slowly, and training leaves thousands in some networks.
// It is done where weights are packed for the float32 kernels, so that all of them still
// give the same bits; files keep what they hold. Where there are none it is ws itself.
func NormalWeights(ws []float32) []float32 {
	subnormal := func(w float32) bool { return w != 0 && w < smallestNormal && w > -smallestNormal }
	first := slices.IndexFunc(ws, subnormal)
	if first < 0 {
		return ws
	}
	normal := slices.Clone(ws)
	for i := first; i < len(normal); i++ {
		if subnormal(normal[i]) {
			normal[i] = 0
		}
	}
	return normal
}
