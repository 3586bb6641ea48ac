//go:build !purego && !linux

package kernel

// amxAvailable reports whether this process may use AMX int8 tiles.
func amxAvailable() bool { return false }
