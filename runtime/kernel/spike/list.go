package spike

import "math/bits"

// Lists are the kernels that list the spikes of pixels and join lists to runs.
type Lists struct {
	// List gives the channels that spike in pixels of perPixel pieces of 16 bits: those
	// of pixel i, counts[i] of them, ascending from i*perPixel*16 on.
	List func(counts, numbers []int32, pieces []uint16, perPixel int)
	Join func(a *Join)
}

// GoLists are the kernels in Go.
var GoLists = Lists{listGeneric, joinGeneric}

const (
	// RunUnit is what the length of a run is a multiple of, filled with rows of zeros.
	RunUnit = 4
	// RunSpare is how many entries beyond the last a kernel may write.
	RunSpare = 16
)

// A Join is what a kernel needs to join the spikes under a row of a kernel, for N
// places of it that are Step pixels apart, the first at pixel First of the list. Tap t
// is Taps[t] pixels on. Starts, N+1 long, tells where in Entries each run begins. An
// entry is t*Channels + number; Zero fills a run up to a multiple of RunUnit.
type Join struct {
	Counts, Numbers []int32
	Taps            []int32
	Starts, Entries []int32
	Room, Channels  int
	First, Step, N  int
	Zero            int
}

// listGeneric lists the bits of pixels of perPixel pieces. A vector kernel may
// write up to the next multiple of 16 numbers of a pixel.
func listGeneric(counts, numbers []int32, pieces []uint16, perPixel int) {
	room := perPixel * maskBits
	for i := range counts {
		n := 0
		to := numbers[i*room : (i+1)*room]
		for j, piece := range pieces[i*perPixel : (i+1)*perPixel] {
			for ; piece != 0; piece &= piece - 1 {
				to[n] = int32(j*maskBits + bits.TrailingZeros16(piece))
				n++
			}
		}
		counts[i] = int32(n)
	}
}

// joinGeneric is the kernel of Join in Go. A vector kernel may write
// RunSpare entries beyond the last.
func joinGeneric(a *Join) {
	at := 0
	for i := range a.N {
		a.Starts[i] = int32(at)
		for t, tap := range a.Taps {
			pixel := a.First + i*a.Step + int(tap)
			for _, number := range a.Numbers[pixel*a.Room:][:a.Counts[pixel]] {
				a.Entries[at] = int32(t*a.Channels) + number
				at++
			}
		}
		for ; at%RunUnit > 0; at++ {
			a.Entries[at] = int32(a.Zero)
		}
	}
	a.Starts[a.N] = int32(at)
}
