//go:build !purego && !linux

package machine

// AMX reports whether this process may use AMX tiles.
func AMX(bool) bool { return false }
