//go:build !purego && !linux

package kernel

// amxAvailable reports whether this process may use AMX tiles.
func amxAvailable(bool) bool { return false }
