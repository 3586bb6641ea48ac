//go:build !linux

package kernel

// adviseLarge does nothing where large pages are not asked for.
func adviseLarge([]byte) {}
