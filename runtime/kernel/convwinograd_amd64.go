//go:build !purego

package kernel

// The kernels in assembly work like those in Go whose names end in Generic.
func filterInAVX512(a *filterArgs)
func filterOutAVX512(a *filterArgs)
func filterInAVX2(a *filterArgs)
func filterOutAVX2(a *filterArgs)
