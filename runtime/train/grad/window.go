package grad

import "spikingir/graph/op"

// outside marks a cell of a kernel that lies on padding.
const outside = -1

// A window tells, for every output element of a convolution or pool over any number
// of spatial axes, the input elements under its kernel.
type window struct {
	in, out, kernel []int
	// at lists, for each axis, the input element offset for output coordinate o and
	// kernel coordinate k at o*kernel + k, or outside.
	at [][]int
	// room counts, for each axis and output coordinate, the kernel coordinates that
	// lie on the input or its padding.
	room [][]int
}

// newWindow plans windows over planes of the sizes in that give planes of the sizes
// out. Pads may be negative.
func newWindow(w op.Window, in, out []int, pads []int64) *window {
	s := &window{in: in, out: out, at: make([][]int, len(in)), room: make([][]int, len(in))}
	step := product(in)
	for axis, n := range in {
		step /= max(n, 1)
		k := int(w.Kernel[axis])
		s.kernel = append(s.kernel, k)
		s.at[axis], s.room[axis] = make([]int, out[axis]*k), make([]int, out[axis])
		for o := range out[axis] {
			for j := range k {
				i := o*int(w.Stride[axis]) + j*int(w.Dilation[axis]) - int(pads[axis])
				if i < n+int(pads[len(in)+axis]) {
					s.room[axis][o]++
				}
				if i < 0 || i >= n {
					i = outside
				} else {
					i *= step
				}
				s.at[axis][o*k+j] = i
			}
		}
	}
	return s
}

// size is the number of kernel cells.
func (s *window) size() int { return product(s.kernel) }

// cells lists the offsets in the input plane of all kernel cells at output element o,
// in kernel order, into list, which has room for them.
func (s *window) cells(o int, list []int) []int {
	list = append(list[:0], 0)
	rest := product(s.out)
	for axis, k := range s.kernel {
		rest /= s.out[axis]
		at := s.at[axis][o/rest*k : (o/rest+1)*k]
		o %= rest
		// from the last one on, so that what is still to be read is not overwritten
		n := len(list)
		list = list[:n*k]
		for i := n - 1; i >= 0; i-- {
			base := list[i]
			for j := k - 1; j >= 0; j-- {
				if base == outside || at[j] == outside {
					list[i*k+j] = outside
				} else {
					list[i*k+j] = base + at[j]
				}
			}
		}
	}
	return list
}

// padded counts the kernel cells of output element o that lie on the input or its
// padding.
func (s *window) padded(o int) int {
	count := 1
	for axis := len(s.out) - 1; axis >= 0; axis-- {
		count *= s.room[axis][o%s.out[axis]]
		o /= s.out[axis]
	}
	return count
}
