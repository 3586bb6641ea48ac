//go:build !purego

package kernel

// eventsAVX512 are event kernels for implementations that list firing rates below a
// limit.
func eventsAVX512(below float64) *eventKernels {
	return &eventKernels{below: below, list: listSpikesAVX512, join: joinSpikesAVX512, row: eventRowAVX512}
}

// eventsAVX2 is eventsAVX512 with lists made in Go.
func eventsAVX2(below float64) *eventKernels {
	return &eventKernels{below: below, list: listSpikesGeneric, join: joinSpikesGeneric, row: eventRowAVX2}
}

//go:noescape
func eventRowAVX2(a *eventArgs)

//go:noescape
func eventRowAVX512(a *eventArgs)
