//go:build !unix

package cli

// noCore does nothing where there are no images of the memory.
func noCore() {}
