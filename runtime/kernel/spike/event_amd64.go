//go:build !purego

package spike

// eventsAVX512 are event kernels for implementations that list firing rates below a
// limit.
func eventsAVX512(below float64) *eventKernels {
	return &eventKernels{below: below, lists: AVX512Lists, row: eventRowAVX512}
}

// eventsAVX2 is eventsAVX512 with lists made in Go.
func eventsAVX2(below float64) *eventKernels {
	return &eventKernels{below: below, lists: GoLists, row: eventRowAVX2}
}

// AVX512Lists make lists by vectors.
var AVX512Lists = Lists{listAVX512, joinAVX512}

// The kernels in assembly work like those in Go whose names end in Generic.
func eventRowAVX2(a *eventArgs)
func eventRowAVX512(a *eventArgs)
func listAVX512(counts, numbers []int32, pieces []uint16, perPixel int)
func joinAVX512(a *Join)
