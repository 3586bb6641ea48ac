//go:build !purego

package kernel

// filterInAVX512 works like filterInGeneric.
//
//go:noescape
func filterInAVX512(a *filterArgs)

// filterOutAVX512 works like filterOutGeneric.
//
//go:noescape
func filterOutAVX512(a *filterArgs)

// filterInAVX2 works like filterInGeneric.
//
//go:noescape
func filterInAVX2(a *filterArgs)

// filterOutAVX2 works like filterOutGeneric.
//
//go:noescape
func filterOutAVX2(a *filterArgs)
