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

//go:noescape
func eventRowAVX2(a *eventArgs)

//go:noescape
func eventRowAVX512(a *eventArgs)

// AVX512Lists make lists by vectors.
var AVX512Lists = Lists{listAVX512, joinAVX512}

// listAVX512 works like listGeneric.
//
//go:noescape
func listAVX512(counts, numbers []int32, pieces []uint16, perPixel int)

// joinAVX512 works like joinGeneric.
//
//go:noescape
func joinAVX512(a *Join)
