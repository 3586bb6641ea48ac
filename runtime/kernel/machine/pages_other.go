//go:build !linux

package machine

// adviseLarge does nothing where large pages are not asked for.
func adviseLarge([]byte) {}
